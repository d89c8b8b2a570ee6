//! Server-sent events, as the contract's clients read them.
//!
//! The whole answer is sent at once: events if there are any, and always a `stream.timeout` frame,
//! so that a client which stops reading there has lost nothing and comes back by itself.

use std::fmt::Write as _;

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::ascii::ascii;

/// The shortest hold of a stream, in seconds. The contract's limit.
pub const WAIT_SECONDS_MIN: u64 = 1;
/// The longest hold of a stream, in seconds: API Gateway answers for us after 30.
pub const WAIT_SECONDS_MAX: u64 = 25;
/// The longest hold that a reader may ask for, in seconds. The contract's limit.
pub const WAIT_SECONDS_ASKED_MAX: u64 = 60;
/// The hold of a stream whose reader names none, in seconds. The contract's default.
pub const WAIT_SECONDS_DEFAULT: u64 = 15;

/// One event of a stream.
#[derive(Debug)]
pub struct Frame {
    /// The event's name.
    pub event: String,
    /// Its number, which readers pass back as `since`.
    pub seq: u64,
    /// Its body.
    pub data: Value,
}

/// A stream that ends: `frames`, then the time-out that tells the reader to come back.
pub fn answer(frames: &[Frame], next_seq: u64) -> Response {
    let mut text = String::new();
    for frame in frames {
        push(&mut text, frame);
    }
    let data = json!({"ok": true, "next_seq": next_seq});
    push(&mut text, &Frame { event: "stream.timeout".to_owned(), seq: next_seq, data });
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    (headers, text).into_response()
}

fn push(text: &mut String, frame: &Frame) {
    let data = ascii(&frame.data.to_string());
    // Writing to a string cannot fail.
    let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", frame.seq, frame.event);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_separators_inside_data_do_not_end_the_line() {
        let data = json!({"text": "a\u{2028}b\u{85}c\nd\u{1f600}"});
        let mut text = String::new();
        push(&mut text, &Frame { event: "intent.created".to_owned(), seq: 2, data: data.clone() });
        let lines: Vec<_> = text.split('\n').collect();
        assert_eq!(lines[..2], ["id: 2", "event: intent.created"]);
        assert_eq!(lines[3..], ["", ""]);
        assert!(text.is_ascii());
        let json = lines[2].strip_prefix("data: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), data);
    }
}
