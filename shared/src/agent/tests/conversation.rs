//! The built-in agents and the scripted model, from the task to the answer.

use serde_json::{Value, json};

use super::team::RUN_ID;
use crate::agent::{
    Agents, Answer, Decision, Effect, FailureCode, Finish, Limits, Model, Question, RunState, Step,
    decided, model_replied, next, recovered, sales, scripted, start, tool_claimed, tool_finished,
};

fn agents() -> Agents {
    let model = Model { name: scripted::MODEL.into(), reasoning: false, output_tokens_max: 4_000 };
    sales::agents(model).expect("they fit together")
}

fn task() -> Value {
    json!({
        "task": "Analyze Q1 sales data and generate insights",
        "priority": "high",
        "department": "Sales",
    })
}

/// Goes on until people are asked or the run ends.
#[track_caller]
fn go_on(mut state: RunState, agents: &Agents) -> (RunState, Step) {
    for _ in 0..20 {
        state = match next(&state, agents) {
            Step::AskModel(request) => {
                let response = scripted::respond(&request);
                assert_eq!(response, scripted::respond(&request), "a replay gives another reply");
                model_replied(&state, agents, &response).expect("the model was asked")
            }
            Step::CallTool(call) => {
                let state = tool_claimed(&state, agents, &call.call_id).expect("it may run");
                let result = match call.tool.as_str() {
                    sales::SALES_FIGURES => {
                        sales::sales_figures(&call.arguments).map_err(|error| error.to_string())
                    }
                    sales::PUBLISH_REPORT => Ok(json!({"report_id": "rep_1"})),
                    other => panic!("no tool {other}"),
                };
                tool_finished(&state, agents, &call.call_id, result).expect("it ran")
            }
            step @ (Step::AskPeople(_) | Step::Finish(_)) => return (state, step),
        };
    }
    panic!("the run does not stop");
}

/// The run at the question whether the report may be published.
#[track_caller]
fn at_the_hold_point(task: &Value) -> (RunState, crate::agent::ApprovalRequest) {
    let agents = agents();
    let state = start(RUN_ID, task, &agents, Limits::default());
    let (state, Step::AskPeople(requests)) = go_on(state, &agents) else {
        panic!("the run does not ask");
    };
    let [request] = requests.as_slice() else { panic!("there is more than one question") };
    (state, request.clone())
}

#[track_caller]
fn output_after(decision: Decision) -> Value {
    let agents = agents();
    let (state, request) = at_the_hold_point(&task());
    let answer = Answer {
        call_id: request.call_id,
        args_sha256: request.args_sha256,
        question: request.question,
        decision,
    };
    let state = decided(&state, &agents, &answer).expect("it is asked");
    done(go_on(state, &agents).1)
}

#[track_caller]
fn done(step: Step) -> Value {
    let Step::Finish(Finish::Done { output }) = step else {
        panic!("the run did not end well: {step:?}");
    };
    output
}

#[test]
fn the_run_hands_over_reads_the_figures_and_asks_to_publish() {
    let (state, request) = at_the_hold_point(&task());
    assert_eq!(state.agent(), sales::ANALYST);
    assert_eq!(state.turn(), 3);
    assert_eq!(request.tool, sales::PUBLISH_REPORT);
    assert_eq!(request.title, "Publish a report");
    assert_eq!(request.arguments["title"], "Sales report 2026-Q1");
    let summary = request.arguments["summary"].as_str().expect("a text");
    assert!(
        summary.starts_with("[scripted model, no LLM] Sales earned 4,730,800 USD"),
        "{summary}"
    );
}

#[test]
fn another_task_gives_another_report() {
    let task = json!({"task": "How did Q2 go?", "department": "Online"});
    let (_, request) = at_the_hold_point(&task);
    assert_eq!(request.arguments["title"], "Online report 2025-Q2");
    let summary = request.arguments["summary"].as_str().expect("a text");
    assert!(summary.contains("Online earned 793,900 USD"), "{summary}");
}

#[test]
fn an_approved_report_is_published() {
    let output = output_after(Decision::Approved { by: "ada".into() });
    assert_eq!(output["published"], true);
    assert_eq!(output["report_id"], "rep_1");
    assert_eq!(output["insights"].as_array().expect("insights").len(), 4);
    let summary = output["summary"].as_str().expect("a text");
    assert!(summary.ends_with("The report was published."), "{summary}");
    assert!(summary.contains("no LLM"));
}

