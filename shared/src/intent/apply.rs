//! Folding events into the state. Total: any history replays.

mod workflow;

use jiff::Timestamp;
use serde_json::Value;

use super::ask::AskEnding;
use super::call::{Call, Finished};
use super::envelope::Delivery;
use super::event::{Event, EventKind, SuspendedFor};
use super::human_task::{Decided, Decision, Hold};
use super::phase::{Failure, Lease, Phase, Waiting};
use super::{Handed, Intent};
use crate::address::Address;
use crate::digest::Digest;

/// The state after `event`. Only a creation makes something of nothing; any other event on nothing
/// leaves nothing.
pub fn apply(intent: Option<Intent>, event: &Event) -> Option<Intent> {
    let mut intent = match (intent, &event.kind) {
        (None, EventKind::Created { id, envelope }) => Intent {
            id: *id,
            envelope: (**envelope).clone(),
            phase: Phase::Created,
            seq: 0,
            created_at: event.at,
            updated_at: event.at,
            delivery_attempt: 0,
            fence: 0,
            offer_seq: 0,
            turn_seq: 0,
            checkpoint: None,
            asks: Vec::new(),
            calls: std::collections::BTreeMap::new(),
            handed_to: None,
            policy: super::policy::Policy::default(),
            run: None,
            checks: 0,
            checked_at: None,
            messages: super::inbox::Messages::default(),
        },
        (None, _) => return None,
        (Some(intent), _) => intent,
    };
    intent.seq = event.seq;
    intent.updated_at = event.at;
    change(&mut intent, event);
    Some(intent)
}

fn change(intent: &mut Intent, event: &Event) {
    match &event.kind {
        EventKind::Created { .. }
        | EventKind::TaskAssigned
        | EventKind::DeliveryFailed { .. }
        | EventKind::Notified { .. }
        | EventKind::Hidden { .. } => {}
        EventKind::Submitted => intent.phase = Phase::Submitted,
        EventKind::Offered { attempt, answer_by } => offer(intent, event, *attempt, *answer_by),
        EventKind::Acknowledged => acknowledge(intent),
        EventKind::Started { lease_until, answer_by } => {
            intent.fence += u64::from(lease_until.is_some());
            work(intent, *lease_until, *answer_by);
        }
        EventKind::Stepped { lease_until, checkpoint, .. } => {
            intent.checkpoint = Some(checkpoint.clone());
            // A turn that gets on is offered anew; attempts count only those that led to nothing.
            intent.delivery_attempt = 1;
            work(intent, Some(*lease_until), None);
        }
        EventKind::Held { hold } => intent.phase = Phase::Waiting(Waiting::Human(hold.clone())),
        EventKind::Reminded { count } => with_hold(intent, |hold| hold.remind_count = *count),
        EventKind::Escalated { .. } => with_hold(intent, |hold| hold.escalated = true),
        EventKind::Approved { decision } | EventKind::Refused { decision } => {
            answer(intent, decision, event.at);
        }
        EventKind::Reassigned { to, .. } => reassign(intent, &event.actor, to),
        EventKind::StepBegun { step, attempt, child, .. } => {
            workflow::begin(intent, event.at, (*step, *attempt), *child);
        }
        EventKind::StepEnded { step_id, result, decided, again_at, .. } => {
            workflow::end(intent, step_id, result, again_at.is_some());
            if let (Some(run), Some(decided)) = (&mut intent.run, decided) {
                workflow::note_answer(run, (**decided).clone(), event.at);
            }
        }
        EventKind::Checked => {
            intent.checks = intent.checks.saturating_add(1);
            intent.checked_at = Some(event.at);
        }
        EventKind::Said { message_id, .. } => intent.messages.push(*message_id),
        EventKind::PolicyChanged { patch, .. } => intent.policy = intent.policy.patched(patch),
        EventKind::Suspended { checkpoint, waits_for } => {
            suspend(intent, checkpoint.as_ref(), waits_for);
        }
        EventKind::AskEnded { call_id, ending } => end_ask(intent, call_id, ending),
        EventKind::Resumed { answer_by } => resume(intent, event, *answer_by),
        EventKind::HandedOn { next_handler, delivery, .. } => {
            hand_on(intent, event, next_handler.as_ref(), *delivery);
        }
        EventKind::CallClaimed { call_id, call_digest, token_digest } => {
            let (call_digest, token_digest) = (call_digest.clone(), token_digest.clone());
            let call = Call { call_digest, token_digest, claimed_at: event.at, finished: None };
            intent.calls.insert(call_id.clone(), call);
        }
        EventKind::CallFinished { call_id, output_digest, is_error } => {
            finish_call(intent, call_id, output_digest, *is_error);
        }
        EventKind::Completed { result } => complete(intent, result, event.at),
        EventKind::Failed { failure, decision } => {
            fail(intent, failure, decision.as_ref(), event.at);
        }
        EventKind::Canceled { reason } => {
            intent.phase = Phase::Canceled { reason: reason.clone(), ended_at: event.at };
        }
        EventKind::TimedOut => intent.phase = Phase::TimedOut { ended_at: event.at },
    }
}

