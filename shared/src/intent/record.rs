//! An event as history keeps it: with the place it led to, so that a reader needs no replay.

use serde::{Deserialize, Serialize};

use super::human_task::Decision;
use super::phase::{Phase, Waiting};
use super::workflow::Work;
use super::{Event, Intent, Status, WaitingReason, apply};

/// An event and what was true after it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Recorded {
    /// What happened.
    pub event: Event,
    /// Where the intent stood then.
    pub status: Status,
    /// What it waited for then.
    pub waiting_reason: Option<WaitingReason>,
    /// Who had it then.
    pub pending_with: Option<PendingWith>,
    /// The step of its workflow that it is about, if it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_id: Option<String>,
    /// The decision that an ended intent rests on.
    pub decision: Option<Decision>,
    /// For an ended intent: whether every person who was asked said yes; `None` if nobody was asked.
    pub approved: Option<bool>,
}

/// Who has an intent, in the contract's shape.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct PendingWith {
    /// Whether a person, an agent or Holdpoint itself has it.
    #[serde(rename = "type")]
    pub holder: Holder,
    /// The holder's address.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The holder's name.
    pub name: String,
}

/// The kinds of holder.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Holder {
    /// An agent.
    Agent,
    /// A person.
    Human,
    /// Holdpoint.
    Internal,
}

/// Folds `events` into `before` and records each with the place it led to.
pub fn record(before: Option<&Intent>, events: &[Event]) -> (Option<Intent>, Vec<Recorded>) {
    let mut intent = before.cloned();
    let mut records = Vec::with_capacity(events.len());
    for event in events {
        intent = apply(intent, event);
        records.extend(intent.as_ref().map(|after| recorded(after, event)));
    }
    (intent, records)
}

fn recorded(after: &Intent, event: &Event) -> Recorded {
    let ended = after.is_ended();
    let decision = after.decided().filter(|_| ended).map(|decided| decided.decision.clone());
    Recorded {
        event: event.clone(),
        status: after.status(),
        waiting_reason: after.phase.waiting_reason(),
        pending_with: pending_with(after),
        // A workflow that has run to its end is about none of its steps any more.
        step_id: after
            .current_step()
            .filter(|_| after.status() != Status::Completed)
            .map(|step| step.id.clone()),
        decision,
        approved: approved(after).filter(|_| ended),
    }
}

/// Whether everybody who was asked said yes; `None` if nobody was asked.
pub fn approved(intent: &Intent) -> Option<bool> {
    let own = intent.decided().map(|decided| decided.decision.is_approval());
    let asked = (!intent.asks.is_empty()).then(|| {
        intent
            .asks
            .iter()
            .all(|ask| ask.ending.as_ref().is_some_and(super::ask::AskEnding::is_approved))
    });
    own.or(asked)
}

/// Who has the intent now.
pub fn pending_with(intent: &Intent) -> Option<PendingWith> {
    let agent = |address: &crate::address::Address| PendingWith {
        holder: Holder::Agent,
        reference: address.uri(),
        name: address.path().to_owned(),
    };
    match &intent.phase {
        Phase::Delivered { .. } | Phase::Acknowledged { .. } | Phase::InProgress { .. } => {
            Some(agent(intent.handler()))
        }
        Phase::Waiting(waiting) => Some(match waiting {
            Waiting::Human(_) | Waiting::Children => person(intent),
            Waiting::Agent { next_handler } => {
                agent(next_handler.as_ref().unwrap_or_else(|| intent.handler()))
            }
            Waiting::Step { .. } => match intent.current_step().map(|step| &step.work) {
                Some(Work::Agent { handler, .. }) => agent(handler),
                Some(
                    Work::Human { .. }
                    | Work::Delay { .. }
                    | Work::Timeout { .. }
                    | Work::Notify { .. }
                    | Work::Escalate { .. },
                )
                | None => agent(intent.handler()),
            },
            Waiting::Tool | Waiting::Time { .. } => PendingWith {
                holder: Holder::Internal,
                reference: "agent://agent_core".to_owned(),
                name: "agent_core".to_owned(),
            },
        }),
        Phase::Created
        | Phase::Submitted
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => None,
    }
}

fn person(intent: &Intent) -> PendingWith {
    let assignees = intent.open_hold().map(|hold| intent.assignees(hold).join(", "));
    let name =
        assignees.filter(|names| !names.is_empty()).unwrap_or_else(|| "reviewers".to_owned());
    PendingWith { holder: Holder::Human, reference: format!("human://{name}"), name }
}
