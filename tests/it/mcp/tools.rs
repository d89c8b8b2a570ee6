//! What the tools do: ask, look, wait and list, and nothing for anybody else.

use std::time::Duration;

use serde_json::{Value, json};
use shared::intent::Command;
use shared::principal::Role;
use tests::World;

use super::{call, request};
use crate::harness::{create, key, nobody, stored, turn};

/// What a tool answered: the structured content, which its text repeats.
#[track_caller]
fn told(result: &Value) -> Value {
    assert_eq!(result["isError"], false, "{result}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(text).unwrap(), result["structuredContent"]);
    result["structuredContent"].clone()
}

/// A refusal that a model can read.
#[track_caller]
fn says(result: &Value, words: &str) {
    assert_eq!(result["isError"], true, "{result}");
    assert_eq!(result.get("structuredContent"), None, "{result}");
    let text = result["content"][0]["text"].as_str().unwrap();
    assert!(text.contains(words), "`{text}` does not say `{words}`");
}

/// Asks as the holder of `key`, and gives the approval's id.
async fn ask(world: &World, key: &str, arguments: &Value) -> String {
    let asked = told(&call(world, key, "request_approval", arguments).await);
    asked["approval_id"].as_str().unwrap().to_owned()
}

async fn look(world: &World, key: &str, id: &str) -> Value {
    call(world, key, "get_approval", &json!({"approval_id": id})).await
}

async fn wait(world: &World, id: &str, seconds: u64) -> Value {
    let arguments = json!({"approval_id": id, "wait_seconds": seconds});
    told(&call(world, &world.agent, "wait_for_approval", &arguments).await)
}

async fn decide(world: &World, id: &str, decision: &str) {
    let path = format!("/v1/approvals/{id}/decision");
    let body = json!({"decision": decision, "comment": "Seen."});
    let answer = world.post(&world.reviewer, &path, &body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}

#[tokio::test]
async fn an_approval_is_asked_for_shown_whole_and_approved() {
    let world = World::new().await;
    let arguments = json!({
        "title": "Delete 312 accounts?",
        "description": "They were inactive for a year.",
        "tool": "delete_accounts",
        "arguments": {"count": 312, "dry_run": false},
        "assignees": ["local-reviewer"],
        "timeout_seconds": 3600,
    });
    let asked = told(&call(&world, &world.agent, "request_approval", &arguments).await);
    assert_eq!((&asked["status"], &asked["approved"]), (&json!("waiting"), &json!(false)));
    assert_eq!(asked["deadline_at"], "2030-01-01T01:00:00Z");
    assert!(asked["next"].as_str().unwrap().contains("wait_for_approval"), "{asked}");
    let id = asked["approval_id"].as_str().unwrap();

    let tasks = world.get(&world.reviewer, "/v1/me/tasks").await.json();
    let action = &tasks["tasks"][0]["action"];
    assert_eq!(tasks["tasks"][0]["intent_id"], id);
    assert_eq!(action["title"], arguments["title"]);
    assert_eq!(action["description"], arguments["description"]);
    assert_eq!(action["payload"]["tool"], "delete_accounts");
    assert_eq!(action["payload"]["arguments"], arguments["arguments"]);
    assert!(!asked.to_string().contains("/approve/"), "a link to decide is none of the agent's");

    assert_eq!(told(&look(&world, &world.agent, id).await), asked);
    decide(&world, id, "approve").await;
    let decided = told(&look(&world, &world.agent, id).await);
    assert_eq!((&decided["status"], &decided["approved"]), (&json!("approved"), &json!(true)));
    assert_eq!(decided["decided_by"], "local-reviewer");
    assert_eq!(decided["comment"], "Seen.");
    assert_eq!(decided["digest"], tasks["tasks"][0]["digest"]);
    assert_eq!(decided["tool"], "delete_accounts");
}

#[tokio::test]
async fn a_rejection_is_final_and_says_so() {
    let world = World::new().await;
    let id = ask(&world, &world.agent, &json!({"title": "Deploy?"})).await;
    decide(&world, &id, "reject").await;
    let rejected = wait(&world, &id, 25).await;
    assert_eq!((&rejected["status"], &rejected["approved"]), (&json!("rejected"), &json!(false)));
    assert!(rejected["next"].as_str().unwrap().contains("that is final"), "{rejected}");
}

#[tokio::test]
async fn what_nobody_decides_or_somebody_withdraws_is_not_a_yes() {
    let world = World::new().await;
    let late = ask(&world, &world.agent, &json!({"title": "a", "timeout_seconds": 60})).await;
    world.pass(Duration::from_mins(1));
    world.app.execute(late.parse().unwrap(), &Command::Wake, &[]).await.unwrap();
    let canceled = ask(&world, &world.agent, &json!({"title": "b"})).await;
    let path = format!("/v1/intents/{canceled}/resolve");
    let cancel = json!({"status": "CANCELED", "reason": "No longer wanted."});
    world.post(&world.agent, &path, &cancel).await;
    for (id, status) in [(late, "timed_out"), (canceled, "canceled")] {
        let ended = wait(&world, &id, 25).await;
        assert_eq!((&ended["status"], &ended["approved"]), (&json!(status), &json!(false)));
        assert!(ended["next"].as_str().unwrap().contains("Do not do it"), "{ended}");
    }
}

#[tokio::test]
async fn a_wait_ends_when_a_reviewer_decides_meanwhile() {
    let world = World::new().await;
    let id = ask(&world, &world.agent, &json!({"title": "Deploy?"})).await;
    let asked_for = tokio::time::Instant::now();
    let (waited, ()) = tokio::join!(wait(&world, &id, 25), decide(&world, &id, "approve"));
    assert_eq!(waited["status"], "approved");
    assert!(asked_for.elapsed() < Duration::from_secs(20), "it waited to the end");
}

#[tokio::test]
async fn a_wait_ends_by_itself_when_nobody_decides() {
    let world = World::new().await;
    let id = ask(&world, &world.agent, &json!({"title": "Deploy?"})).await;
    let asked_for = tokio::time::Instant::now();
    assert_eq!(wait(&world, &id, 1).await["status"], "waiting");
    assert!(asked_for.elapsed() >= Duration::from_secs(1), "it did not wait");
}

#[tokio::test]
async fn the_waits_of_a_batch_are_held_at_the_same_time() {
    let world = World::new().await;
    let id = ask(&world, &world.agent, &json!({"title": "Deploy?"})).await;
    let arguments = json!({"approval_id": id, "wait_seconds": 1});
    let one = request("tools/call", &json!({"name": "wait_for_approval", "arguments": arguments}));
    let asked_for = tokio::time::Instant::now();
    let answer = world.post(&world.agent, "/mcp", &json!(vec![one; 20])).await.json();
    assert_eq!(answer.as_array().map(Vec::len), Some(20));
    assert!(asked_for.elapsed() < Duration::from_secs(15), "one waited for the other");
}

#[tokio::test]
async fn the_same_key_and_arguments_are_one_approval() {
    let world = World::new().await;
    let mut arguments = json!({"title": "Deploy?", "tool": "deploy", "idempotency_key": "once"});
    let first = ask(&world, &world.agent, &arguments).await;
    // What the contract's client adds by itself changes nothing.
    arguments["owner_agent"] = json!("agent://somebody");
    assert_eq!(ask(&world, &world.agent, &arguments).await, first);
    let other = key(&world, "other", Role::Agent, None).await;
    assert_ne!(ask(&world, &other, &arguments).await, first, "the key counts for its sender");
    arguments["tool"] = json!("destroy");
    says(
        &call(&world, &world.agent, "request_approval", &arguments).await,
        "idempotency_key_reused",
    );
    arguments.as_object_mut().unwrap().remove("idempotency_key");
    assert_ne!(ask(&world, &world.agent, &arguments).await, first);
}

#[tokio::test]
async fn nobody_sees_waits_for_or_lists_what_somebody_else_asked() {
    let world = World::new().await;
    let own = ask(&world, &world.agent, &json!({"title": "Mine?"})).await;
    let other = key(&world, "other", Role::Agent, None).await;
    let theirs = ask(&world, &other, &json!({"title": "Theirs?"})).await;
    for key in [&other, &world.admin] {
        says(&look(&world, key, &own).await, "not_found");
        let arguments = json!({"approval_id": own, "wait_seconds": 1});
        says(&call(&world, key, "wait_for_approval", &arguments).await, "not_found");
    }
    for (key, expected) in
        [(&world.agent, vec![&own]), (&other, vec![&theirs]), (&world.admin, vec![])]
    {
        let listed = told(&call(&world, key, "list_approvals", &json!({})).await);
        let open = listed["approvals"].as_array().unwrap();
        let ids: Vec<_> = open.iter().map(|one| one["approval_id"].clone()).collect();
        assert_eq!((json!(ids), &listed["has_more"]), (json!(expected), &json!(false)));
    }
    decide(&world, &own, "approve").await;
    let listed = told(&call(&world, &world.agent, "list_approvals", &json!({})).await);
    assert_eq!(listed["approvals"], json!([]), "a decided one is not open");
    says(&look(&world, &world.agent, &nobody().to_string()).await, "not_found");
    says(&look(&world, &world.agent, &turn(&world, "a").await).await, "not_found");
}

#[tokio::test]
async fn a_list_says_that_there_are_more_than_it_shows() {
    let world = World::new().await;
    for n in 0..=50 {
        ask(&world, &world.agent, &json!({"title": format!("Number {n}?")})).await;
    }
    let listed = told(&call(&world, &world.agent, "list_approvals", &json!({})).await);
    assert_eq!(listed["approvals"].as_array().map(Vec::len), Some(50));
    assert_eq!(listed["has_more"], true);
}

#[tokio::test]
async fn a_suspended_agent_follows_the_approval_that_it_asked_for() {
    let world = World::new().await;
    let agent = key(&world, "deployer", Role::Agent, Some("deployer")).await;
    let id = create(&world, &json!({"intent_type": "t", "to_agent": "deployer"})).await;
    let asks = json!({"approvals": [{"call_id": "c", "tool": "deploy", "title": "Deploy?"}]});
    let suspended = world.post(&agent, &format!("/v1/intents/{id}/suspend"), &asks).await;
    assert_eq!(suspended.status.as_u16(), 200, "{}", suspended.text);
    let child = stored(&world, &id).await.asks[0].child.to_string();
    assert_eq!(told(&look(&world, &agent, &child).await)["tool"], "deploy");
    says(&look(&world, &world.agent, &child).await, "not_found");
    decide(&world, &child, "approve").await;
    assert_eq!(told(&look(&world, &agent, &child).await)["approved"], true);
}

#[tokio::test]
async fn a_call_that_is_wrong_names_the_field_the_limit_and_the_remedy() {
    let world = World::new().await;
    let before = world.table.items().await;
    let long = |chars: usize| "x".repeat(chars);
    let cases = [
        ("request_approval", json!({}), "title: is empty; send 1 to 255 characters"),
        (
            "request_approval",
            json!({"title": long(256)}),
            "title: has 256 characters; send at most 255",
        ),
        ("request_approval", json!({"title": 5}), "title: invalid type: integer `5`"),
        ("request_approval", json!({"title": "t", "description": long(2001)}), "send at most 2000"),
        ("request_approval", json!({"title": "t", "tool": long(201)}), "tool: has 201 characters"),
        ("request_approval", json!({"title": "t", "arguments": [1]}), "arguments: invalid type"),
        (
            "request_approval",
            json!({"title": "t", "arguments": {"n": 9_007_199_254_740_993_u64}}),
            "as a string",
        ),
        (
            "request_approval",
            json!({"title": "t", "assignees": vec!["a"; 21]}),
            "names 21 people; send at most 20",
        ),
        ("request_approval", json!({"title": "t", "assignees": [""]}), "assignees: is empty"),
        (
            "request_approval",
            json!({"title": "t", "timeout_seconds": 0}),
            "send a number from 1 to 31622400",
        ),
        (
            "request_approval",
            json!({"title": "t", "timeout_seconds": "1h"}),
            "timeout_seconds: is not a whole number",
        ),
        (
            "request_approval",
            json!({"title": "t", "idempotency_key": long(256)}),
            "idempotency_key: has 256",
        ),
        (
            "request_approval",
            json!({"title": "t", "timeout": 60}),
            "unknown field `timeout`, expected one of",
        ),
        ("get_approval", json!({}), "approval_id: is missing or no UUID; send the approval_id"),
        ("get_approval", json!({"approval_id": "42"}), "approval_id: is missing or no UUID"),
        (
            "wait_for_approval",
            json!({"approval_id": nobody(), "wait_seconds": 26}),
            "wait_seconds: is 26; send a number from 1 to 25",
        ),
        (
            "wait_for_approval",
            json!({"approval_id": nobody(), "wait_seconds": 0}),
            "send a number from 1 to 25",
        ),
        ("wait_for_approval", json!({}), "approval_id"),
        ("list_approvals", json!({"of": "everybody"}), "unknown field `of`"),
    ];
    for (tool, arguments, words) in cases {
        let result = call(&world, &world.agent, tool, &arguments).await;
        says(&result, words);
        says(&result, "invalid_request: ");
    }
    assert_eq!(world.table.items().await, before, "a refused call changed something");
}
