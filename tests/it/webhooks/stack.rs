//! Webhooks of a running stack, in real processes.

use std::time::Duration;

use serde_json::json;
use standardwebhooks::Webhook;
use tests::Running;

use super::receiver::{Post, Receiver};
use crate::api::{Api, until};

/// How long a post may take to come, retries of five seconds included.
const POSTED_MAX: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_stack_posts_what_is_published_and_what_happens() {
    let data = tempfile::tempdir().expect("a folder");
    let running = tokio::task::block_in_place(|| Running::start(data.path()));
    let (api, receiver) = (Api::of(&running), Receiver::start().await);
    let body =
        json!({"callback_url": receiver.url, "event_types": ["inbox.*", "intent.completed"]});
    let made = api.post("/v1/webhooks/subscriptions", &body).await;
    let secret = made["subscription"]["secret"].as_str().unwrap();
    // One failure, so that the next attempt has to come by table, stream and queue.
    receiver.answer([500]);
    let event =
        json!({"event_type": "inbox.reply_received", "source": "test", "payload": {"n": 1}});
    let sent = api.post("/v1/webhooks/events", &event).await;
    let posts = collect(&receiver, 2).await;
    assert_eq!(posts[0].body, posts[1].body);
    for post in &posts {
        assert_eq!(post.header("webhook-id"), sent["event_id"].as_str().unwrap());
        post.assert_signed_with(secret);
        // The receiver's side as its library has it, clock and all.
        Webhook::new(secret).unwrap().verify(&post.body, &post.headers).unwrap();
    }

    let id = api.create(&json!({"intent_type": "t", "to_agent": "handler"})).await;
    api.post(&format!("/v1/intents/{id}/resume"), &json!({"action": "complete"})).await;
    let posts = collect(&receiver, 3).await;
    let mut types: Vec<_> = posts.iter().map(|post| post.json()["type"].clone()).collect();
    types.sort_by_key(ToString::to_string);
    assert_eq!(types, ["inbox.thread_created", "inbox.thread_updated", "intent.completed"]);
}

/// The next posts, waited for.
async fn collect(receiver: &Receiver, count: usize) -> Vec<Post> {
    let mut posts = vec![];
    until(POSTED_MAX, "posts", async || {
        posts.extend(receiver.posts());
        (posts.len() >= count).then_some(())
    })
    .await;
    posts
}
