//! What the worker does next.

use serde::Serialize;
use serde_json::Value;

use super::{
    agents::{Agent, Agents},
    approval::{ApprovalRequest, waiting},
    request,
    run::{Call, CallState, FailureCode, Phase, RunState},
    tool::{ToolCall, idempotency_key},
    turn::{recovered, settle},
};

/// One step of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Send this request to the model.
    AskModel(Value),
    /// Claim this call and run it.
    CallTool(ToolCall),
    /// Nothing can go on before people answer: store the run and stop.
    AskPeople(Vec<ApprovalRequest>),
    /// The run has ended.
    Finish(Finish),
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Finish {
    /// With an answer.
    Done {
        /// The answer.
        output: Value,
    },
    /// Without one.
    Failed {
        /// What went wrong, for programs.
        code: FailureCode,
        /// What went wrong, for people.
        message: String,
    },
}

/// What to do next in `state`. The same state gives the same step.
///
/// Each call that can run is offered before people are waited for. Policies and guardrails are read
/// from `agents` now, not from the time of the call: what a new build forbids does not run, however
/// long ago it was approved.
///
/// A stored run that has a call running is one whose worker died, so only the holder of the run's
/// lease may ask, and not between [`tool_claimed`](super::tool_claimed) and the call's result.
pub fn next(state: &RunState, agents: &Agents) -> Step {
    let state = settle(recovered(state.clone(), agents), agents);
    let Some(agent) = agents.agent(&state.agent) else {
        return Step::Finish(finish(&state));
    };
    match &state.phase {
        Phase::CallModel => Step::AskModel(request::body(&state, agent, agents)),
        Phase::RunTools { calls, .. } => calls
            .iter()
            .find_map(|call| runnable(&state, agent, call))
            .map_or_else(|| Step::AskPeople(waiting(&state, agents)), Step::CallTool),
        Phase::Done { .. } | Phase::Failed { .. } => Step::Finish(finish(&state)),
    }
}

fn runnable(state: &RunState, agent: &Agent, call: &Call) -> Option<ToolCall> {
    let approved_by = match &call.state {
        CallState::Ready => None,
        CallState::Approved { by } => Some(by.clone()),
        CallState::AwaitingApproval
        | CallState::Rejected { .. }
        | CallState::Expired
        | CallState::Running { .. }
        | CallState::Done { .. }
        | CallState::UnknownOutcome => return None,
    };
    let tool = agent.tool(&call.tool)?;
    Some(ToolCall {
        call_id: call.call_id.clone(),
        tool: call.tool.clone(),
        arguments: call.arguments.clone(),
        args_sha256: call.args_sha256.clone(),
        effect: tool.effect,
        idempotency_key: idempotency_key(state.run_id, &call.call_id, &call.args_sha256),
        approved_by,
    })
}

fn finish(state: &RunState) -> Finish {
    match &state.phase {
        Phase::Done { output } => Finish::Done { output: output.clone() },
        Phase::Failed { code, message } => Finish::Failed { code: *code, message: message.clone() },
        // `settle` fails a run whose agent is gone, so these are reached by no stored run.
        Phase::CallModel | Phase::RunTools { .. } => Finish::Failed {
            code: FailureCode::AgentRemoved,
            message: format!("agent `{}` is not part of this build", state.agent),
        },
    }
}
