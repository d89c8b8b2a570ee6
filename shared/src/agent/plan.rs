//! What the model's reply leads to: an answer, or calls that run, wait or are answered at once.

use serde_json::{Value, json};

use super::{
    agents::{Agent, Agents, HANDOFF_PREFIX},
    guardrail::Trip,
    output,
    reply::{Asked, Reply},
    request::OUTPUT_TOKENS_MIN,
    run::{Call, CallState, FailureCode, Phase, Refusal, RunState},
    schema,
    tool::{Gate, Tool, digest},
};

/// The most calls in one reply.
pub const CALLS_PER_TURN_MAX: usize = 16;
/// The longest call id that a model may give.
pub const CALL_ID_BYTES_MAX: usize = 128;
/// How often a run may be told that its answer does not fit the schema.
pub const REPAIRS_MAX: u32 = 1;

/// How much of a name that the model made up goes back to it.
const NAME_CHARS_MAX: usize = 64;

/// The model gave its answer.
pub(super) fn conclude(state: &mut RunState, agent: &Agent, agents: &Agents, reply: Reply) {
    state.items.extend(reply.items);
    let answer = match &agent.output_schema {
        None => Ok(Value::String(reply.text)),
        Some(schema) => parse_answer(&reply.text, schema),
    };
    match answer {
        Ok(output) => match agents.check_output(&output, &state.items) {
            Ok(()) => state.phase = Phase::Done { output },
            Err(trip) => state.fail(FailureCode::Guardrail, trip.to_string()),
        },
        Err(fault) if state.repairs < REPAIRS_MAX => {
            state.repairs += 1;
            let fault = format!("Your answer cannot be used: {fault} Answer again in that form.");
            state.items.push(user_message(&fault));
        }
        Err(fault) => state.fail(FailureCode::ModelReply, fault),
    }
}

fn parse_answer(text: &str, schema: &Value) -> Result<Value, String> {
    let answer: Value =
        serde_json::from_str(text).map_err(|error| format!("it is not JSON ({error})."))?;
    match schema::fits(&answer, schema) {
        Ok(()) => Ok(answer),
        Err(misfit) => Err(format!("it does not fit the schema ({misfit}).")),
    }
}

/// The model asked for tools.
pub(super) fn plan(state: &mut RunState, agent: &Agent, reply: Reply) {
    if let Err(fault) = check_calls(state, &reply.calls) {
        state.fail(FailureCode::ModelReply, fault);
        return;
    }
    // Without another turn nobody would hear what the tools did, so they do not run.
    if let Some((code, message)) = exhausted(state) {
        state.fail(code, message);
        return;
    }
    state.items.extend(reply.items);
    let mut handoff = None;
    let calls: Result<Vec<_>, _> =
        reply.calls.into_iter().map(|asked| assess(state, agent, &mut handoff, asked)).collect();
    match calls {
        Ok(calls) => state.phase = Phase::RunTools { calls, handoff },
        Err(trip) => state.fail(FailureCode::Guardrail, trip.to_string()),
    }
}

/// A call id names one call for the whole run: claims and approvals rest on it.
fn check_calls(state: &RunState, calls: &[Asked]) -> Result<(), String> {
    if calls.len() > CALLS_PER_TURN_MAX {
        let found = calls.len();
        return Err(format!(
            "the model asked for {found} calls in one reply, at most {CALLS_PER_TURN_MAX} are allowed"
        ));
    }
    let used = |id: &str| {
        state.items.iter().any(|item| item.get("call_id").and_then(Value::as_str) == Some(id))
    };
    calls.iter().enumerate().try_for_each(|(index, call)| {
        let id = call.call_id.as_str();
        if !(1..=CALL_ID_BYTES_MAX).contains(&id.len()) {
            Err(format!("a call id of the model has not 1 to {CALL_ID_BYTES_MAX} bytes"))
        } else if used(id) || calls.iter().take(index).any(|earlier| earlier.call_id == id) {
            Err("the model used one call id for two calls".to_owned())
        } else {
            Ok(())
        }
    })
}

