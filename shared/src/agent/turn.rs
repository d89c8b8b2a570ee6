//! The transitions: what a run becomes when something has happened.
//!
//! Each takes the stored state and gives the one to store in its place. News that the state already
//! holds gives an equal state; news that does not fit it gives a [`Rejection`] and changes nothing,
//! so the worker may acknowledge the message either way.

use serde_json::Value;
use uuid::Uuid;

use super::{
    agents::{Agent, Agents},
    approval::{Answer, Decision, Question},
    output,
    plan::{conclude, exhausted, plan, recheck, user_message},
    reply::{self, Reply},
    run::{
        Call, CallState, FailureCode, Limits, Phase, Refusal, RunState, STATE_BYTES_MAX,
        TASK_BYTES_MAX,
    },
    tool::{Effect, Tool},
};

/// The longest message of a failure that comes from outside.
const MESSAGE_CHARS_MAX: usize = 1_000;

/// News that does not fit the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The run has ended.
    #[error("the run has ended; nothing changes it any more")]
    Finished,
    /// The model was not asked.
    #[error("the model was not asked: its earlier calls have no output yet")]
    ModelNotAsked,
    /// The call is not part of the current turn.
    #[error("the run's current turn has no such call")]
    NoSuchCall,
    /// The call is not one that may run now.
    #[error("the call may not run now: it waits for a person, is running or has ended")]
    NotRunnable,
    /// Nobody was asked this about the call.
    #[error("this question is not open for the call")]
    NotAsked,
    /// Another answer came first.
    #[error("the call was decided otherwise before")]
    AlreadyDecided,
    /// The answer is to another question than the one it names.
    #[error("the decision does not answer its question")]
    WrongQuestion,
    /// What was shown is not what would run.
    #[error("the arguments that were shown are not those of the call")]
    ArgumentsChanged,
}

/// Starts a run on `task`. The input guardrails look at it here and at no other time.
pub fn start(run_id: Uuid, task: &Value, agents: &Agents, limits: Limits) -> RunState {
    let mut state = RunState::new(run_id, agents.root(), limits);
    let text = task.to_string();
    if text.len() > TASK_BYTES_MAX {
        let found = text.len();
        let message = format!("the task has {found} bytes, at most {TASK_BYTES_MAX} are allowed");
        state.fail(FailureCode::TaskBytesMax, message);
    } else if let Err(trip) = agents.check_input(task) {
        state.fail(FailureCode::Guardrail, trip.to_string());
    } else {
        state.items.push(user_message(&text));
    }
    state
}

/// Takes a response body of the Responses API.
pub fn model_replied(
    state: &RunState,
    agents: &Agents,
    response: &Value,
) -> Result<RunState, Rejection> {
    let (before, agent) = open(state, agents)?;
    match before.phase {
        Phase::CallModel => {}
        Phase::RunTools { .. } | Phase::Done { .. } | Phase::Failed { .. } => {
            return Err(Rejection::ModelNotAsked);
        }
    }
    let mut after = before.clone();
    after.turn = after.turn.saturating_add(1);
    after.usage.add(reply::usage(response, &before.items));
    match Reply::parse(response) {
        Err(fault) => after.fail(fault.code(), fault.to_string()),
        Ok(reply) if reply.calls.is_empty() => conclude(&mut after, agent, agents, reply),
        Ok(reply) => plan(&mut after, agent, reply),
    }
    Ok(bounded(before, settle(after, agents)))
}

/// Claims a call before it runs. Storing the state that comes back, under the condition that nobody
/// stored another since, is what keeps two workers from running it.
pub fn tool_claimed(
    state: &RunState,
    agents: &Agents,
    call_id: &str,
) -> Result<RunState, Rejection> {
    update(state, agents, call_id, false, |call, _| match &call.state {
        CallState::Ready => Ok(Some(CallState::Running { approved_by: None })),
        CallState::Approved { by } => {
            Ok(Some(CallState::Running { approved_by: Some(by.clone()) }))
        }
        CallState::AwaitingApproval
        | CallState::Rejected { .. }
        | CallState::Expired
        | CallState::Running { .. }
        | CallState::Done { .. }
        | CallState::UnknownOutcome => Err(Rejection::NotRunnable),
    })
}

