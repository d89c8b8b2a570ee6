//! What is posted, when, and what is not.

use std::time::Duration;

use serde_json::{Value, json};
use shared::callback::Reach;
use shared::intent::Status;
use shared::principal::Role;
use tests::World;

use super::{AGENT, ROUTE, Stage, put, register, sent};
use crate::harness::{events, key, names, refused, stored};
use crate::pump::Pump;
use crate::webhooks::addresses::Door;

/// A moment for which a stopped agent's turn waits at most.
const PUT_OFF_MAX: Duration = Duration::from_mins(10);

#[tokio::test]
async fn a_turn_is_posted_signed_in_both_ways_and_whoever_takes_it_has_it() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let id = stage.send(&json!({})).await;
    let posts = stage.posts();
    assert_eq!(posts.len(), 1);
    let body = posts[0].json();
    for (field, value) in [
        ("intent_id", json!(id)),
        ("event_type", json!("intent.delivered")),
        ("status", json!("DELIVERED")),
        ("to_agent", json!("agent://pushed")),
        ("from_agent", json!("local-agent")),
    ] {
        assert_eq!(body[field], value, "{field}");
    }
    assert!(body.get("payload").is_none(), "the agent reads the intent with its own key");
    assert!(posts[0].header("webhook-id").starts_with("msg_"));
    assert_eq!(stage.status(&id).await, Status::Acknowledged);
    let taken = events(&world, &id).await.pop().unwrap();
    let taken = (&taken["event_type"], &taken["actor"]);
    assert_eq!(taken, (&json!("intent.acknowledged"), &json!("agent://pushed")));

    stage.pump.pass(Duration::from_hours(1)).await;
    assert!(stage.posts().is_empty(), "what was taken is posted no more");
    let own = key(&world, "the agent", Role::Agent, Some(AGENT)).await;
    let result = json!({"action": "complete", "result": {"n": 2}});
    world.post(&own, &format!("/v1/intents/{id}/resume"), &result).await;
    assert_eq!(stage.status(&id).await, Status::Completed);
}

#[tokio::test]
async fn a_turn_that_is_not_taken_comes_again_after_30_120_and_600_seconds() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    stage.receiver.answer([500, 302, 410]);
    let id = stage.send(&json!({})).await;
    let mut posts = stage.posts();
    assert_eq!(posts.len(), 1);
    for seconds in [30, 120, 600] {
        assert_eq!(stage.status(&id).await, Status::Delivered);
        posts.push(stage.comes_after(seconds).await);
    }
    for post in &posts {
        assert_eq!(post.header("webhook-id"), posts[0].header("webhook-id"), "one turn, one id");
        assert_eq!(post.json()["intent_id"], json!(id));
    }
    assert_eq!(stage.status(&id).await, Status::Acknowledged);
    assert_eq!(stored(&world, &id).await.delivery_attempt, 4);
}

#[tokio::test]
async fn a_turn_that_nobody_takes_has_failed_after_the_last_attempt() {
    for (more, pauses) in
        [(json!({}), [30, 120, 600].as_slice()), (json!({"max_delivery_attempts": 2}), &[30])]
    {
        let world = World::new().await;
        let mut stage = Stage::of(&world).await;
        stage.receiver.answer([500; 4]);
        let id = stage.send(&more).await;
        assert_eq!(stage.posts().len(), 1);
        for seconds in pauses {
            stage.comes_after(*seconds).await;
        }
        // After the last attempt as long as before a further one.
        let patience = if pauses.len() == 1 { 120 } else { 600 };
        stage.pump.pass(Duration::from_secs(patience - 1)).await;
        assert_eq!(stage.status(&id).await, Status::Delivered);
        stage.pump.pass(Duration::from_secs(1)).await;
        let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
        let ended = (&read["status"], &read["error"]["code"]);
        assert_eq!(ended, (&json!("FAILED"), &json!("delivery_failed")));
        let happened = names(&world, &id).await;
        assert!(happened.ends_with(&["intent.delivery_failed".into(), "intent.failed".into()]));
        stage.pump.pass(Duration::from_hours(1)).await;
        assert!(stage.posts().is_empty());
    }
}