fn offer(intent: &mut Intent, event: &Event, attempt: u32, answer_by: Option<Timestamp>) {
    intent.delivery_attempt = attempt;
    intent.offer_seq = stream_position(event);
    intent.phase = match &intent.phase {
        Phase::InProgress { decided, .. } => {
            Phase::InProgress { lease: None, answer_by, decided: decided.clone() }
        }
        // There is no way back from here, though the turn is offered again.
        Phase::Acknowledged { .. } => Phase::Acknowledged { answer_by },
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => Phase::Delivered { answer_by },
    };
}

fn resume(intent: &mut Intent, event: &Event, answer_by: Option<Timestamp>) {
    intent.delivery_attempt = 1;
    intent.offer_seq = stream_position(event);
    if intent.delivery() == Delivery::Push {
        intent.turn_seq = event.seq;
    }
    work(intent, None, answer_by);
}

/// Takes the offer off the table. A worker that took it and died is offered the turn again.
fn acknowledge(intent: &mut Intent) {
    let answer_by = match &intent.phase {
        Phase::Delivered { answer_by } if intent.delivery() == Delivery::Worker => *answer_by,
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => None,
    };
    intent.phase = Phase::Acknowledged { answer_by };
}

/// Puts `to` in the place of whoever passes the task on, or of everybody where `from` is none of them.
fn reassign(intent: &mut Intent, from: &str, to: &str) {
    let Some(hold) = intent.open_hold() else { return };
    let mut assignees: Vec<String> = intent.assignees(hold).to_vec();
    if assignees.iter().any(|name| name == to) {
        assignees.retain(|name| name != from);
    } else if let Some(name) = assignees.iter_mut().find(|name| *name == from) {
        to.clone_into(name);
    } else {
        assignees = vec![to.to_owned()];
    }
    with_hold(intent, |hold| hold.reassigned_to = assignees);
}

fn work(intent: &mut Intent, lease_until: Option<Timestamp>, answer_by: Option<Timestamp>) {
    let lease = lease_until.map(|until| Lease { fence: intent.fence, until });
    intent.phase = Phase::InProgress { lease, answer_by, decided: None };
}

fn suspend(intent: &mut Intent, checkpoint: Option<&Digest>, waits_for: &SuspendedFor) {
    if let Some(checkpoint) = checkpoint {
        intent.checkpoint = Some(checkpoint.clone());
    }
    (intent.checks, intent.checked_at) = (0, None);
    intent.phase = Phase::Waiting(match waits_for {
        SuspendedFor::People(new) => {
            intent.asks.extend(new.iter().cloned());
            Waiting::Children
        }
        SuspendedFor::Tool => Waiting::Tool,
        SuspendedFor::Time(until) => Waiting::Time { until: *until },
    });
}

fn end_ask(intent: &mut Intent, call_id: &str, ending: &AskEnding) {
    if let Some(ask) = intent.asks.iter_mut().find(|ask| ask.call_id == call_id) {
        ask.ending = Some(ending.clone());
    }
}

fn hand_on(
    intent: &mut Intent,
    event: &Event,
    next_handler: Option<&Address>,
    delivery: Option<Delivery>,
) {
    if let (Some(to), Some(delivery)) = (next_handler, delivery) {
        intent.handed_to = Some(Handed { to: to.clone(), delivery });
        intent.offer_seq = stream_position(event);
    }
    intent.phase = Phase::Waiting(Waiting::Agent { next_handler: next_handler.cloned() });
}

fn finish_call(intent: &mut Intent, call_id: &str, output_digest: &Digest, is_error: bool) {
    if let Some(call) = intent.calls.get_mut(call_id) {
        call.finished = Some(Finished { output_digest: output_digest.clone(), is_error });
    }
}

fn answer(intent: &mut Intent, decision: &Decision, now: Timestamp) {
    let mut decided = decided(intent, decision);
    if let Some(run) = &mut intent.run
        && let Some(of_step) = decided.take()
    {
        workflow::note_answer(run, of_step, now);
    }
    intent.phase = Phase::InProgress { lease: None, answer_by: None, decided };
}

fn complete(intent: &mut Intent, result: &Value, ended_at: Timestamp) {
    let (result, decided) = (result.clone(), rests_on(intent));
    intent.phase = Phase::Completed { result, decided, ended_at };
}

fn fail(intent: &mut Intent, failure: &Failure, decision: Option<&Decision>, ended_at: Timestamp) {
    let refused = decision.and_then(|decision| decided(intent, decision));
    let decided = refused.or_else(|| rests_on(intent));
    intent.phase = Phase::Failed { failure: failure.clone(), decided, ended_at };
}

/// The decision that an end rests on. A run keeps its own; what its last agent gave is the result by
/// now, and kept as that alone.
fn rests_on(intent: &mut Intent) -> Option<Decided> {
    if let Some(run) = &mut intent.run {
        run.last_result = Value::Null;
        return None;
    }
    intent.decided().cloned()
}

fn decided(intent: &Intent, decision: &Decision) -> Option<Decided> {
    let hold = intent.open_hold()?.clone();
    Some(Decided { hold, decision: decision.clone() })
}

fn with_hold(intent: &mut Intent, change: impl FnOnce(&mut Hold)) {
    if let Phase::Waiting(Waiting::Human(hold)) = &mut intent.phase {
        change(hold);
    }
}

/// The place on an agent's stream: the moment of the offer in microseconds, made even so that "after
/// n" and "from n + 1" select the same offers there too.
fn stream_position(event: &Event) -> u64 {
    u64::try_from(event.at.as_microsecond()).unwrap_or(0) & !1
}
