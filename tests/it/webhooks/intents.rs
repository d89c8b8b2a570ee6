//! What happens to intents, for whoever subscribed to it.

use serde_json::{Value, json};
use shared::principal::Role;

use super::post_office::PostOffice;
use super::receiver::{Post, Receiver};
use crate::harness::key;

/// The types of posts, in the alphabet's order: receivers are promised no other.
fn types(posts: &[Post]) -> Vec<String> {
    let mut types: Vec<_> =
        posts.iter().map(|post| post.json()["type"].as_str().unwrap().to_owned()).collect();
    types.sort();
    types
}

async fn subscribe(office: &PostOffice, key: &str, receiver: &Receiver, events: Value) -> Value {
    let body = json!({"callback_url": receiver.url, "event_types": events});
    office.subscribe(key, "", &body).await
}

/// Sends an intent as the holder of `key`; its id.
async fn send(office: &PostOffice, key: &str, body: &Value) -> String {
    let made = office.world.post(key, "/v1/intents", body).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["intent_id"].as_str().unwrap().to_owned()
}

async fn complete(office: &PostOffice, key: &str, id: &str) {
    let path = format!("/v1/intents/{id}/resume");
    let done = office.world.post(key, &path, &json!({"action": "complete"})).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.text);
}

#[tokio::test]
async fn sender_handler_and_reply_to_hear_of_an_intent_and_nobody_else_does() {
    let mut office = PostOffice::open().await;
    let mut receivers = vec![];
    for (name, address) in [
        ("a name that is no address", "sender"),
        ("agent://handler", "handler"),
        ("the one who waits", "waits/for-it"),
        ("agent://stranger", "stranger"),
    ] {
        let key = key(&office.world, name, Role::Agent, Some(address)).await;
        let receiver = Receiver::start().await;
        subscribe(&office, &key, &receiver, json!(["intent.completed"])).await;
        receivers.push((key, receiver));
    }
    let body =
        json!({"intent_type": "t", "to_agent": "handler", "reply_to": "agent://waits/for-it"});
    let id = send(&office, &receivers[0].0, &body).await;
    complete(&office, &receivers[1].0, &id).await;
    office.work().await;
    let came: Vec<_> = receivers.iter().map(|(_, receiver)| receiver.posts().len()).collect();
    assert_eq!(came, [1, 1, 1, 0]);
}

#[tokio::test]
async fn an_event_is_posted_as_it_stands_in_the_history() {
    let (mut office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let agent = office.world.agent.clone();
    let made = subscribe(&office, &agent, &receiver, json!(["intent.*"])).await;
    let id = send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
    office.work().await;
    let created = receiver.posts();
    assert_eq!(types(&created), ["intent.created", "intent.delivered", "intent.submitted"]);
    complete(&office, &agent, &id).await;
    office.work().await;
    let posts = receiver.posts();
    let ended = posts.iter().find(|post| post.json()["type"] == "intent.completed").unwrap();
    ended.assert_signed_with(made["secret"].as_str().unwrap());
    let events = crate::harness::events(&office.world, &id).await;
    let last = events.last().unwrap();
    let body = ended.json();
    assert_eq!((&body["data"], &body["timestamp"]), (last, &last["at"]));
    assert_eq!(body["source"], "holdpoint");
    let ids: std::collections::BTreeSet<_> =
        created.iter().chain(&posts).map(|post| post.header("webhook-id")).collect();
    assert_eq!(ids.len(), created.len() + posts.len(), "each event has an id of its own");
}

#[tokio::test]
async fn an_inbox_hears_of_a_new_thread_and_of_each_change() {
    let (mut office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let agent = office.world.agent.clone();
    subscribe(&office, &agent, &receiver, json!(["inbox.*"])).await;
    let id = send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
    office.work().await;
    let posts = receiver.posts();
    assert_eq!(types(&posts), ["inbox.thread_created"]);
    assert_eq!(posts[0].json()["data"]["thread_id"], json!(id));
    complete(&office, &agent, &id).await;
    office.work().await;
    let posts = receiver.posts();
    assert_eq!(types(&posts), ["inbox.thread_updated"]);
    assert_eq!(posts[0].json()["data"]["status"], "COMPLETED");
}

#[tokio::test]
async fn a_repeated_stream_record_posts_under_the_same_id() {
    let (mut office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let agent = office.world.agent.clone();
    subscribe(&office, &agent, &receiver, json!(["intent.created"])).await;
    send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
    office.read_stream().await;
    let message = office.letters[0].body.clone();
    office.hand_over(&message).await;
    office.hand_over(&message).await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0].header("webhook-id"), posts[1].header("webhook-id"));
}

#[tokio::test]
async fn a_failing_receiver_is_tried_again_and_then_the_post_is_a_dead_letter() {
    let (mut office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let agent = office.world.agent.clone();
    subscribe(&office, &agent, &receiver, json!(["intent.created"])).await;
    receiver.answer([500; 6]);
    send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
    office.work().await;
    let items = office.world.table.items().await;
    while office.wait_for_next().is_some() {
        office.work().await;
    }
    assert_eq!(receiver.posts().len(), 6);
    let after = office.world.table.items().await;
    assert_eq!(after.len(), items.len() + 1, "attempts write nothing but the dead letter at last");
    let admin = office.world.admin.clone();
    let listed = office.world.get(&admin, "/v1/dead-letters?queue=deliveries").await.json();
    let letter = &listed["dead_letters"][0];
    let told = "the receiver did not take it and answered 500 at last";
    assert_eq!(letter["reason"], json!({"code": "untaken", "message": told}));
    let path = format!("/v1/dead-letters/{}", letter["dead_letter_id"].as_str().unwrap());
    let shown = office.world.get(&admin, &path).await.json();
    let message = &shown["dead_letter"]["content"]["message"];
    assert_eq!(message["attempt"], 6);
    office.hand_over(message).await;
    assert_eq!(receiver.posts().len(), 1, "sent again, it is posted");
    assert!(office.returned.is_empty());
}

#[tokio::test]
async fn a_receiver_that_is_gone_hears_nothing_more() {
    let (mut office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let agent = office.world.agent.clone();
    subscribe(&office, &agent, &receiver, json!(["intent.created"])).await;
    receiver.answer([410]);
    for _ in 0..2 {
        send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
        office.work().await;
    }
    assert_eq!(receiver.posts().len(), 1);
    assert!(office.letters.is_empty() && office.returned.is_empty());
}

#[tokio::test]
async fn nothing_is_written_and_nothing_sent_where_nobody_subscribed() {
    let mut office = PostOffice::open().await;
    let agent = office.world.agent.clone();
    let id = send(&office, &agent, &json!({"intent_type": "t", "to_agent": "handler"})).await;
    complete(&office, &agent, &id).await;
    let items = office.world.table.items().await;
    office.work().await;
    assert!(office.letters.is_empty());
    assert_eq!(office.world.table.items().await, items);
    for part in ["#SUBSCRIPTIONS", "#WEBHOOK#", "#UNDERWAY"] {
        assert!(office.items_in(part).await.is_empty(), "{part}");
    }
}
