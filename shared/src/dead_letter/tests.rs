//! What is kept of a message, and that it stays readable.

use serde_json::{Value, json};

use super::*;

const ID: &str = "11111111-1111-4111-8111-111111111111";
const AT: &str = "2030-01-01T00:00:00Z";
const LETTER: &str = "1893456000000-0123456789abcdef01234567";

#[track_caller]
fn check(content: Value, reason: Value) {
    let stored = json!({
        "id": LETTER,
        "origin": "turns",
        "content": content,
        "reason": reason,
        "attempts": 8,
        "sent_at": AT,
        "first_tried_at": AT,
        "last_failed_at": AT,
        "redriven_at": null,
    });
    let read: DeadLetter = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), stored);
    assert_eq!(stored["reason"]["code"], read.reason.code());
}

#[test]
fn golden_dead_letters_stay_readable() {
    let turn = json!({"message": {"message": "turn", "tenant": "default", "intent": ID}});
    for reason in [
        json!({"code": "busy"}),
        json!({"code": "unanswered", "dependency": "the table"}),
        json!({"code": "misdeployed"}),
        json!({"code": "unreadable"}),
        json!({"code": "misplaced"}),
        json!({"code": "corrupt"}),
        json!({"code": "refused", "because": "the state is too large"}),
        json!({"code": "untaken", "status": 503}),
        json!({"code": "untaken", "status": null}),
        json!({"code": "defect"}),
        json!({"code": "unfinished"}),
    ] {
        check(turn.clone(), reason);
    }
    let sha256 = Digest::of_bytes(b"?");
    for content in [
        json!({"text": {"text": "?", "bytes": 1, "sha256": sha256}}),
        json!({"commit": {"intent": ID, "seq": 4}}),
        json!({"timer": {"intent": ID}}),
        json!({"record": {"sequence_number": "9"}}),
        json!({"batch": {
            "shard": "s", "first_sequence_number": "1", "last_sequence_number": "2", "records": 2,
        }}),
        json!({"message": {"message": "recover_all", "tenant": "default"}}),
    ] {
        check(content, json!({"code": "corrupt"}));
    }
}

#[test]
fn a_name_comes_back_as_it_was_written_and_sorts_by_age() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let [old, new] = [9, 10].map(|second| DeadLetterId::new(at(second), "a"));
    assert!(old < new);
    assert_eq!(old.to_string().parse::<DeadLetterId>().unwrap(), old);
    assert_ne!(old, DeadLetterId::new(at(9), "b"));
    for bad in ["", "-", "9000", LETTER.trim_start_matches('1'), "7-0123456789ABCDEF01234567"] {
        let parsed = bad.parse::<DeadLetterId>().map(|id| id.to_string());
        assert!(parsed.as_ref().is_err() || parsed.as_deref().unwrap() == bad, "{bad}");
    }
    for bad in ["07-0123456789abcdef01234567", "+7-0123456789abcdef01234567", "7-0123"] {
        assert!(bad.parse::<DeadLetterId>().is_err(), "{bad}");
    }
}

#[test]
fn of_what_cannot_be_read_a_bounded_beginning_is_kept_and_the_digest_of_all() {
    let body = "ä".repeat(TEXT_BYTES_MAX);
    let Content::Text { text, bytes, sha256 } = Content::of_body(&body) else { panic!("readable") };
    assert_eq!((text.len(), bytes), (TEXT_BYTES_MAX, 2 * TEXT_BYTES_MAX));
    assert_eq!(sha256, Digest::of_bytes(body.as_bytes()));
    let Content::Text { text, .. } = Content::of_body(&format!("x{body}")) else { panic!() };
    assert_eq!(text.len(), TEXT_BYTES_MAX - 1, "no character is cut");
}

#[test]
fn every_origin_is_found_by_its_name() {
    for origin in Origin::ALL {
        assert_eq!(Origin::parse(origin.name()), Some(origin));
        assert_eq!(serde_json::to_value(origin).unwrap(), origin.name());
        assert_eq!(origin.queue().map_or(Origin::Stream, Origin::from), origin);
    }
    assert_eq!(Origin::parse("letters"), None);
}
