//! Query strings.

use shared::http::wire::inbox::WireInbox;
use shared::http::wire::list::WireList;
use shared::http::wire::mesh::WireMeshEvents;
use shared::http::wire::page;

use crate::request::{query as read, taken};

/// Lists never show more than they may, and a cursor that is taken is the one that is given.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(sent) = read::<WireList>(text) {
        let checked = sent.and_then(|list| {
            assert!((1..=200).contains(&list.limit()), "{}", list.limit());
            list.from()?;
            list.filter()
        });
        taken("GET /v1/intents", b"", checked);
    }
    if let Some(sent) = read::<WireInbox>(text) {
        let checked = sent.and_then(|inbox| {
            assert!((1..=200).contains(&inbox.limit()), "{}", inbox.limit());
            inbox.state()?;
            inbox.from()
        });
        taken("GET /v1/inbox", b"", checked);
    }
    if let Some(sent) = read::<WireInbox>(text) {
        let since = sent.and_then(|inbox| inbox.since());
        taken("GET /v1/inbox/changes", b"", since);
    }
    if let Some(sent) = read::<WireMeshEvents>(text) {
        let limit = taken("GET /v1/mesh/events", b"", sent.and_then(|events| events.limit()));
        assert!(limit.is_none_or(|limit| (1..=500).contains(&limit)), "{limit:?}");
    }
    if let Ok(Some(place)) = page::from(Some(text)) {
        let again = page::from(Some(&page::cursor(place)));
        assert_eq!(again.expect("a cursor that was given"), Some(place));
    }
}
