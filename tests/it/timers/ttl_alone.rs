//! Nobody calls the schedule, and no message that should come later ever does: the table's own removal
//! of expired timers is all that is left, and ends every intent.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::intent::{Command, Status};
use shared::message::Message;
use shared::principal::{Assurance, Principal, Role};
use shared::store::{PUT_BACK_MAX, Timer};
use tests::World;

use crate::harness::{create, events, names, stored};
use crate::pump::Pump;

/// How long after its moment an item is removed here.
const LATE: Duration = Duration::from_secs(7);
/// The most removals until everything has ended.
const REMOVALS_MAX: usize = 200;

/// Lets time pass from removal to removal until no timer is left.
async fn nothing_but_removals(world: &World, pump: &mut Pump<'_>) {
    for _ in 0..REMOVALS_MAX {
        pump.run_due(false).await;
        let Some(next) = next_removal(world).await else { return };
        let next = next + LATE;
        world.pass(Duration::try_from(next.duration_since(world.app.now())).unwrap_or_default());
        pump.expire().await;
    }
    panic!("something is still pending: {:?}", next_removal(world).await);
}

async fn next_removal(world: &World) -> Option<Timestamp> {
    let mut seconds = vec![];
    let scan = world.table.client.scan().table_name("holdpoint").consistent_read(true);
    let mut pages = scan.into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item = item.unwrap();
        if item["pk"].as_s().unwrap().contains("#TIMER#") {
            seconds.push(item["ttl_epoch_s"].as_n().unwrap().parse().unwrap());
        }
    }
    seconds.into_iter().min().map(|second| Timestamp::from_second(second).unwrap())
}

/// Sends an intent to an agent, which takes it up and suspends it.
async fn suspended(world: &World, body: &Value) -> String {
    let id = sent(world, "agent://quiet", &json!({})).await;
    let answer = world.post(&world.agent, &format!("/v1/intents/{id}/suspend"), body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    id
}

async fn sent(world: &World, to: &str, more: &Value) -> String {
    let mut body = json!({"intent_type": "t", "to_agent": to, "ttl_seconds": 7_200});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    create(world, &body).await
}

async fn scenario(world: &World) -> String {
    let agents = |id: &str| {
        json!({
            "step_id": id, "tool_id": "tool.agent.task.v1", "assigned_to": "doer",
            "step_deadline_seconds": 60,
        })
    };
    let mut retried = agents("retried");
    retried["retry"] = json!({"max_retries": 1, "retry_delay_seconds": 30});
    retried["on_failure"] = json!("rest");
    let bundle = json!({
        "scenario_id": "quiet",
        "agents": [{"role": "doer", "address": "agent://doer", "create_if_missing": true}],
        "humans": [{"role": "manager", "contact": ""}],
        "workflow": {"steps": [
            {
                "step_id": "ask", "runtime_type": "human_approval", "step_deadline_seconds": 60,
                "human_task": {"title": "Right?"}, "on_failure": "retried",
            },
            retried,
            {
                "step_id": "rest", "runtime_type": "delay", "runtime_config": {"seconds": 60},
                "on_success": "last",
            },
            {
                "step_id": "last", "runtime_type": "human_approval",
                "human_task": {"title": "Still right?"},
            },
        ]},
        "intent": {"type": "t", "payload": {}, "ttl_seconds": 7_200},
    });
    let answer = world.post(&world.agent, "/v1/scenarios/apply", &bundle).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["intent_id"].as_str().unwrap().to_owned()
}

fn worker() -> Principal {
    Principal {
        tenant: "default".to_owned(),
        name: "local-agent".to_owned(),
        role: Role::Agent,
        address: None,
        assurance: Assurance::Key,
    }
}

/// What happened last, in the contract's names.
async fn ended(world: &World, id: &str, expected: &[&str]) {
    let names = names(world, id).await;
    let last = &names[names.len().saturating_sub(expected.len())..];
    assert_eq!(last, expected, "{names:?}");
    let intent = stored(world, id).await;
    let last_at: Timestamp =
        events(world, id).await.pop().unwrap()["at"].as_str().unwrap().parse().unwrap();
    assert!(intent.is_ended() && last_at <= intent.deadline_at() + LATE, "{last_at}");
}

#[tokio::test]
async fn every_live_state_ends() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let route = json!({"delivery_mode": "worker"});
    let put = world.put(&world.admin, "/v1/routes/worked", &route).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text);

    let question = json!({
        "human_task": {"title": "Nobody will look"}, "escalate_to": "agent://boss",
        "remind_after_seconds": 60, "max_reminders": 2,
    });
    let question = sent(&world, "agent://agent_core", &question).await;
    let offered = sent(&world, "agent://nobody", &json!({})).await;
    let worked = sent(&world, "agent://worked", &json!({})).await;
    let leased = sent(&world, "agent://worked", &json!({})).await;
    let lease_until = world.app.now() + Duration::from_mins(1);
    let start = Command::Start { by: worker(), lease_until };
    world.app.execute(leased.parse().unwrap(), &start, &[]).await.unwrap();
    let until = json!({"waits_for": "time", "until": "2030-01-01T00:01:00Z"});
    let until = suspended(&world, &until).await;
    let tool = suspended(&world, &json!({"waits_for": "tool"})).await;
    let asks = json!({"approvals": [
        {"call_id": "c1", "tool": "launch", "timeout_seconds": 60, "remind_after_seconds": 30},
        {"call_id": "c2", "tool": "launch", "timeout_seconds": 90},
    ]});
    let asking = suspended(&world, &asks).await;
    let asks = stored(&world, &asking).await.asks;
    let children: Vec<_> = asks.iter().map(|ask| ask.child.to_string()).collect();
    let workflow = scenario(&world).await;

    nothing_but_removals(&world, &mut pump).await;

    let timed_out = ["intent.timed_out"];
    let reminder = "intent.reminder";
    ended(&world, &question, &[reminder, reminder, "intent.escalated", timed_out[0]]).await;
    for id in [&offered, &until, &tool, &asking, &children[0], &children[1], &workflow] {
        ended(&world, id, &timed_out).await;
    }
    ended(&world, &worked, &["intent.delivery_failed", "intent.failed"]).await;
    ended(&world, &leased, &["intent.delivery_failed", "intent.failed"]).await;
    for id in [&until, &asking] {
        let events = events(&world, id).await;
        let resumed = events.iter().filter(|event| event["details"]["step"] == "resumed");
        assert_eq!(resumed.count(), 1, "{id}: the agent got its turn back: {events:?}");
    }
    let read = world.get(&world.agent, &format!("/v1/intents/{workflow}")).await.json();
    let steps = read["intent"]["workflow"]["steps"].as_array().unwrap();
    let states: Vec<_> = steps.iter().map(|step| step["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["failed", "failed", "completed", "timed_out"]);
    assert_eq!(steps[1]["attempts"], 2);
}

#[tokio::test]
async fn a_wake_up_that_gets_lost_after_the_removal_comes_again_by_the_next_one() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let id = sent(&world, "agent://quiet", &json!({"ttl_seconds": 600})).await;
    pump.run_due(false).await;
    world.pass(Duration::from_mins(10) + LATE);
    for _ in 0..3 {
        pump.expire().await;
        let lost = pump.lose(|message| matches!(message, Message::Wake { .. })).await;
        assert!(lost > 0, "the removal sends a wake-up");
        assert_eq!(stored(&world, &id).await.status(), Status::Delivered);
        let again = next_removal(&world).await.expect("the timer was put back");
        world.pass(Duration::try_from(again.duration_since(world.app.now())).unwrap() + LATE);
    }
    pump.expire().await;
    pump.run_due(false).await;
    assert_eq!(stored(&world, &id).await.status(), Status::TimedOut);
    assert_eq!(next_removal(&world).await, None, "the end has taken the timer along");
}

