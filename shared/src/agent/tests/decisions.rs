//! What people answer, what tools give back, and what a new build forbids.

use serde_json::{Value, json};

use super::team::{
    agents, agents_with, answer, approved, call, message, output_of, rejected, reply, started,
    step, tool,
};
use crate::agent::{
    Agent, Agents, Answer, CallState, Decision, Effect, Guardrail, Policy, Question, Rejection,
    RunState, Step, decided, model_replied, next, recovered, settle, tool_claimed, tool_finished,
    tool_lost, waiting,
};

/// A run in the turn of these calls, each with `{"n": 1}`.
fn turn(agents: &Agents, calls: &[(&str, &str)]) -> RunState {
    let calls = calls.iter().map(|(id, name)| call(id, name, &json!({"n": 1}))).collect();
    model_replied(&started(agents), agents, &reply(calls)).expect("the model was asked")
}

fn happened() -> Decision {
    Decision::Happened { by: "ada".into(), report: Some("it is live".into()) }
}

fn did_not_happen() -> Decision {
    Decision::DidNotHappen { by: "ada".into() }
}

#[track_caller]
fn decide(state: &RunState, agents: &Agents, id: &str, decision: Decision) -> RunState {
    decided(state, agents, &answer(state, id, decision)).expect("the question is open")
}

#[test]
fn free_calls_run_while_gated_ones_wait() {
    let agents = agents();
    let state = turn(&agents, &[("a", "deploy"), ("b", "read"), ("c", "deploy")]);
    assert_eq!(step(&state, &agents), "call b");
    let asked: Vec<_> = waiting(&state, &agents).into_iter().map(|r| r.call_id).collect();
    assert_eq!(asked, ["a", "c"]);

    let state = tool_finished(&state, &agents, "b", Ok(json!(1))).expect("the call ran");
    assert_eq!(step(&state, &agents), "ask people about a, c");
    let state = decide(&state, &agents, "c", approved());
    assert_eq!(step(&state, &agents), "call c");
    let state = tool_finished(&state, &agents, "c", Ok(json!(2))).expect("the call ran");
    assert_eq!(step(&state, &agents), "ask people about a");
    let state = decide(&state, &agents, "a", rejected("not today"));
    assert_eq!(step(&state, &agents), "ask model");

    let answered: Vec<_> = state.items().iter().skip(4).map(|item| &item["call_id"]).collect();
    assert_eq!(answered, ["a", "b", "c"]);
    assert_eq!(output_of(&state, "a").expect("an output")["outcome"], "rejected");
    assert_eq!(output_of(&state, "a").expect("an output")["reason"], "not today");
}

#[test]
fn a_request_shows_what_would_run_and_a_call_names_who_agreed() {
    let agents = agents();
    let state = turn(&agents, &[("a", "deploy")]);
    let Step::AskPeople(requests) = next(&state, &agents) else { panic!("people are asked") };
    let request = &requests[0];
    assert_eq!((request.title.as_str(), request.question), ("Do deploy", Question::MayItRun));
    assert_eq!(request.description, "Agent `first` asks to run `deploy`. It does deploy.");
    assert_eq!(request.arguments, json!({"n": 1}));

    let state = decide(&state, &agents, "a", approved());
    let Step::CallTool(call) = next(&state, &agents) else { panic!("the tool is called") };
    assert_eq!(call.arguments, request.arguments);
    assert_eq!(call.args_sha256, request.args_sha256);
    assert_eq!(call.approved_by.as_deref(), Some("ada"));
    // sha256 of `00000000-0000-0000-0000-000000000007:a:` and the digest of `{"n":1}`.
    assert_eq!(
        call.idempotency_key,
        "0e7797342e5baf4aebb7dc4c32c521ecaaaf650b51de5e037ee7ac793bf557dc"
    );
}

#[test]
fn an_answer_to_other_arguments_is_refused() {
    let agents = agents();
    let state = turn(&agents, &[("a", "deploy")]);
    let shown = Answer { args_sha256: "0".repeat(64), ..answer(&state, "a", approved()) };
    assert_eq!(decided(&state, &agents, &shown), Err(Rejection::ArgumentsChanged));
}

#[track_caller]
fn check_decided(state: &RunState, decision: Decision, expected: Result<&CallState, Rejection>) {
    let agents = agents();
    let found = decided(state, &agents, &answer(state, "a", decision));
    let found = found.as_ref().map(|state| &state.calls()[0].state).map_err(|error| *error);
    assert_eq!(found, expected);
}

