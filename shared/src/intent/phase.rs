//! The places of an intent's life, each with the facts that belong to it alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::human_task::{Decided, Decision, Hold};
use super::status::{Status, WaitingReason};
use crate::address::Address;
use crate::id::IntentId;

/// Where an intent is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Taken from the sender; only ever seen between the events of the first commit.
    Created,
    /// Stored; only ever seen between the events of the first commit.
    Submitted,
    /// Offered to the agent.
    Delivered {
        /// When it is offered again if the agent stays silent; `None` where the agent itself asks.
        answer_by: Option<Timestamp>,
    },
    /// Taken by the agent.
    Acknowledged {
        /// When it is offered again if the agent stays silent.
        answer_by: Option<Timestamp>,
    },
    /// The agent works on it.
    InProgress {
        /// The worker that holds it, if one does.
        lease: Option<Lease>,
        /// When the turn is offered again if no worker takes it.
        answer_by: Option<Timestamp>,
        /// The decision that let it go on, if its own hold point is behind it.
        decided: Option<Decided>,
    },
    /// It stands still.
    Waiting(Waiting),
    /// Ended well.
    Completed {
        /// What came of it.
        result: Value,
        /// The decision that it rests on.
        decided: Option<Decided>,
        /// When.
        ended_at: Timestamp,
    },
    /// Ended badly, or refused.
    Failed {
        /// Why.
        failure: Failure,
        /// The refusal, if a person refused it.
        decided: Option<Decided>,
        /// When.
        ended_at: Timestamp,
    },
    /// Withdrawn.
    Canceled {
        /// Why.
        reason: String,
        /// When.
        ended_at: Timestamp,
    },
    /// Its deadline passed.
    TimedOut {
        /// When that was noticed; the deadline itself stands in the envelope.
        ended_at: Timestamp,
    },
}

/// What a standing intent waits for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// A person's decision on this intent's own hold point.
    Human(Hold),
    /// People's decisions on the approvals that its agent asked for.
    Children,
    /// The agent that has the present step of the workflow.
    Step {
        /// The child intent that it works on.
        child: IntentId,
    },
    /// Another agent; only ever seen between the events of one commit.
    Agent {
        /// The one that goes on with it.
        next_handler: Option<Address>,
    },
    /// A tool that runs elsewhere; its agent resumes it.
    Tool,
    /// A moment.
    Time {
        /// When it goes on by itself.
        until: Timestamp,
    },
}

/// A worker's exclusive right to go on with an intent.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Lease {
    /// The number of the lease; a greater one takes the right away.
    pub fence: u64,
    /// From when on another worker may take it.
    pub until: Timestamp,
}

/// Why an intent failed.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Failure {
    /// A stable word for programs, such as `rejected` or `delivery_failed`.
    pub code: String,
    /// A sentence for people.
    pub reason: String,
    /// What else the agent said of it.
    #[serde(default)]
    pub error: Value,
}

impl Failure {
    /// A person has said no.
    pub(super) fn rejected(decision: &Decision) -> Self {
        let said = || format!("{} by {}", decision.outcome, decision.by);
        let reason = decision.comment.clone().unwrap_or_else(said);
        Self { code: "rejected".to_owned(), reason, error: Value::Null }
    }
}

impl Phase {
    /// The contract's word for this place.
    pub fn status(&self) -> Status {
        match self {
            Self::Created => Status::Created,
            Self::Submitted => Status::Submitted,
            Self::Delivered { .. } => Status::Delivered,
            Self::Acknowledged { .. } => Status::Acknowledged,
            Self::InProgress { .. } => Status::InProgress,
            Self::Waiting(_) => Status::Waiting,
            Self::Completed { .. } => Status::Completed,
            Self::Failed { .. } => Status::Failed,
            Self::Canceled { .. } => Status::Canceled,
            Self::TimedOut { .. } => Status::TimedOut,
        }
    }

    /// The contract's word for what it waits for, if it waits.
    pub fn waiting_reason(&self) -> Option<WaitingReason> {
        match self {
            Self::Waiting(waiting) => Some(match waiting {
                Waiting::Human(_) | Waiting::Children => WaitingReason::WaitingForHuman,
                Waiting::Agent { .. } | Waiting::Step { .. } => WaitingReason::WaitingForAgent,
                Waiting::Tool => WaitingReason::WaitingForTool,
                Waiting::Time { .. } => WaitingReason::WaitingForTime,
            }),
            Self::Created
            | Self::Submitted
            | Self::Delivered { .. }
            | Self::Acknowledged { .. }
            | Self::InProgress { .. }
            | Self::Completed { .. }
            | Self::Failed { .. }
            | Self::Canceled { .. }
            | Self::TimedOut { .. } => None,
        }
    }
}
