//! What came to receivers outside, and who they are.

use std::fmt;

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::Value;
use sha2::Sha256;

/// How Standard Webhooks marks a secret whose rest is a key in base64.
const MARK: &str = "whsec_";

/// A receiver, as whoever set it up knows it.
#[derive(Clone, Debug)]
pub struct Door {
    /// Its address.
    pub url: String,
    /// The secret that it was told.
    pub secret: String,
    /// Whose it is.
    pub of: Whose,
    /// Whether it says good-bye some day. It is owed nothing then.
    pub leaves: bool,
}

/// Whose a receiver is.
#[derive(Clone, Debug)]
pub enum Whose {
    /// The deployer's, who has people told what waits for them.
    People,
    /// An agent's, whose turns are posted there.
    Agent(String),
    /// A customer's.
    Customer(Wish),
}

/// What a customer wants to hear of.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The subscription's name.
    pub subscription: String,
    /// Whose business it is.
    pub owner: String,
    /// The types of events.
    pub event_types: Vec<String>,
}

/// One post.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where it came.
    pub url: String,
    /// When it set out.
    pub sent_at: Timestamp,
    /// Its `webhook-id`.
    pub id: String,
    /// Its `webhook-timestamp`, in seconds.
    pub timestamp_s: String,
    /// Its `webhook-signature`.
    pub signature: String,
    /// Its `x-axme-signature`, if it has one.
    pub axme_signature: Option<String>,
    /// What it says.
    pub body: String,
    /// Whether the receiver took it, whether or not its answer arrived.
    pub is_taken: bool,
}

impl Door {
    /// The customer's wish, if it is a customer's.
    pub(super) fn wish(&self) -> Option<&Wish> {
        match &self.of {
            Whose::Customer(wish) => Some(wish),
            Whose::People | Whose::Agent(_) => None,
        }
    }
}

impl Post {
    /// What it says.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Why it is not signed as it should be, by this door's secret and a clock this far from its own.
    pub(super) fn fault(&self, door: &Door, skew_ms_max: i64) -> Option<String> {
        let key = match door.secret.strip_prefix(MARK) {
            Some(rest) => BASE64.decode(rest.as_bytes()).expect("a secret that was made here"),
            None => door.secret.clone().into_bytes(),
        };
        let signed = format!("{}.{}.{}", self.id, self.timestamp_s, self.body);
        if self.signature != format!("v1,{}", BASE64.encode(&code(&key, &signed))) {
            return Some("is not signed with the secret".to_owned());
        }
        let axme = format!("sha256={}", HEXLOWER.encode(&code(door.secret.as_bytes(), &self.body)));
        let wants_axme = !matches!(door.of, Whose::People);
        if wants_axme && self.axme_signature != Some(axme) {
            return Some("is not signed in the contract's way".to_owned());
        }
        let said_ms = self.timestamp_s.parse::<i64>().unwrap_or_default() * 1_000;
        let off_ms = (self.sent_at.as_millisecond() - said_ms).abs();
        (off_ms > skew_ms_max + 1_000).then(|| format!("says that it set out {off_ms} ms off"))
    }
}

impl fmt::Display for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.id, self.url)
    }
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    let code = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length fits");
    code.chain_update(text).finalize().into_bytes().to_vec()
}