/// The first look at a call: answered at once, free to run, or waiting for a person.
fn assess(
    state: &RunState,
    agent: &Agent,
    handoff: &mut Option<String>,
    asked: Asked,
) -> Result<Call, Trip> {
    let Asked { call_id, name, arguments: text } = asked;
    let answered = |state| (Value::Null, digest(&Value::String(text.clone())), state);
    let (arguments, args_sha256, state) = if let Some(to) = name.strip_prefix(HANDOFF_PREFIX) {
        answered(hand_over(agent, handoff, to))
    } else if let Some(tool) = agent.tool(&name) {
        match tool.arguments(&text) {
            Err(error) => answered(output::of_error(&error.to_string())),
            Ok(arguments) => {
                let args_sha256 = digest(&arguments);
                let same = |r: &&Refusal| r.tool == name && r.args_sha256 == args_sha256;
                let state = match state.refused.iter().find(same) {
                    Some(refusal) => {
                        CallState::Done { output: refusal.output.clone(), is_error: true }
                    }
                    None => admit(tool, &arguments)?,
                };
                (arguments, args_sha256, state)
            }
        }
    } else {
        let name = output::cut(&name, NAME_CHARS_MAX);
        answered(output::of_error(&format!("there is no tool `{name}`")))
    };
    Ok(Call { call_id, tool: name, arguments, args_sha256, state })
}

fn hand_over(agent: &Agent, handoff: &mut Option<String>, to: &str) -> CallState {
    let Some(to) = agent.handoffs.iter().find(|name| *name == to) else {
        let to = output::cut(to, NAME_CHARS_MAX);
        return output::of_error(&format!("this agent cannot hand over to `{to}`"));
    };
    match handoff {
        Some(first) => {
            output::of_error(&format!("the conversation already goes to `{first}` in this turn"))
        }
        None => output::of_handoff(handoff.insert(to.clone())),
    }
}

fn admit(tool: &Tool, arguments: &Value) -> Result<CallState, Trip> {
    tool.check(arguments)?;
    Ok(match tool.gate(arguments) {
        Gate::Open => CallState::Ready,
        Gate::Ask => CallState::AwaitingApproval,
        Gate::Shut => forbidden(tool),
    })
}

fn forbidden(tool: &Tool) -> CallState {
    output::of_error(&format!("the policy of `{}` forbids this call", tool.name))
}

/// The second look, at what is about to run.
pub(super) fn recheck(call: &mut Call, agent: &Agent) -> Result<(), Trip> {
    let approved = match call.state {
        CallState::Ready => false,
        CallState::Approved { .. } => true,
        CallState::AwaitingApproval
        | CallState::Rejected { .. }
        | CallState::Expired
        | CallState::Running { .. }
        | CallState::Done { .. }
        | CallState::UnknownOutcome => return Ok(()),
    };
    let Some(tool) = agent.tool(&call.tool) else {
        call.state = output::of_error("this tool is not part of the agent any more");
        return Ok(());
    };
    tool.check(&call.arguments)?;
    match tool.gate(&call.arguments) {
        Gate::Shut => call.state = forbidden(tool),
        Gate::Ask if !approved => call.state = CallState::AwaitingApproval,
        Gate::Ask | Gate::Open => {}
    }
    Ok(())
}

/// The budget that leaves no room for another model call.
pub(super) fn exhausted(state: &RunState) -> Option<(FailureCode, String)> {
    let used = state.usage.total_tokens;
    if state.turn >= state.turns_max {
        let message = format!("the run used its {} model calls without an answer", state.turns_max);
        Some((FailureCode::TurnsMax, message))
    } else if used.saturating_add(OUTPUT_TOKENS_MIN) > state.tokens_max {
        let message = format!("the run used {used} of its {} tokens", state.tokens_max);
        Some((FailureCode::TokensMax, message))
    } else {
        None
    }
}

pub(super) fn user_message(text: &str) -> Value {
    json!({
        "type": "message",
        "role": "user",
        "content": [{ "type": "input_text", "text": text }],
    })
}
