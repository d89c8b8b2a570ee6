//! Names of things: addresses and ids.

use shared::address::{ADDRESS_CHARS_MAX, Address};
use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::Status;
use shared::intent::outcome::Outcome;
use shared::intent::task_type::TaskType;
use shared::webhook::{EventId, EventPattern, EventType, SubscriptionId};

use crate::request::stored;

/// Whatever is a name has one spelling, which stands in paths and keys and means the same there.
pub fn name(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(address) = Address::parse(text) {
        let path = address.path();
        assert!(path.len() <= ADDRESS_CHARS_MAX, "{path}");
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-@+/".contains(c);
        assert!(path.chars().all(plain) && !path.contains("//"), "{path}");
        assert!(!path.starts_with('/') && !path.ends_with('/'), "{path}");
        for spelling in [path, &address.uri()] {
            assert_eq!(Address::parse(spelling).as_ref(), Ok(&address), "{spelling}");
        }
        stored(&address);
    }
    if let Ok(id) = text.parse::<IntentId>() {
        assert_eq!(id.to_string().parse::<IntentId>().as_ref(), Ok(&id));
        assert_eq!(id.to_string().len(), 36);
        stored(&id);
    }
    if let Ok(digest) = Digest::try_from(text.to_owned()) {
        assert_eq!(digest.hex(), text);
        stored(&digest);
    }
    if let Ok(outcome) = Outcome::parse(text) {
        stored(&outcome);
    }
    if let Ok(status) = text.parse::<Status>() {
        assert_eq!(status.name(), text);
    }
    if let Some(kind) = TaskType::parse(text) {
        stored(&kind);
    }
    webhooks(text);
}

fn webhooks(text: &str) {
    if let Ok(kind) = EventType::parse(text) {
        stored(&kind);
        let pattern = EventPattern::parse(text).expect("what happens can be subscribed to");
        stored(&pattern);
    }
    if let Some(id) = SubscriptionId::parse(text) {
        stored(&id);
    }
    if let Some(id) = EventId::parse(text) {
        stored(&id);
    }
}
