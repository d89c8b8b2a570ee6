//! Parameters of operations.

use serde_json::{Value, json};

use super::schema;
use crate::http::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::http::sse::{
    STREAMED_WAIT_SECONDS_MAX, WAIT_SECONDS_DEFAULT, WAIT_SECONDS_MAX, WAIT_SECONDS_MIN,
};
use crate::intent::ask::CALL_ID_CHARS_MAX;

/// A part of the path.
pub(super) fn path(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": schema})
}

/// A part of the query string.
pub(super) fn query(name: &str, description: &str, schema: Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

/// The intent of the path.
pub(super) fn intent() -> Value {
    path("id", "The intent.", schema::uuid())
}

/// The tool call of the path.
pub(super) fn call() -> Value {
    path("call_id", "The agent's own name for the tool call.", call_id())
}

/// An agent's name for a tool call.
pub(super) fn call_id() -> Value {
    let pattern = format!("^[A-Za-z0-9][A-Za-z0-9._:~-]{{0,{}}}$", CALL_ID_CHARS_MAX - 1);
    json!({"type": "string", "pattern": pattern})
}

/// One segment of an address.
pub(super) fn segment(name: &str) -> Value {
    let schema = json!({"type": "string", "pattern": "^[A-Za-z0-9._@+-]+$"});
    path(name, "A segment of the agent's address.", schema)
}

/// A whole address: it may have slashes of its own in the path.
pub(super) fn address() -> Value {
    let mut parameter = path(
        "address",
        "An address of one to three segments. Its slashes may stand in the path as they are.",
        schema::address(),
    );
    if let Value::Object(fields) = &mut parameter {
        fields.insert(super::SEVERAL_SEGMENTS.to_owned(), json!(true));
    }
    parameter
}

/// The key under which a repeated request is one.
pub(super) fn idempotency_key() -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A name of your own for this request. Sent again with the same body it gives \
                        the first answer; with another body it is refused.",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
            "pattern": "^[!-~]([ -~]*[!-~])?$",
        },
    })
}

/// The owner that a request is about.
pub(super) fn owner_agent() -> Value {
    let description = "Whose they are: an address. Without it they are the key's own. It may stand \
                       in the header `x-owner-agent` instead.";
    query("owner_agent", description, schema::queried_address())
}

/// How many to list.
pub(super) fn limit(default: usize, max: usize) -> Value {
    let schema = json!({"type": "integer", "minimum": 1, "maximum": max, "default": default});
    query("limit", "The most of them to list.", schema)
}

/// How many to list, where the rest is behind a cursor.
pub(super) fn page_limit(default: usize, max: usize) -> Value {
    let description = format!("The most of them to list; a number above {max} counts as {max}.");
    let schema = json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "default": default});
    query("limit", &description, schema)
}

/// Where a list goes on.
pub(super) fn cursor() -> Value {
    let description = "The `next_cursor` of the part before. It means nothing by itself.";
    query("cursor", description, schema::text())
}

/// Where to go on reading.
pub(super) fn since() -> Value {
    let description =
        "The last number that was seen; later ones follow. 0 begins at the beginning.";
    query(
        "since",
        description,
        json!({"type": "integer", "minimum": 0, "maximum": u64::MAX, "default": 0}),
    )
}

/// How long to hold a stream.
pub(super) fn wait_seconds() -> Value {
    let description = format!(
        "How long to wait for something to happen. A stream is held for {WAIT_SECONDS_MAX} seconds \
         at most; its reader comes back by itself."
    );
    let schema = json!({
        "type": "integer",
        "minimum": WAIT_SECONDS_MIN,
        "maximum": STREAMED_WAIT_SECONDS_MAX,
        "default": WAIT_SECONDS_DEFAULT,
        "example": WAIT_SECONDS_MIN,
    });
    query("wait_seconds", &description, schema)
}
