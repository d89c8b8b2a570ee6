//! What the world is owed: messages and wake-ups, as data.

use jiff::Timestamp;

use super::event::{Event, EventKind};
use super::human_task::Hold;
use super::phase::{Phase, Waiting};
use super::{Command, Intent};
use crate::id::IntentId;
use crate::intent::command::WaitsFor;
use crate::intent::envelope::{Delivery, Envelope};
use crate::message::{Message, Notice};

/// The messages that are owed because `event` led to `intent`: the state after this event, or after
/// the commit that it belongs to, for which the same is owed.
pub fn owed(intent: &Intent, event: &Event) -> Vec<Message> {
    match &event.kind {
        EventKind::Offered { .. } | EventKind::Resumed { .. } => turn(intent).into_iter().collect(),
        EventKind::Held { .. } => vec![notice(intent, Notice::Assigned)],
        EventKind::Reminded { count } => {
            vec![notice(intent, Notice::Reminder { count: *count })]
        }
        EventKind::Escalated { to } => {
            vec![notice(intent, Notice::Escalation { to: to.clone() })]
        }
        EventKind::Completed { .. }
        | EventKind::Failed { .. }
        | EventKind::Canceled { .. }
        | EventKind::TimedOut => ended(intent),
        EventKind::Created { .. }
        | EventKind::Submitted
        | EventKind::Acknowledged
        | EventKind::Started { .. }
        | EventKind::Stepped { .. }
        | EventKind::TaskAssigned
        | EventKind::Approved { .. }
        | EventKind::Suspended { .. }
        | EventKind::AskEnded { .. }
        | EventKind::HandedOn { .. }
        | EventKind::CallClaimed { .. }
        | EventKind::CallFinished { .. }
        | EventKind::DeliveryFailed { .. } => vec![],
    }
}

/// The messages that a live intent would be waiting for now, for when queues may have lost them.
/// Every one of them may come twice.
pub fn owed_still(intent: &Intent) -> Vec<Message> {
    match &intent.phase {
        Phase::Delivered { .. } | Phase::Acknowledged { .. } | Phase::InProgress { .. } => {
            turn(intent).into_iter().collect()
        }
        Phase::Waiting(Waiting::Human(_)) => vec![notice(intent, Notice::Assigned)],
        Phase::Waiting(Waiting::Children) => intent
            .open_asks()
            .map(|ask| Message::AskEnded {
                tenant: intent.envelope.tenant.clone(),
                parent: intent.id,
                child: ask.child,
            })
            .collect(),
        Phase::Waiting(Waiting::Agent { .. } | Waiting::Tool | Waiting::Time { .. })
        | Phase::Created
        | Phase::Submitted
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => vec![],
    }
}

/// When something may be due next. Every live intent has such a moment: no later than its deadline.
pub fn wake_at(intent: &Intent) -> Option<Timestamp> {
    let due = match &intent.phase {
        Phase::Delivered { answer_by } | Phase::Acknowledged { answer_by } => *answer_by,
        Phase::InProgress { lease, answer_by, .. } => {
            lease.map(|lease| lease.until).into_iter().chain(*answer_by).min()
        }
        Phase::Waiting(Waiting::Human(hold)) => reminder_at(intent, hold),
        Phase::Waiting(Waiting::Time { until }) => Some(*until),
        Phase::Waiting(Waiting::Agent { .. } | Waiting::Children | Waiting::Tool)
        | Phase::Created
        | Phase::Submitted => None,
        Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => return None,
    };
    let deadline_at = intent.envelope.deadline_at;
    Some(due.map_or(deadline_at, |due| due.min(deadline_at)))
}

/// When the reviewer is reminded next, or the task escalated.
pub fn reminder_at(intent: &Intent, hold: &Hold) -> Option<Timestamp> {
    let reminders = intent.envelope.reminders;
    let escalates = intent.envelope.escalate_to.is_some() && !hold.escalated;
    let more = hold.remind_count < reminders.max || escalates;
    if more { reminders.due_at(hold.opened_at, hold.remind_count) } else { None }
}

/// The intents that are born in the same transaction: the approvals that `command` asks for. A
/// suspension asks only new questions or, where it has no `events`, none. Each of them can be
/// created at the moment of the events, since its deadline lies after it.
pub fn births(intent: &Intent, command: &Command, events: &[Event]) -> Vec<(IntentId, Envelope)> {
    let Command::Suspend { by, waits_for: WaitsFor::People(requests), .. } = command else {
        return vec![];
    };
    let Some(now) = events.last().map(|event| event.at) else { return vec![] };
    requests
        .iter()
        .map(|request| (request.child_id(intent), request.envelope(intent, &by.name, now)))
        .collect()
}

fn turn(intent: &Intent) -> Option<Message> {
    let envelope = &intent.envelope;
    // A question is delivered in the contract's words, but to no worker.
    let worker = envelope.delivery == Delivery::Worker && !envelope.only_asks();
    let tenant = envelope.tenant.clone();
    (worker && intent.is_agents_turn()).then_some(Message::Turn { tenant, intent: intent.id })
}

fn notice(intent: &Intent, notice: Notice) -> Message {
    Message::Notice { tenant: intent.envelope.tenant.clone(), intent: intent.id, notice }
}

fn ended(intent: &Intent) -> Vec<Message> {
    let tenant = &intent.envelope.tenant;
    let news = intent.envelope.parent.as_ref().map(|parent| Message::AskEnded {
        tenant: tenant.clone(),
        parent: parent.intent,
        child: intent.id,
    });
    let orphans = intent
        .open_asks()
        .map(|ask| Message::ParentEnded { tenant: tenant.clone(), child: ask.child });
    news.into_iter().chain(orphans).collect()
}
