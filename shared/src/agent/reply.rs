//! A reply of the model: the items to keep, and what they ask for.

use serde_json::Value;

use super::{
    output::cut,
    run::{FailureCode, Usage},
};

/// How much of the model's own words a failure's message holds.
const QUOTE_CHARS_MAX: usize = 200;

/// Items that wait for an answer which this loop cannot give. It offers none of their tools, so
/// they mean a server that does not keep to the request.
const UNANSWERABLE: [&str; 6] = [
    "apply_patch_call",
    "computer_call",
    "custom_tool_call",
    "local_shell_call",
    "mcp_approval_request",
    "shell_call",
];

/// A complete reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) items: Vec<Value>,
    pub(super) calls: Vec<Asked>,
    /// The text of the last message.
    pub(super) text: String,
}

/// One function call as the model wrote it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) call_id: String,
    pub(super) name: String,
    pub(super) arguments: String,
}

/// A reply that ends the run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("the model's reply has no usable `{field}`")]
    Field { field: &'static str },
    #[error("the model stopped before its reply was complete: {reason}")]
    Incomplete { reason: String },
    #[error("the model's host reports status `{status}`: {code}")]
    Status { status: String, code: String },
    #[error("the model declined: {refusal}")]
    Refused { refusal: String },
    #[error("the model's reply holds a `{kind}`, which this loop does not offer")]
    Unanswerable { kind: &'static str },
}

impl Reply {
    pub(super) fn parse(response: &Value) -> Result<Self, Fault> {
        match text_of(response, "status").ok_or(Fault::Field { field: "status" })? {
            "completed" => {}
            "incomplete" => {
                let reason = response.pointer("/incomplete_details/reason");
                return Err(Fault::Incomplete { reason: quote(reason) });
            }
            other => {
                let status = cut(other, QUOTE_CHARS_MAX);
                return Err(Fault::Status { status, code: quote(response.pointer("/error/code")) });
            }
        }
        let items = response.get("output").and_then(Value::as_array);
        let items = items.ok_or(Fault::Field { field: "output" })?;
        let mut calls = Vec::new();
        let mut text = String::new();
        for item in items {
            match text_of(item, "type").ok_or(Fault::Field { field: "output[].type" })? {
                "function_call" => calls.push(Asked::parse(item)?),
                // A later message replaces an earlier one: those are remarks on the way.
                "message" => text = message_text(item)?,
                other => {
                    if let Some(kind) = UNANSWERABLE.into_iter().find(|kind| *kind == other) {
                        return Err(Fault::Unanswerable { kind });
                    }
                }
            }
        }
        if calls.is_empty() && text.trim().is_empty() {
            return Err(Fault::Field { field: "output[].content" });
        }
        Ok(Self { items: items.clone(), calls, text })
    }
}

impl Asked {
    fn parse(item: &Value) -> Result<Self, Fault> {
        if text_of(item, "status").is_some_and(|status| status != "completed") {
            return Err(Fault::Incomplete { reason: "a function call is not complete".to_owned() });
        }
        let field =
            |name| text_of(item, name).map(str::to_owned).ok_or(Fault::Field { field: name });
        Ok(Self {
            call_id: field("call_id")?,
            name: field("name")?,
            arguments: field("arguments")?,
        })
    }
}

impl Fault {
    pub(super) fn code(&self) -> FailureCode {
        match self {
            Self::Field { .. } | Self::Unanswerable { .. } => FailureCode::ModelReply,
            Self::Incomplete { .. } => FailureCode::ModelIncomplete,
            Self::Status { .. } => FailureCode::ModelUnavailable,
            Self::Refused { .. } => FailureCode::ModelRefused,
        }
    }
}

/// What the reply cost. A host that does not say is charged by size, one token for four bytes of
/// what was sent and received, so that a budget holds there too.
pub(super) fn usage(response: &Value, items: &[Value]) -> Usage {
    let count = |name| response.pointer(name).and_then(Value::as_u64);
    let input_tokens = count("/usage/input_tokens");
    let output_tokens = count("/usage/output_tokens");
    if let (Some(input_tokens), Some(output_tokens)) = (input_tokens, output_tokens) {
        let sum = input_tokens.saturating_add(output_tokens);
        let total_tokens = count("/usage/total_tokens").unwrap_or(0).max(sum);
        return Usage { input_tokens, output_tokens, total_tokens };
    }
    let input_tokens = items.iter().map(tokens).fold(0, u64::saturating_add);
    let output_tokens = response.get("output").map_or(0, tokens);
    let total_tokens = input_tokens.saturating_add(output_tokens);
    Usage { input_tokens, output_tokens, total_tokens }
}

/// A rough count of the tokens in a value.
pub(super) fn tokens(value: &Value) -> u64 {
    u64::try_from(value.to_string().len().div_ceil(4)).unwrap_or(u64::MAX)
}

fn message_text(item: &Value) -> Result<String, Fault> {
    let parts = item.get("content").and_then(Value::as_array);
    let parts = parts.ok_or(Fault::Field { field: "output[].content" })?;
    let mut text = String::new();
    for part in parts {
        match text_of(part, "type") {
            Some("output_text") => text.push_str(text_of(part, "text").unwrap_or_default()),
            Some("refusal") => return Err(Fault::Refused { refusal: quote(part.get("refusal")) }),
            Some(_) | None => {}
        }
    }
    Ok(text)
}

fn text_of<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn quote(value: Option<&Value>) -> String {
    cut(value.and_then(Value::as_str).unwrap_or("no reason given"), QUOTE_CHARS_MAX)
}
