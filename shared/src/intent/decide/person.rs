//! What people may do.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::workflow;
use super::{History, in_time};
use crate::intent::answer::{Answer, Settled};
use crate::intent::command::Seen;
use crate::intent::event::EventKind;
use crate::intent::human_task::{Decided, Decision, Hold};
use crate::intent::phase::{Failure, Phase};
use crate::intent::workflow::Work;
use crate::intent::{Intent, Rejection, Status};
use crate::principal::{Principal, Role};

pub(super) fn decide(
    intent: &Intent,
    by: &Principal,
    answer: &Answer,
    seen: Option<&Seen>,
    history: &mut History,
) -> Result<(), Rejection> {
    reviewer(by)?;
    let Some(hold) = intent.open_hold() else {
        return nothing_open(intent, by, answer, seen, history.now);
    };
    entitled(intent, hold, by)?;
    open_until(intent, history.now)?;
    let before = intent.decided().map(|decided| &decided.hold);
    match seen {
        Some(seen) if seen.is_of(hold) => {}
        Some(seen) if before.is_some_and(|before| seen.is_of(before)) => {
            return repeated(intent, by, answer);
        }
        Some(_) => return Err(Rejection::StaleView),
        None if intent.was_just_answered(by, history.now) => return Err(Rejection::StaleView),
        None => {}
    }
    let Some(task) = intent.task_of(hold) else {
        return Err(Rejection::NothingToDecide(intent.status()));
    };
    let settled = answer.settle(task)?;
    settle(intent, hold, settled, by, history);
    Ok(())
}

fn settle(intent: &Intent, hold: &Hold, settled: Settled, by: &Principal, history: &mut History) {
    let Settled { outcome, approves, comment, data } = settled;
    let decision = Decision {
        // What the word says by itself is not written down twice.
        approves: (outcome.is_known_to_approve() != approves).then_some(approves),
        outcome,
        data,
        comment,
        by: by.name.clone(),
        assurance: by.assurance,
        decided_at: history.now,
        digest: hold.digest.clone(),
    };
    if intent.run.is_some() {
        return workflow::decided(decision, &by.name, history);
    }
    if approves {
        let result = hold.proposal.clone().unwrap_or_else(|| verdict(&decision));
        history.push(&by.name, EventKind::Approved { decision });
        history.push(&by.name, EventKind::Completed { result });
    } else {
        let failure = Failure::rejected(&decision);
        history.push(&by.name, EventKind::Failed { failure, decision: Some(decision) });
    }
}

/// An answer where no question is open: the one before once more, or one for which there is no
/// question any more, or none yet.
fn nothing_open(
    intent: &Intent,
    by: &Principal,
    answer: &Answer,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Result<(), Rejection> {
    if let Some(decided) = answered_before(intent, by, seen, now) {
        entitled(intent, &decided.hold, by)?;
        // A bare answer may as well be about the result that the step's agent has by now.
        return if seen.is_none() && child_signs_off(intent) {
            Err(Rejection::StaleView)
        } else {
            repeated(intent, by, answer)
        };
    }
    if asks(intent, &by.name) {
        return Err(Rejection::SelfApproval);
    }
    match intent.status() {
        Status::TimedOut => Err(Rejection::DeadlinePassed(intent.deadline_at())),
        ended @ (Status::Completed | Status::Failed | Status::Canceled) => {
            Err(Rejection::Ended(ended))
        }
        live @ (Status::Created
        | Status::Submitted
        | Status::Delivered
        | Status::Acknowledged
        | Status::InProgress
        | Status::Waiting) => {
            in_time(intent, now)?;
            Err(Rejection::NothingToDecide(live))
        }
    }
}

/// The decision that an answer may be a repetition of: the one that the end rests on, the one whose
/// hold the answer names, or the one that the same person gave a moment ago.
fn answered_before<'a>(
    intent: &'a Intent,
    by: &Principal,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Option<&'a Decided> {
    intent.decided().filter(|decided| {
        let end_rests_on_it = match intent.status() {
            Status::Completed => true,
            Status::Failed => !decided.decision.is_approval(),
            Status::Created
            | Status::Submitted
            | Status::Delivered
            | Status::Acknowledged
            | Status::InProgress
            | Status::Waiting
            | Status::Canceled
            | Status::TimedOut => false,
        };
        let echoes = match seen {
            Some(seen) => seen.is_of(&decided.hold),
            None => intent.was_just_answered(by, now),
        };
        end_rests_on_it || echoes
    })
}

