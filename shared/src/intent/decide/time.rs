//! What happens by itself: deadlines, reminders, new offers, and the ends of related intents.
//!
//! None of these can be refused. One that comes early, late or twice changes nothing; at or after
//! the deadline nothing is left to happen but the timeout, which is the wake-up's.

use super::{HOLDPOINT, History, Patience, in_time, workflow};
use crate::id::IntentId;
use crate::intent::ask::AskEnding;
use crate::intent::event::EventKind;
use crate::intent::human_task::Hold;
use crate::intent::phase::{Failure, Lease, Phase, Waiting};
use crate::intent::{Intent, react};

pub(super) fn wake(intent: &Intent, history: &mut History) {
    let now = history.now;
    if intent.is_ended() {
        return;
    }
    if now >= intent.deadline_at() {
        return history.push(HOLDPOINT, EventKind::TimedOut);
    }
    let due = |at: Option<jiff::Timestamp>| at.is_some_and(|at| at <= now);
    match &intent.phase {
        Phase::Delivered { answer_by } | Phase::Acknowledged { answer_by } if due(*answer_by) => {
            offer_again(intent, history);
        }
        Phase::InProgress { lease, answer_by, .. } => {
            if due(*answer_by) || due(lease.map(|lease: Lease| lease.until)) {
                offer_again(intent, history);
            }
        }
        Phase::Waiting(Waiting::Human(_)) if due(intent.step_until()) => {
            workflow::time_out(history);
        }
        Phase::Waiting(Waiting::Human(hold)) if due(react::reminder_at(intent, hold)) => {
            remind(intent, hold, history);
        }
        Phase::Waiting(Waiting::Time { until })
            if due(Some(*until)) || due(intent.step_until()) =>
        {
            if intent.run.is_none() {
                resume(intent, history);
            } else if intent.step_until().is_some_and(|over_at| over_at < *until) {
                workflow::time_out(history);
            } else {
                workflow::time_has_come(history);
            }
        }
        Phase::Waiting(Waiting::Children | Waiting::Step { .. })
            if due(react::check_at(intent)) =>
        {
            history.push(HOLDPOINT, EventKind::Checked);
        }
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => {}
    }
}

fn offer_again(intent: &Intent, history: &mut History) {
    let attempts = intent.delivery_attempt;
    if attempts < intent.delivery_attempts_max() {
        let attempt = attempts + 1;
        let answer_by = Patience::of(intent).answer_by(attempt, history.now);
        return history.push(HOLDPOINT, EventKind::Offered { attempt, answer_by });
    }
    lose(attempts, history);
}

/// Ends an intent that an agent's stream has shown often enough, and that the agent never took up.
pub(super) fn give_up(intent: &Intent, attempts: u32, history: &mut History) {
    let offered = matches!(intent.phase, Phase::Delivered { .. }) && intent.offered().is_some();
    let often_enough = attempts >= intent.delivery_attempts_max();
    if offered && often_enough && in_time(intent, history.now).is_ok() {
        lose(attempts, history);
    }
}

fn lose(attempts: u32, history: &mut History) {
    history.push(HOLDPOINT, EventKind::DeliveryFailed { attempts });
    let failure = Failure {
        code: "delivery_failed".to_owned(),
        reason: format!("no agent finished the turn in {attempts} attempts"),
        error: serde_json::Value::Null,
    };
    history.push(HOLDPOINT, EventKind::Failed { failure, decision: None });
}

/// Reminds once, however many reminders were missed or fell into one pause of the working hours: a late
/// wake-up must not flood anybody.
fn remind(intent: &Intent, hold: &Hold, history: &mut History) {
    let reminders = intent.reminders(hold);
    let due =
        |count: &u32| intent.reminder_due_at(hold, *count).is_some_and(|at| at <= history.now);
    let missed = (hold.remind_count..reminders.max).take_while(due).last();
    if let Some(last) = missed {
        return history.push(HOLDPOINT, EventKind::Reminded { count: last + 1 });
    }
    if let Some(to) = intent.escalate_to(hold).cloned() {
        history.push(HOLDPOINT, EventKind::Escalated { to, step: None });
    }
}

fn resume(intent: &Intent, history: &mut History) {
    let answer_by = Patience::of(intent).answer_by(1, history.now);
    history.push(HOLDPOINT, EventKind::Resumed { answer_by });
}

pub(super) fn end_ask(intent: &Intent, child: IntentId, ending: &AskEnding, history: &mut History) {
    let Some(ask) = intent.open_asks().find(|ask| ask.child == child) else { return };
    if intent.is_ended() || in_time(intent, history.now).is_err() {
        return;
    }
    let (call_id, ending) = (ask.call_id.clone(), ending.clone());
    history.push(HOLDPOINT, EventKind::AskEnded { call_id, ending });
    let waits = matches!(intent.phase, Phase::Waiting(Waiting::Children));
    let last = intent.open_asks().count() == 1;
    if waits && last {
        resume(intent, history);
    }
}

pub(super) fn parent_ended(intent: &Intent, history: &mut History) {
    let is_child = intent.envelope.parent.is_some();
    if is_child && !intent.is_ended() && in_time(intent, history.now).is_ok() {
        let reason = "the intent that asked for this has ended".to_owned();
        history.push(HOLDPOINT, EventKind::Canceled { reason });
    }
}
