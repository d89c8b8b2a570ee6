//! The service itself, and who asks.

use serde_json::json;

use super::Area;
use super::operation::Operation;
use super::schema::{answer, list, or_null, role, text, uri};

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
            me(),
            capabilities(),
            document,
        ],
        schemas: vec![],
    }
}

fn me() -> Operation {
    Operation::new("get", "/v1/me", "getMe", "Who I am").answering(
        "The holder of the key.",
        answer(json!({
            "name": text(), "role": role(), "address": or_null(uri()), "tenant": text(),
        })),
    )
}

fn capabilities() -> Operation {
    let types = json!({"type": "string", "pattern": "^intent\\.[a-z0-9_]+\\.v1$"});
    Operation::new("get", "/v1/capabilities", "getCapabilities", "What is served").answering(
        "Names of what is served, and types of intents such as people send.",
        answer(json!({"capabilities": list(text()), "supported_intent_types": list(types)})),
    )
}
