//! What a notice says.

use serde_json::{Value, json};
use shared::digest::Digest;
use shared::http::page;
use shared::intent::Intent;
use shared::intent::human_task::{Hold, HumanTask};
use shared::intent::workflow::Work;
use shared::link::Link;
use shared::message::Notice;

use super::Notifier;

/// Whom a link names where the task names nobody.
const ANY_REVIEWER: &str = "reviewer";

/// A notice to one person.
#[derive(Debug)]
pub(super) struct Letter {
    /// The same for the same notice, however often it is sent: the receiver's idempotency key.
    pub(super) id: String,
    /// The body.
    pub(super) body: Value,
}

/// The letters that a notice comes to. Those that ask for a decision are one for each person, and
/// none once nothing waits.
pub(super) fn letters(notifier: &Notifier, intent: &Intent, notice: &Notice) -> Vec<Letter> {
    if let Notice::Step { step } = notice {
        return of_step(intent, *step).into_iter().collect();
    }
    let (Some(hold), Some(task)) = (intent.open_hold(), intent.human_task()) else {
        return vec![];
    };
    let letter = |reviewer: String| letter(notifier, intent, hold, notice, &reviewer);
    people(intent.assignees(hold), task, notice).into_iter().filter_map(letter).collect()
}

/// What a workflow has to say in a step. It asks for nothing, so it is sent even if the workflow has
/// ended since; it often is the last thing that a workflow does.
fn of_step(intent: &Intent, place: usize) -> Option<Letter> {
    let workflow = intent.envelope.workflow.as_ref()?;
    let step = workflow.step(place)?;
    let (to, subject, body) = match &step.work {
        Work::Notify { to, subject, body } => (to.clone(), subject.clone(), body.as_ref()),
        Work::Escalate { to, reason } => {
            let subject = format!("{} was escalated to you", workflow.scenario_id);
            (Some(to.path().to_owned()), subject, reason.as_ref())
        }
        Work::Agent { .. } | Work::Human { .. } | Work::Delay { .. } | Work::Timeout { .. } => {
            return None;
        }
    };
    let kind = "intent.notification";
    let id = letter_id(&format!("{kind}/{place}/{}", intent.id))?;
    let body = json!({
        "type": kind,
        "timestamp": intent.updated_at,
        "data": {
            "intent_id": intent.id,
            "parent_intent_id": intent.envelope.parent.as_ref().map(|parent| parent.intent),
            "scenario_id": workflow.scenario_id,
            "step_id": step.id,
            "to": to,
            "subject": subject,
            "body": body,
            "sent_by": intent.envelope.from,
        },
    });
    Some(Letter { id, body })
}

fn letter_id(name: &str) -> Option<String> {
    Some(format!("msg_{}", Digest::of_bytes(name.as_bytes()).hex().get(..32)?))
}

fn people(assignees: &[String], task: &HumanTask, notice: &Notice) -> Vec<String> {
    match notice {
        Notice::Escalation { to } => vec![to.path().to_owned()],
        Notice::Reassigned { to } => vec![to.clone()],
        Notice::Step { .. } => vec![],
        Notice::Assigned | Notice::Reminder { .. } if assignees.is_empty() => {
            vec![task.notify_email.clone().unwrap_or_else(|| ANY_REVIEWER.to_owned())]
        }
        Notice::Assigned | Notice::Reminder { .. } => assignees.to_vec(),
    }
}

fn letter(
    notifier: &Notifier,
    intent: &Intent,
    hold: &Hold,
    notice: &Notice,
    reviewer: &str,
) -> Option<Letter> {
    let link = Link {
        tenant: intent.envelope.tenant.clone(),
        intent_id: intent.id.uuid(),
        hold_version: hold.version,
        reviewer: reviewer.to_owned(),
        expires_at: intent.decide_until(),
    };
    let token = link.sign(&notifier.secret).ok()?;
    let url = format!("{}{}", notifier.public_url, page::path(token.as_str()));
    let (kind, number) = match notice {
        Notice::Assigned => ("intent.human_task_assigned", 0),
        Notice::Reassigned { .. } => ("intent.reassigned", 0),
        Notice::Step { step } => ("intent.notification", u32::try_from(*step).unwrap_or(0)),
        Notice::Reminder { count } => ("intent.reminder", *count),
        Notice::Escalation { .. } => ("intent.escalated", 0),
    };
    let name = format!("{kind}/{number}/{}/{}/{reviewer}", intent.id, hold.version);
    let id = letter_id(&name)?;
    let body = json!({
        "type": kind,
        "timestamp": intent.updated_at,
        "data": {
            "intent_id": intent.id,
            "parent_intent_id": intent.envelope.parent.as_ref().map(|parent| parent.intent),
            "step_id": step_id(intent, hold),
            "reviewer": reviewer,
            "title": intent.human_task().map(|task| &task.title),
            "asked_by": intent.envelope.from,
            "due_at": intent.decide_until(),
            "digest": hold.digest,
            "review_url": url,
        },
    });
    Some(Letter { id, body })
}

/// The step of a workflow that a hold belongs to: the intent's own, or the parent's whose child it is.
fn step_id<'a>(intent: &'a Intent, hold: &Hold) -> Option<&'a str> {
    let own = hold.step.and_then(|step| intent.envelope.workflow.as_ref()?.step(step));
    let parents = intent.envelope.parent.as_ref().filter(|parent| parent.is_step);
    own.map(|step| step.id.as_str()).or(parents.map(|parent| parent.call_id.as_str()))
}
