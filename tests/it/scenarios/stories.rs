//! Whole workflows, with everybody in them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tests::World;

use super::{Story, agents, bundle, persons, with, with_steps};
use crate::harness::stored;

#[tokio::test]
async fn a_result_that_is_refused_is_caught_mended_and_shown_again() {
    let world = World::new().await;
    let sign_off = with(persons("sign_off"), json!({"on_failure": "mend"}));
    let mend = with(agents("mend"), json!({"on_success": "sign_off"}));
    let bundle = with_steps(json!([agents("draft"), sign_off, mend, agents("publish")]));
    let mut story = Story::of(&world, &bundle).await;
    story.agent_ends("expenses", &json!({"action": "complete", "text": "one"})).await;
    assert_eq!(story.at().await.1, "sign_off");
    story.reviewer_says("rejected").await;
    assert_eq!(story.at().await.1, "mend");
    let told = story.offered("expenses").await["payload"]["results"].clone();
    assert_eq!(told["draft"], json!({"text": "one"}));
    assert_eq!(told["sign_off"]["approved"], false, "the agent is told why");
    story.agent_ends("expenses", &json!({"action": "complete", "text": "two"})).await;
    // An answer that was meant for the first question is none to the second.
    story.pump.pass(Duration::from_hours(1)).await;
    let held = story.read().await;
    assert_eq!(held["hold"]["action"]["proposal"]["mend"], json!({"text": "two"}));
    story.reviewer_says("approved").await;
    assert_eq!(story.at().await.1, "publish");
    story.agent_ends("expenses", &json!({"action": "complete", "url": "/two"})).await;
    let ended = story.read().await;
    assert_eq!(
        (&ended["status"], &ended["result"]),
        (&json!("COMPLETED"), &json!({"url": "/two"}))
    );
    let states = ["draft completed", "sign_off completed", "mend completed", "publish completed"];
    assert_eq!(story.states().await, states);
}

#[tokio::test]
async fn input_and_earlier_results_reach_the_agent_of_a_step() {
    let world = World::new().await;
    let second = with(agents("b"), json!({"input": {"mode": "fast"}}));
    let mut story = Story::of(&world, &with_steps(json!([agents("a"), second]))).await;
    story.agent_ends("expenses", &json!({"sum": 40})).await;
    let payload = story.offered("expenses").await["payload"].clone();
    assert_eq!(payload["parent_payload"], json!({"amount": 40}));
    assert_eq!(payload["input"], json!({"mode": "fast"}));
    assert_eq!(payload["results"], json!({"a": {"sum": 40}}));
    assert_eq!((&payload["step_id"], &payload["attempt"]), (&json!("b"), &json!(1)));
}

/// Runs the turns that workers are to run; the intents that they belong to.
async fn work(story: &mut Story<'_>) -> Vec<String> {
    let model = Arc::new(agent_worker::model::Scripted);
    let worker =
        agent_worker::Worker::new(story.world.app.clone(), tests::no_queues(), model).unwrap();
    let turns = story.pump.turns();
    for id in &turns {
        let turn = json!({"message": "turn", "tenant": "default", "intent": id}).to_string();
        let batch = json!({"Records": [{"messageId": "m", "body": turn}]});
        let until = story.world.app.now().checked_add(Duration::from_mins(1)).unwrap();
        let batch = serde_json::from_value(batch).unwrap();
        let answer = Box::pin(agent_worker::handle(&worker, batch, until)).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }
    story.pump.run().await;
    turns
}

#[tokio::test]
async fn a_workers_step_is_a_turn_of_the_worker_and_its_questions_are_answered_on_the_intent() {
    let world = World::new().await;
    let mut bundle = with_steps(json!([agents("a")]));
    bundle["agents"][0]["delivery_mode"] = json!("worker");
    bundle["intent"]["payload"] =
        json!({"task": "Summarize the quarterly sales and publish the report"});
    let worked = json!({"delivery_mode": "worker"});
    let made = world.put(&world.admin, "/v1/routes/expenses", &worked).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    let mut story = Story::of(&world, &bundle).await;
    let child = story.read().await["child_intent_ids"][0].clone();
    assert_eq!(
        json!(Box::pin(work(&mut story)).await),
        json!([child]),
        "the worker has the child, alone"
    );
    let asked = stored(&world, child.as_str().unwrap()).await;
    assert_eq!(asked.open_asks().count(), 1, "it read the task, and asks before it publishes");
    let said = story.reviewer_says("approved").await;
    assert_eq!(said.status.as_u16(), 200, "{}", said.text);
    Box::pin(work(&mut story)).await;
    let ended = story.read().await;
    assert_eq!(
        (&ended["status"], &ended["result"]["published"]),
        (&json!("COMPLETED"), &json!(true))
    );
}

#[tokio::test]
async fn a_step_that_its_agent_never_ends_fails_as_its_agent_says() {
    let world = World::new().await;
    let mut story = Story::of(&world, &bundle()).await;
    let fail = json!({"action": "fail", "reason": "no such account"});
    story.agent_ends("expenses", &fail).await;
    let intent = story.read().await;
    assert_eq!(
        (&intent["status"], &intent["error"]["reason"]),
        (&json!("FAILED"), &json!("no such account"))
    );
    assert_eq!(intent["workflow"]["steps"][0]["error"]["code"], "agent_failed");
    assert_eq!(story.states().await, ["process failed", "sign_off skipped"]);
}