#[tokio::test]
async fn a_step_of_a_scenario_is_posted_as_often_as_any_other_turn() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    stage.receiver.answer([500; 4]);
    let bundle = json!({
        "scenario_id": "s",
        "agents": [{"role": "a", "address": AGENT}],
        "workflow": {"steps": [{"step_id": "one", "tool_id": "tool.agent.task.v1", "assigned_to": "a"}]},
        "intent": {"type": "t"},
    });
    let applied = world.post(&world.agent, "/v1/scenarios/apply", &bundle).await.json();
    let id = applied["intent_id"].as_str().unwrap();
    stage.pump.run().await;
    assert_eq!(stage.posts().len(), 1);
    for seconds in [30, 120, 600] {
        stage.comes_after(seconds).await;
    }
    stage.pump.pass(Duration::from_mins(10)).await;
    assert_eq!(stage.status(id).await, Status::Failed);
}

#[tokio::test]
async fn an_agent_that_waits_for_a_tool_is_posted_its_turn_when_whoever_ran_the_tool_says_so() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let id = stage.send(&json!({})).await;
    assert_eq!(stage.posts().len(), 1);
    let own = key(&world, "the agent", Role::Agent, Some(AGENT)).await;
    let waits = json!({"waits_for": "tool"});
    world.post(&own, &format!("/v1/intents/{id}/suspend"), &waits).await;
    stage.pump.pass(Duration::from_hours(1)).await;
    assert_eq!(stage.status(&id).await, Status::Waiting);
    assert!(stage.posts().is_empty());

    let grant = json!({"grants_patch": {"agent://tool": {"allow": ["resume"]}}});
    world.post(&world.agent, &format!("/v1/intents/{id}/policy"), &grant).await;
    let tool = key(&world, "the tool", Role::Agent, Some("tool")).await;
    let ran = json!({"approve_current_step": true, "reason": "it has run"});
    let ran = world.post(&tool, &format!("/v1/intents/{id}/resume"), &ran).await;
    assert_eq!(ran.status.as_u16(), 200, "{}", ran.text);
    stage.pump.run().await;
    let posts = stage.posts();
    assert_eq!((posts.len(), &posts[0].json()["intent_id"]), (1, &json!(id)));
    assert_eq!(stage.status(&id).await, Status::InProgress);
    stage.pump.pass(Duration::from_hours(1)).await;
    assert!(stage.posts().is_empty(), "what was taken is posted no more");
}

#[tokio::test]
async fn a_stopped_agent_gets_nothing_and_everything_once_it_goes_on() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let id = sent(&world, &json!({})).await;
    let switch = "/v1/mesh/agents/pushed";
    world.post(&world.admin, &format!("{switch}/kill"), &json!({})).await;
    for _ in 0..20 {
        stage.pump.pass(PUT_OFF_MAX).await;
        let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
        let waits = (&read["status"], &read["waiting_reason"]);
        assert_eq!(waits, (&json!("WAITING"), &json!("WAITING_FOR_TIME")));
    }
    stage.repeat(&id).await;
    assert!(stage.posts().is_empty());
    world.post(&world.admin, &format!("{switch}/resume"), &json!({})).await;
    stage.pump.pass(PUT_OFF_MAX).await;
    let posts = stage.posts();
    assert_eq!((posts.len(), &posts[0].json()["intent_id"]), (1, &json!(id)));
    assert_eq!(stage.status(&id).await, Status::InProgress);
}

#[tokio::test]
async fn no_private_address_is_connected_where_callbacks_are_public() {
    let world = World::new().await;
    let door = Door::new();
    // The address was taken while the deployer allowed it, and is allowed no more.
    register(&world, &format!("http://127.0.0.1:{}/hook", door.port())).await;
    let mut pump = Pump::reaching(&world, Reach::Public).await;
    let id = sent(&world, &json!({})).await;
    pump.run().await;
    for seconds in [30, 120, 600, 600] {
        pump.pass(Duration::from_secs(seconds)).await;
    }
    assert_eq!(door.knocks(), 0);
    assert_eq!(stored(&world, &id).await.status(), Status::Failed);
}

