//! Following an intent's events over any number of connections, without a gap and without a
//! repetition.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use shared::http::sse::reader::{Parser, Received};
use shared::id::IntentId;
use shared::intent::Status;
use tokio::time::Instant;

use crate::client::Client;
use crate::failure::{Failure, Verdict};

/// How long the service is asked to hold a stream: the contract's limit is 60, ours 25.
const WAIT: Duration = Duration::from_secs(25);
/// The pause before the first new attempt; it doubles up to the last.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// How long a service that has answered before may be out of reach.
const UNREACHABLE_MAX: Duration = Duration::from_mins(10);

/// An event of an intent.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Everything about it, as the service sent it.
    pub(crate) body: Value,
}

/// A watch over one intent.
#[derive(Debug)]
pub(crate) struct Watch {
    client: Client,
    intent: IntentId,
    cursor: Cursor,
    open: Option<Open>,
    trouble: Option<Trouble>,
    /// Whether the service has ever answered; before that, a wrong address is likelier than a
    /// restart.
    reached: bool,
}

/// Which events have come.
#[derive(Debug)]
struct Cursor {
    since: u64,
    ready: VecDeque<Event>,
}

#[derive(Debug)]
struct Open {
    response: Response,
    parser: Parser,
    opened_at: Instant,
    /// Whether anything came on it.
    fruitful: bool,
}

#[derive(Clone, Copy, Debug)]
struct Trouble {
    since: Instant,
    pause: Duration,
}

/// What a frame says.
enum Read {
    Nothing,
    Event,
    /// The service wants the reader to come back.
    TimedOut,
}

impl Event {
    /// Where the intent stood after it.
    pub(crate) fn status(&self) -> Option<Status> {
        self.body.get("status").and_then(Value::as_str).and_then(|name| name.parse().ok())
    }

    /// Whether it is the last.
    pub(crate) fn is_last(&self) -> bool {
        self.status().is_some_and(Status::is_terminal)
    }

    /// How the intent ended, for a last event: done if it completed and nobody said no.
    pub(crate) fn verdict(&self) -> Verdict {
        let refused = self.body.pointer("/details/approved") == Some(&Value::Bool(false));
        if self.status() == Some(Status::Completed) && !refused {
            Verdict::Done
        } else {
            Verdict::Refused
        }
    }
}

impl Watch {
    /// Watches `intent` for events after `since`.
    pub(crate) fn new(client: Client, intent: IntentId, since: u64) -> Self {
        let cursor = Cursor { since, ready: VecDeque::new() };
        Self { client, intent, cursor, open: None, trouble: None, reached: false }
    }

    /// The next event. Nothing is lost if this is dropped and called again.
    pub(crate) async fn next(&mut self) -> Result<Event, Failure> {
        loop {
            if let Some(event) = self.cursor.ready.pop_front() {
                return Ok(event);
            }
            if let Err(failure) = self.read().await {
                self.open = None;
                self.pause(failure).await?;
            }
        }
    }