/// Takes the result of a call that ran. `Err` is a failure that the tool itself reports; a worker
/// that does not know what became of the call uses [`tool_lost`].
pub fn tool_finished(
    state: &RunState,
    agents: &Agents,
    call_id: &str,
    result: Result<Value, String>,
) -> Result<RunState, Rejection> {
    update(state, agents, call_id, false, |call, _| match call.state {
        // The late word of a worker that was taken for dead is better than any person's guess.
        CallState::Ready
        | CallState::Approved { .. }
        | CallState::Running { .. }
        | CallState::UnknownOutcome => Ok(Some(output::of_tool(result))),
        CallState::AwaitingApproval => Err(Rejection::NotRunnable),
        CallState::Done { .. } => Ok(None),
        CallState::Rejected { .. } | CallState::Expired => Err(Rejection::AlreadyDecided),
    })
}

/// Nobody knows what became of a call: its worker died, or the tool did not answer in time. What
/// may run twice is free to run again; the rest is asked about.
pub fn tool_lost(state: &RunState, agents: &Agents, call_id: &str) -> Result<RunState, Rejection> {
    update(state, agents, call_id, false, |call, tool| match &call.state {
        CallState::Ready | CallState::Approved { .. } | CallState::Running { .. } => {
            Ok(Some(lost(&call.state, tool)))
        }
        CallState::UnknownOutcome | CallState::Done { .. } => Ok(None),
        CallState::AwaitingApproval => Err(Rejection::NotRunnable),
        CallState::Rejected { .. } | CallState::Expired => Err(Rejection::AlreadyDecided),
    })
}

/// The state as a worker finds it that has just taken the run over: each call that its predecessor
/// claimed and did not finish is lost. A worker stores the result before it goes on.
pub fn recovered(mut state: RunState, agents: &Agents) -> RunState {
    let agent = agents.agent(&state.agent);
    if let Phase::RunTools { calls, .. } = &mut state.phase {
        for call in calls.iter_mut().filter(|call| call.state.is_running()) {
            call.state = lost(&call.state, agent.and_then(|agent| agent.tool(&call.tool)));
        }
    }
    state
}

/// Takes the answer of a person, or the end of the wait for one.
pub fn decided(state: &RunState, agents: &Agents, answer: &Answer) -> Result<RunState, Rejection> {
    let refuses = match answer.decision {
        Decision::Rejected { .. } | Decision::TimedOut => true,
        Decision::Approved { .. } | Decision::Happened { .. } | Decision::DidNotHappen { .. } => {
            false
        }
    };
    update(state, agents, &answer.call_id, refuses, |call, _| {
        if call.args_sha256 != answer.args_sha256 {
            return Err(Rejection::ArgumentsChanged);
        }
        let wanted = match answer.question {
            Question::MayItRun => may_it_run(&answer.decision),
            Question::DidItHappen => did_it_happen(&answer.decision),
        };
        let wanted = wanted.ok_or(Rejection::WrongQuestion)?;
        match (&call.state, answer.question) {
            (CallState::AwaitingApproval, Question::MayItRun)
            | (CallState::UnknownOutcome, Question::DidItHappen) => Ok(Some(wanted)),
            (CallState::Running { approved_by: Some(by) }, Question::MayItRun)
                if wanted == (CallState::Approved { by: by.clone() }) =>
            {
                Ok(None)
            }
            (found, _) if *found == wanted => Ok(None),
            (
                CallState::Approved { .. }
                | CallState::Rejected { .. }
                | CallState::Expired
                | CallState::Running { .. }
                | CallState::Done { .. }
                | CallState::UnknownOutcome,
                _,
            ) => Err(Rejection::AlreadyDecided),
            (CallState::Ready | CallState::AwaitingApproval, _) => Err(Rejection::NotAsked),
        }
    })
}

/// Ends the run from outside: it was cancelled, or its model cannot be reached. A run that has
/// ended stays as it ended.
pub fn stopped(state: &RunState, code: FailureCode, message: &str) -> RunState {
    let mut after = state.clone();
    if !after.is_finished() {
        after.fail(code, output::cut(message, MESSAGE_CHARS_MAX));
    }
    after
}

