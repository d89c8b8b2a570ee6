//! `holdpoint` as its users meet it: words on a terminal and exit codes.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tests::binaries::binary;
use tests::{Ended, Program, Running};

/// The command, without the variables of whoever runs the tests.
pub(crate) fn holdpoint(words: &[&str]) -> Command {
    let mut command = Command::new(binary("holdpoint"));
    command.args(words).env("NO_COLOR", "1");
    for name in ["HOLDPOINT_URL", "HOLDPOINT_API_KEY", "OPENAI_API_KEY", "HOLDPOINT_LOG"] {
        command.env_remove(name);
    }
    command
}

/// A command's whole run against one stack.
pub(crate) fn run(stack: &Running, words: &[&str]) -> Ended {
    let connection = stack.data().join("connection.json");
    Program::run(holdpoint(words).arg("--connection").arg(connection))
}

/// Its one JSON document.
#[track_caller]
pub(crate) fn answer(stack: &Running, words: &[&str]) -> Value {
    let ended = run(stack, &[words, &["--json"]].concat()).with_code(0);
    serde_json::from_str(&ended.out).unwrap_or_else(|error| panic!("{error}\n{}", ended.out))
}

/// Its JSON documents, one a line.
fn lines(out: &str) -> Vec<Value> {
    out.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
}

#[track_caller]
pub(crate) fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in\n{text}");
    }
}

#[test]
fn the_demo_ends_well_when_the_person_says_yes() {
    let data = tempfile::tempdir().expect("a folder");
    let mut demo = holdpoint(&["demo", "--approve", "--data"]);
    let ended = Program::run(demo.arg(data.path().join("stack"))).with_code(0);
    let shown = format!("{}\n{}", ended.out, ended.err);
    says(&shown, &["scripted: fixed rules, no LLM", "HOLD POINT", "publish_report", "/approve/"]);
    says(&shown, &["\"published\": true", "COMPLETED  approved by local-reviewer"]);
}

#[test]
fn the_demo_ends_with_1_when_the_person_says_no() {
    let data = tempfile::tempdir().expect("a folder");
    let mut demo = holdpoint(&["demo", "--reject", "--json", "--data"]);
    let ended = Program::run(demo.arg(data.path().join("stack"))).with_code(1);
    let events = lines(&ended.out);
    let last = events.last().expect("events");
    assert_eq!(
        (&last["status"], &last["details"]["approved"]),
        (&json!("COMPLETED"), &json!(false))
    );
    assert_eq!(last["result"]["published"], false);
    let seqs: Vec<_> =
        events.iter().map(|event| event["seq"].as_u64().expect("a number")).collect();
    let expected: Vec<_> = (1..=seqs.len() as u64).map(|number| number * 2).collect();
    assert_eq!(seqs, expected);
}

#[test]
fn what_cannot_be_reached_or_is_not_allowed_is_told_with_its_remedy() {
    // Nothing listens on the discard port of a machine of ours.
    let mut list = holdpoint(&["tasks", "list", "--url", "http://127.0.0.1:9", "--api-key", "k"]);
    let ended = Program::run(&mut list).with_code(2);
    says(&ended.err, &["cannot reach http://127.0.0.1:9", "holdpoint up"]);
    let mut list = holdpoint(&["tasks", "list", "--url", "http://example.org", "--api-key", "k"]);
    says(&Program::run(&mut list).with_code(2).err, &["https"]);

    let data = tempfile::tempdir().expect("a folder");
    let stack = data.path().join("stack");
    for outside in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let mut up = holdpoint(&["up", "--listen", outside, "--data"]);
        says(&Program::run(up.arg(&stack)).with_code(2).err, &["loopback"]);
    }
}

