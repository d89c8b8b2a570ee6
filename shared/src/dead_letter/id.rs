//! Names of dead letters. They sort by age.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// Hex digits that tell messages of one millisecond apart.
const DIGITS: usize = 24;

/// The name of a dead letter: when the message was sent, and what its queue called it.
#[derive(Clone, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeadLetterId {
    sent_ms: u64,
    digits: String,
}

/// A text that names no dead letter.
#[derive(Debug, thiserror::Error)]
#[error("a dead letter's ID is a number, a dash and {DIGITS} hex digits")]
pub struct InvalidDeadLetterId;

impl DeadLetterId {
    /// The name of what was sent at `sent_at` and is called `name` where it was taken from.
    pub fn new(sent_at: Timestamp, name: &str) -> Self {
        let digest = Digest::of_bytes(name.as_bytes());
        let digits = digest.hex().get(..DIGITS).unwrap_or_default().to_owned();
        Self { sent_ms: u64::try_from(sent_at.as_millisecond()).unwrap_or(0), digits }
    }

    /// When the message was sent, in milliseconds since 1970.
    pub fn sent_ms(&self) -> u64 {
        self.sent_ms
    }

    /// What tells it from others of its millisecond.
    pub fn digits(&self) -> &str {
        &self.digits
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.sent_ms, self.digits)
    }
}

impl FromStr for DeadLetterId {
    type Err = InvalidDeadLetterId;

    fn from_str(text: &str) -> Result<Self, InvalidDeadLetterId> {
        let (sent_ms, digits) = text.split_once('-').ok_or(InvalidDeadLetterId)?;
        let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let id = Self {
            sent_ms: sent_ms.parse().map_err(|_| InvalidDeadLetterId)?,
            digits: digits.to_owned(),
        };
        let is_formed = digits.len() == DIGITS && digits.bytes().all(is_digit);
        // `007` and `+7` would be other names of the same letter.
        if is_formed && id.to_string() == text { Ok(id) } else { Err(InvalidDeadLetterId) }
    }
}

impl TryFrom<String> for DeadLetterId {
    type Error = InvalidDeadLetterId;

    fn try_from(text: String) -> Result<Self, InvalidDeadLetterId> {
        text.parse()
    }
}

impl From<DeadLetterId> for String {
    fn from(id: DeadLetterId) -> Self {
        id.to_string()
    }
}
