//! What a command does to an intent: every rule about who may do what, and when.

mod agent;
mod call;
mod inbox;
mod person;
mod policy;
mod time;
mod workflow;

use std::time::Duration;

use jiff::Timestamp;

use super::envelope::{Delivery, Envelope};
use super::event::{Event, EventKind};
use super::human_task::{Hold, HumanTask, Opening};
use super::{Command, EVENT_SEQ_STEP, Intent, Rejection, apply};
use crate::id::IntentId;

/// How long a worker may leave an offered turn alone before it is offered again, in seconds. It
/// doubles with each attempt.
pub const ANSWER_WITHIN_SECONDS: u64 = 300;
/// The pauses before a turn is pushed again, in seconds. The contract's schedule.
pub const PUSH_PAUSES_SECONDS: [u64; 3] = [30, 120, 600];

/// The actor of what Holdpoint does by itself.
const HOLDPOINT: &str = "holdpoint";

/// Decides what `command` does to `intent` at `now`. Pure and total.
///
/// A command that is repeated yields no events while what it made still stands, or is refused
/// (a creation, a start whose lease runs, a result that a person rejected). Handing on and hiding
/// alone are done as often as they are said, since they leave the intent where it was.
///
/// # Errors
///
/// A [`Rejection`] says why nothing happens.
pub fn decide(
    intent: Option<&Intent>,
    command: &Command,
    now: Timestamp,
) -> Result<Vec<Event>, Rejection> {
    let mut history = History::new(intent, now);
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
                call::Claim { call_id, call_digest, needs_grant: *needs_grant, token_digest };
            call::claim(intent, by, *fence, &call, history)
        }
        Command::FinishCall { by, call_id, token_digest, output_digest, is_error } => {
            let output = (output_digest, *is_error);
            call::finish_call(intent, by, call_id, token_digest, output, history)
        }
        Command::Complete { by, fence, result } => {
            agent::complete(intent, by, *fence, result, history)
        }
        Command::Fail { by, fence, failure } => agent::fail(intent, by, *fence, failure, history),
        Command::Advance { by, reason, next } => {
            agent::advance(intent, by, reason.as_ref(), next.as_ref(), history)
        }
        Command::Acknowledge { by, turn } => agent::acknowledge(intent, by, *turn, history),
        Command::Decide { by, answer, seen } => {
            person::decide(intent, by, answer, seen.as_ref(), history)
        }
        Command::Reassign { by, to, note } => {
            person::reassign(intent, by, to, note.as_ref(), history)
        }
        Command::Say { by, message_id, text } => inbox::say(intent, by, *message_id, text, history),
        Command::Hide { by, message_ids, from_all } => {
            inbox::hide(intent, by, message_ids, *from_all, history)
        }
        Command::ChangePolicy { by, patch, right, expected_generation, reason } => {
            let change = policy::Change { patch, right: *right, expected: *expected_generation };
            policy::change(intent, by, &change, reason.as_ref(), history)
        }
        Command::Cancel { by, reason } => person::cancel(intent, by, reason, history),
        Command::EndAsk { child, ending } => {
            time::end_ask(intent, *child, ending, history);
            Ok(())
        }
        Command::EndStep { child, ending } => {
            workflow::end_child(intent, *child, ending, history);
            Ok(())
        }
        Command::GiveUp { attempts } => {
            time::give_up(intent, *attempts, history);
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

/// The events of one command as they come about, and the state that they lead to.
struct History {
    now: Timestamp,
    events: Vec<Event>,
    seq: u64,
    /// The state after the events so far. Kept only for workflows, where one event decides about the
    /// next.
    state: Option<Intent>,
    follows: bool,
}

impl History {
    fn new(before: Option<&Intent>, now: Timestamp) -> Self {
        let follows = before.is_some_and(|intent| intent.envelope.workflow.is_some());
        let state = before.filter(|_| follows).cloned();
        Self { now, events: vec![], seq: before.map_or(0, |intent| intent.seq), state, follows }
    }

    fn next_seq(&self) -> u64 {
        self.seq + EVENT_SEQ_STEP
    }

    fn push(&mut self, actor: &str, kind: EventKind) {
        self.seq = self.next_seq();
        let event = Event { seq: self.seq, at: self.now, actor: actor.to_owned(), kind };
        if self.follows {
            self.state = apply(self.state.take(), &event);
        }
        self.events.push(event);
    }
}

fn create(id: IntentId, envelope: &Envelope, history: &mut History) -> Result<(), Rejection> {
    if history.now >= envelope.deadline_at {
        return Err(Rejection::DeadlinePassed(envelope.deadline_at));
    }
    history.follows = envelope.workflow.is_some();
    let sender = &envelope.from;
    history.push(sender, EventKind::Created { id, envelope: Box::new(envelope.clone()) });
    history.push(HOLDPOINT, EventKind::Submitted);
    let only_asks = envelope.only_asks();
    let workflow = envelope.workflow.as_ref();
    let patience = Patience { delivery: envelope.delivery, backoff_s: None };
    let agents = !only_asks && workflow.is_none();
    let answer_by = if agents { patience.answer_by(1, history.now) } else { None };
    history.push(HOLDPOINT, EventKind::Offered { attempt: 1, answer_by });
    if let Some(workflow) = workflow {
        workflow::begin(workflow.entry, 1, history);
    } else if only_asks && let Some(point) = &envelope.hold_point {
        hold((id, envelope), &point.task, (None, None), sender, history);
    }
    Ok(())
}

/// Opens a hold point, of the intent itself or of a step.
fn hold(
    (id, envelope): (IntentId, &Envelope),
    task: &HumanTask,
    (step, proposal): (Option<usize>, Option<serde_json::Value>),
    actor: &str,
    history: &mut History,
) {
    let (version, opened_at) = (history.next_seq(), history.now);
    let opening = Opening { task, step, version, opened_by: actor, opened_at, proposal };
    let hold = Hold::open(id, envelope, opening);
    history.push(actor, EventKind::Held { hold });
    history.push(HOLDPOINT, EventKind::TaskAssigned);
}

/// How long an offer may stay unanswered.
#[derive(Clone, Copy)]
struct Patience {
    delivery: Delivery,
    /// Seconds that the sender set for the first offer.
    backoff_s: Option<u32>,
}

impl Patience {
    fn of(intent: &Intent) -> Self {
        Self { delivery: intent.delivery(), backoff_s: intent.policy.retry_backoff_s }
    }

    /// Until when offer number `attempt` may stay unanswered; to agents that ask by themselves it is
    /// the reader of their stream who offers it again.
    fn answer_by(self, attempt: u32, now: Timestamp) -> Option<Timestamp> {
        let doubled = |seconds: u64| seconds << attempt.saturating_sub(1).min(8);
        let pushed = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let seconds = match (self.delivery, self.backoff_s) {
            (Delivery::Stream, _) => return None,
            (Delivery::Worker | Delivery::Push, Some(seconds)) => doubled(seconds.into()),
            (Delivery::Worker, None) => doubled(ANSWER_WITHIN_SECONDS),
            (Delivery::Push, None) => {
                let [.., longest] = PUSH_PAUSES_SECONDS;
                PUSH_PAUSES_SECONDS.get(pushed).copied().unwrap_or(longest)
            }
        };
        now.checked_add(Duration::from_secs(seconds)).ok()
    }
}

/// Refuses what comes at or after the deadline, whether or not a timer has fired.
fn in_time(intent: &Intent, now: Timestamp) -> Result<(), Rejection> {
    let deadline_at = intent.deadline_at();
    if now < deadline_at { Ok(()) } else { Err(Rejection::DeadlinePassed(deadline_at)) }
}
