//! What is sent, and to what kind of end.

use std::time::Duration;

use serde_json::{Value, json};

/// The address of agents that take what they do from their stream.
pub(super) const AGENT: &str = "clerk";
/// The address that leads there through a person's sign-off.
pub(super) const GATE: &str = "counter";
/// The address of the built-in agent.
pub(super) const WORKER: &str = "analyst";
/// The address of an agent that has its turns posted, and of one that takes nothing that is posted.
pub(super) const RUNNER: &str = "runner";
pub(super) const MUTE: &str = "mute";
/// How the title of a question begins that nobody answers.
pub(super) const LEAVE: &str = "Leave this";

/// The kinds of intent.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Shape {
    /// An agent takes it from its stream and completes it.
    Plain,
    /// The same, with a person's sign-off on the result.
    Gated,
    /// Nothing but a question to a person.
    Question,
    /// An agent asks about tool calls in the middle of its work, and runs what was allowed.
    Asking,
    /// The built-in agent runs it, and asks before it publishes.
    Worker,
    /// A scenario: an agent's step, a person's, and an agent's again.
    Workflow,
    /// Its agent never takes it up.
    Neglected,
    /// Its agent has its turns posted, and asks in the middle of its work where it has several calls.
    Pushed,
    /// It is posted to an agent that never takes it.
    Unreached,
}

impl Shape {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::Plain,
        Self::Gated,
        Self::Question,
        Self::Asking,
        Self::Worker,
        Self::Workflow,
        Self::Neglected,
        Self::Pushed,
        Self::Unreached,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Gated => "gated",
            Self::Question => "question",
            Self::Asking => "asking",
            Self::Worker => "worker",
            Self::Workflow => "workflow",
            Self::Neglected => "neglected",
            Self::Pushed => "pushed",
            Self::Unreached => "unreached",
        }
    }
}

/// One intent that somebody wants to send.
#[derive(Clone, Debug)]
pub struct Errand {
    /// Its name, and its idempotency key.
    pub name: String,
    /// What kind it is.
    pub shape: Shape,
    /// When it is sent, from the beginning.
    pub after: Duration,
    /// How long it lives, in seconds.
    pub ttl_s: u64,
    /// How many tool calls its agent asks about, where it does.
    pub calls: u64,
    /// Whether people leave its questions alone.
    pub is_left: bool,
    /// When it is withdrawn, from the moment at which it was sent; `None` leaves it.
    pub canceled_after: Option<Duration>,
}

impl Errand {
    /// Where it is sent.
    pub fn path(&self) -> &'static str {
        match self.shape {
            Shape::Workflow => "/v1/scenarios/apply",
            Shape::Plain
            | Shape::Gated
            | Shape::Question
            | Shape::Asking
            | Shape::Worker
            | Shape::Neglected
            | Shape::Pushed
            | Shape::Unreached => "/v1/intents",
        }
    }

    /// What is sent.
    pub fn body(&self) -> Value {
        let to = |name: &str| format!("agent://{name}");
        let address = match self.shape {
            Shape::Plain | Shape::Asking | Shape::Neglected | Shape::Workflow => to(AGENT),
            Shape::Gated => to(GATE),
            Shape::Question => to("agent_core"),
            Shape::Worker => to(WORKER),
            Shape::Pushed => to(RUNNER),
            Shape::Unreached => to(MUTE),
        };
        if self.shape == Shape::Workflow {
            return self.bundle(&address);
        }
        let mut body = json!({
            "intent_type": "sim.v1",
            "to_agent": address,
            "payload": self.payload(),
            "ttl_seconds": self.ttl_s,
            "max_delivery_attempts": if self.shape == Shape::Unreached { 5 } else { 10 },
        });
        if self.shape == Shape::Question {
            body["human_task"] = json!({"title": self.title("May it?")});
            body["remind_after_seconds"] = json!(20);
        }
        body
    }

    /// The title of a question.
    pub fn title(&self, title: &str) -> String {
        if self.is_left { format!("{LEAVE}: {title}") } else { title.to_owned() }
    }

    fn payload(&self) -> Value {
        json!({
            "errand": self.name,
            "shape": self.shape.name(),
            "calls": self.calls,
            "left": self.is_left,
            "task": "Summarize the quarterly sales and publish the report",
        })
    }

    fn bundle(&self, address: &str) -> Value {
        let step = |step_id: &str| {
            json!({
                "step_id": step_id, "tool_id": "tool.agent.task.v1", "assigned_to": "clerk",
            })
        };
        json!({
            "scenario_id": "sim",
            "agents": [{"role": "clerk", "address": address}],
            "humans": [{"role": "manager", "contact": ""}],
            "workflow": {"steps": [
                step("draft"),
                {
                    "step_id": "sign_off",
                    "tool_id": "tool.approval.human_signoff",
                    "assigned_to": "manager",
                    "step_deadline_seconds": self.ttl_s,
                    "human_task": {"title": self.title("Is it right?")},
                },
                step("publish"),
            ]},
            "intent": {
                "type": "sim.v1",
                "payload": self.payload(),
                "ttl_seconds": self.ttl_s,
            },
        })
    }
}
