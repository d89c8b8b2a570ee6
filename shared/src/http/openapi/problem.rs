//! What every refusal looks like.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::schema::{list, object, text};

/// The schema of a refusal, with every code that some operation answers.
pub(super) fn schema(codes: &BTreeMap<&str, String>) -> Value {
    let lines: Vec<_> =
        codes.iter().map(|(code, detail)| format!("- `{code}`: {detail}")).collect();
    let table = format!("A stable word for programs. Such as:\n\n{}", lines.join("\n"));
    let fault = object(&["field", "detail"], json!({"field": text(), "detail": text()}));
    let details = json!({"field": text(), "faults": list(fault)});
    let error = json!({
        "code": {"type": "string", "description": table},
        "message": {"type": "string", "description": "The same as `detail`."},
        "details": object(&[], details),
    });
    let mut schema = object(
        &["type", "title", "status", "detail", "error"],
        json!({
            "type": {"type": "string", "pattern": "^urn:holdpoint:problem:[a-z0-9_]+$"},
            "title": {"type": "string", "description": "The code, in words."},
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": {
                "type": "string",
                "description": "A sentence for people: the field, the limit and the remedy.",
            },
            "error": object(&["code", "message", "details"], error),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        let about = "A refusal: the fields of RFC 9457, and the contract's `error`.";
        fields.insert("description".to_owned(), json!(about));
    }
    schema
}
