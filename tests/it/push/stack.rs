//! An agent behind an address, on a running stack in real processes.

use std::time::Duration;

use serde_json::json;
use standardwebhooks::Webhook;
use tests::Running;

use super::ROUTE;
use crate::api::{Api, until};
use crate::webhooks::receiver::Receiver;

/// How long anything may take that comes by table, stream and queue.
const COMES_WITHIN: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_agent_is_posted_its_turn_gives_its_result_and_a_person_signs_off() {
    let data = tempfile::tempdir().expect("a folder");
    let running = tokio::task::block_in_place(|| Running::start(data.path()));
    let (api, receiver) = (Api::of(&running), Receiver::start().await);
    let route = json!({
        "delivery_mode": "http",
        "callback_url": receiver.url,
        "human_task": {"title": "Sign off"},
    });
    let made = api.put(ROUTE, &route).await;
    let secret = made["route"]["secret"].as_str().unwrap();
    let id = api.create(&json!({"intent_type": "t", "to_agent": "pushed"})).await;
    let post = until(COMES_WITHIN, "a post", async || receiver.posts().pop()).await;
    post.assert_signed_with(secret);
    // The receiver's side as its library has it, clock and all.
    Webhook::new(secret).unwrap().verify(&post.body, &post.headers).unwrap();
    assert_eq!(post.json()["intent_id"], json!(id));
    let taken = async || (api.intent(&id).await["status"] == "ACKNOWLEDGED").then_some(());
    until(COMES_WITHIN, "an acknowledgement", taken).await;

    let result = json!({"action": "complete", "result": {"built": true}});
    api.post(&format!("/v1/intents/{id}/resume"), &result).await;
    let task = async || api.tasks().await.into_iter().find(|task| task["intent_id"] == json!(id));
    let task = until(COMES_WITHIN, "a task", task).await;
    assert!(api.decide(&task, "approve").await);
    let ended = api.intent(&id).await;
    assert_eq!(
        (&ended["status"], &ended["result"]["result"]["built"]),
        (&json!("COMPLETED"), &json!(true))
    );
    assert!(receiver.posts().is_empty(), "one turn, one post");
}
