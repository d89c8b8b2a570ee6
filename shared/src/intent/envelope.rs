//! What was sent: the facts of an intent that never change.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::human_task::{HoldPoint, Placement};
use super::workflow::Workflow;
use super::working_hours::WorkingHours;
use crate::address::Address;
use crate::id::IntentId;

/// The longest intent type, in characters.
pub const INTENT_TYPE_CHARS_MAX: usize = 255;
/// The shortest life that a sender may give an intent, in seconds. The contract's limit is 60; a
/// shorter one lets a test or a demonstration see a deadline pass.
pub const TTL_SECONDS_MIN: u32 = 1;
/// The longest life of an intent, in seconds: 366 days.
pub const TTL_SECONDS_MAX: u32 = 366 * 24 * 60 * 60;
/// How often a turn is offered, unless the sender says otherwise. The contract's default.
pub const DELIVERY_ATTEMPTS_DEFAULT: u32 = 3;
/// How often a turn is pushed, unless the sender says otherwise: once, and after each of the
/// contract's three pauses.
pub const PUSH_ATTEMPTS_DEFAULT: u32 = 4;
/// The most often that a turn may be offered.
pub const DELIVERY_ATTEMPTS_MAX: u32 = 100;
/// The most reminders of one hold point.
pub const REMINDERS_MAX: u32 = 100;

/// An intent as its sender gave it, with its address resolved.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Envelope {
    /// Whose account it belongs to.
    pub tenant: String,
    /// What kind of thing is wanted, in the sender's words.
    pub intent_type: String,
    /// Ties together what belongs together, through every hop.
    pub correlation_id: Uuid,
    /// Name of the principal that sent it.
    pub from: String,
    /// Where it was sent.
    pub to: Address,
    /// Where it went after routes were followed.
    pub handler: Address,
    /// How the handler gets it.
    pub delivery: Delivery,
    /// What the agent is to work on.
    pub payload: Map<String, Value>,
    /// The intent whose agent asked for this one.
    pub parent: Option<Parent>,
    /// Where the sender wants the completion.
    pub reply_to: Option<Address>,
    /// From this moment on nothing but `TIMED_OUT` can happen to it.
    pub deadline_at: Timestamp,
    /// When to remind whoever must decide.
    pub reminders: Reminders,
    /// The hours in which reminders are sent; none named means always.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_hours: Option<WorkingHours>,
    /// Who is told when reminders did not help.
    pub escalate_to: Option<Address>,
    /// How often a turn is offered before delivery has failed, if the sender says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_attempts_max: Option<u32>,
    /// Where a person must sign off, if anywhere.
    pub hold_point: Option<HoldPoint>,
    /// The steps that it goes through, if it is the intent of a scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<Workflow>,
}

impl Envelope {
    /// Whether it is nothing but a question to a person, and never an agent's turn.
    pub fn only_asks(&self) -> bool {
        self.hold_point.as_ref().is_some_and(|point| point.placement == Placement::OnArrival)
    }
}

/// How an agent gets its intents.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// It holds the stream endpoint, and asks again by itself.
    Stream,
    /// `agent-worker` runs its turns, from a queue.
    Worker,
    /// Each is posted to an address of the agent's.
    Push,
}

impl Delivery {
    /// How often a turn is offered, unless the sender says otherwise.
    pub fn attempts_default(self) -> u32 {
        match self {
            Self::Stream | Self::Worker => DELIVERY_ATTEMPTS_DEFAULT,
            Self::Push => PUSH_ATTEMPTS_DEFAULT,
        }
    }
}

/// What a child intent knows of the one it belongs to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Parent {
    /// The parent.
    pub intent: IntentId,
    /// The agent's name for what it asked.
    pub call_id: String,
    /// Who sent the parent, and so is behind the question as much as the agent is.
    pub sender: String,
    /// The principal that asked, in the agent's name.
    pub asker: String,
    /// Whether it is a step of a workflow, rather than a question.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_step: bool,
}

/// When to remind, counted from the opening of the hold point.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Reminders {
    /// Seconds to the first one; `None` sends none.
    pub after_s: Option<u32>,
    /// Seconds between later ones.
    pub interval_s: u32,
    /// How many at most.
    pub max: u32,
}

impl Reminders {
    /// When reminder number `count` (from 0) is due for a hold that opened at `opened_at`.
    pub fn due_at(&self, opened_at: Timestamp, count: u32) -> Option<Timestamp> {
        let seconds = u64::from(self.after_s?) + u64::from(self.interval_s) * u64::from(count);
        opened_at.checked_add(std::time::Duration::from_secs(seconds)).ok()
    }
}
