//! What people may do.

use serde_json::{Value, json};
use uuid::Uuid;

use super::workflow;
use super::{History, in_time};
use crate::intent::answer::{Answer, Settled};
use crate::intent::command::Seen;
use crate::intent::event::EventKind;
use crate::intent::human_task::{Decision, Hold};
use crate::intent::inbox::MESSAGES_MAX;
use crate::intent::phase::{Failure, Phase};
use crate::intent::policy::Right;
use crate::intent::{Intent, Rejection, Status};
use crate::principal::{Principal, Role};

pub(super) fn decide(
    intent: &Intent,
    by: &Principal,
    answer: &Answer,
    seen: Option<&Seen>,
    history: &mut History,
) -> Result<(), Rejection> {
    entitled(intent, by)?;
    let hold = intent.open_hold();
    if let (Some(decided), None) = (intent.decided(), hold) {
        return repeated(intent, &decided.decision, by, answer);
    }
    match intent.status() {
        Status::TimedOut => return Err(Rejection::DeadlinePassed(intent.deadline_at())),
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
    let Some((hold, task)) = hold.and_then(|hold| Some((hold, intent.task_of(hold)?))) else {
        return Err(Rejection::NothingToDecide(intent.status()));
    };
    let until = intent.decide_until();
    if history.now >= until {
        return Err(Rejection::DeadlinePassed(until));
    }
    let fits = |seen: &Seen| seen.version == hold.version && seen.digest == hold.digest;
    if !seen.is_none_or(fits) || (seen.is_none() && intent.was_just_answered(by, history.now)) {
        return Err(Rejection::StaleView);
    }
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
    let verdict = verdict(&decision);
    if intent.run.is_some() {
        return workflow::decided(decision, verdict, &by.name, history);
    }
    if approves {
        let result = hold.proposal.clone().unwrap_or(verdict);
        history.push(&by.name, EventKind::Approved { decision });
        history.push(&by.name, EventKind::Completed { result });
    } else {
        let said = format!("{} by {}", decision.outcome, by.name);
        let reason = decision.comment.clone().unwrap_or(said);
        let failure = Failure { code: "rejected".to_owned(), reason, error: Value::Null };
        history.push(&by.name, EventKind::Failed { failure, decision: Some(decision) });
    }
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
    let is_for = last_hold(intent).is_none_or(|hold| intent.is_for(hold, &by.name));
    if is_for { Ok(()) } else { Err(Rejection::NotAssigned) }
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

/// The hold that waits, or the one that a decision has ended: who repeats a decision is as entitled
/// as before.
fn last_hold(intent: &Intent) -> Option<&Hold> {
    intent.open_hold().or(intent.decided().map(|decided| &decided.hold))
}

fn repeated(
    intent: &Intent,
    decision: &Decision,
    by: &Principal,
    answer: &Answer,
) -> Result<(), Rejection> {
    let same = || {
        let settled = answer.settle(intent.human_task()?).ok()?;
        Some(settled.outcome == decision.outcome)
    };
    if decision.by == by.name && same().unwrap_or(false) {
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
    entitled(intent, by)?;
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    let Some(hold) = intent.open_hold() else {
        return Err(Rejection::NothingToDecide(intent.status()));
    };
    if asks(intent, to) {
        return Err(Rejection::SelfApproval);
    }
    let passed_on = !hold.reassigned_to.is_empty() && intent.is_for(hold, to);
    if !passed_on {
        let (to, note) = (to.to_owned(), note.cloned());
        history.push(&by.name, EventKind::Reassigned { to, note });
    }
    Ok(())
}

/// Leaves a message. One that is sent again under its name is left once.
pub(super) fn say(
    intent: &Intent,
    by: &Principal,
    message_id: Uuid,
    text: &str,
    history: &mut History,
) -> Result<(), Rejection> {
    takes_part(intent, by)?;
    if intent.messages.recent.contains(&message_id) {
        return Ok(());
    }
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    if intent.messages.count >= MESSAGES_MAX {
        return Err(Rejection::TooManyMessages);
    }
    history.push(&by.name, EventKind::Said { message_id, text: text.to_owned() });
    Ok(())
}

/// Hides messages from their readers; history keeps them.
pub(super) fn hide(
    intent: &Intent,
    by: &Principal,
    message_ids: &[Uuid],
    from_all: bool,
    history: &mut History,
) -> Result<(), Rejection> {
    takes_part(intent, by)?;
    if intent.is_ended() {
        return Err(Rejection::Ended(intent.status()));
    }
    in_time(intent, history.now)?;
    if !message_ids.is_empty() {
        let message_ids = message_ids.to_vec();
        history.push(&by.name, EventKind::Hidden { message_ids, from_all });
    }
    Ok(())
}

/// Whether this principal may speak on the intent: its sender, its agent, whoever was granted to
/// resume it, and people.
fn takes_part(intent: &Intent, by: &Principal) -> Result<(), Rejection> {
    let takes_part = match by.role {
        Role::Reviewer | Role::Admin => true,
        Role::Agent => {
            by.name == intent.envelope.from
                || by.speaks_for(intent.handler())
                || intent.grants(by, Right::Resume)
        }
    };
    if takes_part { Ok(()) } else { Err(Rejection::NotTheHandler) }
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
