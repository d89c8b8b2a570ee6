//! What agents may do.

use jiff::Timestamp;
use serde_json::Value;

use super::{HOLDPOINT, History, Patience, hold, in_time};
use crate::digest::{Digest, is_exact};
use crate::intent::ask::{ASKS_PER_INTENT_MAX, ASKS_PER_SUSPENSION_MAX, Ask, AskRequest};
use crate::intent::command::WaitsFor;
use crate::intent::envelope::Delivery;
use crate::intent::event::{EventKind, SuspendedFor};
use crate::intent::human_task::PROPOSAL_BYTES_MAX;
use crate::intent::phase::{Failure, Lease, Phase, Waiting};
use crate::intent::policy::Right;
use crate::intent::{Handed, Intent, Rejection, Status};
use crate::principal::{Principal, Role};

pub(super) type Decision = Result<(), Rejection>;

pub(super) fn start(
    intent: &Intent,
    by: &Principal,
    lease_until: Timestamp,
    history: &mut History,
) -> Decision {
    handler(intent, by)?;
    agents_turn(intent, history.now)?;
    // A tool that runs elsewhere is waited for by the agent itself; no turn of a worker begins.
    if intent.status() == Status::Waiting {
        return Err(Rejection::NotAgentsTurn(Status::Waiting));
    }
    if let Some(lease) = lease(intent).filter(|lease| history.now < lease.until) {
        return Err(Rejection::Leased(lease.until));
    }
    if intent.status() == Status::Delivered {
        history.push(&by.name, EventKind::Acknowledged);
    }
    let lease_until = Some(lease_until);
    history.push(&by.name, EventKind::Started { lease_until, answer_by: None });
    Ok(())
}

pub(super) fn step(
    intent: &Intent,
    by: &Principal,
    fence: u64,
    lease_until: Timestamp,
    (checkpoint, note): (&Digest, &str),
    history: &mut History,
) -> Decision {
    working(intent, by, Some(fence), history.now)?;
    if intent.checkpoint.as_ref() == Some(checkpoint) {
        return Ok(());
    }
    let (checkpoint, note) = (checkpoint.clone(), note.to_owned());
    history.push(&by.name, EventKind::Stepped { lease_until, checkpoint, note });
    Ok(())
}

pub(super) fn suspend(
    intent: &Intent,
    by: &Principal,
    fence: Option<u64>,
    (expected, checkpoint): (Option<&Digest>, Option<&Digest>),
    waits_for: &WaitsFor,
    history: &mut History,
) -> Decision {
    handler(intent, by)?;
    if is_repeated(intent, checkpoint, waits_for) {
        return Ok(());
    }
    working(intent, by, fence, history.now)?;
    if intent.checkpoint.as_ref() != expected {
        return Err(Rejection::CheckpointConflict);
    }
    let waits_for = match waits_for {
        WaitsFor::People(requests) => SuspendedFor::People(asks(intent, requests, history.now)?),
        WaitsFor::Tool => SuspendedFor::Tool,
        WaitsFor::Time(until) => SuspendedFor::Time(*until),
    };
    started(intent, by, fence, history);
    let checkpoint = checkpoint.cloned();
    history.push(&by.name, EventKind::Suspended { checkpoint, waits_for });
    Ok(())
}

/// A suspension that was taken before: its run state is the stored one, and what it waits for is
/// asked about or waited for.
fn is_repeated(intent: &Intent, checkpoint: Option<&Digest>, waits_for: &WaitsFor) -> bool {
    // A suspension without a run state left the stored one alone.
    let stored = checkpoint.is_none() || intent.checkpoint.as_ref() == checkpoint;
    let asked = |request: &AskRequest| {
        intent
            .asks
            .iter()
            .any(|ask| ask.call_id == request.call_id && ask.call_digest == request.call_digest())
    };
    stored
        && match waits_for {
            WaitsFor::People(requests) => !requests.is_empty() && requests.iter().all(asked),
            WaitsFor::Tool => intent.phase == Phase::Waiting(Waiting::Tool),
            WaitsFor::Time(until) => {
                intent.phase == Phase::Waiting(Waiting::Time { until: *until })
            }
        }
}

