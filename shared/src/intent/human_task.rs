//! Hold points: what a person is asked, and what the person answered.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use super::Intent;
use super::envelope::Envelope;
use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;
use crate::principal::Assurance;

/// The longest title, in characters. The contract's limit.
pub const TITLE_CHARS_MAX: usize = 255;
/// The longest description, in characters. The contract's limit.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The longest comment of a reviewer, in characters. The contract's limit.
pub const COMMENT_CHARS_MAX: usize = 2000;
/// The most people that one task may name. The contract's limit.
pub const ASSIGNEES_MAX: usize = 20;

/// Where in an intent's life a person signs off.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HoldPoint {
    /// Instead of the agent, or after it.
    pub placement: Placement,
    /// What the person is asked.
    pub task: HumanTask,
}

/// When the hold opens.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// At once: the intent is nothing but a question to a person.
    OnArrival,
    /// When the agent has a result: the person signs off on that result.
    OnResult,
}

/// What a person is asked.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct HumanTask {
    /// What kind of answer is wanted.
    pub task_type: TaskType,
    /// One line.
    pub title: String,
    /// More lines; the agent's or the deployer's words, untrusted.
    pub description: Option<String>,
    /// The answers that are taken.
    pub allowed_outcomes: Vec<Outcome>,
    /// Whether an answer needs a comment.
    pub required_comment: bool,
    /// Who may answer; nobody named means every reviewer.
    pub assignees: Vec<String>,
    /// Where the sender wants the notice to go.
    pub notify_email: Option<String>,
}

/// The kinds of human task that are served.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskType {
    /// Yes or no.
    Approval,
}

/// A person's answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Yes.
    Approved,
    /// No.
    Rejected,
}

impl Outcome {
    /// Both answers, the positive one first.
    pub const ALL: [Self; 2] = [Self::Approved, Self::Rejected];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// Reads a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.name() == text)
    }
}

/// A hold point that waits.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Hold {
    /// Which version of the intent is shown to the reviewer: the number of the event that opened
    /// the hold. Reminders leave it alone, since they change nothing of what is shown.
    pub version: u64,
    /// Since when.
    pub opened_at: Timestamp,
    /// Who asks: the sender of a question, or whoever gave the result that waits.
    pub opened_by: String,
    /// The agent's result that waits for the sign-off. A result of `null` is one, and stays one
    /// when it is stored.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Value>,
    /// Digest of what is shown; a decision must name it.
    pub digest: Digest,
    /// Reminders sent.
    pub remind_count: u32,
    /// Whether it was escalated.
    pub escalated: bool,
}

fn present<'de, D: Deserializer<'de>>(stored: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(stored).map(Some)
}

/// A hold together with the decision that ended it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decided {
    /// What was shown.
    pub hold: Hold,
    /// What was answered.
    pub decision: Decision,
}

/// A person's decision.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decision {
    /// Yes or no.
    pub outcome: Outcome,
    /// In the reviewer's words.
    pub comment: Option<String>,
    /// Name of the reviewer.
    pub by: String,
    /// How the reviewer's identity was established.
    pub assurance: Assurance,
    /// When.
    pub decided_at: Timestamp,
    /// Digest of what the decision is about.
    pub digest: Digest,
}

impl Hold {
    /// Opens a hold: fixes what the reviewer will be shown, and its digest.
    pub fn open(
        id: IntentId,
        envelope: &Envelope,
        task: &HumanTask,
        version: u64,
        (opened_by, opened_at): (&str, Timestamp),
        proposal: Option<Value>,
    ) -> Self {
        let digest = Digest::of_json(&shown(id, envelope, task, version, proposal.as_ref()));
        let opened_by = opened_by.to_owned();
        Self { version, opened_at, opened_by, proposal, digest, remind_count: 0, escalated: false }
    }
}

impl Intent {
    /// What a person is or will be asked on this intent itself.
    pub fn human_task(&self) -> Option<&HumanTask> {
        self.envelope.hold_point.as_ref().map(|point| &point.task)
    }

    /// The whole action that a hold is about, as its digest covers it.
    pub fn action(&self, hold: &Hold) -> Option<Value> {
        let task = self.human_task()?;
        Some(shown(self.id, &self.envelope, task, hold.version, hold.proposal.as_ref()))
    }
}

/// The whole action, so that nothing of it can be changed after the decision. Only how the agent is
/// reached, and how people are told and reminded, is no part of it.
fn shown(
    id: IntentId,
    envelope: &Envelope,
    task: &HumanTask,
    version: u64,
    proposal: Option<&Value>,
) -> Value {
    let mut action = json!({
        "v": "holdpoint/action/1",
        "tenant": envelope.tenant,
        "intent_id": id,
        "version": version,
        "intent_type": envelope.intent_type,
        "correlation_id": envelope.correlation_id,
        "from": envelope.from,
        "to": envelope.to.uri(),
        "handler": envelope.handler.uri(),
        "reply_to": envelope.reply_to.as_ref().map(Address::uri),
        "payload": envelope.payload,
        "proposal": proposal,
        "task_type": task.task_type,
        "title": task.title,
        "description": task.description,
        "allowed_outcomes": task.allowed_outcomes,
        "assignees": task.assignees,
        "deadline_at": envelope.deadline_at,
    });
    // An approval that an agent asked for is about one tool call; it stands at the top, where the
    // agent compares it with the call that it is about to make.
    if let (Some(parent), Value::Object(fields)) = (&envelope.parent, &mut action) {
        let part = |name: &str| envelope.payload.get(name).cloned().unwrap_or(Value::Null);
        fields.insert("parent".to_owned(), json!(parent));
        fields.insert("tool".to_owned(), part("tool"));
        fields.insert("arguments".to_owned(), part("arguments"));
    }
    action
}
