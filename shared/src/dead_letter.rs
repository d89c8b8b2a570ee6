//! Dead letters: messages that were given up, and why. Each is a promise that somebody still waits for.

mod id;
mod reason;

#[cfg(test)]
mod tests;

pub use id::DeadLetterId;
pub use reason::Reason;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::id::IntentId;
use crate::message::{Message, Queue};

/// The most bytes of an unreadable message that are kept. Only Holdpoint's own functions send to the
/// queues, so it is a message of another version, and may be sent again once that version runs.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A message that was given up.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DeadLetter {
    /// Its name: the same however often the same message is buried.
    pub id: DeadLetterId,
    /// Where it was taken from; unknown for what cannot be read and came by a detour.
    pub origin: Option<Origin>,
    /// What was to be done.
    pub content: Content,
    /// Why it was given up.
    pub reason: Reason,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was tried first.
    pub first_tried_at: Timestamp,
    /// When it failed for the last time.
    pub last_failed_at: Timestamp,
    /// When it was sent again, if it was.
    #[serde(default)]
    pub redriven_at: Option<Timestamp>,
}

/// What was to be done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A message.
    Message(Message),
    /// A message that cannot be read.
    Text {
        /// Its beginning, or all of it.
        text: String,
        /// How long it is as a whole.
        bytes: usize,
        /// What it is as a whole.
        sha256: Digest,
    },
    /// What a commit owes.
    Commit {
        /// The intent.
        intent: IntentId,
        /// The number of the commit's last event.
        seq: u64,
    },
    /// A wake-up, which the intent's own state tells anew.
    Timer {
        /// The intent.
        intent: IntentId,
    },
    /// A record of the stream whose item says too little to act on.
    Record {
        /// Where the record stands in the stream.
        sequence_number: String,
    },
    /// A part of the stream that was passed over whole.
    Batch {
        /// The shard.
        shard: String,
        /// Its first record.
        first_sequence_number: String,
        /// Its last record.
        last_sequence_number: String,
        /// How many records that were.
        records: u64,
    },
}

/// Where messages are taken from.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Turns of agents.
    Turns,
    /// Wake-ups.
    Wakes,
    /// Notices to reviewers.
    Notices,
    /// Posts to webhooks.
    Deliveries,
    /// The table's stream.
    Stream,
}

impl DeadLetter {
    /// The intent that waits for it, if it is about one.
    pub fn intent(&self) -> Option<IntentId> {
        match &self.content {
            Content::Message(message) => message.intent(),
            Content::Commit { intent, .. } | Content::Timer { intent } => Some(*intent),
            Content::Text { .. } | Content::Record { .. } | Content::Batch { .. } => None,
        }
    }
}

impl Content {
    /// The body of a message, as far as it can be read and is kept.
    pub fn of_body(body: &str) -> Self {
        if let Ok(message) = serde_json::from_str(body) {
            return Self::Message(message);
        }
        let text = body.get(..body.floor_char_boundary(TEXT_BYTES_MAX)).unwrap_or_default();
        Self::Text {
            text: text.to_owned(),
            bytes: body.len(),
            sha256: Digest::of_bytes(body.as_bytes()),
        }
    }
}

impl Origin {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Turns, Self::Wakes, Self::Notices, Self::Deliveries, Self::Stream];

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Turns => "turns",
            Self::Wakes => "wakes",
            Self::Notices => "notices",
            Self::Deliveries => "deliveries",
            Self::Stream => "stream",
        }
    }

    /// The one of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|origin| origin.name() == name)
    }

    /// The queue, where it is one.
    pub fn queue(self) -> Option<Queue> {
        match self {
            Self::Turns => Some(Queue::Turns),
            Self::Wakes => Some(Queue::Wakes),
            Self::Notices => Some(Queue::Notices),
            Self::Deliveries => Some(Queue::Deliveries),
            Self::Stream => None,
        }
    }
}

impl From<Queue> for Origin {
    fn from(queue: Queue) -> Self {
        match queue {
            Queue::Turns => Self::Turns,
            Queue::Wakes => Self::Wakes,
            Queue::Notices => Self::Notices,
            Queue::Deliveries => Self::Deliveries,
        }
    }
}