#[test]
fn each_answer_fits_one_question_and_the_first_one_counts() {
    let agents = agents();
    // The second call keeps the turn open.
    let waiting = turn(&agents, &[("a", "deploy"), ("b", "deploy")]);
    let yes = CallState::Approved { by: "ada".into() };
    let no = CallState::Rejected { by: "ada".into(), reason: Some("no".into()) };
    check_decided(&waiting, approved(), Ok(&yes));
    check_decided(&waiting, rejected("no"), Ok(&no));
    check_decided(&waiting, Decision::TimedOut, Ok(&CallState::Expired));
    check_decided(&waiting, happened(), Err(Rejection::NotAsked));
    check_decided(&waiting, did_not_happen(), Err(Rejection::NotAsked));

    let decided = decide(&waiting, &agents, "a", approved());
    check_decided(&decided, approved(), Ok(&yes));
    check_decided(
        &decided,
        Decision::Approved { by: "eve".into() },
        Err(Rejection::AlreadyDecided),
    );
    check_decided(&decided, rejected("no"), Err(Rejection::AlreadyDecided));
    check_decided(&decided, Decision::TimedOut, Err(Rejection::AlreadyDecided));

    let running = tool_claimed(&decided, &agents, "a").expect("the call may run");
    let state = CallState::Running { approved_by: Some("ada".into()) };
    check_decided(&running, approved(), Ok(&state));
    check_decided(&running, rejected("no"), Err(Rejection::AlreadyDecided));

    let refused = decide(&waiting, &agents, "a", rejected("no"));
    check_decided(&refused, rejected("no"), Ok(&no));
    check_decided(&refused, approved(), Err(Rejection::AlreadyDecided));

    let lapsed = decide(&waiting, &agents, "a", Decision::TimedOut);
    check_decided(&lapsed, Decision::TimedOut, Ok(&CallState::Expired));
    check_decided(&lapsed, approved(), Err(Rejection::AlreadyDecided));

    let free = turn(&agents, &[("a", "read"), ("b", "deploy")]);
    check_decided(&free, approved(), Err(Rejection::NotAsked));
}

#[test]
fn a_decision_that_does_not_answer_its_question_is_refused() {
    let agents = agents();
    let state = turn(&agents, &[("a", "deploy")]);
    let crossed = Answer { question: Question::DidItHappen, ..answer(&state, "a", approved()) };
    assert_eq!(decided(&state, &agents, &crossed), Err(Rejection::WrongQuestion));
}

#[test]
fn a_refused_call_is_not_asked_about_again_and_another_one_is() {
    let agents = agents();
    for decision in [rejected("never"), Decision::TimedOut] {
        let state = turn(&agents, &[("a", "deploy")]);
        let state = decide(&state, &agents, "a", decision);
        let again = reply(vec![call("b", "deploy", &json!({"n": 1}))]);
        let again = model_replied(&state, &agents, &again).expect("the model was asked");
        assert_eq!(step(&again, &agents), "ask model");
        assert_eq!(output_of(&again, "b"), output_of(&again, "a"));
        let other = reply(vec![call("b", "deploy", &json!({"n": 2}))]);
        let other = model_replied(&state, &agents, &other).expect("the model was asked");
        assert_eq!(step(&other, &agents), "ask people about b");
    }
}

#[test]
fn an_approval_is_for_one_call() {
    let agents = agents();
    let state = decide(&turn(&agents, &[("a", "deploy")]), &agents, "a", approved());
    let state = tool_finished(&state, &agents, "a", Ok(json!(1))).expect("the call ran");
    let again = reply(vec![call("b", "deploy", &json!({"n": 1}))]);
    let state = model_replied(&state, &agents, &again).expect("the model was asked");
    assert_eq!(step(&state, &agents), "ask people about b");
}

#[test]
fn a_tool_gives_its_output_once() {
    let agents = agents();
    let state = turn(&agents, &[("a", "read"), ("b", "deploy")]);
    let done = tool_finished(&state, &agents, "a", Ok(json!({"x": 1}))).expect("the call ran");
    let twice = tool_finished(&done, &agents, "a", Ok(json!({"x": 2}))).expect("no news");
    assert_eq!(done, twice);
    let failed = tool_finished(&state, &agents, "a", Err("no disk".into())).expect("the call ran");
    let output = json!({"error": "no disk"}).to_string();
    assert_eq!(failed.calls()[0].state, CallState::Done { output, is_error: true });
    let early = tool_finished(&state, &agents, "b", Ok(json!(1)));
    assert_eq!(early, Err(Rejection::NotRunnable));
    let unknown = tool_finished(&state, &agents, "z", Ok(json!(1)));
    assert_eq!(unknown, Err(Rejection::NoSuchCall));
}

#[test]
fn only_a_call_that_may_run_is_claimed_and_only_once() {
    let agents = agents();
    let state = turn(&agents, &[("a", "charge"), ("b", "deploy")]);
    assert_eq!(tool_claimed(&state, &agents, "b"), Err(Rejection::NotRunnable));
    let claimed = tool_claimed(&state, &agents, "a").expect("the call may run");
    assert_eq!(claimed.calls()[0].state, CallState::Running { approved_by: None });
    assert_eq!(tool_claimed(&claimed, &agents, "a"), Err(Rejection::NotRunnable));
}

/// The step after a worker claimed the only call and died.
#[track_caller]
fn check_lost(name: &str, expected: &str) -> RunState {
    let agents = agents();
    let mut state = turn(&agents, &[("a", name)]);
    if name == "deploy" {
        state = decide(&state, &agents, "a", approved());
    }
    let claimed = tool_claimed(&state, &agents, "a").expect("the call may run");
    assert_eq!(step(&claimed, &agents), expected);
    let found = recovered(claimed, &agents);
    assert_eq!(tool_lost(&state, &agents, "a"), Ok(found.clone()));
    found
}

