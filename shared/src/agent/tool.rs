//! A tool as data: what it takes, who must agree, and what running it twice would do.

use data_encoding::HEXLOWER;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    guardrail::{ArgumentsCheck, Guardrail, Trip},
    schema::{self, Misfit},
};

/// The largest arguments of one call, as the model wrote them.
pub const ARGUMENTS_BYTES_MAX: usize = 64_000;

/// A tool that an agent may call.
#[derive(Clone, Debug)]
pub struct Tool {
    /// The name that the model uses: letters, digits, `_` and `-`.
    pub name: String,
    /// What people are asked: "Publish a report".
    pub title: String,
    /// What the model and the reviewer read about it.
    pub description: String,
    /// The JSON Schema of its arguments: a closed object that requires each of its properties.
    pub parameters: Value,
    /// Who must agree to a call.
    pub policy: Policy,
    /// What a second run of the same call would do.
    pub effect: Effect,
    /// Checks on its arguments.
    pub guardrails: Vec<Guardrail<ArgumentsCheck>>,
}

/// Who must agree before a tool runs.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// Nobody.
    Auto,
    /// A person, for each call.
    Ask,
    /// A person, when the function says so of the arguments.
    AskIf(fn(&Value) -> bool),
    /// Nobody can: the model is not offered it, and a call is answered with a refusal.
    Deny,
}

/// What running the same call twice would do.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it only computes or reads.
    Pure,
    /// Nothing more, if the same idempotency key goes with it.
    Idempotent,
    /// Harm. When its outcome is unknown, a person is asked and it is not run again.
    AtMostOnce,
}

/// One call that may run now.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolCall {
    /// The model's id of the call, unique in the run.
    pub call_id: String,
    /// The tool.
    pub tool: String,
    /// Its arguments.
    pub arguments: Value,
    /// The digest of the arguments' canonical JSON.
    pub args_sha256: String,
    /// What a second run would do.
    pub effect: Effect,
    /// Equal for each attempt at this call and for nothing else.
    pub idempotency_key: String,
    /// The person who agreed, where one was asked.
    pub approved_by: Option<String>,
}

/// Arguments that the tool never sees; the model is told.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArgumentsError {
    #[error("the arguments have {found} bytes, at most {ARGUMENTS_BYTES_MAX} are allowed")]
    TooLarge { found: usize },
    #[error("the arguments are not JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("the arguments do not fit the tool's schema: {0}")]
    Misfit(Misfit),
}

/// What a call may do under its tool's policy.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gate {
    Open,
    Ask,
    Shut,
}

impl Tool {
    /// Parses what the model wrote, once: what people are shown is what the tool gets.
    pub(super) fn arguments(&self, text: &str) -> Result<Value, ArgumentsError> {
        if text.len() > ARGUMENTS_BYTES_MAX {
            return Err(ArgumentsError::TooLarge { found: text.len() });
        }
        let arguments: Value = serde_json::from_str(text).map_err(ArgumentsError::NotJson)?;
        schema::exact(&arguments).map_err(ArgumentsError::Misfit)?;
        schema::fits(&arguments, &self.parameters).map_err(ArgumentsError::Misfit)?;
        Ok(arguments)
    }

    pub(super) fn check(&self, arguments: &Value) -> Result<(), Trip> {
        self.guardrails.iter().try_for_each(|guardrail| {
            (guardrail.check)(arguments)
                .map_err(|why| guardrail.trip(format!("arguments of `{}`", self.name), why))
        })
    }

    pub(super) fn gate(&self, arguments: &Value) -> Gate {
        match self.policy {
            Policy::Ask => Gate::Ask,
            Policy::AskIf(asks) if asks(arguments) => Gate::Ask,
            Policy::Auto | Policy::AskIf(_) => Gate::Open,
            Policy::Deny => Gate::Shut,
        }
    }
}

/// The digest of a JSON value, equal for equal values however they were written (RFC 8785).
pub(super) fn digest(value: &Value) -> String {
    // A parsed value holds no number that canonical JSON cannot write, so the other branch is for
    // the types only; it too gives equal digests to equal values.
    let bytes =
        serde_json_canonicalizer::to_vec(value).unwrap_or_else(|_| value.to_string().into_bytes());
    HEXLOWER.encode(&Sha256::digest(bytes))
}

pub(super) fn idempotency_key(run_id: Uuid, call_id: &str, args_sha256: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(format!("{run_id}:{call_id}:{args_sha256}")))
}
