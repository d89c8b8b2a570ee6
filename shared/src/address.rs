//! Addresses of agents and people.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most characters that an address may have, scheme included. The contract's limit.
pub const ADDRESS_CHARS_MAX: usize = 383;
/// What the longer spelling of an address begins with.
pub(crate) const SCHEME: &str = "agent://";
const AGENT_CORE: &str = "agent_core";

/// Where an intent goes: one to three segments, written `agent://org/workspace/name` or bare.
///
/// Both spellings are the same address; it is stored without the scheme.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address(String);

/// Why a text is not an address.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "an address has one to three segments of letters, digits, `.`, `_`, `-`, `@` or `+`, at most \
     {ADDRESS_CHARS_MAX} characters, such as agent://team/production/deployer or deployer"
)]
pub struct InvalidAddress;

impl Address {
    /// Reads an address with or without its scheme. The limit is that of the longer spelling, in which
    /// answers write it.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let address = Self::read(text.trim())?;
        let chars = SCHEME.len() + address.0.len();
        if chars <= ADDRESS_CHARS_MAX { Ok(address) } else { Err(InvalidAddress) }
    }

    fn read(text: &str) -> Result<Self, InvalidAddress> {
        let path = text.split_once("://").map_or(text, |(_, path)| path);
        let path = path.trim_matches('/');
        let segments = path.split('/').count();
        let valid = text.chars().count() <= ADDRESS_CHARS_MAX
            && (1..=3).contains(&segments)
            && path.split('/').all(is_segment);
        if valid { Ok(Self(path.to_owned())) } else { Err(InvalidAddress) }
    }

    /// The built-in orchestrator: the contract's name for "just ask a person".
    pub fn agent_core() -> Self {
        Self(AGENT_CORE.to_owned())
    }

    /// The address without its scheme, as it stands in URL paths and keys.
    pub fn path(&self) -> &str {
        &self.0
    }

    /// The address with its scheme, as the contract writes it.
    pub fn uri(&self) -> String {
        format!("{SCHEME}{}", self.0)
    }

    /// Whether this is the built-in orchestrator, to which an intent goes that only asks a person.
    pub fn is_agent_core(&self) -> bool {
        self.0.rsplit('/').next() == Some(AGENT_CORE)
    }
}

fn is_segment(segment: &str) -> bool {
    !segment.is_empty()
        && segment
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@' | '+'))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri())
    }
}

impl TryFrom<String> for Address {
    type Error = InvalidAddress;

    /// Reads a stored address, which an earlier version may have taken at full length without its scheme.
    fn try_from(text: String) -> Result<Self, InvalidAddress> {
        Self::read(&text)
    }
}

impl From<Address> for String {
    fn from(address: Address) -> Self {
        address.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Address::parse(text).ok().as_ref().map(Address::path), expected);
    }

    #[test]
    fn both_spellings_are_the_same_address() {
        check("agent://task-processor", Some("task-processor"));
        check("task-processor", Some("task-processor"));
        check("agent://myorg/production/deployer", Some("myorg/production/deployer"));
        check("initiator://ci", Some("ci"));
        check("alice+ops@example.com", Some("alice+ops@example.com"));
    }

    #[test]
    fn an_address_is_taken_in_both_spellings_or_in_none() {
        let longest = "x".repeat(ADDRESS_CHARS_MAX - SCHEME.len());
        let address = Address::parse(&longest).unwrap();
        assert_eq!(Address::parse(&address.uri()), Ok(address));
        let longer = format!("{longest}x");
        check(&longer, None);
        check(&format!("{SCHEME}{longer}"), None);
        let stored: Address = serde_json::from_value(serde_json::json!(longer)).unwrap();
        assert_eq!(stored.path(), longer);
    }

    #[test]
    fn what_is_no_address_is_refused() {
        check("", None);
        check("agent://", None);
        check("agent://a/b/c/d", None);
        check("agent://a//b", None);
        check("a b", None);
        check("a#b", None);
        check("a\u{202e}b", None);
        check(&"x".repeat(384), None);
    }
}