#[test]
fn one_stack_serves_every_command() {
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("stack"));

    let mut second = holdpoint(&["up", "--listen", "127.0.0.1:0", "--data"]);
    let ended = Program::run(second.arg(stack.data())).with_code(2);
    says(&ended.err, &["is in use by another running stack"]);

    a_wrong_key_is_refused(&stack);
    agents_are_registered_and_led_to(&stack, data.path());
    intents_are_sent_read_and_canceled(&stack);
    tasks_are_shown_and_decided(&stack);
    scenarios_are_checked_and_applied(&stack, data.path());
    a_workflow_is_followed(&stack, data.path());
    keys_are_made_and_revoked(&stack);
}

fn a_wrong_key_is_refused(stack: &Running) {
    let url = &stack.connection.base_url;
    let key = "hp_00000000000000000000000000000000_wrong";
    for key in [key, "nonsense", &stack.connection.agent_key] {
        let words = ["tasks", "list", "--url", url, "--api-key", key];
        let ended = Program::run(&mut holdpoint(&words)).with_code(1);
        says(&ended.err, &["HTTP 40"]);
        assert!(!ended.err.contains(key), "the key is shown: {}", ended.err);
    }
}

fn agents_are_registered_and_led_to(stack: &Running, folder: &Path) {
    let registered =
        run(stack, &["agents", "register", "worker", "--name", "A worker"]).with_code(0);
    says(&registered.out, &["agent://worker leads to agent://worker by stream"]);
    let task = folder.join("task.json");
    std::fs::write(&task, r#"{"title": "Sign off"}"#).expect("a file");
    let task = task.to_str().expect("a path");
    let alias = ["agents", "alias", "front", "worker", "--human-task", task];
    says(&run(stack, &alias).with_code(0).out, &["agent://front", "a person is asked: Sign off"]);
    let listed = answer(stack, &["agents", "list"]);
    assert_eq!(listed["agents"][0]["address"], "agent://worker");
    assert_eq!(listed["routes"].as_array().map(Vec::len), Some(2));
    says(&run(stack, &["agents", "list"]).with_code(0).out, &["agent://front", "Sign off"]);

    run(stack, &["agents", "register", "risky"]).with_code(0);
    let killed = run(stack, &["agents", "kill", "agent://risky"]).with_code(0);
    says(&killed.out, &["agent://risky is killed"]);
    let send = ["intents", "send", "--to", "risky", "--type", "t.v1"];
    says(&run(stack, &send).with_code(1).err, &["HTTP 403", "agent://risky is killed", "/resume"]);
    let shown = run(stack, &["agents", "show", "risky"]).with_code(0);
    says(&shown.out, &["killed", "agent.registered by bootstrap-admin", "agent.killed"]);
    says(&run(stack, &["agents", "resume", "risky"]).with_code(0).out, &["risky is active"]);
    says(&run(stack, &["agents", "resume", "nobody"]).with_code(1).err, &["HTTP 404"]);
}

fn intents_are_sent_read_and_canceled(stack: &Running) {
    let send = ["intents", "send", "--to", "worker", "--type", "t.v1", "--payload", r#"{"n": 1}"#];
    let send = [&send[..], &["--idempotency-key", "one", "--ttl", "600"]].concat();
    let first = answer(stack, &send);
    assert_eq!(answer(stack, &send)["intent_id"], first["intent_id"], "sent twice under one key");
    let id = first["intent_id"].as_str().expect("an id");
    let read = answer(stack, &["intents", "get", id]);
    assert_eq!((&read["status"], &read["payload"]), (&json!("DELIVERED"), &json!({"n": 1})));
    says(&run(stack, &["intents", "get", id]).with_code(0).out, &[id, "DELIVERED", "local-agent"]);
    let listed = answer(stack, &["intents", "list", "--status", "DELIVERED"]);
    assert_eq!(listed["intents"][0]["intent_id"], id);

    run(stack, &["intents", "cancel", id, "--reason", "no more"]).with_code(0);
    // Who watches something that was withdrawn learns it from the exit code.
    let watched = run(stack, &["intents", "watch", id]).with_code(1);
    says(&watched.out, &["stored durably", "canceled: no more"]);
    let refused = run(stack, &["intents", "get", "01a20384-96f5-78da-8de7-5f0c52e4bd07"]);
    says(&refused.with_code(1).err, &["HTTP 404"]);
}

fn tasks_are_shown_and_decided(stack: &Running) {
    let ask = |title: &str| {
        let payload = json!({"title": title}).to_string();
        let words =
            ["intents", "send", "--to", "agent_core", "--type", "t.v1", "--payload", &payload];
        answer(stack, &words)["intent_id"].as_str().expect("an id").to_owned()
    };
    let (yes, no) = (ask("Deploy 2.4?"), ask("Delete it all?"));
    let listed = answer(stack, &["tasks", "list"]);
    assert_eq!(listed["tasks"].as_array().map(Vec::len), Some(2), "{listed}");
    says(&run(stack, &["tasks", "list"]).with_code(0).out, &[&yes, &no, "Deploy 2.4?"]);
    says(&run(stack, &["tasks", "show", &yes]).with_code(0).out, &["Deploy 2.4?", "digest"]);

    let approved = answer(stack, &["tasks", "approve", &yes, "--comment", "Checked."]);
    assert_eq!(approved["approval"]["comment"], "Checked.");
    run(stack, &["intents", "watch", &yes]).with_code(0);
    let rejected = run(stack, &["tasks", "reject", &no, "-c", "Never."]).with_code(0);
    says(&rejected.out, &["rejected by local-reviewer", "FAILED"]);
    let watched = run(stack, &["intents", "watch", &no, "--json"]).with_code(1);
    assert_eq!(lines(&watched.out).last().expect("events")["details"]["comment"], "Never.");
    let again = run(stack, &["tasks", "approve", &no]).with_code(1);
    says(&again.err, &["waits for no decision", "rejected by local-reviewer"]);
    says(&run(stack, &["tasks", "list"]).with_code(0).out, &["nothing waits for you"]);
}

fn scenarios_are_checked_and_applied(stack: &Running, folder: &Path) {
    let bundle = json!({
        "scenario_id": "cli.v1",
        "agents": [{"role": "a", "address": "worker", "create_if_missing": true}],
        "workflow": {"steps": [{"step_id": "s", "tool_id": "t", "assigned_to": "a"}]},
        "intent": {"type": "t.v1", "payload": {"task": "t"}},
    });
    let good = folder.join("good.json");
    std::fs::write(&good, bundle.to_string()).expect("a file");
    let bad = folder.join("bad.json");
    std::fs::write(&bad, json!({"agents": [{"role": "a", "address": "/"}]}).to_string())
        .expect("a file");
    let (good, bad) = (good.to_str().expect("a path"), bad.to_str().expect("a path"));
    says(&run(stack, &["scenarios", "validate", good]).with_code(0).out, &["valid"]);
    let faults = run(stack, &["scenarios", "validate", bad]).with_code(1);
    says(&faults.out, &["scenario_id: is missing", "agents.a.address"]);
    let applied = answer(stack, &["scenarios", "apply", good]);
    assert_eq!(
        (&applied["status"], &applied["scenario_id"]),
        (&json!("WAITING"), &json!("cli.v1"))
    );
    let refused = run(stack, &["scenarios", "apply", bad]).with_code(1);
    says(&refused.err, &["scenario_id", "HTTP 4"]);
    says(&refused.out, &["fault: scenario_id: is missing", "fault: agents.a.address"]);
}

/// A person, a notice, and an agent that nobody runs until the deadline of its step.
fn a_workflow_is_followed(stack: &Running, folder: &Path) {
    let bundle = json!({
        "scenario_id": "followed.v1",
        "agents": [{"role": "a", "address": "nobody"}],
        "workflow": {"steps": [
            {"step_id": "ask", "runtime_type": "human_approval"},
            {"step_id": "tell", "runtime_type": "notification"},
            {"step_id": "work", "tool_id": "t", "assigned_to": "a", "step_deadline_seconds": 1},
        ]},
        "intent": {"type": "t.v1"},
    });
    let file = folder.join("followed.json");
    std::fs::write(&file, bundle.to_string()).expect("a file");
    let file = file.to_str().expect("a path");
    let checked = run(stack, &["scenarios", "validate", file]).with_code(0);
    says(&checked.out, &["warning: workflow.steps.ask.human_task.title: is missing", "valid"]);
    let applied = run(stack, &["scenarios", "apply", file]).with_code(0);
    says(&applied.out, &["warning: workflow.steps.ask.human_task.title", "WAITING"]);
    let id = applied.out.lines().last().and_then(|line| line.split_whitespace().next());
    let id = id.expect("an id");
    run(stack, &["tasks", "approve", id]).with_code(0);
    let watched = run(stack, &["intents", "watch", id]).with_code(1);
    for words in [
        "began step ask",
        "HOLD POINT: a person must decide",
        "completed step ask",
        "sent the notice of step tell",
        "began step work, with agent://nobody",
        "failed step work",
        "step_timeout: ",
    ] {
        says(&watched.out, &[words]);
    }
    let inside: Vec<_> = watched.out.lines().filter(|line| line.starts_with("  | ")).collect();
    says(&inside.join("\n"), &["offered to agent://nobody", "the deadline passed"]);
}

fn keys_are_made_and_revoked(stack: &Running) {
    let made = answer(stack, &["keys", "create", "--role", "reviewer", "--name", "alice"]);
    let token = made["key"]["token"].as_str().expect("a token");
    let url = &stack.connection.base_url;
    let list = ["tasks", "list", "--url", url, "--api-key", token];
    Program::run(&mut holdpoint(&list)).with_code(0);
    let id = made["key"]["key_id"].as_str().expect("an id");
    says(&run(stack, &["keys", "revoke", id]).with_code(0).out, &["the key of alice is revoked"]);
    // Functions remember a key for some seconds, as the command says.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while Program::run(&mut holdpoint(&list)).code != Some(1) {
        assert!(std::time::Instant::now() < end, "a revoked key is still taken");
    }
    let own = Program::run(&mut holdpoint(&["keys", "bootstrap", "--json"])).with_code(0);
    let own: Value = serde_json::from_str(&own.out).expect("JSON");
    let digest = shared::digest::Digest::of_bytes(own["key"].as_str().expect("a key").as_bytes());
    assert_eq!(own["admin_key_sha256"], json!(digest));
}

#[test]
fn a_watch_goes_on_through_a_kill_and_a_restart_of_the_stack() {
    let data = tempfile::tempdir().expect("a folder");
    let folder = data.path().join("stack");
    let stack = Running::start(&folder);
    let listen = stack.connection.base_url.trim_start_matches("http://").to_owned();
    let words = ["intents", "send", "--to", "agent_core", "--type", "t.v1"];
    let id = answer(&stack, &words)["intent_id"].as_str().expect("an id").to_owned();

    let connection = folder.join("connection.json");
    let mut watch = holdpoint(&["intents", "watch", &id, "--json", "--connection"]);
    let watch = Program::start(watch.arg(&connection));
    watch.line("human_task_assigned");
    stack.kill();
    let stack = Running::start_at(&folder, &listen);
    run(&stack, &["tasks", "approve", &id]).with_code(0);
    let ended = watch.end().with_code(0);

    let seen: Vec<_> = lines(&ended.out).iter().map(|event| event["seq"].clone()).collect();
    let url = format!("/v1/intents/{id}/events");
    let stored = answer(&stack, &["intents", "get", &id])["seq"].as_u64().expect("a number");
    let expected: Vec<_> = (1..=stored / 2).map(|number| json!(number * 2)).collect();
    assert_eq!(seen, expected, "{url}");
    says(&ended.out, &["intent.completed"]);
}
