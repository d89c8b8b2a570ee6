//! Agents, replies and answers for the tests.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::agent::{
    Agent, Agents, Answer, Decision, Effect, Guardrail, Limits, Model, Policy, Question, RunState,
    Step, Tool, next, start,
};

pub(super) const RUN_ID: Uuid = Uuid::from_u128(7);

/// An agent with a tool for each policy, and one to hand over to.
pub(super) fn agents() -> Agents {
    agents_with(vec![
        tool("read", Policy::Auto, Effect::Pure),
        tool("put", Policy::Auto, Effect::Idempotent),
        tool("charge", Policy::Auto, Effect::AtMostOnce),
        tool("deploy", Policy::Ask, Effect::AtMostOnce),
        tool("scale", Policy::AskIf(is_large), Effect::Idempotent),
        tool("erase", Policy::Deny, Effect::AtMostOnce),
    ])
}

pub(super) fn agents_with(tools: Vec<Tool>) -> Agents {
    let first = Agent {
        name: "first".into(),
        purpose: "Works.".into(),
        instructions: "Work.".into(),
        tools,
        handoffs: vec!["second".into()],
        output_schema: None,
    };
    let second = Agent {
        name: "second".into(),
        purpose: "Answers.".into(),
        instructions: "Answer.".into(),
        tools: Vec::new(),
        handoffs: Vec::new(),
        output_schema: Some(json!({
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": false,
        })),
    };
    Agents::new(model(), "first", vec![first, second])
        .expect("the agents fit together")
        .with_input_guardrail(Guardrail { name: "no_secret_task", check: no_secret })
        .with_output_guardrail(Guardrail {
            name: "no_secret_answer",
            check: |output, _| no_secret(output),
        })
}

pub(super) fn model() -> Model {
    Model { name: "m".into(), reasoning: false, output_tokens_max: 1_000 }
}

pub(super) fn tool(name: &str, policy: Policy, effect: Effect) -> Tool {
    Tool {
        name: name.into(),
        title: format!("Do {name}"),
        description: format!("It does {name}."),
        parameters: json!({
            "type": "object",
            "properties": {"n": {"type": "integer"}},
            "required": ["n"],
            "additionalProperties": false,
        }),
        policy,
        effect,
        guardrails: vec![Guardrail { name: "not_thirteen", check: not_thirteen }],
    }
}

pub(super) fn started(agents: &Agents) -> RunState {
    start(RUN_ID, &json!({"task": "t"}), agents, Limits::default())
}

pub(super) fn reply(output: Vec<Value>) -> Value {
    json!({
        "status": "completed",
        "output": output,
        "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
    })
}

pub(super) fn call(call_id: &str, name: &str, arguments: &Value) -> Value {
    json!({
        "type": "function_call",
        "call_id": call_id,
        "name": name,
        "arguments": arguments.to_string(),
        "status": "completed",
    })
}

pub(super) fn message(text: &str) -> Value {
    json!({
        "type": "message",
        "role": "assistant",
        "content": [{"type": "output_text", "text": text}],
    })
}

/// The answer to the question that is open about a call.
#[track_caller]
pub(super) fn answer(state: &RunState, call_id: &str, decision: Decision) -> Answer {
    let call = state.calls().iter().find(|call| call.call_id == call_id);
    let args_sha256 = call.expect("the call is part of the turn").args_sha256.clone();
    let question = match decision {
        Decision::Happened { .. } | Decision::DidNotHappen { .. } => Question::DidItHappen,
        Decision::Approved { .. } | Decision::Rejected { .. } | Decision::TimedOut => {
            Question::MayItRun
        }
    };
    Answer { call_id: call_id.into(), args_sha256, question, decision }
}

pub(super) fn approved() -> Decision {
    Decision::Approved { by: "ada".into() }
}

pub(super) fn rejected(reason: &str) -> Decision {
    Decision::Rejected { by: "ada".into(), reason: Some(reason.into()) }
}

/// The output that the conversation holds for a call, where it is JSON.
pub(super) fn output_of(state: &RunState, call_id: &str) -> Option<Value> {
    let item = state
        .items()
        .iter()
        .find(|item| item["type"] == "function_call_output" && item["call_id"] == call_id)?;
    serde_json::from_str(item["output"].as_str()?).ok()
}

/// The next step in a few words.
pub(super) fn step(state: &RunState, agents: &Agents) -> String {
    match next(state, agents) {
        Step::AskModel(_) => "ask model".into(),
        Step::CallTool(call) => format!("call {}", call.call_id),
        Step::AskPeople(requests) => {
            let ids: Vec<_> = requests.iter().map(|request| request.call_id.as_str()).collect();
            format!("ask people about {}", ids.join(", "))
        }
        Step::Finish(crate::agent::Finish::Done { output }) => format!("done {output}"),
        Step::Finish(crate::agent::Finish::Failed { code, .. }) => {
            format!("failed {}", code.as_str())
        }
    }
}

fn is_large(arguments: &Value) -> bool {
    arguments["n"].as_i64().is_some_and(|n| n > 100)
}

fn not_thirteen(arguments: &Value) -> Result<(), String> {
    if arguments["n"] == 13 { Err("it is thirteen".into()) } else { Ok(()) }
}

fn no_secret(value: &Value) -> Result<(), String> {
    if value.to_string().contains("secret") { Err("it holds a secret".into()) } else { Ok(()) }
}