fn asks(intent: &Intent, requests: &[AskRequest], now: Timestamp) -> Result<Vec<Ask>, Rejection> {
    let total = intent.asks.len() + requests.len();
    let in_bounds = (1..=ASKS_PER_SUSPENSION_MAX).contains(&requests.len());
    if !in_bounds || total > ASKS_PER_INTENT_MAX {
        return Err(Rejection::AsksOutOfBounds);
    }
    let mut new: Vec<Ask> = Vec::with_capacity(requests.len());
    for request in requests {
        let taken = intent.asks.iter().chain(&new).any(|ask| ask.call_id == request.call_id);
        if taken {
            return Err(Rejection::AskConflict(request.call_id.clone()));
        }
        if !request.arguments.values().all(is_exact) {
            return Err(Rejection::InexactNumber);
        }
        new.push(request.ask(intent, now));
    }
    Ok(new)
}

pub(super) fn complete(
    intent: &Intent,
    by: &Principal,
    fence: Option<u64>,
    result: &Value,
    history: &mut History,
) -> Decision {
    party(intent, by)?;
    if said_before(intent, result) {
        return Ok(());
    }
    agents_turn(intent, history.now)?;
    fenced(intent, fence, history.now)?;
    let of_step = intent.envelope.parent.as_ref().is_some_and(|parent| parent.is_step);
    let signed_off = intent.envelope.hold_point.is_some();
    if (signed_off || of_step) && !is_exact(result) {
        return Err(Rejection::InexactNumber);
    }
    if signed_off && result.to_string().len() > PROPOSAL_BYTES_MAX {
        return Err(Rejection::ResultTooLarge);
    }
    started(intent, by, fence, history);
    // What is left of a hold point after the agent's turn is the sign-off on its result.
    if let Some(point) = &intent.envelope.hold_point {
        let subject = (intent.id, &intent.envelope);
        hold(subject, &point.task, (None, Some(result.clone())), &by.name, history);
    } else {
        history.push(&by.name, EventKind::Completed { result: result.clone() });
    }
    Ok(())
}

/// Whether `result` is what the intent has already, as its result or as the proposal that waits.
fn said_before(intent: &Intent, result: &Value) -> bool {
    let waiting = intent.open_hold().and_then(|hold| hold.proposal.as_ref()) == Some(result);
    let ended = matches!(&intent.phase, Phase::Completed { result: had, .. } if had == result);
    waiting || ended
}

pub(super) fn fail(
    intent: &Intent,
    by: &Principal,
    fence: Option<u64>,
    failure: &Failure,
    history: &mut History,
) -> Decision {
    party(intent, by)?;
    if matches!(&intent.phase, Phase::Failed { failure: had, .. } if had == failure) {
        return Ok(());
    }
    agents_turn(intent, history.now)?;
    fenced(intent, fence, history.now)?;
    started(intent, by, fence, history);
    history.push(&by.name, EventKind::Failed { failure: failure.clone(), decision: None });
    Ok(())
}

pub(super) fn advance(
    intent: &Intent,
    by: &Principal,
    reason: Option<&String>,
    next: Option<&Handed>,
    history: &mut History,
) -> Decision {
    party(intent, by)?;
    agents_turn(intent, history.now)?;
    fenced(intent, None, history.now)?;
    let reason = reason.cloned();
    let next_handler = next.map(|next| next.to.clone());
    let delivery = next.map(|next| next.delivery);
    history.push(&by.name, EventKind::HandedOn { reason, next_handler, delivery });
    // Whoever waits for a tool does not look again until it is told.
    let is_called_back = intent.status() == Status::Waiting && !by.speaks_for(intent.handler());
    let patience = Patience::of(intent);
    match next {
        Some(next) => resumed(Patience { delivery: next.delivery, ..patience }, history),
        None if is_called_back => resumed(patience, history),
        None => start_unleased(intent, by, history),
    }
    Ok(())
}

fn resumed(patience: Patience, history: &mut History) {
    let answer_by = patience.answer_by(1, history.now);
    history.push(HOLDPOINT, EventKind::Resumed { answer_by });
}

/// Takes an offer off the agent's stream, or a push off its schedule. Saying so again, or later,
/// changes nothing, and neither does it of another turn than the present one.
pub(super) fn acknowledge(
    intent: &Intent,
    by: &Principal,
    turn: Option<u64>,
    history: &mut History,
) -> Decision {
    handler(intent, by)?;
    if turn.is_some_and(|turn| turn != intent.turn_seq) {
        return Ok(());
    }
    match &intent.phase {
        Phase::Delivered { .. } => {
            in_time(intent, history.now)?;
            history.push(&by.name, EventKind::Acknowledged);
        }
        // A later turn. The contract has no way back to ACKNOWLEDGED, so the agent has begun.
        Phase::InProgress { answer_by: Some(_), .. } if intent.delivery() == Delivery::Push => {
            in_time(intent, history.now)?;
            start_unleased(intent, by, history);
        }
        Phase::Created
        | Phase::Submitted
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => {}
    }
    Ok(())
}

