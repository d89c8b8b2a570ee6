//! Names of events, and which of them a subscription wants.

use serde::{Deserialize, Serialize};

/// The shortest event type, in characters. The contract's limit.
pub const EVENT_TYPE_CHARS_MIN: usize = 3;
/// The longest, in characters.
pub const EVENT_TYPE_CHARS_MAX: usize = 120;
const EVERYTHING: &str = "*";

/// The name of an event, such as `inbox.reply_received`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct EventType(String);

/// What a subscription wants: one event type, all that begin alike (`intent.*`), or all (`*`).
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct EventPattern(String);

/// Why a text is no event type.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "an event type has {EVENT_TYPE_CHARS_MIN} to {EVENT_TYPE_CHARS_MAX} letters, digits, `.`, `_`, \
     `-`, `:` or `/`, such as intent.completed"
)]
pub struct InvalidEventType;

impl EventType {
    /// Reads an event type.
    pub fn parse(text: &str) -> Result<Self, InvalidEventType> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ':' | '/');
        let fits = (EVENT_TYPE_CHARS_MIN..=EVENT_TYPE_CHARS_MAX).contains(&text.len());
        if fits && text.chars().all(plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidEventType)
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl EventPattern {
    /// Reads an event type, or a pattern of them.
    pub fn parse(text: &str) -> Result<Self, InvalidEventType> {
        let is_prefix = text.strip_suffix(EVERYTHING).is_some_and(|prefix| {
            prefix.ends_with('.') && EventType::parse(&format!("{prefix}_")).is_ok()
        });
        if text == EVERYTHING || is_prefix {
            return Ok(Self(text.to_owned()));
        }
        EventType::parse(text).map(|EventType(text)| Self(text))
    }

    /// Whether it names this event type.
    pub fn names(&self, event_type: &str) -> bool {
        match self.0.strip_suffix(EVERYTHING) {
            Some(prefix) => event_type.starts_with(prefix),
            None => self.0 == event_type,
        }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, named: &[&str], others: &[&str]) {
        let pattern = EventPattern::parse(pattern).unwrap();
        assert!(named.iter().all(|event_type| pattern.names(event_type)), "{pattern:?}");
        assert!(!others.iter().any(|event_type| pattern.names(event_type)), "{pattern:?}");
    }

    #[test]
    fn a_pattern_names_one_type_or_all_that_begin_alike_or_all() {
        check(
            "intent.completed",
            &["intent.completed"],
            &["intent.complete", "intent.completed.x"],
        );
        check(
            "intent.*",
            &["intent.completed", "intent.a.b"],
            &["intent", "intents.x", "a.intent.b"],
        );
        check("*", &["intent.completed", "xyz"], &[]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        let long = "x".repeat(EVENT_TYPE_CHARS_MAX + 1);
        for text in ["", "ab", ".*", "**", "*.*", "in*t.*", "intent*", "*.failed", "a b c", &long] {
            assert_eq!(EventPattern::parse(text), Err(InvalidEventType), "{text}");
        }
        assert_eq!(EventType::parse("intent.*"), Err(InvalidEventType));
    }
}
