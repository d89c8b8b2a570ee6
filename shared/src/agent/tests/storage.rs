//! A run as it waits in the store.

use serde_json::{Value, json};

use super::team::{agents, answer, approved, call, message, reply, started, step};
use crate::agent::{
    Answer, Decision, Question, RunState, StateError, decided, model_replied, recovered,
    tool_claimed, tool_finished,
};

/// A run in schema 1 as a build once stored it. It stays readable for ever: change the code, not
/// this text.
const SCHEMA_1: &str = r#"{
    "schema": 1,
    "run_id": "00000000-0000-0000-0000-000000000007",
    "agent": "first",
    "turn": 2,
    "turns_max": 20,
    "tokens_max": 200000,
    "repairs": 0,
    "usage": {"input_tokens": 20, "output_tokens": 10, "total_tokens": 30},
    "items": [{"type": "message", "role": "user", "content": []}],
    "refused": [{"tool": "deploy", "args_sha256": "00", "output": "{}"}],
    "phase": {"name": "run_tools", "handoff": null, "calls": [
        {"call_id": "a", "tool": "read", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "ready"}},
        {"call_id": "b", "tool": "deploy", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "awaiting_approval"}},
        {"call_id": "c", "tool": "deploy", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "approved", "by": "ada"}},
        {"call_id": "d", "tool": "deploy", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "rejected", "by": "ada", "reason": null}},
        {"call_id": "e", "tool": "deploy", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "expired"}},
        {"call_id": "f", "tool": "charge", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "running", "approved_by": null}},
        {"call_id": "g", "tool": "read", "arguments": null, "args_sha256": "01", "state": {"name": "done", "output": "1", "is_error": false}},
        {"call_id": "h", "tool": "charge", "arguments": {"n": 1}, "args_sha256": "01", "state": {"name": "unknown_outcome"}}
    ]}
}"#;

#[test]
fn a_run_of_schema_1_is_read_and_written_as_it_was() {
    let state = RunState::parse(SCHEMA_1).expect("schema 1 stays readable");
    assert_eq!(step(&state, &agents()), "call a");
    let written: Value = json!(state);
    let stored: Value = serde_json::from_str(SCHEMA_1).expect("it is JSON");
    assert_eq!(written, stored);
}

#[test]
fn the_other_phases_are_read_as_they_were() {
    let mut stored: Value = serde_json::from_str(SCHEMA_1).expect("it is JSON");
    for (phase, expected) in [
        (json!({"name": "call_model"}), "ask model"),
        (json!({"name": "done", "output": {"a": 1}}), r#"done {"a":1}"#),
        (json!({"name": "failed", "code": "turns_max", "message": "m"}), "failed turns_max"),
    ] {
        stored["phase"] = phase;
        let state = RunState::try_from(stored.clone()).expect("schema 1 stays readable");
        assert_eq!(step(&state, &agents()), expected);
    }
}

#[track_caller]
fn check_refused(change: impl FnOnce(&mut Value), expected: &str) {
    let mut stored: Value = serde_json::from_str(SCHEMA_1).expect("it is JSON");
    change(&mut stored);
    let error: StateError = RunState::parse(&stored.to_string()).expect_err("it is refused");
    assert_eq!(error.to_string(), expected);
    serde_json::from_value::<RunState>(stored).expect_err("serde refuses it too");
}

#[test]
fn a_run_that_another_build_wrote_is_refused_with_the_remedy() {
    let newer =
        "the stored run has schema 9, this build reads schema 1: deploy a build that reads it";
    // The number is looked at first: the rest of a newer layout means nothing here.
    check_refused(|run| *run = json!({"schema": 9, "phase": 3}), newer);
    check_refused(|run| run["schema"] = json!(9), newer);
    let none = "the stored run has no `schema` number; this build reads schema 1";
    check_refused(|run| run["schema"] = Value::Null, none);
    check_refused(|run| *run = json!([]), none);
    let broken = "the stored run does not have the layout of schema 1";
    check_refused(|run| run["phase"] = json!({"name": "dream"}), broken);
    check_refused(|run| run["more"] = json!(1), broken);
}

/// Whatever a worker had not stored when it died, the next one finds the same step.
#[test]
fn a_worker_that_dies_at_any_point_repeats_the_same_step() {
    let agents = agents();
    let reload = |state: &RunState| {
        RunState::parse(&json!(state).to_string()).expect("the run was stored by this build")
    };
    let check = |state: &RunState, expected: &str| {
        assert_eq!(step(state, &agents), expected);
        assert_eq!(crate::agent::next(state, &agents), crate::agent::next(&reload(state), &agents));
        reload(state)
    };
    let n = json!({"n": 1});
    let state = check(&started(&agents), "ask model");
    let response = reply(vec![call("a", "deploy", &n), call("b", "charge", &n)]);
    let state = model_replied(&state, &agents, &response).expect("the model was asked");
    let state = check(&state, "call b");
    let state = tool_claimed(&state, &agents, "b").expect("the call may run");
    let state = recovered(check(&state, "ask people about a, b"), &agents);
    let state = decided(&state, &agents, &answer(&state, "a", approved())).expect("it is asked");
    let state = check(&state, "call a");
    let state = tool_claimed(&state, &agents, "a").expect("the call may run");
    let state = tool_finished(&state, &agents, "a", Ok(json!("live"))).expect("the call ran");
    let state = check(&state, "ask people about b");
    let decision = Decision::DidNotHappen { by: "ada".into() };
    let answer = Answer { question: Question::DidItHappen, ..answer(&state, "b", decision) };
    let state = decided(&state, &agents, &answer).expect("it is asked");
    let state = check(&state, "ask model");
    let state = model_replied(&state, &agents, &reply(vec![message("ok")])).expect("asked");
    check(&state, r#"done "ok""#);
}