/// Puts the start that the lifecycle wants before whatever else an agent does first. One without a
/// lease takes away a lease that is over.
pub(super) fn started(intent: &Intent, by: &Principal, fence: Option<u64>, history: &mut History) {
    let cuts_in = fence.is_none() && lease(intent).is_some();
    if intent.status() != Status::InProgress || cuts_in {
        start_unleased(intent, by, history);
    }
}

/// The same before what leaves the turn as it is. Whoever does that in a posted turn has the turn, even if
/// the answer to the post is never read.
pub(super) fn taken(intent: &Intent, by: &Principal, fence: Option<u64>, history: &mut History) {
    if intent.awaits_push() {
        start_unleased(intent, by, history);
    } else {
        started(intent, by, fence, history);
    }
}

fn start_unleased(intent: &Intent, by: &Principal, history: &mut History) {
    let patience = Patience::of(intent);
    let is_offered_again = match patience.delivery {
        Delivery::Stream => false,
        Delivery::Worker => true,
        // Whoever is pushed to has it now. Somebody else who moves it on has not taken it for that agent.
        Delivery::Push => intent.awaits_push() && !by.speaks_for(intent.handler()),
    };
    let answer_by = patience.answer_by(intent.delivery_attempt, history.now);
    let answer_by = answer_by.filter(|_| is_offered_again);
    history.push(&by.name, EventKind::Started { lease_until: None, answer_by });
}

/// The handler, in its turn, in time, with the lease if there is one.
pub(super) fn working(
    intent: &Intent,
    by: &Principal,
    fence: Option<u64>,
    now: Timestamp,
) -> Decision {
    handler(intent, by)?;
    agents_turn(intent, now)?;
    fenced(intent, fence, now)
}

pub(super) fn handler(intent: &Intent, by: &Principal) -> Decision {
    agent(by)?;
    if by.speaks_for(intent.handler()) { Ok(()) } else { Err(Rejection::NotTheHandler) }
}

/// The handler, the agent that sent the intent and resolves it, or one that was granted it.
fn party(intent: &Intent, by: &Principal) -> Decision {
    agent(by)?;
    let sender = by.name == intent.envelope.from;
    if sender || by.speaks_for(intent.handler()) || intent.grants(by, Right::Resume) {
        Ok(())
    } else {
        Err(Rejection::NotTheHandler)
    }
}

fn agent(by: &Principal) -> Decision {
    match by.role {
        Role::Agent => Ok(()),
        Role::Reviewer | Role::Admin => {
            Err(Rejection::WrongRole { has: by.role, needs: Role::Agent })
        }
    }
}

fn agents_turn(intent: &Intent, now: Timestamp) -> Decision {
    open(intent)?;
    in_time(intent, now)?;
    if intent.is_agents_turn() {
        return Ok(());
    }
    match &intent.phase {
        Phase::Waiting(Waiting::Human(_) | Waiting::Children) => Err(Rejection::AwaitsDecision),
        Phase::Waiting(
            Waiting::Agent { .. } | Waiting::Step { .. } | Waiting::Tool | Waiting::Time { .. },
        )
        | Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => Err(Rejection::NotAgentsTurn(intent.status())),
    }
}

pub(super) fn open(intent: &Intent) -> Decision {
    if intent.is_ended() { Err(Rejection::Ended(intent.status())) } else { Ok(()) }
}

/// A worker must hold the newest lease; an agent of its own must not cut in on a worker until the
/// lease is over, whether or not a timer has fired.
fn fenced(intent: &Intent, fence: Option<u64>, now: Timestamp) -> Decision {
    match (lease(intent), fence) {
        (Some(lease), Some(fence)) if lease.fence == fence => Ok(()),
        (Some(lease), None) if now < lease.until => Err(Rejection::Leased(lease.until)),
        (Some(_) | None, None) => Ok(()),
        (Some(_) | None, Some(_)) => Err(Rejection::LeaseLost),
    }
}

fn lease(intent: &Intent) -> Option<Lease> {
    match &intent.phase {
        Phase::InProgress { lease, .. } => *lease,
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => None,
    }
}
