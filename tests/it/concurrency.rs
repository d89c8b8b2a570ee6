//! How many turns of an agent run at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use agent_worker::Worker;
use agent_worker::model::{Model, ModelError, Scripted};
use async_trait::async_trait;
use futures_util::future::join_all;
use serde_json::{Value, json};
use shared::address::Address;
use shared::agent;
use shared::app::Slot;
use shared::intent::{Command, Status};
use tests::{World, no_queues};

use crate::harness::{create, refused, stored};

const AGENT: &str = "analyst";
/// How often everybody may try before the test says that the backlog does not drain.
const ROUNDS_MAX: usize = 30;

/// The script, which takes its time and counts how many ask at once.
#[derive(Debug, Default)]
struct Counting {
    running: AtomicUsize,
    most: AtomicUsize,
}

#[async_trait]
impl Model for Counting {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        self.running.fetch_sub(1, Ordering::SeqCst);
        Scripted.respond(request).await
    }
}

async fn world_with(limit: u64) -> World {
    let world = World::new().await;
    let route = json!({"delivery_mode": "worker", "max_concurrent_turns": limit});
    let path = format!("/v1/routes/{AGENT}");
    let made = world.put(&world.admin, &path, &route).await.json();
    assert_eq!(made["route"]["max_concurrent_turns"], limit, "{made}");
    world
}

async fn task(world: &World) -> String {
    let payload = json!({"task": "Summarize the quarterly sales and publish the report"});
    let sent = json!({"intent_type": "process_task", "to_agent": AGENT, "payload": payload});
    create(world, &sent).await
}

/// Hands the intent's turn to a worker, as its queue does.
async fn work(world: &World, worker: &Worker, id: &str) {
    let turn = json!({"message": "turn", "tenant": "default", "intent": id}).to_string();
    let batch = json!({"Records": [{"messageId": "m", "body": turn}]});
    let until = world.app.now().checked_add(Duration::from_mins(1)).unwrap();
    let batch = serde_json::from_value(batch).unwrap();
    let answer = Box::pin(agent_worker::handle(worker, batch, until)).await;
    assert!(answer.batch_item_failures.is_empty(), "a wait is no failure: {answer:?}");
}

async fn wake(world: &World, id: &str) {
    world.app.execute(id.parse().unwrap(), &Command::Wake, &[]).await.unwrap();
}

#[tokio::test]
async fn no_more_turns_run_at_once_than_the_agent_allows_and_all_get_their_turn() {
    let world = world_with(2).await;
    let model = Arc::new(Counting::default());
    let worker = Worker::new(world.app.clone(), no_queues(), model.clone()).unwrap();
    let mut waiting = Vec::new();
    for _ in 0..6 {
        waiting.push(task(&world).await);
    }
    let mut rounds = 0;
    while !waiting.is_empty() {
        rounds += 1;
        assert!(rounds < ROUNDS_MAX, "{} intents never get their turn", waiting.len());
        join_all(waiting.iter().map(|id| work(&world, &worker, id))).await;
        let mut left = Vec::new();
        for id in waiting {
            let intent = stored(&world, &id).await;
            assert_eq!(intent.status(), Status::Waiting);
            assert_eq!(intent.delivery_attempt, 1, "a wait uses up no attempt");
            if intent.asks.is_empty() {
                left.push(id);
            }
        }
        waiting = left;
        world.pass(Duration::from_mins(2));
        for id in &waiting {
            wake(&world, id).await;
        }
    }
    assert_eq!(model.most.load(Ordering::SeqCst), 2);
    assert!(rounds > 1, "nobody had to wait");
}

#[tokio::test]
async fn a_slot_that_a_crash_left_behind_is_free_when_its_time_is_over() {
    let world = world_with(2).await;
    let worker = Worker::new(world.app.clone(), no_queues(), Arc::new(Scripted)).unwrap();
    let agent = Address::parse(AGENT).unwrap();
    let until = world.app.now().checked_add(Duration::from_secs(20)).unwrap();
    for _ in 0..2 {
        let slot = world.app.take_slot(&agent, until).await.unwrap();
        assert!(matches!(slot, Slot::Held { .. }), "{slot:?}");
    }
    assert_eq!(world.app.take_slot(&agent, until).await.unwrap(), Slot::Full);
    let id = task(&world).await;
    work(&world, &worker, &id).await;
    assert!(stored(&world, &id).await.asks.is_empty());
    world.pass(Duration::from_secs(20));
    wake(&world, &id).await;
    work(&world, &worker, &id).await;
    assert!(!stored(&world, &id).await.asks.is_empty());
    let until = world.app.now().checked_add(Duration::from_secs(20)).unwrap();
    let slot = world.app.take_slot(&agent, until).await.unwrap();
    assert!(matches!(slot, Slot::Held { .. }), "the turn has given its own back");
}

#[tokio::test]
async fn a_limit_is_an_agents_and_has_bounds() {
    let world = world_with(1).await;
    for (path, body) in [
        ("/v1/routes/a", json!({"max_concurrent_turns": 0})),
        ("/v1/routes/a", json!({"max_concurrent_turns": 1001})),
        ("/v1/routes/a", json!({"to": AGENT, "max_concurrent_turns": 1})),
    ] {
        let answer = world.put(&world.admin, path, &body).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], "max_concurrent_turns");
    }
    let without = json!({"delivery_mode": "worker"});
    let made = world.put(&world.admin, &format!("/v1/routes/{AGENT}"), &without).await.json();
    assert_eq!(made["route"]["max_concurrent_turns"], Value::Null);
}
