//! What people may do.

use serde_json::{Value, json};

use super::{History, in_time};
use crate::intent::command::Seen;
use crate::intent::event::EventKind;
use crate::intent::human_task::{Decision, Hold, HumanTask, Outcome};
use crate::intent::phase::{Failure, Phase};
use crate::intent::{Intent, Rejection, Status};
use crate::principal::{Principal, Role};

/// A reviewer's answer.
pub(super) struct Answer<'a> {
    pub(super) outcome: Outcome,
    pub(super) comment: Option<&'a String>,
}

pub(super) fn decide(
    intent: &Intent,
    by: &Principal,
    answer: &Answer<'_>,
    seen: Option<&Seen>,
    history: &mut History,
) -> Result<(), Rejection> {
    entitled(intent, by)?;
    if let Some(decided) = intent.decided() {
        return repeated(&decided.decision, by, answer);
    }
    match intent.status() {
        Status::TimedOut => return Err(Rejection::DeadlinePassed(intent.envelope.deadline_at)),
        ended @ (Status::Completed | Status::Failed | Status::Canceled) => {
            return Err(Rejection::Ended(ended));
        }
        Status::Created
        | Status::Submitted
        | Status::Delivered
        | Status::Acknowledged
        | Status::InProgress
        | Status::Waiting => in_time(intent, history.now)?,
    }
    let (Some(hold), Some(task)) = (intent.open_hold(), intent.human_task()) else {
        return Err(Rejection::NothingToDecide(intent.status()));
    };
    let fits = |seen: &Seen| seen.version == hold.version && seen.digest == hold.digest;
    if !seen.is_none_or(fits) {
        return Err(Rejection::StaleView);
    }
    answers(task, answer)?;
    let decision = Decision {
        outcome: answer.outcome,
        comment: answer.comment.cloned(),
        by: by.name.clone(),
        assurance: by.assurance,
        decided_at: history.now,
        digest: hold.digest.clone(),
    };
    settle(hold, decision, by, history);
    Ok(())
}

fn settle(hold: &Hold, decision: Decision, by: &Principal, history: &mut History) {
    match decision.outcome {
        Outcome::Approved => {
            let result = hold.proposal.clone().unwrap_or_else(|| verdict(&decision));
            history.push(&by.name, EventKind::Approved { decision });
            history.push(&by.name, EventKind::Completed { result });
        }
        Outcome::Rejected => {
            let reason =
                decision.comment.clone().unwrap_or_else(|| format!("rejected by {}", by.name));
            let failure = Failure { code: "rejected".to_owned(), reason, error: Value::Null };
            history.push(&by.name, EventKind::Failed { failure, decision: Some(decision) });
        }
    }
}

/// The result of an intent that was nothing but a question.
fn verdict(decision: &Decision) -> Value {
    json!({
        "approved": decision.outcome == Outcome::Approved,
        "outcome": decision.outcome,
        "comment": decision.comment,
        "decided_by": decision.by,
        "decided_at": decision.decided_at,
    })
}

/// Whether this person may decide this at all, asked before anything is said about its state.
fn entitled(intent: &Intent, by: &Principal) -> Result<(), Rejection> {
    match by.role {
        Role::Reviewer => {}
        Role::Agent | Role::Admin => {
            return Err(Rejection::WrongRole { has: by.role, needs: Role::Reviewer });
        }
    }
    if asks(intent, &by.name) {
        return Err(Rejection::SelfApproval);
    }
    let assignees = intent.human_task().map_or(&[] as &[String], |task| &task.assignees);
    if assignees.is_empty() || assignees.contains(&by.name) || is_escalated_to(intent, by) {
        Ok(())
    } else {
        Err(Rejection::NotAssigned)
    }
}

/// Whether `name` is behind the question: as the sender, as the one who gave the result, or as the
/// agent, its key or the sender of the intent in whose course it came up.
fn asks(intent: &Intent, name: &str) -> bool {
    intent.envelope.from == name
        || last_hold(intent).is_some_and(|hold| hold.opened_by == name)
        || intent
            .envelope
            .parent
            .as_ref()
            .is_some_and(|parent| parent.sender == name || parent.asker == name)
}

/// Whether the task was escalated to this person, who need not be an assignee.
fn is_escalated_to(intent: &Intent, by: &Principal) -> bool {
    let escalated = last_hold(intent).is_some_and(|hold| hold.escalated);
    let to = intent.envelope.escalate_to.as_ref().filter(|_| escalated);
    to.is_some_and(|to| to.path() == by.name)
}

/// The hold that waits, or the one that a decision has ended: who repeats a decision is as entitled
/// as before.
fn last_hold(intent: &Intent) -> Option<&Hold> {
    intent.open_hold().or(intent.decided().map(|decided| &decided.hold))
}

fn repeated(decision: &Decision, by: &Principal, answer: &Answer<'_>) -> Result<(), Rejection> {
    if decision.by == by.name && decision.outcome == answer.outcome {
        return Ok(());
    }
    Err(Rejection::AlreadyDecided {
        outcome: decision.outcome,
        by: decision.by.clone(),
        decided_at: decision.decided_at,
    })
}

fn answers(task: &HumanTask, answer: &Answer<'_>) -> Result<(), Rejection> {
    if !task.allowed_outcomes.contains(&answer.outcome) {
        return Err(Rejection::OutcomeNotAllowed(answer.outcome));
    }
    let commented = answer.comment.is_some_and(|comment| !comment.trim().is_empty());
    if task.required_comment && !commented {
        return Err(Rejection::CommentRequired);
    }
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
