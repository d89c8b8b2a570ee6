//! What can be asked of an intent.

use jiff::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use super::Handed;
use super::answer::Answer;
use super::ask::{AskEnding, AskRequest};
use super::envelope::Envelope;
use super::human_task::Hold;
use super::phase::Failure;
use super::policy::{Patch, Right};
use super::workflow::StepEnding;
use crate::digest::Digest;
use crate::id::IntentId;
use crate::principal::Principal;

/// A command. Facts that the core cannot know (ids, secrets, clocks) travel inside.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Take a new intent.
    Create {
        /// The intent's name.
        id: IntentId,
        /// What was sent.
        envelope: Box<Envelope>,
    },
    /// A worker wants to run a turn.
    Start {
        /// The agent that it runs.
        by: Principal,
        /// Until when it wants to be alone with it.
        lease_until: Timestamp,
    },
    /// A worker finished one durable step.
    Step {
        /// The agent that it runs.
        by: Principal,
        /// The worker's lease.
        fence: u64,
        /// The lease's new end.
        lease_until: Timestamp,
        /// Digest of the run state that is stored with this step.
        checkpoint: Digest,
        /// What the step did, in a few words for people.
        note: String,
    },
    /// The agent stops until somebody or something else has acted.
    Suspend {
        /// The agent.
        by: Principal,
        /// The worker's lease, if a worker runs the agent.
        fence: Option<u64>,
        /// The run state that this one replaces.
        expected_checkpoint: Option<Digest>,
        /// The run state that is stored with it.
        checkpoint: Option<Digest>,
        /// What it waits for.
        waits_for: WaitsFor,
    },
    /// The agent wants to run a tool, now and once.
    Claim {
        /// The agent.
        by: Principal,
        /// The worker's lease, if a worker runs the agent.
        fence: Option<u64>,
        /// The agent's name for the call.
        call_id: String,
        /// Digest of tool and arguments.
        call_digest: Digest,
        /// Whether the call rests on an approval.
        needs_grant: bool,
        /// Digest of the secret that the claimer gets.
        token_digest: Digest,
    },
    /// The agent reports what a claimed tool gave.
    FinishCall {
        /// The agent.
        by: Principal,
        /// The agent's name for the call.
        call_id: String,
        /// Digest of the secret that came with the claim.
        token_digest: Digest,
        /// Digest of the output, which is stored beside the intent.
        output_digest: Digest,
        /// Whether the tool itself said that it failed.
        is_error: bool,
    },
    /// The agent, or the sender, has a result.
    Complete {
        /// Who says so.
        by: Principal,
        /// The worker's lease, if a worker runs the agent.
        fence: Option<u64>,
        /// What came of it.
        result: Value,
    },
    /// The agent, or the sender, gives up.
    Fail {
        /// Who says so.
        by: Principal,
        /// The worker's lease, if a worker runs the agent.
        fence: Option<u64>,
        /// Why.
        failure: Failure,
    },
    /// The agent hands the work on, without a result yet.
    Advance {
        /// The agent.
        by: Principal,
        /// Why.
        reason: Option<String>,
        /// Who goes on with it; nobody named means the same agent.
        next: Option<Handed>,
    },
    /// The agent has it, and needs no further offer.
    Acknowledge {
        /// The agent.
        by: Principal,
        /// The turn that it has, if only that one is meant.
        turn: Option<u64>,
    },
    /// A person answers.
    Decide {
        /// The reviewer.
        by: Principal,
        /// The answer.
        answer: Answer,
        /// What the reviewer had on the screen; channels that show it always send it.
        seen: Option<Seen>,
    },
    /// A reviewer passes the task on.
    Reassign {
        /// The reviewer.
        by: Principal,
        /// Who is to answer.
        to: String,
        /// Why.
        note: Option<String>,
    },
    /// Somebody leaves a message.
    Say {
        /// Who.
        by: Principal,
        /// The message's name.
        message_id: Uuid,
        /// Its text.
        text: String,
    },
    /// Somebody hides messages.
    Hide {
        /// Who.
        by: Principal,
        /// Which.
        message_ids: Vec<Uuid>,
        /// Whether from everybody, or only from whoever does it.
        from_all: bool,
    },
    /// Somebody changes controls or policy.
    ChangePolicy {
        /// Who.
        by: Principal,
        /// What.
        patch: Box<Patch>,
        /// Which of the two rights it takes.
        right: Right,
        /// The generation that the change was made for, if it names one.
        expected_generation: Option<u64>,
        /// Why.
        reason: Option<String>,
    },
    /// The sender or an administrator withdraws it.
    Cancel {
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// An approval that the agent asked for has ended.
    EndAsk {
        /// The child intent.
        child: IntentId,
        /// How it ended.
        ending: AskEnding,
    },
    /// The child intent that has a step of the workflow has ended.
    EndStep {
        /// The child intent.
        child: IntentId,
        /// How it ended.
        ending: Box<StepEnding>,
    },
    /// The agent was shown it so often, and did nothing.
    GiveUp {
        /// How often.
        attempts: u32,
    },
    /// The intent that asked for this one has ended.
    ParentEnded,
    /// Something may be due. A wake-up carries no decision; the state and the time decide.
    Wake,
}

impl Command {
    /// Who asks, if somebody does; the rest happens by itself.
    pub fn by(&self) -> Option<&Principal> {
        match self {
            Self::Start { by, .. }
            | Self::Step { by, .. }
            | Self::Suspend { by, .. }
            | Self::Claim { by, .. }
            | Self::FinishCall { by, .. }
            | Self::Complete { by, .. }
            | Self::Fail { by, .. }
            | Self::Advance { by, .. }
            | Self::Acknowledge { by, .. }
            | Self::Decide { by, .. }
            | Self::Reassign { by, .. }
            | Self::Say { by, .. }
            | Self::Hide { by, .. }
            | Self::ChangePolicy { by, .. }
            | Self::Cancel { by, .. } => Some(by),
            Self::Create { .. }
            | Self::EndAsk { .. }
            | Self::EndStep { .. }
            | Self::GiveUp { .. }
            | Self::ParentEnded
            | Self::Wake => None,
        }
    }
}

/// What a suspended agent waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum WaitsFor {
    /// People's decisions.
    People(Vec<AskRequest>),
    /// A tool that runs elsewhere.
    Tool,
    /// A moment.
    Time(Timestamp),
}

/// What a reviewer had on the screen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Seen {
    /// The hold's version.
    pub version: u64,
    /// The hold's digest.
    pub digest: Digest,
}

impl Seen {
    /// Whether this is what `hold` shows.
    pub(super) fn is_of(&self, hold: &Hold) -> bool {
        self.version == hold.version && self.digest == hold.digest
    }
}