    /// Reads what comes next on the open stream, or opens one.
    async fn read(&mut self) -> Result<(), Failure> {
        let Some(open) = &mut self.open else { return self.connect().await };
        let chunk = open.response.chunk().await.map_err(|error| self.client.unreachable(error))?;
        let Some(chunk) = chunk else { return self.ended().await };
        let frames = open.parser.push(&chunk);
        let frames = frames.map_err(|error| self.client.unreadable(error.to_string()))?;
        for frame in &frames {
            match self.cursor.take(frame) {
                Ok(Read::Nothing) => {}
                Ok(Read::Event) => {
                    open.fruitful = true;
                    self.trouble = None;
                }
                Ok(Read::TimedOut) => return self.ended().await,
                Err(detail) => return Err(self.client.unreadable(detail)),
            }
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), Failure> {
        let Cursor { since, .. } = self.cursor;
        let path = format!(
            "/v1/intents/{}/events/stream?since={since}&wait_seconds={}",
            self.intent,
            WAIT.as_secs()
        );
        let opened_at = Instant::now();
        let response = self.client.stream(&path, WAIT).await?;
        self.reached = true;
        let parser = Parser::default();
        self.open = Some(Open { response, parser, opened_at, fruitful: false });
        Ok(())
    }

    /// A stream that ended as it should. One that was not held although nothing had come must not
    /// make us ask in a tight loop.
    async fn ended(&mut self) -> Result<(), Failure> {
        self.trouble = None;
        let Some(open) = self.open.take() else { return Ok(()) };
        if !open.fruitful && open.opened_at.elapsed() < PAUSE_MAX {
            tokio::time::sleep(PAUSE_MAX / 4).await;
        }
        Ok(())
    }

    async fn pause(&mut self, failure: Failure) -> Result<(), Failure> {
        let refused = matches!(failure, Failure::Unreachable { .. }) && !self.reached;
        if refused || !failure.is_passing() {
            return Err(failure);
        }
        let now = Instant::now();
        let trouble = self.trouble.get_or_insert(Trouble { since: now, pause: PAUSE_MIN });
        if now.duration_since(trouble.since) > UNREACHABLE_MAX {
            return Err(failure);
        }
        let pause = trouble.pause;
        trouble.pause = (pause * 2).min(PAUSE_MAX);
        tokio::time::sleep(pause).await;
        Ok(())
    }
}

impl Cursor {
    /// Keeps a frame's event, unless it has come before.
    fn take(&mut self, frame: &Received) -> Result<Read, String> {
        if frame.event == "stream.timeout" {
            return Ok(Read::TimedOut);
        }
        if !frame.event.starts_with("intent.") {
            return Ok(Read::Nothing);
        }
        let body: Value = serde_json::from_str(&frame.data)
            .map_err(|error| format!("an event is no JSON: {error}"))?;
        let seq = body.get("seq").and_then(Value::as_u64);
        let seq = seq.ok_or_else(|| "an event has no number".to_owned())?;
        if seq <= self.since {
            return Ok(Read::Nothing);
        }
        self.since = seq;
        self.ready.push_back(Event { body });
        Ok(Read::Event)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(body: Value) -> Event {
        Event { body }
    }

    fn frame(event: &str, data: &str) -> Received {
        Received { event: event.to_owned(), data: data.to_owned() }
    }

    #[test]
    fn an_event_that_comes_again_is_not_shown_again() {
        let mut cursor = Cursor { since: 2, ready: VecDeque::new() };
        for seq in [1, 2, 4, 4, 6] {
            cursor.take(&frame("intent.in_progress", &json!({"seq": seq}).to_string())).unwrap();
        }
        let seqs: Vec<_> = cursor.ready.iter().map(|event| event.body["seq"].as_u64()).collect();
        assert_eq!(seqs, [Some(4), Some(6)]);
        assert_eq!(cursor.since, 6);
    }

    #[test]
    fn frames_that_are_no_events_are_told_from_broken_ones() {
        let mut cursor = Cursor { since: 0, ready: VecDeque::new() };
        assert!(matches!(cursor.take(&frame("stream.timeout", "{}")), Ok(Read::TimedOut)));
        assert!(matches!(cursor.take(&frame("ping", "x")), Ok(Read::Nothing)));
        assert!(cursor.take(&frame("intent.created", "{")).is_err());
        assert!(cursor.take(&frame("intent.created", "{}")).is_err());
        assert!(cursor.ready.is_empty());
    }

    #[test]
    fn an_intent_ends_well_if_it_completed_and_nobody_said_no() {
        let check = |body: Value, last: bool, verdict: Verdict| {
            let event = event(body.clone());
            assert_eq!((event.is_last(), event.verdict()), (last, verdict), "{body}");
        };
        check(json!({"status": "COMPLETED"}), true, Verdict::Done);
        let decided =
            |approved: bool| json!({"status": "COMPLETED", "details": {"approved": approved}});
        check(decided(true), true, Verdict::Done);
        check(decided(false), true, Verdict::Refused);
        for status in ["FAILED", "CANCELED", "TIMED_OUT"] {
            check(json!({"status": status}), true, Verdict::Refused);
        }
        check(json!({"status": "WAITING"}), false, Verdict::Refused);
    }
}
