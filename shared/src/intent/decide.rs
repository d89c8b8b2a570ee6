//! What a command does to an intent: every rule about who may do what, and when.

mod agent;
mod person;
mod time;

use std::time::Duration;

use jiff::Timestamp;

use super::envelope::{Delivery, Envelope};
use super::event::{Event, EventKind};
use super::human_task::Hold;
use super::{Command, EVENT_SEQ_STEP, Intent, Rejection};
use crate::id::IntentId;

/// How long a worker may leave an offered turn alone before it is offered again, in seconds. It
/// doubles with each attempt.
pub const ANSWER_WITHIN_SECONDS: u64 = 300;

/// The actor of what Holdpoint does by itself.
const HOLDPOINT: &str = "holdpoint";

/// Decides what `command` does to `intent` at `now`. Pure and total.
///
/// A command that is repeated yields no events while what it made still stands, or is refused
/// (a creation, a start whose lease runs, a result that a person rejected). Handing on alone is done
/// as often as it is said, since it leaves the intent where it was.
///
/// # Errors
///
/// A [`Rejection`] says why nothing happens.
pub fn decide(
    intent: Option<&Intent>,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let mut history = History { seq: intent.map_or(0, |intent| intent.seq), now, events: vec![] };
    match (intent, command) {
        (None, Command::Create { id, envelope }) => create(*id, envelope, &mut history)?,
        (None, _) => return Err(Rejection::NotFound),
        (Some(intent), command) => change(intent, command, &mut history)?,
    }
    Ok(history.events)
}

fn change(intent: &Intent, command: &Command, history: &mut History) -> Result<(), Rejection> {
    // To another account it does not exist, whatever its keys may do at home.
    if command.by().is_some_and(|by| by.tenant != intent.envelope.tenant) {
        return Err(Rejection::NotFound);
    }
    match command {
        Command::Create { .. } => Err(Rejection::Exists),
        Command::Start { by, lease_until } => agent::start(intent, by, *lease_until, history),
        Command::Step { by, fence, lease_until, checkpoint, note } => {
            agent::step(intent, by, *fence, *lease_until, (checkpoint, note), history)
        }
        Command::Suspend { by, fence, expected_checkpoint, checkpoint, waits_for } => {
            let checkpoints = (expected_checkpoint.as_ref(), checkpoint.as_ref());
            agent::suspend(intent, by, *fence, checkpoints, waits_for, history)
        }
        Command::Claim { by, fence, call_id, call_digest, needs_grant, token_digest } => {
            let call =
                agent::Claim { call_id, call_digest, needs_grant: *needs_grant, token_digest };
            agent::claim(intent, by, *fence, &call, history)
        }
        Command::FinishCall { by, call_id, token_digest, output_digest, is_error } => {
            let output = (output_digest, *is_error);
            agent::finish_call(intent, by, call_id, token_digest, output, history)
        }
        Command::Complete { by, fence, result } => {
            agent::complete(intent, by, *fence, result, history)
        }
        Command::Fail { by, fence, failure } => agent::fail(intent, by, *fence, failure, history),
        Command::Advance { by, reason, next_handler } => {
            agent::advance(intent, by, reason.as_ref(), next_handler.as_ref(), history)
        }
        Command::Decide { by, outcome, comment, seen } => {
            let answer = person::Answer { outcome: *outcome, comment: comment.as_ref() };
            person::decide(intent, by, &answer, seen.as_ref(), history)
        }
        Command::Cancel { by, reason } => person::cancel(intent, by, reason, history),
        Command::EndAsk { child, ending } => {
            time::end_ask(intent, *child, ending, history);
            Ok(())
        }
        Command::ParentEnded => {
            time::parent_ended(intent, history);
            Ok(())
        }
        Command::Wake => {
            time::wake(intent, history);
            Ok(())
        }
    }
}

/// The events of one command as they come about.
struct History {
    seq: u64,
    now: Timestamp,
    events: Vec<Event>,
}

impl History {
    fn next_seq(&self) -> u64 {
        self.seq + EVENT_SEQ_STEP
    }

    fn push(&mut self, actor: &str, kind: EventKind) {
        self.seq = self.next_seq();
        let event = Event { seq: self.seq, at: self.now, actor: actor.to_owned(), kind };
        self.events.push(event);
    }
}

fn create(id: IntentId, envelope: &Envelope, history: &mut History) -> Result<(), Rejection> {
    if history.now >= envelope.deadline_at {
        return Err(Rejection::DeadlinePassed(envelope.deadline_at));
    }
    let sender = &envelope.from;
    history.push(sender, EventKind::Created { id, envelope: Box::new(envelope.clone()) });
    history.push(HOLDPOINT, EventKind::Submitted);
    let only_asks = envelope.only_asks();
    let answer_by = if only_asks { None } else { answer_by(envelope, 1, history.now) };
    history.push(HOLDPOINT, EventKind::Offered { attempt: 1, answer_by });
    if only_asks {
        hold(id, envelope, None, sender, history);
    }
    Ok(())
}

/// Opens the hold point, if the intent has one.
fn hold(
    id: IntentId,
    envelope: &Envelope,
    proposal: Option<serde_json::Value>,
    actor: &str,
    history: &mut History,
) {
    if let Some(point) = &envelope.hold_point {
        let version = history.next_seq();
        let opened = (actor, history.now);
        let hold = Hold::open(id, envelope, &point.task, version, opened, proposal);
        history.push(actor, EventKind::Held { hold });
        history.push(HOLDPOINT, EventKind::TaskAssigned);
    }
}

/// Until when offer number `attempt` may stay unanswered; agents that ask by themselves are not
/// offered twice.
fn answer_by(envelope: &Envelope, attempt: u32, now: Timestamp) -> Option<Timestamp> {
    let doublings = attempt.saturating_sub(1).min(8);
    let patience = Duration::from_secs(ANSWER_WITHIN_SECONDS << doublings);
    match envelope.delivery {
        Delivery::Stream => None,
        Delivery::Worker => now.checked_add(patience).ok(),
    }
}

/// Refuses what comes at or after the deadline, whether or not a timer has fired.
fn in_time(intent: &Intent, now: Timestamp) -> Result<(), Rejection> {
    let deadline_at = intent.envelope.deadline_at;
    if now < deadline_at { Ok(()) } else { Err(Rejection::DeadlinePassed(deadline_at)) }
}