#[tokio::test]
async fn a_timer_that_was_put_back_for_an_intent_that_needs_none_is_removed() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let id = sent(&world, "agent://quiet", &json!({"ttl_seconds": 600})).await;
    pump.run_due(false).await;
    world.pass(Duration::from_mins(10) + LATE);
    pump.expire().await;
    // Somebody else is quicker, and has ended the intent when its timer is put back.
    let intent = stored(&world, &id).await.id;
    world.app.execute(intent, &Command::Wake, &[]).await.unwrap();
    assert_eq!(stored(&world, &id).await.status(), Status::TimedOut);
    pump.run_due(false).await;
    assert_eq!(next_removal(&world).await, None);
}

#[tokio::test]
async fn a_timer_is_put_back_only_so_often() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    sent(&world, "agent://quiet", &json!({"ttl_seconds": 600})).await;
    pump.run_due(false).await;
    for _ in 0..=PUT_BACK_MAX {
        let removal = next_removal(&world).await.expect("it was put back");
        world.pass(Duration::try_from(removal.duration_since(world.app.now())).unwrap() + LATE);
        pump.expire().await;
        assert!(pump.lose(|message| matches!(message, Message::Wake { .. })).await > 0);
    }
    assert_eq!(next_removal(&world).await, None, "from here on it is a matter of dead letters");
}

#[tokio::test]
async fn a_timer_that_a_commit_has_set_is_not_taken_for_one_that_was_put_back() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let id = sent(&world, "agent://quiet", &json!({"ttl_seconds": 600})).await;
    pump.run_due(false).await;
    let before = next_removal(&world).await;
    let (intent, due_at) = (stored(&world, &id).await.id, stored(&world, &id).await.deadline_at());
    let timer = Timer { intent, due_at, put_back: 1 };
    world.app.store().drop_timer("default", &timer).await.unwrap();
    assert_eq!(next_removal(&world).await, before);
    world.app.store().put_timer_back("default", &timer, world.app.now()).await.unwrap();
    world.app.store().drop_timer("default", &timer).await.unwrap();
    assert_eq!(next_removal(&world).await, None);
}
