//! Signed review links: what a notice carries so that a reviewer can open one held intent.
//!
//! A link proves that somebody read the reviewer's notice, and nothing more. It is a claim set under
//! an HMAC, so it needs no item in the table; that it may decide only once is the core's rule, because
//! the version it names has passed as soon as a decision is committed.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use uuid::Uuid;

/// The fewest bytes a signing secret may have: as many as the digest that it keys.
pub const SECRET_BYTES_MIN: usize = 32;
/// The longest tenant name that a link carries.
pub const TENANT_BYTES_MAX: usize = 128;
/// The longest reviewer address that a link carries.
pub const REVIEWER_BYTES_MAX: usize = 320;
/// The longest link text; anything longer is refused before it is decoded.
pub const LINK_CHARS_MAX: usize = PREFIX.len() + (BYTES_MAX * 4).div_ceil(3);

const PREFIX: &str = "r1.";
const DOMAIN: &[u8] = b"holdpoint/review-link/r1\0";
const TAG_BYTES: usize = 32;
const FIXED_BYTES: usize = 16 + 8 + 8 + 4 + 1;
const BYTES_MAX: usize = FIXED_BYTES + TENANT_BYTES_MAX + REVIEWER_BYTES_MAX + TAG_BYTES;

/// The deployment's secret for review links and for the form behind them.
///
/// It holds the keyed hash state and not the bytes, so nothing can print or compare them.
#[derive(Clone)]
pub struct LinkSecret(Hmac<Sha256>);

impl LinkSecret {
    /// Takes the secret's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LinkSecretTooShort> {
        let too_short = LinkSecretTooShort { bytes: bytes.len() };
        if bytes.len() < SECRET_BYTES_MIN {
            return Err(too_short);
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| too_short)
    }

    /// Starts a code over one purpose. Each purpose has its own domain, which ends in a zero byte, so
    /// that a code made for one can never be presented as another.
    pub(crate) fn code(&self, domain: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(domain)
    }
}

impl fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkSecret(redacted)")
    }
}

/// The secret cannot protect a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the link secret has {bytes} bytes and needs at least {SECRET_BYTES_MIN}: make one with \
     `openssl rand -base64 32`"
)]
pub struct LinkSecretTooShort {
    /// How many bytes were given.
    pub bytes: usize,
}

/// What a review link says: who may look at which hold point, and until when.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// The tenant that the intent belongs to.
    pub tenant: String,
    /// The intent that is held.
    pub intent_id: Uuid,
    /// The version of the hold point that the notice was written for.
    pub hold_version: u64,
    /// The reviewer whom the notice was sent to; a decision made through the link is theirs.
    pub reviewer: String,
    /// The first instant at which the link no longer opens.
    pub expires_at: Timestamp,
}

impl Link {
    /// Signs the link into the text that goes into a URL's path.
    pub fn sign(&self, secret: &LinkSecret) -> Result<LinkToken, LinkTooLong> {
        let mut bytes = self.to_bytes()?;
        let tag = secret.code(DOMAIN).chain_update(&bytes).finalize().into_bytes();
        bytes.extend_from_slice(&tag);
        Ok(LinkToken(format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&bytes))))
    }

    fn to_bytes(&self) -> Result<Vec<u8>, LinkTooLong> {
        let tenant_bytes = self.tenant.len();
        let tenant_length = match u8::try_from(tenant_bytes) {
            Ok(length) if tenant_bytes <= TENANT_BYTES_MAX => length,
            Ok(_) | Err(_) => return Err(LinkTooLong::Tenant { bytes: tenant_bytes }),
        };
        if self.reviewer.len() > REVIEWER_BYTES_MAX {
            return Err(LinkTooLong::Reviewer { bytes: self.reviewer.len() });
        }
        let mut bytes = Vec::with_capacity(BYTES_MAX);
        bytes.extend_from_slice(self.intent_id.as_bytes());
        bytes.extend_from_slice(&self.hold_version.to_be_bytes());
        bytes.extend_from_slice(&self.expires_at.as_second().to_be_bytes());
        bytes.extend_from_slice(&self.expires_at.subsec_nanosecond().to_be_bytes());
        bytes.push(tenant_length);
        bytes.extend_from_slice(self.tenant.as_bytes());
        bytes.extend_from_slice(self.reviewer.as_bytes());
        Ok(bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (intent_id, rest) = bytes.split_first_chunk::<16>()?;
        let (hold_version, rest) = rest.split_first_chunk::<8>()?;
        let (second, rest) = rest.split_first_chunk::<8>()?;
        let (nanosecond, rest) = rest.split_first_chunk::<4>()?;
        let (tenant_length, rest) = rest.split_first()?;
        let (tenant, reviewer) = rest.split_at_checked(usize::from(*tenant_length))?;
        let expires_at =
            Timestamp::new(i64::from_be_bytes(*second), i32::from_be_bytes(*nanosecond)).ok()?;
        Some(Self {
            tenant: String::from_utf8(tenant.to_vec()).ok()?,
            intent_id: Uuid::from_bytes(*intent_id),
            hold_version: u64::from_be_bytes(*hold_version),
            reviewer: String::from_utf8(reviewer.to_vec()).ok()?,
            expires_at,
        })
    }
}

