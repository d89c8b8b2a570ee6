//! JSON Schemas of single values, with the limits that are really checked.

use std::fmt::Display;

use serde_json::{Map, Value, json};

use crate::address::{ADDRESS_CHARS_MAX, SCHEME};
use crate::id::IntentId;
use crate::intent::human_task::{Outcome, TaskType};
use crate::intent::outcome::OUTCOME_CHARS_MAX;
use crate::intent::{Status, WaitingReason};
use crate::principal::Role;

/// An intent that examples speak of.
pub(super) fn example_id() -> String {
    IntentId::derived(&["openapi", "example"]).to_string()
}

/// The schema under this name in the document's components.
pub(super) fn named(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// An object with these members; whatever else it has is no fault.
pub(super) fn object(required: &[&str], properties: Value) -> Value {
    let mut schema = json!({"type": "object", "properties": properties});
    if let (false, Value::Object(fields)) = (required.is_empty(), &mut schema) {
        fields.insert("required".to_owned(), json!(required));
    }
    schema
}

/// An answer: `ok`, and these members, each of which is always there.
pub(super) fn answer(properties: Value) -> Value {
    let mut members = Map::from_iter([("ok".to_owned(), json!({"const": true}))]);
    if let Value::Object(properties) = properties {
        members.extend(properties);
    }
    let required: Vec<String> = members.keys().cloned().collect();
    json!({"type": "object", "properties": members, "required": required})
}

/// A list.
pub(super) fn list(items: Value) -> Value {
    json!({"type": "array", "items": items})
}

/// A list of at most so many.
pub(super) fn list_to(items_max: usize, items: Value) -> Value {
    json!({"type": "array", "items": items, "maxItems": items_max})
}

/// The value, or null.
pub(super) fn or_null(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "null"}]})
}

/// The value, described where it stands.
pub(super) fn said(description: &str, schema: Value) -> Value {
    match schema {
        Value::Object(mut fields) => {
            fields.insert("description".to_owned(), json!(description));
            Value::Object(fields)
        }
        // `true`: any value.
        Value::Bool(_) | Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            json!({"description": description})
        }
    }
}

/// Any text.
pub(super) fn text() -> Value {
    json!({"type": "string"})
}

/// A text that says something.
pub(super) fn text_to(chars_max: usize) -> Value {
    json!({"type": "string", "minLength": 1, "maxLength": chars_max, "pattern": "\\S"})
}

/// A text that may be missing or blank.
pub(super) fn optional_text(chars_max: usize) -> Value {
    json!({"type": ["string", "null"], "maxLength": chars_max})
}

/// Yes or no, or nothing.
pub(super) fn optional_flag() -> Value {
    json!({"type": ["boolean", "null"]})
}

/// A whole number of at least 0.
pub(super) fn count() -> Value {
    json!({"type": "integer", "minimum": 0})
}

/// A whole number that may be missing. Clients that write every value as text are understood.
pub(super) fn optional_whole(min: impl Into<u64>, max: impl Into<u64>) -> Value {
    let (min, max) = (min.into(), max.into());
    json!({
        "type": ["integer", "string", "null"],
        "minimum": min,
        "maximum": max,
        "pattern": "^[0-9]+$",
    })
}

/// Statuses with commas between them.
pub(super) fn statuses() -> Value {
    let words = Status::ALL.map(Status::name).join("|");
    json!({"type": "string", "pattern": format!("^(({words})(,({words}))*)?$")})
}

/// A value of a query string, where an empty one is none.
pub(super) fn queried(schema: Value) -> Value {
    json!({"anyOf": [schema, {"type": "string", "maxLength": 0}]})
}

/// An address in a query string, where an empty one is none.
pub(super) fn queried_address() -> Value {
    queried(address())
}

/// A moment.
pub(super) fn instant() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// A UUID.
pub(super) fn uuid() -> Value {
    json!({"type": "string", "format": "uuid"})
}

/// A SHA-256 digest.
pub(super) fn digest() -> Value {
    json!({"type": "string", "pattern": "^[0-9a-f]{64}$"})
}

/// The segments of an address.
pub(super) const ADDRESS_PATH: &str = "[A-Za-z0-9._@+-]+(/[A-Za-z0-9._@+-]+){0,2}";

/// An address as clients send it, with its scheme or without. The limit is that of the longer spelling.
pub(super) fn address() -> Value {
    let bare_max = ADDRESS_CHARS_MAX - SCHEME.len();
    json!({
        "type": "string",
        "anyOf": [
            {"pattern": format!("^{SCHEME}{ADDRESS_PATH}$"), "maxLength": ADDRESS_CHARS_MAX},
            {"pattern": format!("^{ADDRESS_PATH}$"), "maxLength": bare_max},
        ],
        "examples": ["agent://deployer", "agent://team/production/deployer"],
    })
}

/// An address as it is written in answers.
pub(super) fn uri() -> Value {
    json!({"type": "string", "pattern": "^agent://"})
}

/// One of these words.
pub(super) fn words<T: Display>(words: impl IntoIterator<Item = T>) -> Value {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string()).collect();
    json!({"type": "string", "enum": words})
}

/// A lifecycle status.
pub(super) fn status() -> Value {
    words(Status::ALL.map(Status::name))
}

/// What an intent waits for.
pub(super) fn waiting_reason() -> Value {
    let all = [
        WaitingReason::WaitingForHuman,
        WaitingReason::WaitingForTool,
        WaitingReason::WaitingForAgent,
        WaitingReason::WaitingForTime,
    ];
    or_null(words(all.map(WaitingReason::name)))
}

/// A role.
pub(super) fn role() -> Value {
    words([Role::Agent, Role::Reviewer, Role::Admin].map(Role::name))
}

/// A kind of human task.
pub(super) fn task_type() -> Value {
    words(TaskType::ALL.map(TaskType::name))
}

/// A word of an answer.
pub(super) fn outcome() -> Value {
    json!({
        "type": "string",
        "pattern": format!("^[a-z0-9_-]{{1,{OUTCOME_CHARS_MAX}}}$"),
        "examples": [Outcome::APPROVED, Outcome::REJECTED],
    })
}