#[tokio::test]
async fn a_message_that_comes_late_or_twice_posts_nothing() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let taken = stage.send(&json!({})).await;
    assert_eq!(stage.posts().len(), 1);
    let before = world.table.items().await;
    stage.repeat(&taken).await;
    assert_eq!(world.table.items().await, before, "taken");

    stage.receiver.answer([500; 4]);
    let done = stage.send(&json!({})).await;
    let resume = format!("/v1/intents/{done}/resume");
    world.post(&world.agent, &resume, &json!({"action": "complete"})).await;
    let over = stage.send(&json!({"ttl_seconds": 10})).await;
    let rerouted = stage.send(&json!({})).await;
    let handed = stage.send(&json!({})).await;
    let next = json!({"approve_current_step": true, "next_handler": "agent://another"});
    let on = world.post(&world.agent, &format!("/v1/intents/{handed}/resume"), &next).await;
    assert_eq!(on.status.as_u16(), 200, "{}", on.text);
    assert_eq!(stage.posts().len(), 4);
    put(&world, &json!({"delivery_mode": "stream"})).await;
    world.pass(Duration::from_secs(11));
    for id in [&done, &over, &rerouted, &handed, &crate::harness::nobody().to_string()] {
        let before = world.table.items().await;
        stage.repeat(id).await;
        assert_eq!(world.table.items().await, before);
    }
    assert!(stage.posts().is_empty());
}

#[tokio::test]
async fn a_turn_that_begins_with_a_decision_is_posted_too() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let id = stage.send(&json!({})).await;
    let first = stage.posts().remove(0);
    let intent = format!("/v1/intents/{id}");
    let ask = json!({"approvals": [{"call_id": "c", "tool": "deploy"}]});
    let asked = world.post(&world.agent, &format!("{intent}/suspend"), &ask).await;
    assert_eq!(asked.status.as_u16(), 200, "{}", asked.text);
    let approval = asked.json()["intent"]["approvals"][0]["approval_id"].clone();
    let decision = format!("/v1/approvals/{}/decision", approval.as_str().unwrap());
    let decided = world.post(&world.reviewer, &decision, &json!({"decision": "approve"})).await;
    assert_eq!(decided.status.as_u16(), 200, "{}", decided.text);

    stage.receiver.answer([503]);
    stage.pump.run().await;
    let second = stage.posts().remove(0);
    let said = second.json();
    assert_eq!(
        (&said["intent_id"], &said["event_type"]),
        (&json!(id), &json!("intent.in_progress"))
    );
    assert_ne!(first.header("webhook-id"), second.header("webhook-id"), "another turn");
    let again = stage.comes_after(30).await;
    assert_eq!(again.header("webhook-id"), second.header("webhook-id"));
    stage.pump.pass(Duration::from_hours(1)).await;
    assert!(stage.posts().is_empty(), "taken");
    let complete = json!({"action": "complete"});
    let done = world.post(&world.agent, &format!("{intent}/resume"), &complete).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.text);
    assert_eq!(stage.status(&id).await, Status::Completed);
}

#[tokio::test]
async fn an_intent_that_is_handed_to_such_an_agent_is_posted_to_it() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    let alias = json!({"to": "agent://pushed", "human_task": {"title": "Sign off"}});
    let led = world.put(&world.admin, "/v1/routes/front", &alias).await;
    assert_eq!(led.json()["route"]["delivery_mode"], "http", "{}", led.text);
    let id = stage.send(&json!({"to_agent": "another"})).await;
    assert!(stage.posts().is_empty());
    let next = json!({"approve_current_step": true, "next_handler": "agent://front"});
    let on = world.post(&world.agent, &format!("/v1/intents/{id}/resume"), &next).await;
    assert_eq!(on.status.as_u16(), 200, "{}", on.text);
    stage.pump.run().await;
    assert_eq!(stage.posts()[0].json()["intent_id"], json!(id));
    let by_alias = stage.send(&json!({"to_agent": "front"})).await;
    assert_eq!(stage.posts()[0].json()["intent_id"], json!(by_alias));
}

#[tokio::test]
async fn an_agent_may_do_its_turn_before_its_answer_is_read() {
    let world = World::new().await;
    let mut stage = Stage::of(&world).await;
    stage.receiver.answer([500]);
    let id = stage.send(&json!({})).await;
    assert_eq!(stage.posts().len(), 1);
    let path = format!("/v1/intents/{id}/acknowledge");
    let taken: Value = world.post(&world.agent, &path, &json!({})).await.json();
    assert_eq!(taken["ok"], true, "{taken}");
    stage.pump.pass(Duration::from_hours(1)).await;
    assert!(stage.posts().is_empty(), "saying so is as good as 2xx");
    let listening = format!("/v1/agents/{AGENT}/intents/stream?wait_seconds=1");
    let stream = world.get(&world.agent, &listening).await;
    assert!(!stream.text.contains(&id), "what is posted is not on the stream");
    refused(&world.put(&world.agent, ROUTE, &json!({})).await, 403, "policy_denied");
}
