//! The agent loop as a state machine that does no input and no output.
//!
//! ```text
//!                       ┌───────────── every call has an output ─────────────┐
//!                       ▼                                                    │
//!   start ────────► CallModel ──── the model asks for tools ────► RunTools ──┘
//!     │                 │                                          │    ▲
//!     │ input guardrail │ final answer         approved, rejected, │    │ a call ran,
//!     ▼                 ▼                      timed out, unknown  └────┘ or was lost
//!   Failed            Done
//! ```
//!
//! A broken limit, a guardrail or an unusable reply leads to `Failed` from everywhere.
//!
//! The worker asks [`next`] what to do, does it, gives the result to the transition that fits
//! ([`model_replied`], [`tool_claimed`], [`tool_finished`], [`tool_lost`], [`decided`]), stores the
//! state that comes back, and goes round again. Everything that the loop knows is in the
//! [`RunState`], so a run waits for a person as a row in a table: for months, over crashes and
//! deployments, and no process lives meanwhile. The same state always gives the same step, so that
//! a worker which dies between doing and storing repeats the step with the same ids.
//!
//! What this module deliberately does not do: it reads no clock, opens no connection, and takes no
//! lock. Two workers that hold the same state would both run its tools; what prevents that is the
//! store, which takes each new state only in place of the one that it was made from.

mod agents;
mod approval;
mod guardrail;
mod output;
mod plan;
mod reply;
mod request;
mod run;
pub mod sales;
mod schema;
pub mod scripted;
mod step;
#[cfg(test)]
mod tests;
mod tool;
mod turn;

pub use agents::{Agent, Agents, AgentsError, HANDOFF_PREFIX, Model};
pub use approval::{Answer, ApprovalRequest, Decision, Question, waiting};
pub use guardrail::{ArgumentsCheck, Guardrail, InputCheck, OutputCheck, Trip};
pub use output::{REASON_CHARS_MAX, TOOL_OUTPUT_BYTES_MAX};
pub use plan::{CALL_ID_BYTES_MAX, CALLS_PER_TURN_MAX, REPAIRS_MAX};
pub use run::{
    Call, CallState, FailureCode, Limits, Phase, Refusal, RunState, SCHEMA, STATE_BYTES_MAX,
    StateError, TASK_BYTES_MAX, TOKENS_MAX, TURNS_MAX, Usage,
};
pub use step::{Finish, Step, next};
pub use tool::{ARGUMENTS_BYTES_MAX, Effect, Policy, Tool, ToolCall};
pub use turn::{
    Rejection, decided, model_replied, recovered, settle, start, stopped, tool_claimed,
    tool_finished, tool_lost,
};
