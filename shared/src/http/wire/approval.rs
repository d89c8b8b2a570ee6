//! `POST /v1/approvals/{id}/decision`.

use serde_json::{Map, Value, json};

use super::resume::{Answered, answer};
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::Intent;

/// The longest comment here, in characters. The contract's limit; other channels take longer ones.
pub(crate) const COMMENT_CHARS_MAX: usize = 1000;

/// Reads `{decision: approve | reject, comment?}`; `{approved: bool, reason?}` is an older spelling.
pub fn read(body: &Map<String, Value>) -> Result<Answered, Error> {
    let given = match body.get("decision").and_then(Value::as_str) {
        Some("approve" | "approved") => Some(true),
        Some("reject" | "rejected") => Some(false),
        Some(other) => {
            let detail = format!("is `{other}`; send approve or reject");
            return Err(Error::field("decision", detail));
        }
        None if body.contains_key("approved") => None,
        None => return Err(Error::field("decision", "is missing; send approve or reject")),
    };
    let answered = answer(body, given)?;
    let chars = answered.answer.comment.as_ref().map_or(0, |comment| comment.chars().count());
    if chars > COMMENT_CHARS_MAX {
        let detail = format!("has {chars} characters; send at most {COMMENT_CHARS_MAX}");
        return Err(Error::field("comment", detail));
    }
    Ok(answered)
}

/// Writes the decision, in the contract's words.
pub fn present(id: IntentId, intent: &Intent) -> Value {
    let decision = intent.decided().map(|decided| &decided.decision);
    let word = decision.map(|it| if it.is_approval() { "approve" } else { "reject" });
    json!({
        "ok": true,
        "approval": {
            "approval_id": id,
            "intent_id": intent.id,
            "decision": word,
            "outcome": decision.map(|decision| &decision.outcome),
            "comment": decision.and_then(|decision| decision.comment.clone()),
            "decided_at": decision.map(|decision| decision.decided_at),
            "decided_by": decision.map(|decision| decision.by.clone()),
            "digest": decision.map(|decision| decision.digest.clone()),
        },
        "intent_id": intent.id,
        "status": intent.status().name(),
    })
}