impl fmt::Debug for Link {
    /// Leaves the reviewer out: addresses do not belong into a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("tenant", &self.tenant)
            .field("intent_id", &self.intent_id)
            .field("hold_version", &self.hold_version)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// A field is longer than a link may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkTooLong {
    /// The tenant's name.
    #[error(
        "the tenant has {bytes} bytes and a link carries {TENANT_BYTES_MAX}: use a shorter tenant"
    )]
    Tenant {
        /// How many bytes it has.
        bytes: usize,
    },
    /// The reviewer's address.
    #[error(
        "the reviewer has {bytes} bytes and a link carries {REVIEWER_BYTES_MAX}: use a shorter address"
    )]
    Reviewer {
        /// How many bytes it has.
        bytes: usize,
    },
}

/// A signed link as text: only letters, digits, `-`, `_` and `.`, so it needs no escaping in a path.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(String);

impl LinkToken {
    /// Reads a link back and refuses it unless this secret signed it and it has not ended at `now`.
    ///
    /// The signature is checked before anything in the link is believed.
    pub fn verify(text: &str, secret: &LinkSecret, now: Timestamp) -> Result<Link, LinkError> {
        if text.len() > LINK_CHARS_MAX {
            return Err(LinkError::Malformed);
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(LinkError::Malformed)?;
        let bytes = BASE64URL_NOPAD.decode(encoded.as_bytes()).map_err(|_| LinkError::Malformed)?;
        let (claims, tag) = bytes.split_last_chunk::<TAG_BYTES>().ok_or(LinkError::Malformed)?;
        secret
            .code(DOMAIN)
            .chain_update(claims)
            .verify_slice(tag)
            .map_err(|_| LinkError::BadSignature)?;
        let link = Link::from_bytes(claims).ok_or(LinkError::Malformed)?;
        if now >= link.expires_at {
            return Err(LinkError::Expired { at: link.expires_at });
        }
        Ok(link)
    }

    /// The text to put into a URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LinkToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkToken(redacted)")
    }
}

