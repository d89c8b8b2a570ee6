//! The contract's paths, as clients walk them.

use std::time::Duration;

use serde_json::json;
use tests::World;

#[tokio::test]
async fn an_agent_takes_a_task_and_completes_it() {
    let world = World::new().await;
    let sent = json!({
        "intent_type": "process_task",
        "to_agent": "agent://task-processor",
        "payload": {"task": "t"},
        "correlation_id": "5b0c2f8e-6f4c-4f7e-9d2a-0a6f3a1b2c3d",
    });
    let made = world.post(&world.agent, "/v1/intents", &sent).await;
    assert_eq!((made.status.as_u16(), made.json()["status"].as_str()), (200, Some("DELIVERED")));
    let id = made.json()["intent_id"].as_str().unwrap().to_owned();

    let stream = "/v1/agents/task-processor/intents/stream?since=0&wait_seconds=1";
    let offered = world.get(&world.agent, stream).await;
    assert!(offered.text.contains(&format!("\"intent_id\":\"{id}\"")), "{}", offered.text);

    let result = json!({"action": "complete", "insights": ["one"]});
    let resumed = world.post(&world.agent, &format!("/v1/intents/{id}/resume"), &result).await;
    assert_eq!(resumed.json()["intent"]["status"], "COMPLETED", "{}", resumed.text);

    let events = world.get(&world.agent, &format!("/v1/intents/{id}/events")).await.json();
    let names: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|e| e["event_type"].clone()).collect();
    let expected = ["created", "submitted", "delivered", "in_progress", "completed"];
    assert_eq!(names, expected.map(|name| json!(format!("intent.{name}"))));
    let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
    assert_eq!(read["result"], json!({"insights": ["one"]}));
    assert_eq!(read["lifecycle_status"], "COMPLETED");
    world.pass(Duration::from_secs(1));
}

#[tokio::test]
async fn a_result_behind_a_hold_point_waits_for_a_person() {
    let world = World::new().await;
    let route = json!({"to": "openai-agent-demo", "human_task": {"title": "Sign off"}});
    let put = world.put(&world.admin, "/v1/routes/task-processor", &route).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text);
    let sent = json!({"intent_type": "process_task", "to_agent": "agent://task-processor"});
    let made = world.post(&world.agent, "/v1/intents", &sent).await.json();
    let id = made["intent_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/intents/{id}/resume");
    let held = world.post(&world.agent, &path, &json!({"action": "complete", "n": 1})).await;
    assert_eq!(held.json()["intent"]["waiting_reason"], "WAITING_FOR_HUMAN", "{}", held.text);

    let own = world.post(&world.agent, &path, &json!({"outcome": "approved"})).await;
    assert_eq!((own.status.as_u16(), own.code().as_str()), (403, "wrong_role"));

    let tasks = world.get(&world.reviewer, "/v1/me/tasks").await.json();
    let url = tasks["tasks"][0]["approve_url"].as_str().unwrap().to_owned();
    let page = world.get("", url.strip_prefix("http://127.0.0.1").unwrap()).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(page.text.contains("Sign off"));

    let decision = json!({"decision": "approve", "comment": "fine"});
    let path = format!("/v1/approvals/{id}/decision");
    let decided = world.post(&world.reviewer, &path, &decision).await;
    assert_eq!(decided.status.as_u16(), 200, "{}", decided.text);
    let events = world.get(&world.agent, &format!("/v1/intents/{id}/events")).await.json();
    let last = events["events"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["data"]["approved"], true);
    assert_eq!(last["data"]["result"], json!({"n": 1}));
}
