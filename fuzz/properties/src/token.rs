//! What proves something: review links, the tokens of forms, API keys, webhook secrets.

use jiff::Timestamp;
use shared::callback::SigningSecret;
use shared::csrf::{self, CsrfNonce};
use shared::key::{ID_BYTES, KeyText, SECRET_BYTES};
use shared::link::{LINK_CHARS_MAX, Link, LinkSecret, LinkToken};
use uuid::Uuid;

/// What was signed verifies and comes back whole; with one byte changed, or as anybody's guess, it
/// does not.
pub fn token(bytes: &[u8]) {
    guess(bytes);
    let Some((choice, rest)) = bytes.split_first_chunk::<16>() else { return };
    links(choice, rest);
    forms(choice, rest);
    keys(choice, rest);
}

/// Nobody's text is a token.
fn guess(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let opened = LinkToken::verify(text, &secret(), Timestamp::MIN);
    assert!(opened.is_err(), "anybody may open {opened:?}");
    let nonce = CsrfNonce::from_bytes([1; 16]);
    assert!(!csrf::verify(&secret(), &nonce, "r1.a", text), "anybody may post with {text}");
    if let Some(nonce) = CsrfNonce::from_cookie_value(text) {
        assert_eq!(nonce.to_cookie_value(), text, "two cookies are one");
    }
    if let Some(key) = KeyText::parse(text) {
        assert_eq!(key.reveal(), text);
        assert!(text.contains(key.id()) && key.id().len() == 2 * ID_BYTES);
    }
    if let Ok(secret) = SigningSecret::parse(text) {
        assert_eq!(secret.reveal(), text);
        assert_eq!(format!("{secret:?}"), "SigningSecret(redacted)");
    }
}

fn links(choice: &[u8; 16], rest: &[u8]) {
    let text = String::from_utf8_lossy(rest);
    let at = usize::from(choice[0]) % (text.len() + 1);
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (tenant, reviewer) = text.split_at(at);
    let [.., a, b, c, d] = *choice;
    let second = i64::from(i32::from_be_bytes([a, b, c, d]));
    let expires_at = Timestamp::from_second(second).expect("a time");
    let link = Link {
        tenant: tenant.to_owned(),
        intent_id: Uuid::from_bytes(*choice),
        hold_version: u64::from(choice[1]),
        reviewer: reviewer.to_owned(),
        expires_at,
    };
    let Ok(signed) = link.sign(&secret()) else { return };
    let signed = signed.as_str();
    assert!(signed.len() <= LINK_CHARS_MAX, "{}", signed.len());
    let before = Timestamp::from_second(second - 1).expect("a time");
    assert_eq!(LinkToken::verify(signed, &secret(), before), Ok(link));
    assert!(LinkToken::verify(signed, &secret(), expires_at).is_err(), "it outlives its end");
    assert!(LinkToken::verify(signed, &other_secret(), before).is_err(), "anybody may sign");
    let changed = changed(signed, choice);
    assert!(LinkToken::verify(&changed, &secret(), before).is_err(), "{changed} is not signed");
}

fn forms(choice: &[u8; 16], rest: &[u8]) {
    let text = String::from_utf8_lossy(rest);
    let nonce = CsrfNonce::from_bytes(*choice);
    let made = csrf::csrf_token(&secret(), &nonce, &text);
    assert!(csrf::verify(&secret(), &nonce, &text, &made));
    assert!(!csrf::verify(&secret(), &nonce, &format!("{text}x"), &made), "it fits another link");
    assert!(!csrf::verify(&other_secret(), &nonce, &text, &made), "it fits another secret");
    assert!(!csrf::verify(&secret(), &nonce, &text, &changed(&made, choice)), "{made}");
    assert_eq!(CsrfNonce::from_cookie_value(&nonce.to_cookie_value()), Some(nonce));
}

fn keys(choice: &[u8; 16], rest: &[u8]) {
    let mut id = [0; ID_BYTES];
    id.copy_from_slice(&choice[..ID_BYTES]);
    let mut random = [0; SECRET_BYTES];
    random.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    let key = KeyText::new(id, random);
    assert_eq!(KeyText::parse(key.reveal()).as_ref(), Some(&key));
    assert!(!format!("{key:?}").contains(&key.reveal()[4 + 2 * ID_BYTES..]), "it shows");
    let other = KeyText::parse(&changed(key.reveal(), choice));
    assert!(other.is_none_or(|other| other.digest() != key.digest()), "two keys are one");
}

/// The text with another character at one place.
fn changed(text: &str, choice: &[u8; 16]) -> String {
    let at = (usize::from(choice[2]) * 256 + usize::from(choice[3])) % text.len();
    let mut bytes = text.as_bytes().to_vec();
    let other = 0x21 + choice[4] % 0x5e;
    bytes[at] = if bytes[at] == other { b'=' } else { other };
    let changed = String::from_utf8(bytes).expect("tokens are ASCII");
    if changed == text { format!("{text}=") } else { changed }
}

fn secret() -> LinkSecret {
    LinkSecret::from_bytes(&[7; 32]).expect("long enough")
}

fn other_secret() -> LinkSecret {
    LinkSecret::from_bytes(&[8; 32]).expect("long enough")
}
