//! Whole workflows, with everybody in them.

use std::time::Duration;

use serde_json::json;
use tests::World;

use super::{Story, agents, apply, bundle, persons, with, with_steps};
use crate::pump::Pump;

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

#[tokio::test]
async fn a_workers_step_is_a_turn_of_the_worker() {
    let world = World::new().await;
    let mut bundle = with_steps(json!([agents("a")]));
    bundle["agents"][0]["delivery_mode"] = json!("worker");
    let id = apply(&world, &bundle).await["intent_id"].as_str().unwrap().to_owned();
    let mut pump = Pump::of(&world).await;
    pump.run().await;
    let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
    assert_eq!(json!(pump.turns()), read["child_intent_ids"]);
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