/// Brings a stored run in line with `agents` as they are now: what this build no longer allows is
/// refused, a turn whose calls have all ended is closed, a used-up budget ends the run. Every
/// transition and [`next`](super::next) start with it; a worker stores its result when a run ends.
pub fn settle(mut state: RunState, agents: &Agents) -> RunState {
    if state.is_finished() {
        return state;
    }
    let Some(agent) = agents.agent(&state.agent) else {
        let message = format!(
            "agent `{}` is not part of this build: deploy a build that has it, or send the task again",
            state.agent
        );
        state.fail(FailureCode::AgentRemoved, message);
        return state;
    };
    if let Phase::RunTools { calls, handoff } = &mut state.phase {
        if let Err(trip) = calls.iter_mut().try_for_each(|call| recheck(call, agent)) {
            state.fail(FailureCode::Guardrail, trip.to_string());
            return state;
        }
        // One call without an output yields no item, and the turn stays open.
        let Some(outputs) = calls.iter().map(output::item).collect::<Option<Vec<_>>>() else {
            return state;
        };
        if let Some(agent) = handoff.take() {
            state.agent = agent;
        }
        state.items.extend(outputs);
        state.phase = Phase::CallModel;
        return settle(state, agents);
    }
    if let Some((code, message)) = exhausted(&state) {
        state.fail(code, message);
    }
    state
}

/// The settled run and its agent, unless it has ended.
fn open<'a>(state: &RunState, agents: &'a Agents) -> Result<(RunState, &'a Agent), Rejection> {
    let state = settle(state.clone(), agents);
    match agents.agent(&state.agent) {
        Some(agent) if !state.is_finished() => Ok((state, agent)),
        Some(_) | None => Err(Rejection::Finished),
    }
}

/// Changes one call of the current turn; `None` means that the run already holds the news.
fn update(
    state: &RunState,
    agents: &Agents,
    call_id: &str,
    refuses: bool,
    change: impl FnOnce(&Call, Option<&Tool>) -> Result<Option<CallState>, Rejection>,
) -> Result<RunState, Rejection> {
    let (before, agent) = open(state, agents)?;
    let mut after = before.clone();
    let Phase::RunTools { calls, .. } = &mut after.phase else {
        return Err(Rejection::NoSuchCall);
    };
    let call = calls.iter_mut().find(|call| call.call_id == call_id);
    let call = call.ok_or(Rejection::NoSuchCall)?;
    let Some(changed) = change(call, agent.tool(&call.tool))? else {
        return Ok(before);
    };
    call.state = changed;
    if refuses && let Some(output) = output::text(&call.state) {
        let (tool, args_sha256) = (call.tool.clone(), call.args_sha256.clone());
        after.refused.push(Refusal { tool, args_sha256, output });
    }
    Ok(bounded(before, settle(after, agents)))
}

/// What a call whose end nobody saw becomes. A tool that this build no longer has may have done
/// anything, so it is asked about too.
fn lost(state: &CallState, tool: Option<&Tool>) -> CallState {
    match (tool.map(|tool| tool.effect), state) {
        (Some(Effect::AtMostOnce) | None, _) => CallState::UnknownOutcome,
        (Some(Effect::Pure | Effect::Idempotent), CallState::Running { approved_by: Some(by) }) => {
            CallState::Approved { by: by.clone() }
        }
        (Some(Effect::Pure | Effect::Idempotent), CallState::Running { approved_by: None }) => {
            CallState::Ready
        }
        (Some(Effect::Pure | Effect::Idempotent), state) => state.clone(),
    }
}

fn may_it_run(decision: &Decision) -> Option<CallState> {
    match decision {
        Decision::Approved { by } => Some(CallState::Approved { by: by.clone() }),
        Decision::Rejected { by, reason } => {
            let reason =
                reason.as_deref().map(|reason| output::cut(reason, output::REASON_CHARS_MAX));
            Some(CallState::Rejected { by: by.clone(), reason })
        }
        Decision::TimedOut => Some(CallState::Expired),
        Decision::Happened { .. } | Decision::DidNotHappen { .. } => None,
    }
}

fn did_it_happen(decision: &Decision) -> Option<CallState> {
    match decision {
        Decision::Happened { report, .. } => Some(output::of_happened(report.as_deref())),
        Decision::DidNotHappen { .. } => Some(output::of_not_happened()),
        Decision::TimedOut => Some(output::of_unknown()),
        Decision::Approved { .. } | Decision::Rejected { .. } => None,
    }
}

/// Ends a run that has outgrown its item, without what made it too large.
fn bounded(mut before: RunState, after: RunState) -> RunState {
    let found = after.bytes();
    if found <= STATE_BYTES_MAX {
        return after;
    }
    before.turn = after.turn;
    before.usage = after.usage;
    let message = format!("the run has {found} bytes, at most {STATE_BYTES_MAX} can be stored");
    before.fail(FailureCode::StateBytesMax, message);
    before
}
