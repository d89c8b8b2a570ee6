//! Server-sent events, as the contract's clients read them.
//!
//! An answer has news if there are any, and always ends with a `stream.timeout` frame, so that a
//! client which stops reading there has lost nothing and comes back by itself. Where the platform
//! takes answers only whole it is sent with the first news; where it takes them as they come, it
//! goes on until the time is up.

pub mod reader;

use std::fmt::{self, Write as _};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde_json::{Value, json};
use tracing::warn;

use crate::app::{Heard, Listener, Source};
use crate::ascii::ascii;
use crate::error::Error;

/// The shortest hold of a stream, in seconds. The contract's limit.
pub const WAIT_SECONDS_MIN: u64 = 1;
/// The longest hold of a stream that is answered whole, in seconds: API Gateway answers for us
/// after 30.
pub const WAIT_SECONDS_MAX: u64 = 25;
/// The longest hold of a stream that is answered as it goes on, in seconds. The contract's limit.
pub const STREAMED_WAIT_SECONDS_MAX: u64 = 60;
/// The hold of a stream whose reader names none, in seconds. The contract's default.
pub const WAIT_SECONDS_DEFAULT: u64 = 15;
/// How long a stream that is answered as it goes on says nothing at all.
const SILENCE_MAX: Duration = Duration::from_secs(5);
/// The most bytes of one answer, as a function's answer carries them: Lambda takes six megabytes, and
/// we send five. The largest event that the table holds fits, whatever is in it.
const ANSWER_BYTES_MAX: usize = 5 * 1024 * 1024 - END_BYTES_MAX;
/// Room for the frame that ends an answer.
const END_BYTES_MAX: usize = 1024;

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

/// As it is sent. Its data is ASCII, so that nothing in it ends a line.
impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let data = ascii(&self.data.to_string());
        write!(f, "id: {}\nevent: {}\ndata: {data}\n\n", self.seq, self.event)
    }
}

