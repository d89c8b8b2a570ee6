//! The tools of the built-in agents.

mod publish_report;
mod sales_figures;

use serde_json::{Value, json};
use shared::agent::{ToolCall, sales};
use shared::app::App;
use shared::id::IntentId;

/// Why a tool gave nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum ToolError {
    /// It did not happen, and this is what the model is told.
    Failed(String),
    /// Nobody knows whether it happened.
    Lost,
}

/// Runs a call that may run: it is pure, or its claim is stored.
pub(crate) async fn run(app: &App, id: IntentId, call: &ToolCall) -> Result<Value, ToolError> {
    match call.tool.as_str() {
        sales::SALES_FIGURES => sales_figures::run(&call.arguments),
        sales::PUBLISH_REPORT => publish_report::run(app, id, &call.arguments).await,
        _ => Err(ToolError::Failed("this tool is not part of the worker".to_owned())),
    }
}

/// What is stored for a failure that is known.
pub(crate) fn stored_failure(why: &str) -> Value {
    json!({ "error": why })
}

/// Reads [`stored_failure`] back.
pub(crate) fn read_failure(output: &Value) -> String {
    output.get("error").and_then(Value::as_str).unwrap_or("the tool failed").to_owned()
}