#[test]
fn what_may_run_twice_runs_again_and_the_rest_is_asked_about() {
    check_lost("read", "call a");
    check_lost("put", "call a");
    check_lost("charge", "ask people about a");
    check_lost("deploy", "ask people about a");
}

#[track_caller]
fn check_unknown(decision: Decision, outcome: &str) -> RunState {
    let agents = agents();
    let state = check_lost("charge", "ask people about a");
    let asked = &waiting(&state, &agents)[0];
    assert_eq!(asked.question, Question::DidItHappen);
    assert!(asked.description.contains("It will not be run again."));
    let answer = Answer { question: Question::DidItHappen, ..answer(&state, "a", decision) };
    let state = decided(&state, &agents, &answer).expect("the question is open");
    assert_eq!(step(&state, &agents), "ask model");
    assert_eq!(output_of(&state, "a").expect("an output")["outcome"], outcome);
    state
}

#[test]
fn people_say_whether_a_lost_call_happened() {
    let state = check_unknown(happened(), "happened");
    assert_eq!(output_of(&state, "a").expect("an output")["report"], "it is live");
    check_unknown(did_not_happen(), "did_not_happen");
}

#[test]
fn a_call_that_stays_unknown_is_not_run_by_asking_for_it_again() {
    let agents = agents();
    let state = check_unknown(Decision::TimedOut, "unknown");
    let again = reply(vec![call("b", "charge", &json!({"n": 1}))]);
    let state = model_replied(&state, &agents, &again).expect("the model was asked");
    assert_eq!(step(&state, &agents), "ask model");
    assert_eq!(output_of(&state, "b").expect("an output")["outcome"], "unknown");
}

#[test]
fn the_late_word_of_a_worker_settles_a_call_of_unknown_outcome() {
    let agents = agents();
    let state = check_lost("charge", "ask people about a");
    let state = tool_finished(&state, &agents, "a", Ok(json!("paid"))).expect("it is news");
    assert_eq!(step(&state, &agents), "ask model");
}

/// The same calls under a build whose `deploy` is another.
#[track_caller]
fn check_build(state: &RunState, policy: Option<Policy>, expected: &str, output: Option<Value>) {
    let tools = policy.map(|policy| tool("deploy", policy, Effect::AtMostOnce));
    let build = agents_with(tools.into_iter().collect());
    assert_eq!(step(state, &build), expected);
    assert_eq!(output_of(&settle(state.clone(), &build), "a"), output);
}

#[test]
fn what_a_new_build_forbids_does_not_run_however_it_was_approved() {
    let agents = agents();
    let yes = decide(&turn(&agents, &[("a", "deploy")]), &agents, "a", approved());
    let error = |text| Some(json!({"error": text}));
    check_build(&yes, Some(Policy::Ask), "call a", None);
    check_build(&yes, Some(Policy::Auto), "call a", None);
    let forbidden = error("the policy of `deploy` forbids this call");
    check_build(&yes, Some(Policy::Deny), "ask model", forbidden);
    check_build(&yes, None, "ask model", error("this tool is not part of the agent any more"));

    let build = agents_with(vec![tool("deploy", Policy::Auto, Effect::AtMostOnce)]);
    let free = turn(&build, &[("a", "deploy")]);
    check_build(&free, Some(Policy::Auto), "call a", None);
    check_build(&free, Some(Policy::Ask), "ask people about a", None);
}

#[test]
fn a_call_that_may_have_happened_is_asked_about_though_its_tool_is_gone() {
    let agents = agents();
    let yes = decide(&turn(&agents, &[("a", "deploy")]), &agents, "a", approved());
    let claimed = tool_claimed(&yes, &agents, "a").expect("the call may run");
    check_build(&claimed, None, "ask people about a", None);
    check_build(&claimed, Some(Policy::Deny), "ask people about a", None);
}

#[test]
fn a_guardrail_is_read_again_before_an_approved_call_runs() {
    let agents = agents();
    let yes = decide(&turn(&agents, &[("a", "deploy")]), &agents, "a", approved());
    let mut stricter = tool("deploy", Policy::Ask, Effect::AtMostOnce);
    stricter.guardrails.push(Guardrail { name: "freeze", check: |_| Err("no deploys".into()) });
    assert_eq!(step(&yes, &agents_with(vec![stricter])), "failed guardrail");
}

#[test]
fn a_run_whose_agent_is_gone_fails_and_a_finished_one_keeps_its_answer() {
    let agents = agents();
    let other = Agent { name: "other".into(), ..agents.agent("second").expect("an agent").clone() };
    let others = Agents::new(agents.model().clone(), "other", vec![other]).expect("they fit");
    assert_eq!(step(&started(&agents), &others), "failed agent_removed");
    let done = model_replied(&started(&agents), &agents, &reply(vec![message("42")]));
    assert_eq!(step(&done.expect("the model was asked"), &others), r#"done "42""#);
}