/// Whether the workflow is at an agent's step whose result a person signs off.
fn child_signs_off(intent: &Intent) -> bool {
    let step = intent.current_step().filter(|_| !intent.is_ended());
    step.is_some_and(|step| matches!(step.work, Work::Agent { hold_point: Some(_), .. }))
}

/// The result of an intent that was nothing but a question.
pub(super) fn verdict(decision: &Decision) -> Value {
    let mut verdict = json!({
        "approved": decision.is_approval(),
        "outcome": decision.outcome,
        "comment": decision.comment,
        "decided_by": decision.by,
        "decided_at": decision.decided_at,
    });
    if let (false, Value::Object(fields)) = (decision.data.is_empty(), &mut verdict) {
        fields.insert("data".to_owned(), json!(decision.data));
    }
    verdict
}

fn reviewer(by: &Principal) -> Result<(), Rejection> {
    match by.role {
        Role::Reviewer => Ok(()),
        Role::Agent | Role::Admin => {
            Err(Rejection::WrongRole { has: by.role, needs: Role::Reviewer })
        }
    }
}

/// Whether this person may decide this at all, asked before anything is said about its state. Who
/// repeats a decision is as entitled as before.
fn entitled(intent: &Intent, hold: &Hold, by: &Principal) -> Result<(), Rejection> {
    if asks(intent, &by.name) || hold.opened_by == by.name {
        return Err(Rejection::SelfApproval);
    }
    if intent.is_for(hold, &by.name) { Ok(()) } else { Err(Rejection::NotAssigned) }
}

/// Whether `name` is behind the question: as the sender, or as the agent, its key or the sender of
/// the intent in whose course it came up.
fn asks(intent: &Intent, name: &str) -> bool {
    let parent = intent.envelope.parent.as_ref();
    intent.envelope.from == name
        || parent.is_some_and(|parent| parent.sender == name || parent.asker == name)
}

/// Refuses what comes at or after the end of the time that the open hold has.
fn open_until(intent: &Intent, now: Timestamp) -> Result<(), Rejection> {
    let until = intent.decide_until();
    if now < until { Ok(()) } else { Err(Rejection::DeadlinePassed(until)) }
}

fn repeated(intent: &Intent, by: &Principal, answer: &Answer) -> Result<(), Rejection> {
    let Some(Decided { hold, decision }) = intent.decided() else {
        return Err(Rejection::NothingToDecide(intent.status()));
    };
    // The task of a step's child stands with the child.
    let same = match intent.task_of(hold) {
        Some(task) => answer.settle(task).is_ok_and(|it| it.outcome == decision.outcome),
        None => answer.repeats(decision),
    };
    if same && decision.by == by.name {
        return Ok(());
    }
    Err(Rejection::AlreadyDecided {
        outcome: decision.outcome.clone(),
        by: decision.by.clone(),
        decided_at: decision.decided_at,
    })
}

/// Lets another reviewer answer in one's place.
pub(super) fn reassign(
    intent: &Intent,
    by: &Principal,
    to: &str,
    note: Option<&String>,
    history: &mut History,
) -> Result<(), Rejection> {
    reviewer(by)?;
    let Some(hold) = intent.open_hold() else {
        let status = intent.status();
        let ended = status.is_terminal();
        return Err(if ended {
            Rejection::Ended(status)
        } else {
            Rejection::NothingToDecide(status)
        });
    };
    let named = |name: &str| intent.assignees(hold).iter().any(|assignee| assignee == name);
    // Who has passed it on is none of its people any more, and may say so again.
    if named(to) && (to == by.name || !named(&by.name)) && !asks(intent, &by.name) {
        return Ok(());
    }
    entitled(intent, hold, by)?;
    open_until(intent, history.now)?;
    if asks(intent, to) || hold.opened_by == to {
        return Err(Rejection::SelfApproval);
    }
    let (to, note) = (to.to_owned(), note.cloned());
    history.push(&by.name, EventKind::Reassigned { to, note });
    Ok(())
}

pub(super) fn cancel(
    intent: &Intent,
    by: &Principal,
    reason: &str,
    history: &mut History,
) -> Result<(), Rejection> {
    let allowed = match by.role {
        Role::Admin => true,
        Role::Agent => by.name == intent.envelope.from,
        Role::Reviewer => false,
    };
    if !allowed {
        return Err(Rejection::NotTheSender);
    }
    if matches!(intent.phase, Phase::Canceled { .. }) {
        return Ok(());
    }
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    history.push(&by.name, EventKind::Canceled { reason: reason.to_owned() });
    Ok(())
}
