//! Answers to human tasks, as words.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest word of an answer, in characters. The contract's limit.
pub const OUTCOME_CHARS_MAX: usize = 64;

/// Words that let work go on, whatever kind of task they answer.
const APPROVING: [Outcome; 7] = [
    Outcome::APPROVED,
    Outcome::known("confirmed"),
    Outcome::known("assigned"),
    Outcome::known("submitted"),
    Outcome::known("provided"),
    Outcome::known("completed"),
    Outcome::known("override_approved"),
];

/// A person's answer: one word of those that the task takes.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Outcome(Cow<'static, str>);

/// Why a text is no outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "an outcome is a word of 1 to {OUTCOME_CHARS_MAX} small letters, digits, `_` or `-`, such as \
     approved"
)]
pub struct InvalidOutcome;

impl Outcome {
    /// Yes.
    pub const APPROVED: Self = Self::known("approved");
    /// No.
    pub const REJECTED: Self = Self::known("rejected");

    /// A word that the contract knows.
    pub(super) const fn known(word: &'static str) -> Self {
        Self(Cow::Borrowed(word))
    }

    /// Reads a word.
    pub fn parse(text: &str) -> Result<Self, InvalidOutcome> {
        let text = text.trim();
        let formed = (1..=OUTCOME_CHARS_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'));
        if formed { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(InvalidOutcome) }
    }

    /// The word.
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether the contract knows this word as one that lets work go on.
    pub fn is_known_to_approve(&self) -> bool {
        APPROVING.contains(self)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl TryFrom<String> for Outcome {
    type Error = InvalidOutcome;

    fn try_from(text: String) -> Result<Self, InvalidOutcome> {
        Self::parse(&text)
    }
}

impl From<Outcome> for String {
    fn from(outcome: Outcome) -> Self {
        outcome.0.into_owned()
    }
}
