//! JSON Schemas of the MCP tools, with the limits that are really checked.

use serde_json::{Map, Value, json};

use super::{LISTED_MAX, Standing, TOOL_CHARS_MAX, WAIT_SECONDS_DEFAULT};
use crate::http::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::http::sse::{WAIT_SECONDS_MAX, WAIT_SECONDS_MIN};
use crate::http::wire::human_task::PERSON_CHARS_MAX;
use crate::intent::envelope::{TTL_SECONDS_MAX, TTL_SECONDS_MIN};
use crate::intent::human_task::{ASSIGNEES_MAX, DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX};

/// What `request_approval` takes.
pub fn request() -> Map<String, Value> {
    let properties = json!({
        "title": {
            "type": "string", "minLength": 1, "maxLength": TITLE_CHARS_MAX,
            "description": "One line that says what would be done, such as: Delete the 312 \
                            inactive accounts in production?",
        },
        "description": {
            "type": "string", "maxLength": DESCRIPTION_CHARS_MAX,
            "description": "Why, what it touches, and what cannot be undone. The reviewer reads it.",
        },
        "tool": {
            "type": "string", "maxLength": TOOL_CHARS_MAX,
            "description": "The tool or command that would run after a yes.",
        },
        "arguments": {
            "type": "object",
            "description": "What it would run with, complete. The reviewer sees all of it, and a \
                            yes covers this and nothing else. Send whole numbers beyond \
                            9007199254740991 as strings.",
        },
        "assignees": {
            "type": "array", "maxItems": ASSIGNEES_MAX,
            "items": {"type": "string", "minLength": 1, "maxLength": PERSON_CHARS_MAX},
            "description": "Names of the reviewers who may decide. Leave it out for any reviewer.",
        },
        "timeout_seconds": {
            "type": "integer", "minimum": TTL_SECONDS_MIN, "maximum": TTL_SECONDS_MAX,
            "description": "How long people may take. People need hours rather than seconds.",
        },
        "idempotency_key": {
            "type": "string", "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
            "description": "A name of your own for this request. Sent again with the same \
                            arguments it gives the same approval, so always send one, and the \
                            same one when you repeat a call whose answer was lost.",
        },
    });
    object(properties, &["title"])
}

/// What `get_approval` takes.
pub fn look() -> Map<String, Value> {
    object(json!({"approval_id": approval_id()}), &["approval_id"])
}

/// What `wait_for_approval` takes.
pub fn wait() -> Map<String, Value> {
    let properties = json!({
        "approval_id": approval_id(),
        "wait_seconds": {
            "type": "integer", "minimum": WAIT_SECONDS_MIN, "maximum": WAIT_SECONDS_MAX,
            "default": WAIT_SECONDS_DEFAULT,
            "description": "How long to wait at most. Stay below your client's own time limit.",
        },
    });
    object(properties, &["approval_id"])
}

/// What `list_approvals` takes.
pub fn list() -> Map<String, Value> {
    object(json!({}), &[])
}

/// What the first three tools answer.
pub fn approval() -> Map<String, Value> {
    let words = Standing::ALL.map(Standing::word);
    let instant = json!({"type": "string", "format": "date-time"});
    let properties = json!({
        "approval_id": {"type": "string", "format": "uuid"},
        "status": {"type": "string", "enum": words},
        "approved": {
            "type": "boolean",
            "description": "True only after a person said yes. Go ahead on nothing else.",
        },
        "next": {"type": "string", "description": "What to do now."},
        "title": {"type": "string"},
        "tool": {"type": "string"},
        "asked_at": instant,
        "deadline_at": instant,
        "decided_by": {"type": "string"},
        "decided_at": instant,
        "comment": {"type": "string", "description": "The reviewer's own words."},
        "digest": {
            "type": "string",
            "description": "SHA-256 of the whole action that the reviewer decided on.",
        },
    });
    object(properties, &["approval_id", "status", "approved", "next", "asked_at", "deadline_at"])
}

/// What `list_approvals` answers.
pub fn approvals() -> Map<String, Value> {
    let properties = json!({
        "approvals": {"type": "array", "maxItems": LISTED_MAX, "items": approval()},
        "has_more": {
            "type": "boolean",
            "description": "Whether there are more, which show as these are decided.",
        },
    });
    object(properties, &["approvals", "has_more"])
}

fn approval_id() -> Value {
    json!({
        "type": "string", "format": "uuid",
        "description": "The approval_id that request_approval answered.",
    })
}

fn object(properties: Value, required: &[&str]) -> Map<String, Value> {
    Map::from_iter([
        ("type".to_owned(), json!("object")),
        ("properties".to_owned(), properties),
        ("required".to_owned(), json!(required)),
        ("additionalProperties".to_owned(), json!(false)),
    ])
}
