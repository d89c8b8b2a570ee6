//! What the world is owed: messages and wake-ups, as data.

use std::time::Duration;

use jiff::Timestamp;

use super::event::{Event, EventKind};
use super::human_task::Hold;
use super::phase::{Phase, Waiting};
use super::{Command, Intent};
use crate::id::IntentId;
use crate::intent::command::WaitsFor;
use crate::intent::envelope::{Delivery, Envelope};
use crate::message::{Message, Notice};

/// The pauses before the first looks for lost news; the last one stays.
const CHECK_AFTER: [Duration; 4] = [
    Duration::from_hours(1),
    Duration::from_hours(4),
    Duration::from_hours(16),
    Duration::from_hours(24),
];
/// How long after its deadline a child has ended for certain.
const CHILD_ENDS_WITHIN: Duration = Duration::from_mins(1);

/// The messages that are owed because `event` led to `intent`: the state after this event, or after
/// the commit that it belongs to, for which the same is owed.
pub fn owed(intent: &Intent, event: &Event) -> Vec<Message> {
    match &event.kind {
        EventKind::Offered { .. } | EventKind::Resumed { .. } => turn(intent).into_iter().collect(),
        EventKind::Held { .. } => vec![notice(intent, Notice::Assigned)],
        EventKind::Reassigned { to, .. } => {
            vec![notice(intent, Notice::Reassigned { to: to.clone() })]
        }
        EventKind::Notified { step, .. } => vec![notice(intent, Notice::Step { step: *step })],
        EventKind::Checked => news(intent),
        EventKind::Reminded { count } => {
            vec![notice(intent, Notice::Reminder { count: *count })]
        }
        EventKind::Escalated { step: Some(step), .. } => {
            vec![notice(intent, Notice::Step { step: *step })]
        }
        EventKind::Escalated { to, step: None } => {
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
        | EventKind::Refused { .. }
        | EventKind::StepBegun { .. }
        | EventKind::StepEnded { .. }
        | EventKind::Said { .. }
        | EventKind::Hidden { .. }
        | EventKind::PolicyChanged { .. }
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
        Phase::Waiting(Waiting::Children | Waiting::Step { .. }) => news(intent),
        Phase::Waiting(Waiting::Agent { .. } | Waiting::Tool | Waiting::Time { .. })
        | Phase::Created
        | Phase::Submitted
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => vec![],
    }
}

/// Whether nobody waits for `intent` any more, since `parent` has ended: who sends the news of that may have
/// lost it.
pub fn is_orphaned(intent: &Intent, parent: &Intent) -> bool {
    let asked = intent.envelope.parent.as_ref().is_some_and(|it| it.intent == parent.id);
    asked && parent.is_ended() && !intent.is_ended()
}

/// When something may be due next. Every live intent has such a moment: no later than its deadline.
pub fn wake_at(intent: &Intent) -> Option<Timestamp> {
    let due = match &intent.phase {
        Phase::Delivered { answer_by } | Phase::Acknowledged { answer_by } => *answer_by,
        Phase::InProgress { lease, answer_by, .. } => {
            lease.map(|lease| lease.until).into_iter().chain(*answer_by).min()
        }
        Phase::Waiting(Waiting::Human(hold)) => {
            reminder_at(intent, hold).into_iter().chain(intent.step_until()).min()
        }
        Phase::Waiting(Waiting::Time { until }) => {
            intent.step_until().into_iter().chain([*until]).min()
        }
        Phase::Waiting(Waiting::Children | Waiting::Step { .. }) => check_at(intent),
        Phase::Waiting(Waiting::Agent { .. } | Waiting::Tool)
        | Phase::Created
        | Phase::Submitted => None,
        Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => return None,
    };
    let deadline_at = intent.deadline_at();
    Some(due.map_or(deadline_at, |due| due.min(deadline_at)))
}

/// When the reviewer is reminded next, or the task escalated: in working hours only, if it has any.
pub fn reminder_at(intent: &Intent, hold: &Hold) -> Option<Timestamp> {
    let reminders = intent.reminders(hold);
    let escalates = intent.escalate_to(hold).is_some() && !hold.escalated;
    let more = hold.remind_count < reminders.max || escalates;
    if more { intent.reminder_due_at(hold, hold.remind_count) } else { None }
}

/// When to look whether the news of a child was lost: seldom, and ever more seldom, since it costs a
/// commit and news are hardly ever lost. Once a step's child must have ended, soon. Whatever else
/// happens to the intent in the meantime does not put it off.
pub fn check_at(intent: &Intent) -> Option<Timestamp> {
    let nth = usize::try_from(intent.checks).unwrap_or(usize::MAX);
    let [.., longest] = CHECK_AFTER;
    let pause = CHECK_AFTER.get(nth).copied().unwrap_or(longest);
    let since = intent.checked_at.unwrap_or_else(|| waits_since(intent));
    let regular = since.checked_add(pause).ok();
    let over = intent.step_until().and_then(|until| until.checked_add(CHILD_ENDS_WITHIN).ok());
    regular.into_iter().chain(over.filter(|over| *over > since)).min()
}

fn waits_since(intent: &Intent) -> Timestamp {
    let of_step = intent.run.as_ref().map(|run| run.began_at);
    let of_asks = intent.open_asks().map(|ask| ask.asked_at).max();
    of_step.or(of_asks).unwrap_or(intent.updated_at)
}

/// The intents that are born in the same transaction: the approvals that `command` asks for, and the
/// child that has the step of a workflow which `events` began. A suspension asks only new questions
/// or, where it has no `events`, none. Each of them can be created at the moment of the events, since
/// its deadline lies after it.
pub fn births(intent: &Intent, command: &Command, events: &[Event]) -> Vec<(IntentId, Envelope)> {
    if let Some(child) = intent.run.as_ref().and_then(|run| run.child) {
        let begun = events.iter().any(|event| begins(event, child));
        let born = begun.then(|| intent.step_envelope()).flatten();
        return born.map(|envelope| (child, envelope)).into_iter().collect();
    }
    let Command::Suspend { by, waits_for: WaitsFor::People(requests), .. } = command else {
        return vec![];
    };
    let Some(now) = events.last().map(|event| event.at) else { return vec![] };
    requests
        .iter()
        .map(|request| (request.child_id(intent), request.envelope(intent, &by.name, now)))
        .collect()
}

fn begins(event: &Event, child: IntentId) -> bool {
    matches!(event.kind, EventKind::StepBegun { child: Some(begun), .. } if begun == child)
}

fn turn(intent: &Intent) -> Option<Message> {
    let envelope = &intent.envelope;
    // A question is delivered in the contract's words, but to no worker.
    if envelope.only_asks() || !intent.is_agents_turn() {
        return None;
    }
    let (tenant, id) = (envelope.tenant.clone(), intent.id);
    match intent.delivery() {
        Delivery::Stream => None,
        Delivery::Worker => Some(Message::Turn { tenant, intent: id }),
        Delivery::Push => Some(Message::Push { tenant, intent: id }),
    }
}

/// The question to each child that has not ended, as far as its parent knows: have you?
fn news(intent: &Intent) -> Vec<Message> {
    let of_step = intent.run.as_ref().and_then(|run| run.child);
    let (tenant, parent) = (&intent.envelope.tenant, intent.id);
    let children = intent.open_asks().map(|ask| ask.child).chain(of_step);
    children.map(|child| Message::AskEnded { tenant: tenant.clone(), parent, child }).collect()
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
    let of_step = intent.run.as_ref().and_then(|run| run.child);
    let orphans = intent
        .open_asks()
        .map(|ask| ask.child)
        .chain(of_step)
        .map(|child| Message::ParentEnded { tenant: tenant.clone(), child });
    news.into_iter().chain(orphans).collect()
}
