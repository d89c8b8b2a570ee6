//! The seed's two scripts, over the published client, against the stack in its own processes.

mod caller;
mod stage;

use reqwest::Method;
use serde_json::{Value, json};
use tests::{Ended, Program};

use self::caller::Caller;
use self::stage::Stage;

/// What the seed's agent finds out, whatever it is asked.
const INSIGHT: &str = "Sales rose by a tenth over the quarter.";
/// What a person is asked on the route.
const ASKED: &str = "Sign off on the analysis";

/// What the initiator read off the intent in the end.
fn report(initiator: &Ended) -> Value {
    serde_json::from_str(initiator.last_line()).expect("its last line is JSON")
}

/// The initiator saw the whole story without a person in it.
#[track_caller]
fn completed_alone(initiator: Program) {
    let report = report(&initiator.end().with_code(0));
    assert_eq!(report["status"], "COMPLETED", "{report}");
    assert_eq!(report["last_event_type"], "intent.completed", "{report}");
    assert_eq!(report["result"]["insights"][0], INSIGHT, "{report}");
    assert_eq!(report["was_held"], false, "{report}");
}

/// The initiator was told to get a person, and not before the agent had its result.
#[track_caller]
fn held(initiator: &Program) -> String {
    let sent = initiator.line("initiator: sent ");
    let hint = initiator.line("\"status\": \"pending_human_approval\"");
    assert!(hint.contains("status=WAITING"), "{hint}");
    initiator.line("a person must decide");
    sent.trim_start_matches("initiator: sent ").to_owned()
}

/// What it printed of events that said how a person had decided.
fn decisions(initiator: &Ended) -> usize {
    initiator.out.lines().filter(|line| line.contains("\"approved\": ")).count()
}

#[test]
fn the_seeds_scripts_run_to_completion_as_they_stand() {
    let Some(stage) = Stage::new() else { return };
    let http = Caller::of(stage.connection());
    let admin = &stage.connection().admin_key;
    let to = json!({"to": "agent://openai-agent-demo"});
    let made = http.call(Method::PUT, admin, "/v1/routes/task-processor", Some(&to));
    assert_eq!(made.status, 200, "{}", made.body);

    let agent = stage.agent("openai-agent-demo");
    agent.line("agent: listening");
    completed_alone(stage.initiator("agent://task-processor"));
    let agent = agent.end().with_code(0);
    assert!(agent.out.contains("agent: completed "), "{}", agent.out);
}

#[test]
fn an_agent_that_starts_late_gets_what_was_sent_before() {
    let Some(stage) = Stage::new() else { return };
    stage.holdpoint(&["agents", "alias", "agent://task-processor", "openai-agent-demo"]);
    let initiator = stage.initiator("agent://task-processor");
    initiator.line("intent.delivered");
    stage.agent("openai-agent-demo").end().with_code(0);
    completed_alone(initiator);
}

#[test]
fn a_reviewer_releases_the_result_over_the_api() {
    let Some(stage) = Stage::new() else { return };
    stage.hold_point_on("agent://task-processor", "openai-agent-demo", &json!({"title": ASKED}));
    let initiator = stage.initiator("agent://task-processor");
    // The agent has ended before anybody decides: nothing of it runs while a person thinks.
    let agent = stage.agent("openai-agent-demo").end().with_code(0);
    let id = held(&initiator);
    assert!(agent.out.contains(&format!("agent: completed {id}")), "{}", agent.out);

    let http = Caller::of(stage.connection());
    let path = format!("/v1/approvals/{id}/decision");
    let decision = json!({"decision": "approve", "comment": "Figures checked."});
    let own = http.call(Method::POST, &stage.connection().agent_key, &path, Some(&decision));
    assert_eq!(own.status, 403, "an agent decided: {}", own.body);
    let taken = http.call(Method::POST, &stage.connection().reviewer_key, &path, Some(&decision));
    assert_eq!(taken.status, 200, "{}", taken.body);

    let initiator = initiator.end().with_code(0);
    let report = report(&initiator);
    assert_eq!(report["status"], "COMPLETED", "{report}");
    assert_eq!(report["last_event_type"], "intent.completed", "{report}");
    assert_eq!(report["last_event_data"]["approved"], true, "{report}");
    assert_eq!(report["result"]["insights"][0], INSIGHT, "{report}");
    assert!(decisions(&initiator) >= 1, "{}", initiator.out);
}

#[test]
fn a_reviewer_releases_the_result_on_the_command_line() {
    let Some(stage) = Stage::new() else { return };
    stage.hold_point_on("agent://task-processor", "openai-agent-demo", &json!({"title": ASKED}));
    let agent = stage.agent("openai-agent-demo");
    agent.line("agent: listening");
    let initiator = stage.initiator("agent://task-processor");
    agent.end().with_code(0);
    let id = held(&initiator);

    let waiting = stage.holdpoint(&["tasks", "list"]);
    assert!(waiting.contains(&id) && waiting.contains(ASKED), "{waiting}");
    stage.holdpoint(&["tasks", "approve", &id, "--comment", "Figures checked."]);

    let report = report(&initiator.end().with_code(0));
    assert_eq!(report["status"], "COMPLETED", "{report}");
    assert_eq!(report["last_event_data"]["approved"], true, "{report}");
    assert_eq!(report["result"]["insights"][0], INSIGHT, "{report}");
    let waiting = stage.holdpoint(&["tasks", "list"]);
    assert!(!waiting.contains(&id), "{waiting}");
}

