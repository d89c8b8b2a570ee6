//! Hold points: what a person is asked, and what the person answered.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};

use super::Intent;
use super::envelope::{Envelope, Reminders};
pub use super::outcome::Outcome;
pub use super::task_type::TaskType;
use super::working_hours::WorkingHours;
use crate::address::Address;
use crate::digest::Digest;
use crate::form::FormSchema;
use crate::id::IntentId;
use crate::principal::Assurance;

/// The longest title, in characters. The contract's limit.
pub const TITLE_CHARS_MAX: usize = 255;
/// The longest description, in characters. The contract's limit.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// The longest comment of a reviewer, in characters. The contract's limit.
pub const COMMENT_CHARS_MAX: usize = 2000;
/// The most answers that one task may take. The contract's limit.
pub const OUTCOMES_MAX: usize = 20;
/// The largest result that a person signs off, in bytes of JSON. A state has it twice once it is
/// approved, beside the payload.
pub const PROPOSAL_BYTES_MAX: usize = 96 * 1024;
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
    /// Those of them that let the work go on; none named means those that the contract knows as such.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approving_outcomes: Vec<Outcome>,
    /// Whether an answer needs a comment.
    pub required_comment: bool,
    /// Whether an answer that lets the work go on needs evidence.
    #[serde(default, skip_serializing_if = "is_false")]
    pub evidence_required: bool,
    /// The fields that an answer which lets the work go on fills in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form_schema: Option<FormSchema>,
    /// Who may answer; nobody named means every reviewer.
    pub assignees: Vec<String>,
    /// Where the sender wants the notice to go.
    pub notify_email: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl HumanTask {
    /// A plain question: yes or no, to any reviewer.
    pub fn approval(title: String) -> Self {
        Self {
            task_type: TaskType::Approval,
            title,
            description: None,
            allowed_outcomes: TaskType::Approval.outcomes(),
            approving_outcomes: vec![],
            required_comment: false,
            evidence_required: false,
            form_schema: None,
            assignees: vec![],
            notify_email: None,
        }
    }

    /// Whether `outcome` lets the work go on.
    pub fn approves(&self, outcome: &Outcome) -> bool {
        if self.approving_outcomes.is_empty() {
            outcome.is_known_to_approve()
        } else {
            self.approving_outcomes.contains(outcome)
        }
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
    /// The workflow's step that it belongs to, by its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<usize>,
    /// Who may answer now, if somebody has passed the task on; nobody named leaves it as it was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reassigned_to: Vec<String>,
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

impl Decided {
    /// The same without what was shown, for whoever has that elsewhere.
    #[must_use]
    pub(super) fn without_proposal(self) -> Self {
        Self { hold: Hold { proposal: None, ..self.hold }, ..self }
    }
}

/// A person's decision.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Decision {
    /// The answer.
    pub outcome: Outcome,
    /// Whether it lets the work go on; where nothing is stored, the word itself says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approves: Option<bool>,
    /// What the reviewer filled in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
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

impl Decision {
    /// Whether it lets the work go on.
    pub fn is_approval(&self) -> bool {
        self.approves.unwrap_or_else(|| self.outcome.is_known_to_approve())
    }
}

/// A hold that is about to open.
#[derive(Clone, Debug)]
pub struct Opening<'a> {
    /// What is asked.
    pub task: &'a HumanTask,
    /// The workflow's step that it belongs to.
    pub step: Option<usize>,
    /// The number of the event that opens it.
    pub version: u64,
    /// Who asks.
    pub opened_by: &'a str,
    /// Now.
    pub opened_at: Timestamp,
    /// The result that waits for the sign-off.
    pub proposal: Option<Value>,
}

impl Hold {
    /// Opens a hold: fixes what the reviewer will be shown, and its digest.
    pub fn open(id: IntentId, envelope: &Envelope, opening: Opening<'_>) -> Self {
        let Opening { task, step, version, opened_by, opened_at, proposal } = opening;
        let shown = shown(id, envelope, task, (version, step), proposal.as_ref());
        Self {
            version,
            opened_at,
            opened_by: opened_by.to_owned(),
            proposal,
            digest: Digest::of_json(&shown),
            remind_count: 0,
            escalated: false,
            step,
            reassigned_to: vec![],
        }
    }
}

impl Intent {
    /// What a person is asked on this intent, was asked last, or will be asked.
    pub fn human_task(&self) -> Option<&HumanTask> {
        let hold = self.open_hold().or(self.decided().map(|decided| &decided.hold));
        match hold {
            Some(hold) => self.task_of(hold),
            None => self.envelope.hold_point.as_ref().map(|point| &point.task),
        }
    }

    /// What `hold` asks.
    pub fn task_of(&self, hold: &Hold) -> Option<&HumanTask> {
        match hold.step {
            Some(step) => self.envelope.workflow.as_ref()?.step(step)?.human_task(),
            None => self.envelope.hold_point.as_ref().map(|point| &point.task),
        }
    }

    /// Who may answer `hold`; nobody named means every reviewer.
    pub fn assignees<'a>(&'a self, hold: &'a Hold) -> &'a [String] {
        if hold.reassigned_to.is_empty() {
            self.task_of(hold).map_or(&[], |task| &task.assignees)
        } else {
            &hold.reassigned_to
        }
    }

    /// Whether `name` may answer `hold`, as one of its assignees or as the one whom it was escalated to.
    pub fn is_for(&self, hold: &Hold, name: &str) -> bool {
        let assignees = self.assignees(hold);
        let escalated = self.escalate_to(hold).filter(|_| hold.escalated);
        assignees.is_empty()
            || assignees.iter().any(|assignee| assignee == name)
            || escalated.is_some_and(|to| to.path() == name)
    }

    /// When to remind whoever must decide `hold`.
    pub fn reminders(&self, hold: &Hold) -> Reminders {
        let step = hold.step.and_then(|step| self.envelope.workflow.as_ref()?.step(step));
        let of_intent = self.envelope.reminders;
        step.map_or(of_intent, |step| step.reminders_or(of_intent))
    }

    /// When reminder number `count` (from 0) about `hold` is due: if that is outside of the working
    /// hours, when they begin next, which may be never.
    pub fn reminder_due_at(&self, hold: &Hold, count: u32) -> Option<Timestamp> {
        let due_at = self.reminders(hold).due_at(hold.opened_at, count)?;
        match self.working_hours(hold) {
            Some(hours) => hours.next_opening(due_at),
            None => Some(due_at),
        }
    }

    /// The hours in which reminders about `hold` are sent.
    pub fn working_hours(&self, hold: &Hold) -> Option<&WorkingHours> {
        let step = hold.step.and_then(|step| self.envelope.workflow.as_ref()?.step(step));
        let own = step.and_then(|step| step.working_hours.as_ref());
        own.or(self.envelope.working_hours.as_ref())
    }

    /// Who is told when reminders about `hold` did not help.
    pub fn escalate_to(&self, hold: &Hold) -> Option<&Address> {
        let step = hold.step.and_then(|step| self.envelope.workflow.as_ref()?.step(step));
        let own = step.and_then(|step| step.escalate_to.as_ref());
        own.or(self.envelope.escalate_to.as_ref())
    }

    /// The whole action that a hold is about, as its digest covers it.
    pub fn action(&self, hold: &Hold) -> Option<Value> {
        let task = self.task_of(hold)?;
        let (version, proposal) = ((hold.version, hold.step), hold.proposal.as_ref());
        Some(shown(self.id, &self.envelope, task, version, proposal))
    }
}

/// The whole action, so that nothing of it can be changed after the decision. Only how the agent is
/// reached, and how people are told and reminded, is no part of it.
fn shown(
    id: IntentId,
    envelope: &Envelope,
    task: &HumanTask,
    (version, step): (u64, Option<usize>),
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
    let Value::Object(fields) = &mut action else { return action };
    // What a task does not use is no part of its digest.
    if let Some(schema) = &task.form_schema {
        fields.insert("form_schema".to_owned(), json!(schema));
    }
    if task.evidence_required {
        fields.insert("evidence_required".to_owned(), json!(true));
    }
    if !task.approving_outcomes.is_empty() {
        fields.insert("approving_outcomes".to_owned(), json!(task.approving_outcomes));
    }
    let workflow = envelope.workflow.as_ref();
    if let Some(step) = step.and_then(|step| workflow?.step(step)) {
        fields.insert("step_id".to_owned(), json!(step.id));
    }
    // An approval that an agent asked for is about one tool call; it stands at the top, where the
    // agent compares it with the call that it is about to make.
    if let Some(parent) = &envelope.parent {
        let part = |name: &str| envelope.payload.get(name).cloned().unwrap_or(Value::Null);
        fields.insert("parent".to_owned(), json!(parent));
        fields.insert("tool".to_owned(), part("tool"));
        fields.insert("arguments".to_owned(), part("arguments"));
    }
    action
}
