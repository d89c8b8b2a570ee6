//! A workflow: the steps that a scenario takes, one after the other.
//!
//! The intent that was sent stays the one that people see and decide on. Each of an agent's steps is
//! a child intent of its own; a person's step is a hold point of the intent itself.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Intent;
use super::envelope::{Delivery, Envelope, Parent, Reminders, TTL_SECONDS_MIN};
use super::human_task::{Decided, HoldPoint, HumanTask};
use super::phase::{Failure, Phase};
use super::status::Status;
use super::working_hours::WorkingHours;
use crate::address::Address;
use crate::id::IntentId;

/// The most steps of one workflow. The contract's limit.
pub const STEPS_MAX: usize = 100;
/// The most steps that one run of a workflow begins; `on_failure` and `on_success` may lead back.
pub const STEPS_BEGUN_MAX: u32 = 200;
/// The most often that a step is tried again.
pub const RETRIES_MAX: u32 = 20;
/// The largest result of a step that later steps are given, in bytes of JSON; of a larger one they
/// are given the intent that has it.
pub const STEP_RESULT_BYTES_MAX: usize = 16 * 1024;
/// The most that all results together may have that later steps are given, in bytes of JSON.
pub const RESULTS_BYTES_MAX: usize = 32 * 1024;

/// The steps of a scenario.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Workflow {
    /// The sender's name for it.
    pub scenario_id: String,
    /// Where it begins.
    pub entry: usize,
    /// The steps; `next` and `on_failure` are places in this list.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Step {
    /// The sender's name for it.
    pub id: String,
    /// What is done.
    pub work: Work,
    /// The step after it; none ends the workflow.
    pub next: Option<usize>,
    /// The step that is taken if it fails; none fails the workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<usize>,
    /// How long it may take, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline_s: Option<u32>,
    /// How often it is tried again, and after how long.
    #[serde(default)]
    pub retry: Retry,
    /// When to remind whoever must decide.
    #[serde(default)]
    pub reminders: Reminders,
    /// The hours in which reminders are sent, if not those of the intent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_hours: Option<WorkingHours>,
    /// Who is told when reminders did not help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub escalate_to: Option<Address>,
}

/// What a step does.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// An agent works on a child intent.
    Agent {
        /// Where it is sent.
        to: Address,
        /// Where it goes after routes were followed.
        handler: Address,
        /// How the handler gets it.
        delivery: Delivery,
        /// The sign-off that its result needs, if any.
        hold_point: Option<HoldPoint>,
        /// What it is given beside the payload of the intent.
        input: Map<String, Value>,
    },
    /// A person decides.
    Human {
        /// What the person is asked.
        task: HumanTask,
    },
    /// Nothing happens for a while.
    Delay {
        /// How long.
        seconds: u32,
    },
    /// The step fails after a while; what it leads to is in `on_failure`.
    Timeout {
        /// How long.
        seconds: u32,
    },
    /// Somebody is told something.
    Notify {
        /// Who; nobody named means whoever is told of tasks.
        to: Option<String>,
        /// One line.
        subject: String,
        /// More lines.
        body: Option<String>,
    },
    /// Somebody further up is told.
    Escalate {
        /// Who.
        to: Address,
        /// Why.
        reason: Option<String>,
    },
}

/// How often a step is tried again.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct Retry {
    /// How often at most.
    pub retries_max: u32,
    /// Seconds before each.
    pub delay_s: u32,
}

/// Where the run of a workflow is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Run {
    /// The step, by its place.
    pub step: usize,
    /// Which try of the step this is, from 1.
    pub attempt: u32,
    /// When this try began.
    pub began_at: Timestamp,
    /// How many tries of steps have begun.
    pub begun: u32,
    /// The child intent that has the step, if an agent has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<IntentId>,
    /// Whether the step has failed and waits to be tried again.
    #[serde(default)]
    pub pauses: bool,
    /// What the steps gave, by their ids.
    #[serde(default)]
    pub results: Map<String, Value>,
    /// The result of the agent's step that ended last.
    #[serde(default)]
    pub last_result: Value,
    /// The decision that was made last, without the proposal that it was about: history has that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<Decided>,
    /// Who has answered a moment ago, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub just_answered: Vec<JustAnswered>,
}

/// An answer that may come again by mistake.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct JustAnswered {
    /// Whose.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// How the child intent of a step ended.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct StepEnding {
    /// The child's last status.
    pub status: Status,
    /// What came of it, if it completed.
    pub result: Value,
    /// Why it failed, if it did.
    pub failure: Option<Failure>,
    /// The decision that it rests on, or that refused it. What was shown stays with the child.
    pub decided: Option<Decided>,
}