#[test]
fn a_rejected_result_is_never_the_intents() {
    let Some(stage) = Stage::new() else { return };
    stage.hold_point_on("agent://task-processor", "openai-agent-demo", &json!({"title": ASKED}));
    let initiator = stage.initiator("agent://task-processor");
    stage.agent("openai-agent-demo").end().with_code(0);
    let id = held(&initiator);
    stage.holdpoint(&["tasks", "reject", &id, "--comment", "One region is missing."]);

    let report = report(&initiator.end().with_code(0));
    assert_eq!(report["status"], "FAILED", "{report}");
    assert_eq!(report["last_event_type"], "intent.failed", "{report}");
    assert_eq!(report["last_event_data"]["approved"], false, "{report}");
    assert_eq!(report["result"]["insights"], Value::Null, "{report}");
}

#[test]
fn a_question_on_arrival_is_answered_by_a_person_and_by_no_agent() {
    let Some(stage) = Stage::new() else { return };
    let (from, to) = ("agent://task-processor", "openai-agent-demo");
    stage.hold_point_when(from, to, &json!({"title": ASKED}), "on-arrival");
    let agent = stage.agent(to);
    agent.line("agent: listening");
    let initiator = stage.initiator(from);
    let id = held(&initiator);
    stage.holdpoint(&["tasks", "approve", &id]);
    let report = report(&initiator.end().with_code(0));
    assert_eq!(report["status"], "COMPLETED", "{report}");
    assert_eq!(report["last_event_data"]["approved"], true, "{report}");

    // What the agent gets next is the next intent, sent straight to it.
    completed_alone(stage.initiator(to));
    let agent = agent.end().with_code(0);
    assert!(!agent.out.contains(&id), "{}", agent.out);
}

#[test]
fn a_key_counts_in_either_header() {
    let Some(stage) = Stage::new() else { return };
    let http = Caller::of(stage.connection());
    let key = &stage.connection().agent_key;
    let task = json!({
        "intent_type": "process_task",
        "to_agent": "agent://openai-agent-demo",
        "payload": {"task": "Find what moved the first quarter's sales"},
    });
    // Sent with a bearer token; taken and completed by the published client, which sends x-api-key.
    let sent = http.call_as_bearer(Method::POST, key, "/v1/intents", Some(&task));
    assert_eq!(sent.status, 200, "{}", sent.body);
    let id = sent.body["intent_id"].as_str().expect("an id").to_owned();
    stage.agent("openai-agent-demo").end().with_code(0);
    let path = format!("/v1/intents/{id}");
    let read = http.call_as_bearer(Method::GET, key, &path, None);
    assert_eq!(read.body["status"], "COMPLETED", "{}", read.body);
    let read_with_key = http.call(Method::GET, key, &path, None);
    assert_eq!(read_with_key.body["result"], read.body["result"]);

    for wrong in ["", "no-key-at-all"] {
        assert_eq!(http.call(Method::GET, wrong, &path, None).status, 401);
        assert_eq!(http.call_as_bearer(Method::GET, wrong, &path, None).status, 401);
    }
}

#[test]
fn the_seeds_scenario_gives_its_agent_a_step_and_completes_with_its_result() {
    let Some(stage) = Stage::new() else { return };
    let bundle = json!({
        "scenario_id": "openai-agents-handoff.v1",
        "agents": [{
            "role": "openai_agent",
            "address": "openai-agent-demo",
            "delivery_mode": "stream",
            "create_if_missing": true,
        }],
        "workflow": {"steps": [{
            "step_id": "process_task",
            "tool_id": "tool.agent.task.v1",
            "assigned_to": "openai_agent",
            "step_deadline_seconds": 300,
        }]},
        "intent": {"type": "intent.task.v1", "payload": {"task": "Find what moved the sales"}},
    });
    let http = Caller::of(stage.connection());
    let key = &stage.connection().agent_key;
    let applied = http.call(Method::POST, key, "/v1/scenarios/apply", Some(&bundle));
    assert_eq!(applied.body["pending_with"], "openai-agent-demo", "{}", applied.body);
    let id = applied.body["intent_id"].as_str().expect("an id").to_owned();

    // The agent starts after the scenario was applied, takes the step's intent, and reads the task
    // that its parent carries.
    let agent = stage.agent("openai-agent-demo").end().with_code(0);
    assert!(agent.out.contains("asks for: Find what moved the sales"), "{}", agent.out);
    assert!(!agent.out.contains(&id), "the step has an intent of its own: {}", agent.out);
    let watched = stage.holdpoint(&["intents", "watch", &id]);
    assert!(watched.contains("completed step process_task"), "{watched}");
    let read = http.call(Method::GET, key, &format!("/v1/intents/{id}"), None);
    assert_eq!(read.body["status"], "COMPLETED", "{}", read.body);
    assert_eq!(read.body["result"]["insights"][0], INSIGHT, "{}", read.body);
}
