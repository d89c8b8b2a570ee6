//! What an intent has asked for, or has sent to an agent, ends with it: also where the word of that is lost.

use std::time::Duration;

use serde_json::{Value, json};
use shared::intent::Status;
use shared::message::Message;
use tests::World;

use crate::harness::{create, stored};
use crate::pump::Pump;

/// Withdraws an intent, and loses what its children would be told.
async fn withdraw_unheard(world: &World, pump: &mut Pump<'_>, id: &str) {
    let path = format!("/v1/intents/{id}/resolve");
    let canceled = world.post(&world.agent, &path, &json!({"status": "CANCELED"})).await;
    assert_eq!(canceled.status.as_u16(), 200, "{}", canceled.text);
    let lost = pump.lose(|message| matches!(message, Message::ParentEnded { .. })).await;
    assert_eq!(lost, 1);
    pump.pass(Duration::from_hours(1)).await;
}

async fn status(world: &World, id: &str) -> Status {
    stored(world, id).await.status()
}

/// An intent whose agent asks a person, and the question.
async fn asking(world: &World) -> (String, String) {
    let id = create(world, &json!({"intent_type": "t", "to_agent": "agent://quiet"})).await;
    let asks = json!({"approvals": [{"call_id": "c1", "tool": "launch"}]});
    let asked = world.post(&world.agent, &format!("/v1/intents/{id}/suspend"), &asks).await;
    assert_eq!(asked.status.as_u16(), 200, "{}", asked.text);
    let child = stored(world, &id).await.asks[0].child.to_string();
    (id, child)
}

/// A workflow whose one step an agent has, and that agent's intent.
async fn working(world: &World) -> (String, String) {
    let bundle: Value = json!({
        "scenario_id": "build",
        "agents": [{"role": "builder", "address": "agent://quiet", "create_if_missing": true}],
        "workflow": {"steps": [
            {"step_id": "build", "tool_id": "tool.agent.task.v1", "assigned_to": "builder"},
        ]},
        "intent": {"type": "build.v1", "payload": {}},
    });
    let applied = world.post(&world.agent, "/v1/scenarios/apply", &bundle).await;
    assert_eq!(applied.status.as_u16(), 200, "{}", applied.text);
    let id = applied.json()["intent_id"].as_str().unwrap().to_owned();
    let child = stored(world, &id).await.run.unwrap().child.unwrap().to_string();
    (id, child)
}

#[tokio::test]
async fn a_restart_ends_what_was_asked_for_by_an_intent_that_has_ended() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    for (parent, child) in [asking(&world).await, working(&world).await] {
        pump.run().await;
        withdraw_unheard(&world, &mut pump, &parent).await;
        assert!(!status(&world, &child).await.is_terminal(), "nobody has told it");
        pump.restart().await;
        pump.run().await;
        assert_eq!(status(&world, &child).await, Status::Canceled);
    }
}

#[tokio::test]
async fn a_restart_leaves_alone_what_somebody_waits_for() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    for (parent, child) in [asking(&world).await, working(&world).await] {
        pump.run().await;
        pump.restart().await;
        pump.run().await;
        assert!(!status(&world, &parent).await.is_terminal());
        assert!(!status(&world, &child).await.is_terminal());
    }
}
