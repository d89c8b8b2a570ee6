//! API keys: random, stored as digests, each with a role.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

use crate::account::AccountId;
use crate::address::Address;
use crate::digest::Digest;
use crate::principal::{Assurance, Principal, Role};

/// Random bytes in a key's secret part.
pub const SECRET_BYTES: usize = 24;
/// Random bytes in a key's public id.
pub const ID_BYTES: usize = 8;
/// The longest text that is looked at as a key.
pub const KEY_CHARS_MAX: usize = 200;
const PREFIX: &str = "hp_";

/// A stored key. It holds the digest of the secret, never the secret.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Key {
    /// Public id; part of the key's text, so that a look-up is one read.
    pub id: String,
    /// Name of the holder.
    pub name: String,
    /// What the key may do.
    pub role: Role,
    /// For agents: the one address that it speaks for.
    pub address: Option<Address>,
    /// The service account that it was made for, if it was made for one.
    #[serde(default)]
    pub service_account_id: Option<AccountId>,
    /// SHA-256 of the key's whole text.
    pub secret_digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// The text of a key, shown once when it is made.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyText(String);

impl KeyText {
    /// Makes a key's text from random bytes.
    pub fn new(id: [u8; ID_BYTES], secret: [u8; SECRET_BYTES]) -> Self {
        let id = data_encoding::HEXLOWER.encode(&id);
        let secret = data_encoding::BASE64URL_NOPAD.encode(&secret);
        Self(format!("{PREFIX}{id}_{secret}"))
    }

    /// Takes a text that a caller sent, if it has the form of a key.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(PREFIX)?;
        let (id, secret) = rest.split_once('_')?;
        let formed = text.len() <= KEY_CHARS_MAX
            && id.len() == 2 * ID_BYTES
            && id.bytes().all(|b| b.is_ascii_hexdigit())
            && !secret.is_empty();
        formed.then(|| Self(text.to_owned()))
    }

    /// The public id inside.
    pub fn id(&self) -> &str {
        self.0.strip_prefix(PREFIX).and_then(|rest| rest.split_once('_')).map_or("", |(id, _)| id)
    }

    /// SHA-256 of the text, which is what is stored.
    pub fn digest(&self) -> Digest {
        Digest::of_bytes(self.0.as_bytes())
    }

    /// The text, for the one who asked for the key.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for KeyText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyText({}…)", self.id())
    }
}

impl Key {
    /// Whether `text` is this key, in force at `now`.
    pub fn admits(&self, text: &KeyText, now: Timestamp) -> bool {
        let same = self.secret_digest.hex().as_bytes().ct_eq(text.digest().hex().as_bytes());
        bool::from(same)
            && self.revoked_at.is_none()
            && self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// The principal that holds this key.
    pub fn principal(&self, tenant: &str) -> Principal {
        Principal {
            tenant: tenant.to_owned(),
            name: self.name.clone(),
            role: self.role,
            address: self.address.clone(),
            assurance: Assurance::Key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &KeyText) -> Key {
        Key {
            id: text.id().to_owned(),
            name: "alice".to_owned(),
            role: Role::Reviewer,
            address: None,
            service_account_id: None,
            secret_digest: text.digest(),
            created_at: Timestamp::UNIX_EPOCH,
            expires_at: Some(Timestamp::from_second(100).unwrap()),
            revoked_at: None,
        }
    }

    #[test]
    fn a_key_admits_its_own_text_until_it_expires_or_is_revoked() {
        let text = KeyText::new([1; ID_BYTES], [2; SECRET_BYTES]);
        let other = KeyText::new([1; ID_BYTES], [3; SECRET_BYTES]);
        let at = |second| Timestamp::from_second(second).unwrap();
        let key = key(&text);
        assert!(key.admits(&text, at(99)));
        assert!(!key.admits(&text, at(100)));
        assert!(!key.admits(&other, at(0)));
        let revoked = Key { revoked_at: Some(at(0)), ..key };
        assert!(!revoked.admits(&text, at(1)));
    }

    #[test]
    fn only_texts_of_the_right_form_are_looked_up() {
        let text = KeyText::new([1; ID_BYTES], [2; SECRET_BYTES]);
        assert_eq!(KeyText::parse(text.reveal()), Some(text));
        for bad in ["", "hp_", "hp_12_x", "axme_sa_1_2", "hp_zzzzzzzzzzzzzzzz_x"] {
            assert_eq!(KeyText::parse(bad), None, "{bad}");
        }
        assert_eq!(KeyText::parse(&format!("hp_0101010101010101_{}", "x".repeat(200))), None);
    }

    #[test]
    fn a_key_does_not_show_its_secret_when_it_is_debugged() {
        let text = KeyText::new([1; ID_BYTES], [2; SECRET_BYTES]);
        assert_eq!(format!("{text:?}"), "KeyText(0101010101010101…)");
    }
}