impl Workflow {
    /// The step at a place.
    pub fn step(&self, place: usize) -> Option<&Step> {
        self.steps.get(place)
    }
}

impl Step {
    /// What a person is asked in this step, if it is a person's.
    pub fn human_task(&self) -> Option<&HumanTask> {
        match &self.work {
            Work::Human { task } => Some(task),
            Work::Agent { .. }
            | Work::Delay { .. }
            | Work::Timeout { .. }
            | Work::Notify { .. }
            | Work::Escalate { .. } => None,
        }
    }

    /// When to remind: as the step says, else as the intent does.
    pub fn reminders_or(&self, of_intent: Reminders) -> Reminders {
        if self.reminders.after_s.is_some() { self.reminders } else { of_intent }
    }
}

impl StepEnding {
    /// Reads the ending off a child that has ended.
    pub fn of(child: &Intent) -> Option<Self> {
        let status = child.status();
        let lost = |code: &str, reason: &str| Failure {
            code: code.to_owned(),
            reason: reason.to_owned(),
            error: Value::Null,
        };
        let (result, failure) = match &child.phase {
            Phase::Completed { result, .. } => (result.clone(), None),
            Phase::Failed { failure, .. } => (Value::Null, Some(failure.clone())),
            Phase::Canceled { reason, .. } => (Value::Null, Some(lost("step_canceled", reason))),
            Phase::TimedOut { .. } => {
                (Value::Null, Some(lost("step_timeout", "the step's deadline passed")))
            }
            Phase::Created
            | Phase::Submitted
            | Phase::Delivered { .. }
            | Phase::Acknowledged { .. }
            | Phase::InProgress { .. }
            | Phase::Waiting(_) => return None,
        };
        let decided = child.decided().cloned().map(Decided::without_proposal);
        Some(Self { status, result, failure, decided })
    }
}

impl Intent {
    /// The step that its workflow is at, if it has one.
    pub fn current_step(&self) -> Option<&Step> {
        self.envelope.workflow.as_ref()?.step(self.run.as_ref()?.step)
    }

    /// When the current step's time is over, if it has an end of its own. Every step has a moment: a
    /// child that ended as it began could not be created, and the step would wait for it.
    pub fn step_until(&self) -> Option<Timestamp> {
        let run = self.run.as_ref().filter(|run| !run.pauses && !self.is_ended())?;
        let seconds = self.current_step()?.deadline_s?.max(TTL_SECONDS_MIN);
        run.began_at.checked_add(std::time::Duration::from_secs(seconds.into())).ok()
    }

    /// Until when the open hold takes a decision.
    pub fn decide_until(&self) -> Timestamp {
        let until = self.step_until().unwrap_or(Timestamp::MAX);
        until.min(self.deadline_at())
    }

    /// The child intent of try `begun` of a step: the same parent and try always give the same child.
    pub fn step_child(&self, begun: u32) -> IntentId {
        let (tenant, id) = (&self.envelope.tenant, self.id.to_string());
        IntentId::derived(&["step", tenant, &id, &begun.to_string()])
    }

    /// What the child intent of the current step is sent with.
    pub fn step_envelope(&self) -> Option<Envelope> {
        let (run, step) = (self.run.as_ref()?, self.current_step()?);
        let Work::Agent { to, handler, delivery, hold_point, input } = &step.work else {
            return None;
        };
        let workflow = self.envelope.workflow.as_ref()?;
        let payload = json!({
            "parent_payload": self.envelope.payload,
            "parent_intent_id": self.id,
            "scenario_id": workflow.scenario_id,
            "step_id": step.id,
            "attempt": run.attempt,
            "input": input,
            "results": run.results,
        });
        let Value::Object(payload) = payload else { return None };
        Some(Envelope {
            tenant: self.envelope.tenant.clone(),
            intent_type: self.envelope.intent_type.clone(),
            correlation_id: self.envelope.correlation_id,
            from: self.envelope.from.clone(),
            to: to.clone(),
            handler: handler.clone(),
            delivery: *delivery,
            payload,
            parent: Some(Parent {
                intent: self.id,
                call_id: step.id.clone(),
                sender: self.envelope.from.clone(),
                asker: self.envelope.from.clone(),
                is_step: true,
            }),
            reply_to: None,
            deadline_at: self.decide_until(),
            reminders: step.reminders_or(self.envelope.reminders),
            working_hours: step
                .working_hours
                .as_ref()
                .or(self.envelope.working_hours.as_ref())
                .cloned(),
            escalate_to: step.escalate_to.as_ref().or(self.envelope.escalate_to.as_ref()).cloned(),
            delivery_attempts_max: self.delivery_attempts_said(),
            hold_point: hold_point.clone(),
            workflow: None,
        })
    }
}