/// Why a link does not open.
///
/// A stranger is answered alike for the first two, so that they learn nothing from the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The text is not a link.
    #[error("the review link is incomplete or damaged: open it from the notice again")]
    Malformed,
    /// The text has the shape of a link and this deployment did not sign it.
    #[error("the review link was not issued here: open it from the notice again")]
    BadSignature,
    /// The link was good and has ended.
    #[error("the review link ended at {at}: ask for a new notice")]
    Expired {
        /// The first instant at which it no longer opened.
        at: Timestamp,
    },
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;
    use proptest::prelude::*;

    use super::*;

    fn secret() -> LinkSecret {
        LinkSecret::from_bytes(&[7; SECRET_BYTES_MIN]).unwrap()
    }

    fn link() -> Link {
        Link {
            tenant: "default".into(),
            intent_id: Uuid::from_u128(0x0192_f000_0000_7000_8000_0000_0000_0001),
            hold_version: 3,
            reviewer: "ana@example.com".into(),
            expires_at: "2026-11-22T12:00:00.5Z".parse().unwrap(),
        }
    }

    fn token() -> LinkToken {
        link().sign(&secret()).unwrap()
    }

    fn verify_at(now: Timestamp) -> Result<Link, LinkError> {
        LinkToken::verify(token().as_str(), &secret(), now)
    }

    #[test]
    fn a_signed_link_reads_back_whole_and_needs_no_escaping() {
        let now = link().expires_at - 1.hour();
        assert_eq!(verify_at(now), Ok(link()));
        let safe = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        assert!(token().as_str().chars().all(safe), "{}", token().as_str());
    }

    proptest! {
        #[test]
        fn any_link_within_the_limits_reads_back_whole(
            tenant in "\\PC{0,32}",
            reviewer in "\\PC{0,80}",
            id: u128,
            hold_version: u64,
            second in 1_i64..4_000_000_000,
            nanosecond in 0_i32..1_000_000_000,
        ) {
            let link = Link {
                tenant,
                intent_id: Uuid::from_u128(id),
                hold_version,
                reviewer,
                expires_at: Timestamp::new(second, nanosecond).unwrap(),
            };
            let token = link.sign(&secret()).unwrap();
            prop_assert!(token.as_str().len() <= LINK_CHARS_MAX);
            let read = LinkToken::verify(token.as_str(), &secret(), Timestamp::UNIX_EPOCH);
            prop_assert_eq!(read, Ok(link));
        }

        #[test]
        fn arbitrary_text_is_refused_without_a_panic(text in "(r1\\.)?[A-Za-z0-9_-]{0,200}") {
            prop_assert!(LinkToken::verify(&text, &secret(), Timestamp::UNIX_EPOCH).is_err());
        }
    }

    #[test]
    fn a_link_with_any_one_bit_changed_is_refused() {
        let now = link().expires_at - 1.hour();
        let whole = token().as_str().as_bytes().to_vec();
        for at in 0..whole.len() {
            for bit in 0..7 {
                let mut changed = whole.clone();
                changed[at] ^= 1 << bit;
                let text = String::from_utf8(changed).unwrap();
                assert!(LinkToken::verify(&text, &secret(), now).is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_link_cut_short_or_lengthened_is_refused() {
        let now = link().expires_at - 1.hour();
        let token = token();
        for end in 0..token.as_str().len() {
            assert!(LinkToken::verify(&token.as_str()[..end], &secret(), now).is_err(), "{end}");
        }
        let longer = format!("{}A", token.as_str());
        assert!(LinkToken::verify(&longer, &secret(), now).is_err());
    }

    #[test]
    fn a_link_ends_at_its_expiry_and_not_a_moment_later() {
        let at = link().expires_at;
        assert_eq!(verify_at(at - 1.second()), Ok(link()));
        assert_eq!(verify_at(at - 1.nanosecond()), Ok(link()));
        assert_eq!(verify_at(at), Err(LinkError::Expired { at }));
        assert_eq!(verify_at(at + 1.second()), Err(LinkError::Expired { at }));
    }

    #[test]
    fn a_link_signed_with_another_secret_is_refused_even_when_it_has_expired() {
        let other = LinkSecret::from_bytes(&[8; SECRET_BYTES_MIN]).unwrap();
        let token = link().sign(&other).unwrap();
        let late = link().expires_at + 1.hour();
        let refused = Err(LinkError::BadSignature);
        assert_eq!(LinkToken::verify(token.as_str(), &secret(), late), refused);
    }

    #[test]
    fn text_over_the_limit_is_refused_even_when_it_is_signed() {
        let mut claims = link().to_bytes().unwrap();
        claims.extend_from_slice(&[b'r'; BYTES_MAX]);
        let tag = secret().code(DOMAIN).chain_update(&claims).finalize().into_bytes();
        claims.extend_from_slice(&tag);
        let text = format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&claims));
        let read = LinkToken::verify(&text, &secret(), Timestamp::UNIX_EPOCH);
        assert_eq!(read, Err(LinkError::Malformed));
    }

    #[test]
    fn the_longest_fields_fit_and_one_byte_more_does_not() {
        let longest = Link {
            tenant: "t".repeat(TENANT_BYTES_MAX),
            reviewer: "r".repeat(REVIEWER_BYTES_MAX),
            ..link()
        };
        let token = longest.sign(&secret()).unwrap();
        assert_eq!(token.as_str().len(), LINK_CHARS_MAX);
        let read = LinkToken::verify(token.as_str(), &secret(), Timestamp::UNIX_EPOCH);
        assert_eq!(read, Ok(longest.clone()));

        let tenant = Link { tenant: "t".repeat(TENANT_BYTES_MAX + 1), ..longest.clone() };
        let bytes = TENANT_BYTES_MAX + 1;
        assert_eq!(tenant.sign(&secret()), Err(LinkTooLong::Tenant { bytes }));
        let tenant = Link { tenant: "t".repeat(256), ..longest.clone() };
        assert_eq!(tenant.sign(&secret()), Err(LinkTooLong::Tenant { bytes: 256 }));
        let reviewer = Link { reviewer: "r".repeat(REVIEWER_BYTES_MAX + 1), ..longest };
        let bytes = REVIEWER_BYTES_MAX + 1;
        assert_eq!(reviewer.sign(&secret()), Err(LinkTooLong::Reviewer { bytes }));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let bytes = SECRET_BYTES_MIN - 1;
        let refused = LinkSecret::from_bytes(&vec![1; bytes]).err();
        assert_eq!(refused, Some(LinkSecretTooShort { bytes }));
    }

    #[test]
    fn debug_output_shows_no_secret_token_or_address() {
        let printed = format!("{:?} {:?} {:?}", secret(), token(), link());
        assert!(
            printed.starts_with("LinkSecret(redacted) LinkToken(redacted) Link {"),
            "{printed}"
        );

        assert!(!printed.contains("ana@example.com"));
    }
}