/// Tells a listener what it hears, each piece of news as a frame. With `as_it_comes` the answer goes
/// on until the listener's time is up, and begins before that.
pub async fn answer<S: Source + 'static>(
    mut listener: Listener<S>,
    as_it_comes: bool,
    frame: impl Fn(&S::Item) -> Frame + Send + 'static,
) -> Result<Response, Error> {
    let mut text = Text::after(listener.since());
    let body = if as_it_comes {
        // What is refused for good is refused with a status, so the first look comes first.
        let heard = listener.next(SILENCE_MAX).await?;
        let goes_on = text.hear(heard, &frame);
        let telling = Telling { listener, text, frame, goes_on };
        Body::from_stream(stream::unfold(telling, |telling| Box::pin(telling.chunk())))
    } else {
        let heard = listener.next(Duration::MAX).await?;
        text.hear(heard, &frame);
        text.end();
        Body::from(text.take())
    };
    let headers = [(CONTENT_TYPE, "text/event-stream"), (CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

/// How many bytes `text` has inside an answer of a function, which carries it as a JSON string.
pub(crate) fn carried_bytes(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| matches!(byte, b'"' | b'\\' | b'\n')).count();
    text.len() + escaped
}

/// An answer that goes on.
struct Telling<S: Source, F> {
    listener: Listener<S>,
    text: Text,
    frame: F,
    goes_on: bool,
}

impl<S: Source, F: Fn(&S::Item) -> Frame> Telling<S, F> {
    /// The next part of the answer, whole frames only.
    async fn chunk(mut self) -> Option<(Result<Bytes, Error>, Self)> {
        while self.text.is_empty() {
            if self.text.has_ended {
                return None;
            }
            if self.goes_on {
                let heard = self.listener.next(SILENCE_MAX).await;
                let heard = heard.unwrap_or_else(|error| {
                    warn!(%error, "a stream ends early");
                    Heard::End
                });
                self.goes_on = self.text.hear(heard, &self.frame);
            } else {
                self.text.end();
            }
        }
        let chunk = Bytes::from(self.text.take());
        Some((Ok(chunk), self))
    }
}

/// What is to be sent next, in whole frames.
struct Text {
    written: String,
    /// How much may still be sent.
    bytes_left: usize,
    next_seq: u64,
    has_ended: bool,
}

impl Text {
    fn after(since: u64) -> Self {
        let written = String::new();
        Self { written, bytes_left: ANSWER_BYTES_MAX, next_seq: since, has_ended: false }
    }

    fn is_empty(&self) -> bool {
        self.written.is_empty()
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.written)
    }

    /// Writes what was heard, as far as there is room, and whether the listener may hear more. What
    /// has no room comes again, since its number is after the one that the reader comes back with.
    fn hear<T>(&mut self, heard: Heard<T>, frame: &impl Fn(&T) -> Frame) -> bool {
        match heard {
            Heard::News(news) => news.iter().all(|new| self.push(&frame(new))),
            Heard::Silence => {
                self.written.push_str(": nothing yet\n\n");
                true
            }
            Heard::End => false,
        }
    }

    /// Writes a frame if there is room for it.
    fn push(&mut self, frame: &Frame) -> bool {
        let text = frame.to_string();
        let bytes = carried_bytes(&text);
        let fits = bytes <= self.bytes_left;
        if fits {
            self.bytes_left -= bytes;
            self.next_seq = self.next_seq.max(frame.seq);
            self.written.push_str(&text);
        }
        fits
    }

    /// Writes the frame that tells the reader to come back.
    fn end(&mut self) {
        let data = json!({"ok": true, "next_seq": self.next_seq});
        let event = "stream.timeout".to_owned();
        let frame = Frame { event, seq: self.next_seq, data };
        // Writing to a string cannot fail.
        let _ = write!(self.written, "{frame}");
        self.has_ended = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(seq: u64, data: Value) -> Frame {
        Frame { event: "intent.created".to_owned(), seq, data }
    }

    #[test]
    fn line_separators_inside_data_do_not_end_the_line() {
        let data = json!({"text": "a\u{2028}b\u{85}c\nd\u{1f600}"});
        let text = frame(2, data.clone()).to_string();
        let lines: Vec<_> = text.split('\n').collect();
        assert_eq!(lines[..2], ["id: 2", "event: intent.created"]);
        assert_eq!(lines[3..], ["", ""]);
        assert!(text.is_ascii());
        let json = lines[2].strip_prefix("data: ").unwrap();
        assert_eq!(serde_json::from_str::<Value>(json).unwrap(), data);
    }

    #[test]
    fn frames_that_do_not_fit_are_left_out_whole_and_come_next() {
        let large = json!("\"".repeat(900_000));
        let mut text = Text::after(0);
        let news = Heard::News(vec![2, 4, 6]);
        assert!(!text.hear(news, &|seq| frame(*seq, large.clone())));
        text.end();
        let sent = text.take();
        assert!(carried_bytes(&sent) < 6 * 1024 * 1024 - 64 * 1024);
        let ids: Vec<_> = sent.lines().filter(|line| line.starts_with("id: ")).collect();
        assert_eq!(ids, ["id: 2", "id: 2"], "one event, and the end with its number");
        assert!(sent.ends_with("data: {\"next_seq\":2,\"ok\":true}\n\n"), "{}", sent.len());
    }

    #[test]
    fn the_largest_event_of_the_table_fits() {
        // Two bytes in the table, six here and seven in the answer, and a result is told three times.
        let result = "\u{e9}".repeat(crate::app::STATE_BYTES_MAX / 2);
        let data =
            json!({"result": result, "details": {"result": result}, "data": {"result": result}});
        let mut text = Text::after(0);
        assert!(text.push(&frame(2, data)), "{} bytes are left", text.bytes_left);
    }
}
