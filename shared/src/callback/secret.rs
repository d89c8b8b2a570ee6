//! Secrets that sign what is posted.

use std::fmt;

use data_encoding::BASE64;

/// Random bytes in a secret that Holdpoint makes.
pub const SECRET_BYTES: usize = 32;
/// The shortest secret that a caller may send, in characters. The contract's limit.
pub const SECRET_CHARS_MIN: usize = 16;
/// The longest, in characters.
pub const SECRET_CHARS_MAX: usize = 128;
/// Characters of a secret by which its owner tells it from others.
const HINT_CHARS: usize = 4;
/// How Standard Webhooks marks a secret whose rest is a key in base64.
const PREFIX: &str = "whsec_";

/// A secret that sender and receiver share. It never appears in logs, lists or debug output.
#[derive(Clone, Eq, PartialEq)]
pub struct SigningSecret(String);

/// Why a text is no secret.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidSecret {
    /// Too short or too long.
    #[error(
        "has {0} characters; send {SECRET_CHARS_MIN} to {SECRET_CHARS_MAX}, or none to get one"
    )]
    Length(usize),
    /// Marked as base64 and none.
    #[error("begins with {PREFIX} and goes on with something that is not base64")]
    NotBase64,
}

impl SigningSecret {
    /// A secret made of random bytes.
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(format!("{PREFIX}{}", BASE64.encode(&bytes)))
    }

    /// Takes a secret that a caller chose.
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let chars = text.chars().count();
        if !(SECRET_CHARS_MIN..=SECRET_CHARS_MAX).contains(&chars) {
            return Err(InvalidSecret::Length(chars));
        }
        match text.strip_prefix(PREFIX).map(|rest| BASE64.decode(rest.as_bytes())) {
            Some(Err(_)) => Err(InvalidSecret::NotBase64),
            Some(Ok(_)) | None => Ok(Self(text.to_owned())),
        }
    }

    /// A secret that was checked before it was stored.
    #[cfg(feature = "store")]
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, for the one who shares it and for the table.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The end of the text.
    pub fn hint(&self) -> String {
        let shown = self.0.chars().count().saturating_sub(HINT_CHARS);
        self.0.chars().skip(shown).collect()
    }

    /// The key of a Standard Webhooks signature: what the marked base64 stands for, or else the text.
    pub fn key(&self) -> Vec<u8> {
        let marked = self.0.strip_prefix(PREFIX);
        let key = marked.and_then(|rest| BASE64.decode(rest.as_bytes()).ok());
        key.unwrap_or_else(|| self.0.clone().into_bytes())
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_that_is_made_can_be_sent_back() {
        let made = SigningSecret::new([7; SECRET_BYTES]);
        assert_eq!(SigningSecret::parse(made.reveal()), Ok(made.clone()));
        assert_eq!(made.key(), vec![7; SECRET_BYTES]);
        assert_eq!(format!("{made:?}"), "SigningSecret(redacted)");
    }

    #[test]
    fn a_secret_of_ones_own_is_its_own_key_and_shows_only_its_end() {
        let own = SigningSecret::parse("a secret of 24 character").unwrap();
        assert_eq!(own.key(), b"a secret of 24 character");
        assert_eq!(own.hint(), "cter");
    }

    #[test]
    fn what_is_no_secret_is_refused() {
        assert_eq!(SigningSecret::parse("short"), Err(InvalidSecret::Length(5)));
        assert_eq!(SigningSecret::parse(&"x".repeat(129)), Err(InvalidSecret::Length(129)));
        assert_eq!(SigningSecret::parse("whsec_not base64!"), Err(InvalidSecret::NotBase64));
    }
}
