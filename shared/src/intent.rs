//! The intent: what an agent wants done, and its life.
//!
//! ```text
//! CREATED ─ SUBMITTED ─ DELIVERED ─ ACKNOWLEDGED ─ IN_PROGRESS ─┬─ COMPLETED
//!                            │                      │    ▲      ├─ FAILED
//!                            └────────► WAITING ◄───┘    │      ├─ CANCELED
//!                                          └─────────────┘      └─ TIMED_OUT
//! ```
//!
//! Three functions hold every rule. [`decide`](decide()) says what a command does, [`apply`](apply()) folds an event
//! into the state, [`react`](react::owed) names what the world is owed for it. None of them knows a
//! clock, a network or a wire format: time and ids are arguments, effects are returned as data.

pub mod answer;
pub mod ask;
pub mod call;
pub mod command;
pub mod decide;
pub mod envelope;
pub mod event;
pub mod human_task;
pub mod inbox;
pub mod outcome;
pub mod phase;
pub mod policy;
pub mod react;
pub mod record;
pub mod rejection;
pub mod status;
pub mod task_type;
pub mod workflow;
pub mod working_hours;

mod apply;
#[cfg(test)]
mod tests;

pub use apply::apply;
pub use command::Command;
pub use decide::decide;
pub use envelope::Envelope;
pub use event::{Event, EventKind};
pub use phase::{Phase, Waiting};
pub use rejection::Rejection;
pub use status::{Status, WaitingReason};

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;
use ask::Ask;
use call::Call;
use envelope::Delivery;
use inbox::Messages;
use policy::Policy;
use workflow::Run;

/// Events are numbered 2, 4, 6, … so that clients which ask for "after n" and clients which ask for
/// "from n + 1" select the same events.
pub const EVENT_SEQ_STEP: u64 = 2;

/// The state of one intent: the fold of its events.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Intent {
    /// Its name.
    pub id: IntentId,
    /// What was sent. It never changes.
    pub envelope: Envelope,
    /// Where in its life it is, with what belongs to that place.
    pub phase: Phase,
    /// Number of the newest event.
    pub seq: u64,
    /// When the sender's intent was stored.
    pub created_at: Timestamp,
    /// When the newest event happened.
    pub updated_at: Timestamp,
    /// How often the present turn was offered to the agent.
    pub delivery_attempt: u32,
    /// Counts the leases given out; a worker whose number is not the newest has lost its lease.
    pub fence: u64,
    /// Where the agent's stream shows this intent; see [`Intent::offered`].
    pub offer_seq: u64,
    /// Number of the event that began the present turn, where turns are posted: by it the receiver
    /// knows a turn that it has. The first turn has 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub turn_seq: u64,
    /// Digest of the run state that the agent stored last.
    pub checkpoint: Option<Digest>,
    /// Approvals that the agent asked for, oldest first.
    pub asks: Vec<Ask>,
    /// Tool calls that were claimed, by call id.
    pub calls: BTreeMap<String, Call>,
    /// Who goes on with it, if another agent handed it on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handed_to: Option<Handed>,
    /// What was changed about it since it was sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Policy,
    /// Where the run of its workflow is, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Box<Run>>,
    /// How often it was looked whether the news that it waits for has been lost.
    #[serde(default, skip_serializing_if = "is_default")]
    pub checks: u32,
    /// When that was last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<Timestamp>,
    /// The messages that people and agents have left on it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub messages: Messages,
}

/// An agent that an intent was handed on to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Handed {
    /// The agent.
    pub to: Address,
    /// How it gets its intents.
    pub delivery: Delivery,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Intent {
    /// The lifecycle status, in the contract's words.
    pub fn status(&self) -> Status {
        self.phase.status()
    }

    /// The agent that has it.
    pub fn handler(&self) -> &Address {
        self.handed_to.as_ref().map_or(&self.envelope.handler, |handed| &handed.to)
    }

    /// How that agent gets it.
    pub fn delivery(&self) -> Delivery {
        self.handed_to.as_ref().map_or(self.envelope.delivery, |handed| handed.delivery)
    }

    /// Whether nothing can happen to it any more.
    pub fn is_ended(&self) -> bool {
        self.status().is_terminal()
    }

    /// Whether it waits for the agent, and so belongs on the agent's stream.
    pub fn is_agents_turn(&self) -> bool {
        // The turns of a workflow are those of its steps.
        if self.envelope.workflow.is_some() {
            return false;
        }
        match &self.phase {
            Phase::Delivered { .. } | Phase::Acknowledged { .. } | Phase::InProgress { .. } => true,
            Phase::Waiting(waiting) => match waiting {
                Waiting::Agent { .. } | Waiting::Tool => true,
                Waiting::Human(_)
                | Waiting::Children
                | Waiting::Step { .. }
                | Waiting::Time { .. } => false,
            },
            Phase::Created
            | Phase::Submitted
            | Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => false,
        }
    }

    /// The place on the agent's stream, if the agent takes its intents from there and it is its turn.
    pub fn offered(&self) -> Option<u64> {
        let streams = self.delivery() == Delivery::Stream;
        (streams && self.is_agents_turn()).then_some(self.offer_seq)
    }

    /// Whether its turn is to be posted to its agent, which has not taken it yet.
    pub fn awaits_push(&self) -> bool {
        let unanswered = match &self.phase {
            Phase::Delivered { answer_by }
            | Phase::Acknowledged { answer_by }
            | Phase::InProgress { answer_by, .. } => answer_by.is_some(),
            Phase::Created
            | Phase::Submitted
            | Phase::Waiting(_)
            | Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => false,
        };
        unanswered && self.delivery() == Delivery::Push
    }

    /// The hold that waits for a person's decision, if one is open.
    pub fn open_hold(&self) -> Option<&human_task::Hold> {
        match &self.phase {
            Phase::Waiting(Waiting::Human(hold)) => Some(hold),
            Phase::Waiting(
                Waiting::Agent { .. }
                | Waiting::Children
                | Waiting::Step { .. }
                | Waiting::Time { .. }
                | Waiting::Tool,
            )
            | Phase::Created
            | Phase::Submitted
            | Phase::Delivered { .. }
            | Phase::Acknowledged { .. }
            | Phase::InProgress { .. }
            | Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => None,
        }
    }

    /// The hold and the decision that ended it, if a person has decided; of a workflow, the last.
    pub fn decided(&self) -> Option<&human_task::Decided> {
        if let Some(run) = &self.run {
            return run.decided.as_ref();
        }
        match &self.phase {
            Phase::InProgress { decided, .. }
            | Phase::Completed { decided, .. }
            | Phase::Failed { decided, .. } => decided.as_ref(),
            Phase::Created
            | Phase::Submitted
            | Phase::Delivered { .. }
            | Phase::Acknowledged { .. }
            | Phase::Waiting(_)
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => None,
        }
    }

    /// Approvals that are asked for and not ended.
    pub fn open_asks(&self) -> impl Iterator<Item = &Ask> {
        self.asks.iter().filter(|ask| ask.ending.is_none())
    }
}