#[track_caller]
fn check_not_published(decision: Decision, end: &str) {
    let output = output_after(decision);
    assert_eq!((&output["published"], &output["report_id"]), (&json!(false), &Value::Null));
    let summary = output["summary"].as_str().expect("a text");
    assert!(summary.ends_with(end), "{summary}");
}

#[test]
fn a_report_that_is_not_approved_is_not_published_and_the_answer_says_why() {
    let reject = |reason: Option<&str>| Decision::Rejected {
        by: "ada".into(),
        reason: reason.map(str::to_owned),
    };
    check_not_published(
        reject(Some("the South figures look wrong")),
        "not published: the reviewer refused it: \"the South figures look wrong\".",
    );
    check_not_published(reject(None), "the reviewer refused it and gave no reason.");
    check_not_published(Decision::TimedOut, "no reviewer answered in time.");
}

#[test]
fn a_publication_of_unknown_outcome_is_asked_about_and_never_repeated() {
    let agents = agents();
    let (state, request) = at_the_hold_point(&task());
    let answer = |question, decision| Answer {
        call_id: request.call_id.clone(),
        args_sha256: request.args_sha256.clone(),
        question,
        decision,
    };
    let yes = answer(Question::MayItRun, Decision::Approved { by: "ada".into() });
    let state = decided(&state, &agents, &yes).expect("it is asked");
    let Step::CallTool(call) = next(&state, &agents) else { panic!("it may run") };
    assert_eq!(call.effect, Effect::AtMostOnce);
    let state = tool_claimed(&state, &agents, &call.call_id).expect("it may run");
    let (state, Step::AskPeople(asked)) = go_on(recovered(state, &agents), &agents) else {
        panic!("people are asked whether it happened");
    };
    assert_eq!(asked[0].question, Question::DidItHappen);

    let happened = Decision::Happened { by: "ada".into(), report: None };
    let happened = answer(Question::DidItHappen, happened);
    let happened = decided(&state, &agents, &happened).expect("it is asked");
    let output = done(go_on(happened, &agents).1);
    assert_eq!((&output["published"], &output["report_id"]), (&json!(true), &Value::Null));

    let not = answer(Question::DidItHappen, Decision::DidNotHappen { by: "ada".into() });
    let not = decided(&state, &agents, &not).expect("it is asked");
    assert_eq!(done(go_on(not, &agents).1)["published"], false);
}

#[test]
fn a_task_without_text_is_refused_before_the_model_is_asked() {
    let agents = agents();
    let state = start(RUN_ID, &json!({"priority": "high"}), &agents, Limits::default());
    let Step::Finish(Finish::Failed { code, message }) = next(&state, &agents) else {
        panic!("the run goes on");
    };
    assert_eq!(code, FailureCode::Guardrail);
    assert_eq!(
        message,
        "guardrail `task_has_text` refused the task: it has no text in its `task` field"
    );
    assert_eq!(state.usage().total_tokens, 0);
}

#[test]
fn a_department_without_figures_ends_in_an_answer_that_says_so() {
    let agents = agents();
    let task = json!({"task": "Analyze Q1", "department": "Legal"});
    let state = start(RUN_ID, &task, &agents, Limits::default());
    let output = done(go_on(state, &agents).1);
    assert_eq!(output["published"], false);
    let summary = output["summary"].as_str().expect("a text");
    assert!(summary.contains("There are no figures"), "{summary}");
}

#[test]
fn a_model_that_claims_a_publication_is_stopped() {
    let agents = agents();
    let state = start(RUN_ID, &task(), &agents, Limits::default());
    let claim = json!({"summary": "s", "insights": [], "published": true, "report_id": "rep_9"});
    let response = super::team::reply(vec![super::team::message(&claim.to_string())]);
    let state = model_replied(&state, &agents, &response).expect("the model was asked");
    assert_eq!(super::team::step(&state, &agents), "failed guardrail");
}

#[test]
fn the_scripted_model_says_that_it_is_none() {
    let response = scripted::respond(&json!({"input": "Write a poem", "model": "gpt-x"}));
    assert_eq!(response["model"], "scripted (no LLM)");
    assert_eq!(response["status"], "completed");
    let text = response["output"][0]["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("[scripted model, no LLM]"), "{text}");
    let usage = &response["usage"];
    assert!(usage["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
}

#[test]
fn the_scripted_model_refuses_a_request_without_input() {
    for request in [json!({}), json!({"input": 3}), json!({"input": []}), json!(null)] {
        let response = scripted::respond(&request);
        assert_eq!(response["status"], "failed");
        assert_eq!(response["error"]["code"], "invalid_prompt");
    }
}
