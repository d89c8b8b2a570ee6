//! What each kind of reply leads to.

use serde_json::{Value, json};

use super::team::{agents, agents_with, call, message, output_of, reply, started, step, tool};
use crate::agent::{
    Agents, CALLS_PER_TURN_MAX, CallState, Effect, FailureCode, Limits, Phase, Policy, Rejection,
    RunState, STATE_BYTES_MAX, TASK_BYTES_MAX, model_replied, settle, start, stopped,
    tool_finished,
};

/// A started run after one reply.
#[track_caller]
fn after(agents: &Agents, response: &Value) -> RunState {
    model_replied(&started(agents), agents, response).expect("the model was asked")
}

#[track_caller]
fn check_step(response: &Value, expected: &str) {
    let agents = agents();
    assert_eq!(step(&after(&agents, response), &agents), expected);
}

#[test]
fn a_text_is_the_answer() {
    check_step(&reply(vec![message("42")]), r#"done "42""#);
    check_step(&reply(vec![message("a remark"), message("42")]), r#"done "42""#);
}

#[test]
fn a_reply_that_cannot_be_used_fails_the_run() {
    let n = json!({"n": 1});
    let with = |field: &str, value: Value| {
        let mut item = call("a", "read", &n);
        item[field] = value;
        reply(vec![item])
    };
    let incomplete = json!({
        "status": "incomplete",
        "incomplete_details": {"reason": "max_output_tokens"},
        "output": [message("42")],
    });
    let refusal = json!({"type": "message", "content": [{"type": "refusal", "refusal": "no"}]});
    check_step(&json!({}), "failed model_reply");
    check_step(&json!({"status": "completed"}), "failed model_reply");
    check_step(&reply(vec![]), "failed model_reply");
    check_step(&reply(vec![json!({"type": "reasoning"})]), "failed model_reply");
    check_step(&reply(vec![json!({"type": "mcp_approval_request"})]), "failed model_reply");
    check_step(&incomplete, "failed model_incomplete");
    check_step(&json!({"status": "failed", "error": {"code": "x"}}), "failed model_unavailable");
    check_step(&reply(vec![refusal]), "failed model_refused");
    check_step(&with("status", json!("incomplete")), "failed model_incomplete");
    check_step(&with("call_id", Value::Null), "failed model_reply");
    check_step(&with("call_id", json!("")), "failed model_reply");
    check_step(&with("arguments", json!({"n": 1})), "failed model_reply");
    check_step(&reply(vec![call("a", "read", &n), call("a", "put", &n)]), "failed model_reply");
    let many = (0..=CALLS_PER_TURN_MAX).map(|i| call(&i.to_string(), "read", &n)).collect();
    check_step(&reply(many), "failed model_reply");
}

#[test]
fn a_call_id_of_an_earlier_turn_is_refused() {
    let agents = agents();
    let response = reply(vec![call("a", "read", &json!({"n": 1}))]);
    let state = after(&agents, &response);
    let state = tool_finished(&state, &agents, "a", Ok(json!(1))).expect("the call ran");
    let state = model_replied(&state, &agents, &response).expect("the model was asked");
    assert_eq!(step(&state, &agents), "failed model_reply");
}

#[track_caller]
fn check_call(name: &str, arguments: &str, expected: &CallState) {
    let agents = agents();
    let mut item = call("a", name, &Value::Null);
    item["arguments"] = json!(arguments);
    // The second call keeps the turn open.
    let waiting = call("b", "deploy", &json!({"n": 1}));
    let state = after(&agents, &reply(vec![item, waiting]));
    assert_eq!(&state.calls()[0].state, expected);
}

fn error(text: &str) -> CallState {
    CallState::Done { output: json!({"error": text}).to_string(), is_error: true }
}

#[test]
fn the_policy_says_who_must_agree() {
    check_call("read", r#"{"n":1}"#, &CallState::Ready);
    check_call("charge", r#"{"n":1}"#, &CallState::Ready);
    check_call("deploy", r#"{"n":1}"#, &CallState::AwaitingApproval);
    check_call("scale", r#"{"n":100}"#, &CallState::Ready);
    check_call("scale", r#"{"n":101}"#, &CallState::AwaitingApproval);
    check_call("erase", r#"{"n":1}"#, &error("the policy of `erase` forbids this call"));
}

#[test]
fn a_call_that_no_tool_can_take_is_answered_and_not_run() {
    let fault = "the arguments do not fit the tool's schema:";
    check_call("fly", r#"{"n":1}"#, &error("there is no tool `fly`"));
    check_call(
        "deploy",
        r#"{"n":"1"}"#,
        &error(&format!("{fault} `$.n` is string, not \"integer\"")),
    );
    check_call("deploy", "{}", &error(&format!("{fault} `$.n` is missing")));
    check_call("deploy", "[1]", &error(&format!("{fault} `$` is array, not \"object\"")));
    check_call(
        "deploy",
        "{",
        &error("the arguments are not JSON: EOF while parsing an object at line 1 column 1"),
    );
    check_call(
        "deploy",
        r#"{"n":9007199254740993}"#,
        &error(&format!(
            "{fault} `$` holds an integer beyond 9007199254740991; send it as a string"
        )),
    );
}

#[test]
fn arguments_over_the_limit_are_answered_and_not_run() {
    let text = format!("{{\"n\":1{}}}", " ".repeat(64_000));
    check_call(
        "deploy",
        &text,
        &error("the arguments have 64007 bytes, at most 64000 are allowed"),
    );
}

#[test]
fn a_turn_whose_calls_are_all_answered_goes_straight_back_to_the_model() {
    let agents = agents();
    let state = after(&agents, &reply(vec![call("a", "fly", &json!({}))]));
    assert_eq!(step(&state, &agents), "ask model");
    assert_eq!(output_of(&state, "a"), Some(json!({"error": "there is no tool `fly`"})));
}

#[test]
fn a_handoff_waits_for_its_siblings_and_each_call_has_an_output() {
    let agents = agents();
    let state = after(
        &agents,
        &reply(vec![
            call("a", "transfer_to_second", &json!({})),
            call("b", "read", &json!({"n": 1})),
            call("c", "transfer_to_second", &json!({})),
            call("d", "transfer_to_third", &json!({})),
        ]),
    );
    assert_eq!((state.agent(), step(&state, &agents).as_str()), ("first", "call b"));
    let state = tool_finished(&state, &agents, "b", Ok(json!(2))).expect("the call ran");
    assert_eq!((state.agent(), step(&state, &agents).as_str()), ("second", "ask model"));
    assert_eq!(output_of(&state, "a"), Some(json!({"assistant": "second"})));
    assert_eq!(output_of(&state, "b"), Some(json!(2)));
    let error = "the conversation already goes to `second` in this turn";
    assert_eq!(output_of(&state, "c"), Some(json!({"error": error})));
    let error = "this agent cannot hand over to `third`";
    assert_eq!(output_of(&state, "d"), Some(json!({"error": error})));
}

#[test]
fn an_answer_that_does_not_fit_the_schema_is_sent_back_once() {
    let agents = agents();
    let state = after(&agents, &reply(vec![call("a", "transfer_to_second", &json!({}))]));
    let state = model_replied(&state, &agents, &reply(vec![message("42")])).expect("asked");
    assert_eq!(step(&state, &agents), "ask model");
    let told = state.items().last().expect("an item")["content"][0]["text"].clone();
    let told = told.as_str().expect("a text");
    assert!(told.contains("does not fit the schema (`$` is number, not \"object\")"), "{told}");

    let good = reply(vec![message(r#"{"answer":"42"}"#)]);
    let good = model_replied(&state, &agents, &good).expect("asked");
    assert_eq!(step(&good, &agents), r#"done {"answer":"42"}"#);
    let bad = model_replied(&state, &agents, &reply(vec![message("{")])).expect("asked");
    assert_eq!(step(&bad, &agents), "failed model_reply");
}

#[test]
fn guardrails_stop_the_run_before_anybody_is_asked() {
    let agents = agents();
    let state = start(super::team::RUN_ID, &json!({"task": "secret"}), &agents, Limits::default());
    assert_eq!(step(&state, &agents), "failed guardrail");
    assert!(state.items().is_empty());
    check_step(&reply(vec![call("a", "deploy", &json!({"n": 13}))]), "failed guardrail");
    check_step(&reply(vec![message("the secret")]), "failed guardrail");
}

#[test]
fn a_guardrail_says_which_one_it_is_and_why() {
    let agents = agents();
    let state = after(&agents, &reply(vec![call("a", "deploy", &json!({"n": 13}))]));
    let message = "guardrail `not_thirteen` refused the arguments of `deploy`: it is thirteen";
    let failed = Phase::Failed { code: FailureCode::Guardrail, message: message.into() };
    assert_eq!(state.phase(), &failed);
}

#[track_caller]
fn check_budget(limits: Limits, response: &Value, expected: &str) {
    let agents = agents();
    let state = start(super::team::RUN_ID, &json!({"task": "t"}), &agents, limits);
    let state = model_replied(&state, &agents, response).expect("the model was asked");
    assert_eq!(step(&state, &agents), expected);
}

#[test]
fn a_used_up_budget_ends_the_run_before_its_tools_run() {
    let calls = reply(vec![call("a", "read", &json!({"n": 1}))]);
    let answer = reply(vec![message("42")]);
    let turns = |turns_max| Limits { turns_max, ..Limits::default() };
    let tokens = |tokens_max| Limits { tokens_max, ..Limits::default() };
    check_budget(turns(1), &calls, "failed turns_max");
    check_budget(turns(2), &calls, "call a");
    check_budget(turns(1), &answer, r#"done "42""#);
    check_budget(tokens(30), &calls, "failed tokens_max");
    check_budget(tokens(31), &calls, "call a");
    check_budget(tokens(16), &answer, r#"done "42""#);
}

#[test]
fn a_budget_of_nothing_asks_no_model() {
    let agents = agents();
    let limits = Limits { turns_max: 0, tokens_max: 0 };
    let state = start(super::team::RUN_ID, &json!({"task": "t"}), &agents, limits);
    assert_eq!(step(&state, &agents), "failed turns_max");
    let late = model_replied(&state, &agents, &reply(vec![message("42")]));
    assert_eq!(late, Err(Rejection::Finished));
}

#[test]
fn a_host_that_counts_no_tokens_is_charged_by_size() {
    let agents = agents();
    let mut response = reply(vec![call("a", "read", &json!({"n": 1}))]);
    response.as_object_mut().expect("an object").remove("usage");
    let usage = after(&agents, &response).usage();
    assert!(usage.input_tokens > 0 && usage.output_tokens > 0, "{usage:?}");
    assert_eq!(usage.total_tokens, usage.input_tokens + usage.output_tokens);
}

#[test]
fn a_run_that_outgrows_its_item_fails_and_still_fits() {
    let agents = agents_with(vec![tool("read", Policy::Auto, Effect::Pure)]);
    let mut state = started(&agents);
    let mut turns = 0;
    while step(&state, &agents) == "ask model" {
        turns += 1;
        let id = turns.to_string();
        let response = reply(vec![call(&id, "read", &json!({"n": 1}))]);
        state = model_replied(&state, &agents, &response).expect("the model was asked");
        let output = Ok(Value::from("x".repeat(STATE_BYTES_MAX)));
        state = tool_finished(&state, &agents, &id, output).expect("the call ran");
        assert!(state.bytes() <= STATE_BYTES_MAX);
    }
    assert_eq!(step(&state, &agents), "failed state_bytes_max");
    assert_eq!(turns, 10);
}

#[test]
fn a_task_over_the_limit_is_not_started() {
    let agents = agents();
    let task = json!("x".repeat(TASK_BYTES_MAX));
    let state = start(super::team::RUN_ID, &task, &agents, Limits::default());
    assert_eq!(step(&state, &agents), "failed task_bytes_max");
    assert!(state.items().is_empty());
}

#[test]
fn a_reply_that_nobody_waits_for_is_refused() {
    let agents = agents();
    let response = reply(vec![call("a", "read", &json!({"n": 1}))]);
    let state = after(&agents, &response);
    assert_eq!(model_replied(&state, &agents, &response), Err(Rejection::ModelNotAsked));
    let done = after(&agents, &reply(vec![message("42")]));
    assert_eq!(model_replied(&done, &agents, &response), Err(Rejection::Finished));
}

#[test]
fn items_that_the_loop_does_not_know_are_kept_as_they_are() {
    let agents = agents();
    let reasoning =
        json!({"type": "reasoning", "encrypted_content": "e", "new_field": [1.5, null]});
    let asked = call("a", "read", &json!({"n": 1}));
    let state = after(&agents, &reply(vec![reasoning.clone(), asked.clone()]));
    assert_eq!(state.items()[1..], [reasoning, asked]);
}

#[test]
fn a_stopped_run_ends_once() {
    let agents = agents();
    let state = stopped(&started(&agents), FailureCode::Cancelled, "The sender cancelled it.");
    assert_eq!(step(&state, &agents), "failed cancelled");
    assert_eq!(stopped(&state, FailureCode::ModelUnavailable, "late"), state);
    assert_eq!(settle(state.clone(), &agents), state);
}
