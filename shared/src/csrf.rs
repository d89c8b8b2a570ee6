//! The token in the decision form that shows that our own page was sent, to this browser, for this link.
//!
//! The nonce lives in a cookie (`HttpOnly`, `SameSite=Strict`) and the token in the form. Another
//! site can make a browser post a form, but can neither read the nonce nor compute the token, and a
//! token taken from one link's page does not fit another's. The cookie's path is the link's own, so
//! that two requests open at once do not spoil each other's form.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::Mac;

use crate::link::LinkSecret;

const DOMAIN: &[u8] = b"holdpoint/decision-form/r1\0";
const NONCE_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
/// A tag of 32 bytes, in base64 without padding.
const TOKEN_CHARS: usize = (TAG_BYTES * 4).div_ceil(3);
const NONCE_CHARS: usize = (NONCE_BYTES * 4).div_ceil(3);

/// The random value that a reviewer's browser keeps in a cookie.
#[derive(Clone, PartialEq, Eq)]
pub struct CsrfNonce([u8; NONCE_BYTES]);

impl CsrfNonce {
    /// Takes bytes fresh from the system's random source.
    pub fn from_bytes(bytes: [u8; NONCE_BYTES]) -> Self {
        Self(bytes)
    }

    /// Reads the nonce back from the cookie's value.
    pub fn from_cookie_value(value: &str) -> Option<Self> {
        if value.len() != NONCE_CHARS {
            return None;
        }
        let bytes = BASE64URL_NOPAD.decode(value.as_bytes()).ok()?;
        bytes.try_into().ok().map(Self)
    }

    /// The text to put into the cookie.
    pub fn to_cookie_value(&self) -> String {
        BASE64URL_NOPAD.encode(&self.0)
    }
}

impl fmt::Debug for CsrfNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfNonce(redacted)")
    }
}

/// Makes the form's token for this browser and this link.
pub fn csrf_token(secret: &LinkSecret, nonce: &CsrfNonce, link_text: &str) -> String {
    let code = secret.code(DOMAIN).chain_update(nonce.0).chain_update(link_text);
    BASE64URL_NOPAD.encode(&code.finalize().into_bytes())
}

/// Tells in constant time whether `token` is the one that [`csrf_token`] makes.
pub fn verify(secret: &LinkSecret, nonce: &CsrfNonce, link_text: &str, token: &str) -> bool {
    if token.len() != TOKEN_CHARS {
        return false;
    }
    let Ok(tag) = BASE64URL_NOPAD.decode(token.as_bytes()) else {
        return false;
    };
    let code = secret.code(DOMAIN).chain_update(nonce.0).chain_update(link_text);
    code.verify_slice(&tag).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: &str = "r1.abc";

    fn secret(byte: u8) -> LinkSecret {
        LinkSecret::from_bytes(&[byte; 32]).unwrap()
    }

    fn nonce(byte: u8) -> CsrfNonce {
        CsrfNonce::from_bytes([byte; NONCE_BYTES])
    }

    #[test]
    fn the_token_fits_only_its_own_secret_browser_and_link() {
        let token = csrf_token(&secret(1), &nonce(1), LINK);
        assert!(verify(&secret(1), &nonce(1), LINK, &token));
        assert!(!verify(&secret(2), &nonce(1), LINK, &token));
        assert!(!verify(&secret(1), &nonce(2), LINK, &token));
        assert!(!verify(&secret(1), &nonce(1), "r1.abd", &token));
    }

    #[test]
    fn a_token_with_any_one_bit_changed_is_refused() {
        let token = csrf_token(&secret(1), &nonce(1), LINK).into_bytes();
        for at in 0..token.len() {
            for bit in 0..7 {
                let mut changed = token.clone();
                changed[at] ^= 1 << bit;
                let changed = String::from_utf8(changed).unwrap();
                assert!(!verify(&secret(1), &nonce(1), LINK, &changed), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn an_empty_a_short_and_a_long_token_are_refused() {
        let token = csrf_token(&secret(1), &nonce(1), LINK);
        for wrong in ["", &token[1..], &format!("{token}A"), &"A".repeat(1 << 16)] {
            assert!(!verify(&secret(1), &nonce(1), LINK, wrong));
        }
    }

    #[test]
    fn a_code_over_the_same_bytes_for_a_link_is_not_a_form_token() {
        let code = secret(1).code(b"holdpoint/review-link/r1\0");
        let tag = code.chain_update([1; NONCE_BYTES]).chain_update(LINK).finalize().into_bytes();
        assert!(!verify(&secret(1), &nonce(1), LINK, &BASE64URL_NOPAD.encode(&tag)));
    }

    #[test]
    fn the_nonce_survives_its_cookie_and_anything_else_is_no_nonce() {
        let value = nonce(9).to_cookie_value();
        assert_eq!(CsrfNonce::from_cookie_value(&value), Some(nonce(9)));
        for wrong in ["", "AAAA", &value[1..], &format!("{value}A"), "!!!!!!!!!!!!!!!!!!!!!!"] {
            assert_eq!(CsrfNonce::from_cookie_value(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn debug_output_hides_the_nonce() {
        assert_eq!(format!("{:?}", nonce(9)), "CsrfNonce(redacted)");
    }
}
