//! What happened to an intent: the only thing that changes it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::ask::{Ask, AskEnding};
use super::envelope::{Delivery, Envelope};
use super::human_task::{Decided, Decision, Hold};
use super::phase::Failure;
use super::policy::Patch;
use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;

/// One thing that happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Event {
    /// Its number in the intent's history.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// Who made it happen.
    pub actor: String,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "type")]
pub enum EventKind {
    /// It was sent.
    Created {
        /// Its name.
        id: IntentId,
        /// What was sent.
        envelope: Box<Envelope>,
    },
    /// It was stored.
    Submitted,
    /// Its turn was offered to the agent.
    Offered {
        /// Which attempt this is, from 1.
        attempt: u32,
        /// When it is offered again.
        answer_by: Option<Timestamp>,
    },
    /// The agent took it.
    Acknowledged,
    /// The agent works on it.
    Started {
        /// The worker's lease, if a worker runs the agent.
        lease_until: Option<Timestamp>,
        /// When the turn is offered again, if it is a worker's turn and nobody has the lease.
        #[serde(default)]
        answer_by: Option<Timestamp>,
    },
    /// A worker finished one durable step.
    Stepped {
        /// The lease's new end.
        lease_until: Timestamp,
        /// The run state that was stored.
        checkpoint: Digest,
        /// What the step did.
        note: String,
    },
    /// It stopped at its hold point.
    Held {
        /// What the reviewer is shown.
        hold: Hold,
    },
    /// The human task is open. Always follows `Held`; the contract has two events for it.
    TaskAssigned,
    /// The reviewer was reminded.
    Reminded {
        /// Which reminder this is, from 1; one that comes late takes the place of those it missed.
        count: u32,
    },
    /// Reminders did not help, or a workflow turns to somebody further up.
    Escalated {
        /// Who is told now.
        to: Address,
        /// The workflow's step that tells, by its place, if it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<usize>,
    },
    /// A person said yes.
    Approved {
        /// The decision.
        decision: Decision,
    },
    /// A person said no, and the workflow goes on from there.
    Refused {
        /// The decision.
        decision: Decision,
    },
    /// A reviewer passed the task on.
    Reassigned {
        /// Who may answer now.
        to: String,
        /// Why.
        note: Option<String>,
    },
    /// A try of a workflow's step began.
    StepBegun {
        /// The step, by its place.
        step: usize,
        /// Its name.
        step_id: String,
        /// Which try of it this is, from 1.
        attempt: u32,
        /// The child intent that has it, if an agent has it.
        child: Option<IntentId>,
    },
    /// A try of a workflow's step ended.
    StepEnded {
        /// Its name.
        step_id: String,
        /// What it gave.
        result: Value,
        /// Why it failed, if it did.
        failure: Option<Failure>,
        /// The decision that its own result rests on.
        decided: Option<Box<Decided>>,
        /// When it is tried again, if it is.
        again_at: Option<Timestamp>,
    },
    /// A workflow told somebody something.
    Notified {
        /// The step, by its place.
        step: usize,
        /// Its name.
        step_id: String,
    },
    /// It was looked whether the news that it waits for has been lost.
    Checked,
    /// Somebody left a message.
    Said {
        /// The message's name.
        message_id: Uuid,
        /// Its text, untrusted.
        text: String,
    },
    /// Messages were hidden.
    Hidden {
        /// Which.
        message_ids: Vec<Uuid>,
        /// Whether from everybody, or only from whoever did it.
        from_all: bool,
    },
    /// Controls or policy were changed.
    PolicyChanged {
        /// What.
        patch: Box<Patch>,
        /// Which change this is, from 1.
        generation: u64,
        /// Why.
        reason: Option<String>,
    },
    /// The agent stopped until somebody or something else has acted.
    Suspended {
        /// The run state that was stored.
        checkpoint: Option<Digest>,
        /// What it waits for.
        waits_for: SuspendedFor,
    },
    /// One of several approvals that the agent waits for has ended.
    AskEnded {
        /// The agent's name for the call.
        call_id: String,
        /// How it ended.
        ending: AskEnding,
    },
    /// What it waited for has come.
    Resumed {
        /// When the turn is offered again.
        answer_by: Option<Timestamp>,
    },
    /// The agent handed the work on.
    HandedOn {
        /// Why.
        reason: Option<String>,
        /// Who goes on with it.
        next_handler: Option<Address>,
        /// How that agent gets it; where nothing is stored, the one that had it goes on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        delivery: Option<Delivery>,
    },
    /// A tool call was claimed.
    CallClaimed {
        /// The agent's name for the call.
        call_id: String,
        /// Digest of tool and arguments.
        call_digest: Digest,
        /// Digest of the claimer's secret.
        token_digest: Digest,
    },
    /// A claimed tool call ended.
    CallFinished {
        /// The agent's name for the call.
        call_id: String,
        /// Digest of the output.
        output_digest: Digest,
        /// Whether the tool itself said that it failed.
        is_error: bool,
    },
    /// No agent took it.
    DeliveryFailed {
        /// How often it was offered.
        attempts: u32,
    },
    /// It ended well.
    Completed {
        /// What came of it.
        result: Value,
    },
    /// It ended badly.
    Failed {
        /// Why.
        failure: Failure,
        /// The refusal, if a person refused it.
        decision: Option<Decision>,
    },
    /// It was withdrawn.
    Canceled {
        /// Why.
        reason: String,
    },
    /// Its deadline passed.
    TimedOut,
}

/// What a suspended agent waits for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspendedFor {
    /// People's decisions on these.
    People(Vec<Ask>),
    /// A tool that runs elsewhere.
    Tool,
    /// A moment.
    Time(Timestamp),
}

impl EventKind {
    /// The name on the wire. Several of ours share one of the contract's sixteen; those that it has no
    /// word for have names of their own, and change no status.
    pub fn wire_name(&self) -> &'static str {
        match self {
            Self::Created { .. } => "intent.created",
            Self::Submitted => "intent.submitted",
            Self::Offered { .. } => "intent.delivered",
            Self::Acknowledged => "intent.acknowledged",
            Self::Started { .. }
            | Self::Stepped { .. }
            | Self::Approved { .. }
            | Self::Refused { .. }
            | Self::StepEnded { .. }
            | Self::StepBegun { child: None, .. }
            | Self::Notified { .. }
            | Self::Resumed { .. }
            | Self::CallClaimed { .. }
            | Self::CallFinished { .. } => "intent.in_progress",
            Self::Held { .. }
            | Self::Suspended { .. }
            | Self::AskEnded { .. }
            | Self::StepBegun { child: Some(_), .. }
            | Self::Checked => "intent.waiting",
            Self::Reassigned { .. } => "intent.reassigned",
            Self::Said { .. } => "intent.message",
            Self::Hidden { .. } => "intent.messages_hidden",
            Self::PolicyChanged { .. } => "intent.policy_changed",
            Self::HandedOn { .. } => "intent.transfer",
            Self::TaskAssigned => "intent.human_task_assigned",
            Self::Reminded { .. } => "intent.reminder",
            Self::Escalated { .. } => "intent.escalated",
            Self::DeliveryFailed { .. } => "intent.delivery_failed",
            Self::Completed { .. } => "intent.completed",
            Self::Failed { .. } => "intent.failed",
            Self::Canceled { .. } => "intent.canceled",
            Self::TimedOut => "intent.timed_out",
        }
    }
}
