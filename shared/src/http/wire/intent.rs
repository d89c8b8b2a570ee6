//! An intent, as clients read it.

use serde_json::{Map, Value, json};

use super::{human_task, workflow, working_hours};
use crate::intent::ask::Ask;
use crate::intent::record::{Recorded, pending_with};
use crate::intent::{Intent, Phase, Status};

/// Writes `{ok, intent}` with the intent's keys mirrored at the top, where some clients look.
pub fn envelope(intent: &Intent) -> Value {
    mirrored(present(intent))
}

/// Writes the same, with the states that its history gives the steps of its workflow.
pub fn envelope_with_steps(intent: &Intent, history: &[Recorded]) -> Value {
    let mut body = present(intent);
    if let Value::Object(fields) = &mut body {
        fields.extend(workflow::fields(intent, Some(history)));
    }
    mirrored(body)
}

fn mirrored(body: Value) -> Value {
    let mut answer = Map::from_iter([("ok".to_owned(), json!(true))]);
    if let Value::Object(fields) = &body {
        answer.extend(fields.clone());
    }
    answer.insert("intent".to_owned(), body);
    Value::Object(answer)
}

/// Writes an intent.
pub fn present(intent: &Intent) -> Value {
    let sent = &intent.envelope;
    let status = intent.status().name();
    let waiting = intent.phase.waiting_reason().map(crate::intent::WaitingReason::name);
    let mut body = json!({
        "intent_id": intent.id,
        "status": status,
        "lifecycle_status": status,
        "legacy_status": legacy(intent.status()),
        "waiting_reason": waiting,
        "lifecycle_waiting_reason": waiting,
        "created_at": intent.created_at,
        "updated_at": intent.updated_at,
        "intent_type": sent.intent_type,
        "correlation_id": sent.correlation_id,
        "from_agent": sent.from,
        "to_agent": sent.to.uri(),
        "handler": intent.handler().uri(),
        "payload": sent.payload,
        "reply_to": sent.reply_to.as_ref().map(crate::address::Address::uri),
        "deadline_at": intent.deadline_at(),
        "due_at": intent.deadline_at(),
        "remind_after_seconds": sent.reminders.after_s,
        "remind_interval_seconds": sent.reminders.after_s.map(|_| sent.reminders.interval_s),
        "max_reminders": sent.reminders.after_s.map(|_| sent.reminders.max),
        "working_hours": sent.working_hours.as_ref().map(working_hours::present),
        "escalate_to": sent.escalate_to.as_ref().map(crate::address::Address::uri),
        "max_delivery_attempts": intent.delivery_attempts_max(),
        "delivery_attempt": intent.delivery_attempt,
        "pending_with": pending_with(intent),
        "human_task": intent.human_task().map(human_task::present),
        "parent_intent_id": sent.parent.as_ref().map(|parent| parent.intent),
        "step_id": sent.parent.as_ref().filter(|parent| parent.is_step).map(|it| &it.call_id),
        "result": result(intent),
        "seq": intent.seq,
    });
    if let Value::Object(fields) = &mut body {
        fields.extend(super::policy::fields(intent));
        fields.extend(hold(intent));
        fields.extend(ending(intent));
        fields.extend(workflow::fields(intent, None));
        if !intent.asks.is_empty() {
            fields.insert("approvals".to_owned(), intent.asks.iter().map(ask).collect());
        }
    }
    body
}

/// What came of it; an object, or null while there is nothing.
pub fn result(intent: &Intent) -> Value {
    match &intent.phase {
        Phase::Completed { result, .. } => result.clone(),
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_)
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => Value::Null,
    }
}

/// What waits for a decision, with all that a reviewer must see and send back.
fn hold(intent: &Intent) -> Map<String, Value> {
    let Some(hold) = intent.open_hold() else { return Map::new() };
    let mut fields = Map::new();
    fields.insert("remind_count".to_owned(), json!(hold.remind_count));
    fields.insert(
        "hold".to_owned(),
        json!({
            "version": hold.version,
            "digest": hold.digest,
            "opened_at": hold.opened_at,
            "decide_until": intent.decide_until(),
            "action": intent.action(hold),
        }),
    );
    fields
}

fn ending(intent: &Intent) -> Map<String, Value> {
    let mut fields = Map::new();
    match &intent.phase {
        Phase::Failed { failure, .. } => {
            fields.insert("error".to_owned(), json!(failure));
        }
        Phase::Canceled { reason, .. } => {
            fields.insert("reason".to_owned(), json!(reason));
        }
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::TimedOut { .. } => {}
    }
    if let Some(decided) = intent.decided() {
        fields.insert("decision".to_owned(), json!(decided.decision));
    }
    fields
}

/// Writes an approval that the agent asked for.
pub fn ask(ask: &Ask) -> Value {
    let ending = ask.ending.as_ref();
    let decision = ending.and_then(|ending| ending.decision.as_ref());
    json!({
        "call_id": ask.call_id,
        "approval_id": ask.child,
        "tool": ask.tool,
        "status": ending.map_or("WAITING", |ending| ending.status.name()),
        "approved": ending.map(crate::intent::ask::AskEnding::is_approved),
        "outcome": decision.map(|decision| &decision.outcome),
        "comment": decision.and_then(|decision| decision.comment.clone()),
        "decided_by": decision.map(|decision| decision.by.clone()),
        "decided_at": decision.map(|decision| decision.decided_at),
    })
}

fn legacy(status: Status) -> &'static str {
    match status {
        Status::Created | Status::Submitted | Status::Delivered => "accepted",
        Status::Acknowledged | Status::InProgress => "running",
        Status::Waiting => "blocked",
        Status::Completed => "done",
        Status::Failed | Status::Canceled | Status::TimedOut => "failed",
    }
}
