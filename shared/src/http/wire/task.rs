//! `GET /v1/me/tasks`: what waits for a reviewer.

use serde_json::{Value, json};

use super::human_task;
use crate::intent::Intent;
use crate::principal::Principal;

/// Whether the task is one that `by` may decide.
pub fn concerns(by: &Principal, intent: &Intent) -> bool {
    intent.open_hold().is_some_and(|hold| intent.is_for(hold, &by.name))
}

/// Writes a task. `approve_url` is the reviewer's own link to its page.
pub fn present(intent: &Intent, approve_url: Option<&str>) -> Value {
    let hold = intent.open_hold();
    json!({
        "intent_id": intent.id,
        "intent_type": intent.envelope.intent_type,
        "status": intent.status().name(),
        "from_agent": intent.envelope.from,
        "assigned_at": hold.map(|hold| hold.opened_at),
        "due_at": intent.decide_until(),
        "human_task": intent.human_task().map(human_task::present),
        "version": hold.map(|hold| hold.version),
        "digest": hold.map(|hold| &hold.digest),
        "action": hold.and_then(|hold| intent.action(hold)),
        "parent_intent_id": intent.envelope.parent.as_ref().map(|parent| parent.intent),
        "approve_url": approve_url,
    })
}
