//! Digests over canonical JSON.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// The largest whole number that canonical JSON (RFC 8785 §3.2.2.3, by way of I-JSON) keeps exact.
pub const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The same bound for a number that is kept as a float.
const FLOAT_MAX: f64 = 9_007_199_254_740_991.0;

/// A SHA-256 digest, lower-case hex in text.
#[derive(Clone, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

/// A digest that is not 64 hex digits.
#[derive(Debug, thiserror::Error)]
#[error("a digest is 64 lower-case hex digits")]
pub struct InvalidDigest;

impl Digest {
    /// Digest of bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(data_encoding::HEXLOWER.encode(&Sha256::digest(bytes)))
    }

    /// Digest of the canonical form (RFC 8785) of a JSON value.
    ///
    /// Call [`is_exact`] on values from outside first: two whole numbers above [`INTEGER_MAX`] may
    /// have one canonical form.
    pub fn of_json(value: &Value) -> Self {
        Self::of_bytes(&canonical(value))
    }

    /// The hex digits.
    pub fn hex(&self) -> &str {
        &self.0
    }
}

/// Whether the canonical form of `value` stands for this value alone.
pub fn is_exact(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => {
            let unsigned = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match (unsigned, number.as_f64()) {
                (Some(magnitude), _) => magnitude <= INTEGER_MAX,
                // Beyond 64 bits the parser has rounded a whole number already.
                (None, Some(float)) => float.fract() != 0.0 || float.abs() <= FLOAT_MAX,
                (None, None) => false,
            }
        }
        Value::Array(items) => items.iter().all(is_exact),
        Value::Object(fields) => fields.values().all(is_exact),
    }
}

fn canonical(value: &Value) -> Vec<u8> {
    // A `Value` has only string keys and finite numbers, the two things that canonical JSON cannot
    // write otherwise; should that ever change, plain JSON is still a fixed form of the value.
    serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes())
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidDigest;

    fn try_from(text: String) -> Result<Self, InvalidDigest> {
        let hex = text.len() == 64
            && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if hex { Ok(Self(text)) } else { Err(InvalidDigest) }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_every_value_does() {
        let one = Digest::of_json(&json!({"a": 1, "b": [true, "x"]}));
        assert_eq!(one, Digest::of_json(&json!({"b": [true, "x"], "a": 1})));
        assert_ne!(one, Digest::of_json(&json!({"b": [true, "y"], "a": 1})));
    }

    #[test]
    fn the_digest_is_that_of_the_canonical_text() {
        let digest = Digest::of_json(&json!({"b": 2.0, "a": "é"}));
        assert_eq!(digest, Digest::of_bytes(r#"{"a":"é","b":2}"#.as_bytes()));
    }

    #[test]
    fn whole_numbers_that_canonical_json_would_round_are_not_exact() {
        assert!(is_exact(&json!({"n": [INTEGER_MAX, -9_007_199_254_740_991_i64, 0.5]})));
        assert!(!is_exact(&json!({"n": [INTEGER_MAX + 1]})));
        assert!(!is_exact(&json!(-9_007_199_254_740_993_i64)));
        let beyond_64_bits: Value = serde_json::from_str("[18446744073709551617]").unwrap();
        assert!(!is_exact(&beyond_64_bits));
    }
}
