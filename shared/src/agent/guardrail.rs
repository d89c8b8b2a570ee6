//! Checks that stop a run: on the task, on a tool's arguments, on the final answer.

use std::fmt;

use serde_json::Value;

/// A named check. `Err` carries why, in words that hold nothing of what was checked.
#[derive(Clone)]
pub struct Guardrail<Check> {
    /// What the failure's message calls it.
    pub name: &'static str,
    /// The check itself.
    pub check: Check,
}

/// Sees the task, once, before the first model call.
pub type InputCheck = fn(&Value) -> Result<(), String>;
/// Sees a tool's arguments: before people are asked, and again before the tool runs.
pub type ArgumentsCheck = fn(&Value) -> Result<(), String>;
/// Sees the final answer beside the conversation that led to it.
pub type OutputCheck = fn(output: &Value, items: &[Value]) -> Result<(), String>;

/// A guardrail that refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("guardrail `{name}` refused the {what}: {why}")]
pub struct Trip {
    /// The guardrail.
    pub name: &'static str,
    /// What it looked at: `task`, `arguments of ...`, `answer`.
    pub what: String,
    /// Its reason.
    pub why: String,
}

impl<Check> Guardrail<Check> {
    pub(super) fn trip(&self, what: impl Into<String>, why: String) -> Trip {
        Trip { name: self.name, what: what.into(), why }
    }
}

impl<Check> fmt::Debug for Guardrail<Check> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guardrail").field("name", &self.name).finish_non_exhaustive()
    }
}
