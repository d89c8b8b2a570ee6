//! The queues: what is sent comes at least once, in any order, and again if nobody says that it is done.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::retry::ATTEMPTS_MAX;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How often a message is received before it is a dead letter.
const RECEIVES_MAX: u32 = ATTEMPTS_MAX;

/// Messages that tell somebody something. No timer says it again.
pub(super) const NEWS: [&str; 3] = ["news", "delivery", "notice"];

/// One queue.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum QueueName {
    Turns,
    Wakes,
    Notices,
    Deliveries,
}

impl QueueName {
    pub(super) const ALL: [Self; 4] = [Self::Turns, Self::Wakes, Self::Notices, Self::Deliveries];

    /// The end of its address.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Turns => "turns",
            Self::Wakes => "wakes",
            Self::Notices => "notices",
            Self::Deliveries => "deliveries",
        }
    }

    /// Its address.
    pub(super) fn url(self) -> String {
        format!("http://127.0.0.1:9/{}", self.name())
    }

    /// How many messages one batch has at most, and how long they are hidden then. The template's.
    fn batch(self) -> (usize, Duration) {
        match self {
            Self::Turns => (1, Duration::from_mins(12)),
            Self::Wakes | Self::Notices => (10, Duration::from_mins(3)),
            Self::Deliveries => (1, Duration::from_mins(3)),
        }
    }
}

/// A message.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// Its name.
    pub(super) id: String,
    queue: QueueName,
    /// Its text.
    pub(super) body: String,
    sent_at: Timestamp,
    visible_at: Instant,
    received: u32,
}

/// The queues. Clones are the same ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Mail {
    state: Arc<Mutex<State>>,
    came: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    letters: Vec<Letter>,
    dead: Vec<Letter>,
    count: u64,
}

impl Mail {
    /// Takes an entry of a request to send; its message is seen `late` after it should be.
    pub(super) fn take(&self, url: &Value, entry: &Value, sent_at: Timestamp, late: Duration) {
        let queue = QueueName::ALL.into_iter().find(|queue| *url == json!(queue.url()));
        let queue = queue.expect("a queue of this world");
        let body = entry["MessageBody"].as_str().expect("a text").to_owned();
        let delay = Duration::from_secs(entry["DelaySeconds"].as_u64().unwrap_or(0));
        let mut state = self.state();
        state.count += 1;
        let id = format!("m{}", state.count);
        let visible_at = Instant::now() + delay + late;
        state.letters.push(Letter { id, queue, body, sent_at, visible_at, received: 0 });
        drop(state);
        self.came.notify_waiters();
    }

    /// Takes an entry of a request to hide a message for some seconds more.
    pub(super) fn hide(&self, entry: &Value) {
        let seconds = entry["VisibilityTimeout"].as_u64().expect("a number");
        let visible_at = Instant::now() + Duration::from_secs(seconds);
        let mut state = self.state();
        let named = |letter: &&mut Letter| entry["ReceiptHandle"] == json!(letter.id);
        if let Some(letter) = state.letters.iter_mut().find(named) {
            letter.visible_at = visible_at;
        }
        drop(state);
        self.came.notify_waiters();
    }

    /// Waits for messages of a queue and receives some of those that can be seen.
    pub(super) async fn receive(&self, queue: QueueName, rng: &mut Rng) -> Vec<Letter> {
        loop {
            let came = self.came.notified();
            let (batch, next) = self.look(queue, rng);
            if !batch.is_empty() {
                return batch;
            }
            match next {
                Some(at) => drop(tokio::time::timeout_at(at, came).await),
                None => came.await,
            }
        }
    }

    /// Removes what was worked through, and gives back what has been received too often.
    pub(super) fn settle(&self, batch: &[Letter], failed: impl Fn(&Letter) -> bool) -> Vec<Letter> {
        let mut state = self.state();
        let is_done = |letter: &Letter| {
            batch.iter().any(|received| received.id == letter.id && !failed(received))
        };
        state.letters.retain(|letter| !is_done(letter));
        let spent = |letter: &Letter| {
            letter.received >= RECEIVES_MAX && batch.iter().any(|it| it.id == letter.id)
        };
        let (spent, rest) = std::mem::take(&mut state.letters).into_iter().partition(spent);
        state.letters = rest;
        spent
    }

    /// Keeps a dead letter, for an operator who sends it once more.
    pub(super) fn bury(&self, letter: Letter) {
        self.state().dead.push(letter);
    }

    /// Sends every dead letter once more, and forgets how often the others were received.
    pub(super) fn redrive(&self) {
        let mut state = self.state();
        let dead = std::mem::take(&mut state.dead);
        state.letters.extend(dead);
        for letter in &mut state.letters {
            letter.received = 0;
        }
        drop(state);
        self.came.notify_waiters();
    }

    /// How many messages there are.
    pub(super) fn len(&self) -> usize {
        self.state().letters.len()
    }

    fn look(&self, queue: QueueName, rng: &mut Rng) -> (Vec<Letter>, Option<Instant>) {
        let (most, hidden) = queue.batch();
        let now = Instant::now();
        let mut state = self.state();
        let of_queue = |letter: &&mut Letter| letter.queue == queue;
        let (mut seen, later): (Vec<_>, Vec<_>) =
            state.letters.iter_mut().filter(of_queue).partition(|letter| letter.visible_at <= now);
        rng.shuffle(&mut seen);
        seen.truncate(rng.usize(1..=most));
        let receive = |letter: &mut Letter| {
            letter.received += 1;
            letter.visible_at = now + hidden;
            letter.clone()
        };
        let batch = seen.into_iter().map(receive).collect();
        (batch, later.iter().map(|letter| letter.visible_at).min())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

/// The intent whose timer heals the loss of a message, as its name.
pub(super) fn healed_by(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).expect("a message is JSON");
    if NEWS.iter().any(|kind| body["message"] == *kind) {
        return None;
    }
    let names = ["intent", "parent", "child"];
    names.iter().find_map(|name| body[*name].as_str()).map(str::to_owned)
}

/// What a consumer is invoked with.
pub(super) fn event(batch: &[Letter]) -> Value {
    let record = |letter: &Letter| {
        json!({
            "messageId": letter.id,
            "receiptHandle": letter.id,
            "body": letter.body,
            "eventSourceARN": format!("arn:aws:sqs:us-east-1:0:{}", letter.queue.name()),
            "attributes": {
                "ApproximateReceiveCount": letter.received.to_string(),
                "SentTimestamp": letter.sent_at.as_millisecond().to_string(),
            },
        })
    };
    json!({"Records": batch.iter().map(record).collect::<Vec<_>>()})
}
