//! `sales_figures`: a quarter's figures. It only computes.

use serde_json::Value;
use shared::agent::sales;

use super::ToolError;

pub(super) fn run(arguments: &Value) -> Result<Value, ToolError> {
    sales::sales_figures(arguments).map_err(|error| ToolError::Failed(error.to_string()))
}
