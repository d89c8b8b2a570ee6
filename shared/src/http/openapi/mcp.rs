//! The Model Context Protocol.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{object, said, text};
use super::{Area, refusals};
use crate::error::Error;
use crate::http::BODY_BYTES_MAX;
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "MCP",
        about: "The Model Context Protocol: streamable HTTP, without sessions.",
        operations: vec![message()],
        schemas: vec![],
    }
}

fn message() -> Operation {
    let example = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"});
    let refused = json!({"schema": refusal()});
    let foreign = Error::Forbidden("a web page from elsewhere may not use it".to_owned());
    Operation::new("post", "/mcp", "mcp", "Take a message")
        .says(
            "A JSON-RPC message of the protocol, under any of its versions. The tools ask a person, \
             look, wait and list; none decides.",
        )
        .for_roles(&[Role::Agent, Role::Admin])
        .taking_to(BODY_BYTES_MAX, message_schema(), example)
        .answering("The protocol's answer.", json!({"type": ["object", "array"]}))
        .answering_nothing(202, "Taken; the message wants no answer.")
        .answering_in(400, "application/json", "No message, or none that is served.", refused)
        .refusing([foreign, refusals::wrong()])
}

fn message_schema() -> Value {
    let one = object(
        &["jsonrpc", "method"],
        json!({
            "jsonrpc": {"const": "2.0"},
            "id": said("Missing where no answer is wanted.", json!(true)),
            "method": text(),
            "params": said("As the method wants them.", json!(true)),
        }),
    );
    let batch = json!({
        "type": "array",
        "minItems": 1,
        "description": "Several messages, under versions up to 2025-03-26. Each is judged by itself.",
    });
    json!({"anyOf": [one, batch]})
}

fn refusal() -> Value {
    let error =
        object(&["code", "message"], json!({"code": {"type": "integer"}, "message": text()}));
    object(&["jsonrpc", "error"], json!({"jsonrpc": {"const": "2.0"}, "error": error}))
}
