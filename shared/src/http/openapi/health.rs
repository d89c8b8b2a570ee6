//! Whether it answers, and what it is.

use serde_json::json;

use super::Area;
use super::operation::Operation;
use super::schema::answer;

/// The group.
pub(super) fn area() -> Area {
    let health = |path, id| {
        Operation::open("get", path, id, "Whether the service answers")
            .answering("It does.", answer(json!({})))
    };
    let document = Operation::open("get", "/openapi.json", "getDocument", "This document")
        .answering("The document.", json!({"type": "object", "required": ["openapi", "paths"]}));
    Area {
        tag: "Service",
        about: "The service itself.",
        operations: vec![
            health("/health", "getHealth"),
            health("/v1/health", "getHealthV1"),
            document,
        ],
        schemas: vec![],
    }
}
