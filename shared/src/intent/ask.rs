//! Approvals that an agent asks for in the middle of its work. Each is a child intent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Intent;
use super::envelope::{Delivery, Envelope, Parent, Reminders, TTL_SECONDS_MIN};
use super::human_task::{Decision, HoldPoint, HumanTask, Placement};
use super::status::Status;
use super::working_hours::WorkingHours;
use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;

/// The most approvals that one suspension may ask for: each costs five items of the one transaction.
pub const ASKS_PER_SUSPENSION_MAX: usize = 10;
/// The most approvals that one intent may ask for in its life.
pub const ASKS_PER_INTENT_MAX: usize = 100;
/// The longest name that an agent may give to a call, in characters.
pub const CALL_ID_CHARS_MAX: usize = 200;
/// How long an approval stays good for its one use, in seconds: a day.
pub const GRANT_SECONDS: u64 = 24 * 60 * 60;

/// The intent type of an approval that an agent asked for.
pub const ASK_INTENT_TYPE: &str = "intent.approval.v1";

/// What an agent asks a person.
#[derive(Clone, Debug, PartialEq)]
pub struct AskRequest {
    /// The agent's name for the tool call; asking twice under one name is asking once.
    pub call_id: String,
    /// The tool that would run.
    pub tool: String,
    /// What it would run with.
    pub arguments: Map<String, Value>,
    /// One line for the reviewer.
    pub title: String,
    /// More, in the agent's words.
    pub description: Option<String>,
    /// Who may answer; nobody named means every reviewer.
    pub assignees: Vec<String>,
    /// How long it may take, in seconds: one at least, and at most until the parent's deadline.
    pub timeout_s: Option<u32>,
    /// When to remind.
    pub reminders: Reminders,
    /// The hours in which reminders are sent, if not those of the parent.
    pub working_hours: Option<WorkingHours>,
}

/// What the parent keeps of an approval that it asked for.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Ask {
    /// The agent's name for the tool call.
    pub call_id: String,
    /// The child intent that carries the question.
    pub child: IntentId,
    /// The tool that would run.
    pub tool: String,
    /// Digest of tool and arguments, which a claim must match.
    pub call_digest: Digest,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// How it ended, once it has.
    pub ending: Option<AskEnding>,
}

/// How an approval ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct AskEnding {
    /// The child's last status.
    pub status: Status,
    /// The decision, if a person made one.
    pub decision: Option<Decision>,
}

impl AskEnding {
    /// Whether a person said yes.
    pub fn is_approved(&self) -> bool {
        self.decision.as_ref().is_some_and(Decision::is_approval)
    }

    /// Reads the ending off a child that has ended.
    pub fn of(child: &Intent) -> Option<Self> {
        let decision = child.decided().map(|decided| decided.decision.clone());
        child.is_ended().then(|| Self { status: child.status(), decision })
    }
}

impl AskRequest {
    /// The child's id: the same parent and call id always give the same child.
    pub fn child_id(&self, parent: &Intent) -> IntentId {
        IntentId::derived(&["ask", &parent.envelope.tenant, &parent.id.to_string(), &self.call_id])
    }

    /// Digest of the call that is asked about.
    pub fn call_digest(&self) -> Digest {
        call_digest(&self.tool, &self.arguments)
    }

    /// What the parent keeps of it.
    pub fn ask(&self, parent: &Intent, asked_at: Timestamp) -> Ask {
        Ask {
            call_id: self.call_id.clone(),
            child: self.child_id(parent),
            tool: self.tool.clone(),
            call_digest: self.call_digest(),
            asked_at,
            ending: None,
        }
    }

    /// The child intent that carries the question which `asker` asks.
    pub fn envelope(&self, parent: &Intent, asker: &str, asked_at: Timestamp) -> Envelope {
        // A child that ended as it began could not be created, and its parent would wait for it.
        let within =
            self.timeout_s.map(|seconds| seconds.max(TTL_SECONDS_MIN)).and_then(|seconds| {
                asked_at.checked_add(std::time::Duration::from_secs(seconds.into())).ok()
            });
        let latest = parent.deadline_at();
        let deadline_at = within.map_or(latest, |until| until.min(latest));
        let people = Address::agent_core();
        let mut payload = Map::new();
        payload.insert("tool".to_owned(), json!(self.tool));
        payload.insert("arguments".to_owned(), Value::Object(self.arguments.clone()));
        Envelope {
            tenant: parent.envelope.tenant.clone(),
            intent_type: ASK_INTENT_TYPE.to_owned(),
            correlation_id: parent.envelope.correlation_id,
            from: parent.handler().uri(),
            to: people.clone(),
            handler: people,
            delivery: Delivery::Stream,
            payload,
            parent: Some(Parent {
                intent: parent.id,
                call_id: self.call_id.clone(),
                sender: parent.envelope.from.clone(),
                asker: asker.to_owned(),
                is_step: false,
            }),
            reply_to: None,
            deadline_at,
            reminders: self.reminders,
            working_hours: self
                .working_hours
                .as_ref()
                .or(parent.envelope.working_hours.as_ref())
                .cloned(),
            escalate_to: None,
            delivery_attempts_max: Some(1),
            hold_point: Some(HoldPoint {
                placement: Placement::OnArrival,
                task: HumanTask {
                    description: self.description.clone(),
                    assignees: self.assignees.clone(),
                    ..HumanTask::approval(self.title.clone())
                },
            }),
            workflow: None,
        }
    }
}

/// Digest of a tool call: its tool and its arguments.
pub fn call_digest(tool: &str, arguments: &Map<String, Value>) -> Digest {
    Digest::of_json(&json!({"tool": tool, "arguments": arguments}))
}
