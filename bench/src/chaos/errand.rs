//! What is sent: one of every shape that an intent may have.

use serde_json::{Value, json};

/// The address of agents that do as they are told.
pub(super) const AGENT: &str = "chaos/agent";
/// An address that leads there through a person's sign-off.
pub(super) const GATE: &str = "chaos/gate";
/// The address of the built-in agent.
pub(super) const WORKER: &str = "openai-agent-demo";
/// The tool that may run once.
pub(super) const TOOL: &str = "launch";
/// Nobody of this name holds a key.
const NOBODY: &str = "nobody";
/// Life of what must end in time, in seconds.
const TTL_SECONDS: u64 = 3_600;
/// Life of what nobody answers, or answers at the last moment, in seconds.
const SHORT_TTL_SECONDS: u64 = 5;
/// A worker that is killed uses up an attempt, and is killed often here.
const DELIVERY_ATTEMPTS_MAX: u64 = 50;

/// What kind of intent it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// An agent takes it and completes it.
    Result,
    /// The same, with a sign-off on the result.
    Gated,
    /// Nothing but a question to a person, with reminders.
    Question,
    /// A question that is answered as its deadline comes, or not at all in time.
    Late,
    /// A question that nobody answers.
    Unanswered,
    /// An agent asks before it uses a tool that may run once.
    Call,
    /// The built-in agent runs it and asks before it publishes.
    Turn,
    /// A workflow: an agent's step, then a person's.
    Workflow,
    /// Its sender withdraws it.
    Canceled,
    /// A question that is still open when everything is over.
    Left,
}

impl Kind {
    /// How many of a hundred are of each kind.
    const SHARES: [(Self, u32); 10] = [
        (Self::Result, 18),
        (Self::Gated, 10),
        (Self::Question, 18),
        (Self::Late, 10),
        (Self::Unanswered, 6),
        (Self::Call, 16),
        (Self::Turn, 6),
        (Self::Workflow, 8),
        (Self::Canceled, 6),
        (Self::Left, 2),
    ];

    /// The kind that a number below a hundred draws.
    pub(super) fn drawn(mut draw: u32) -> Self {
        for (kind, share) in Self::SHARES {
            if draw < share {
                return kind;
            }
            draw -= share;
        }
        Self::Result
    }

    /// Its name in payloads.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Result => "result",
            Self::Gated => "gated",
            Self::Question => "question",
            Self::Late => "late",
            Self::Unanswered => "unanswered",
            Self::Call => "call",
            Self::Turn => "turn",
            Self::Workflow => "workflow",
            Self::Canceled => "canceled",
            Self::Left => "left",
        }
    }

    /// Where it is posted.
    pub(super) fn path(self) -> &'static str {
        if self == Self::Workflow { "/v1/scenarios/apply" } else { "/v1/intents" }
    }

    /// What is posted under the errand's name.
    pub(super) fn body(self, errand: &str) -> Value {
        let to = |address: &str, ttl_s: u64| {
            json!({
                "intent_type": "chaos.v1",
                "to_agent": format!("agent://{address}"),
                "ttl_seconds": ttl_s,
                "payload": {"errand": errand, "plan": self.name()},
            })
        };
        let mut body = match self {
            Self::Workflow => return workflow(errand),
            Self::Result | Self::Call | Self::Canceled => to(AGENT, TTL_SECONDS),
            Self::Gated => to(GATE, TTL_SECONDS),
            Self::Turn => to(WORKER, TTL_SECONDS),
            Self::Question | Self::Left => to("agent_core", TTL_SECONDS),
            Self::Late | Self::Unanswered => to("agent_core", SHORT_TTL_SECONDS),
        };
        let Some(fields) = body.as_object_mut() else { return body };
        match self {
            Self::Question => {
                fields.insert("remind_after_seconds".to_owned(), json!(1));
                fields.insert("max_reminders".to_owned(), json!(2));
            }
            Self::Unanswered | Self::Left => {
                let task = json!({"title": "May it?", "assignees": [NOBODY]});
                fields.insert("human_task".to_owned(), task);
            }
            Self::Turn => {
                fields.insert("max_delivery_attempts".to_owned(), json!(DELIVERY_ATTEMPTS_MAX));
                let payload = json!({
                    "errand": errand, "plan": self.name(),
                    "task": "Analyze Q1 sales data and generate insights",
                });
                fields.insert("payload".to_owned(), payload);
            }
            Self::Result
            | Self::Gated
            | Self::Late
            | Self::Call
            | Self::Workflow
            | Self::Canceled => {}
        }
        body
    }
}

fn workflow(errand: &str) -> Value {
    json!({
        "scenario_id": "chaos",
        "agents": [{"role": "doer", "address": format!("agent://{AGENT}")}],
        "humans": [{"role": "manager", "contact": ""}],
        "workflow": {"steps": [
            {"step_id": "do", "tool_id": "tool.agent.task.v1", "assigned_to": "doer"},
            {
                "step_id": "sign_off",
                "tool_id": "tool.approval.human_signoff",
                "assigned_to": "manager",
                "human_task": {"title": "Is it right?"},
            },
        ]},
        "intent": {
            "type": "chaos.workflow.v1",
            "ttl_seconds": TTL_SECONDS,
            "payload": {"errand": errand, "plan": Kind::Result.name()},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_a_hundred_draws_a_kind_and_all_kinds_are_drawn() {
        assert_eq!(Kind::SHARES.iter().map(|(_, share)| share).sum::<u32>(), 100);
        for (kind, share) in Kind::SHARES {
            let drawn = (0..100).filter(|draw| Kind::drawn(*draw) == kind).count();
            assert_eq!(drawn, usize::try_from(share).unwrap(), "{kind:?}");
        }
    }
}
