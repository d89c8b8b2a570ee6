//! Webhooks: subscriptions, what clients publish, and what happens to intents.

pub(crate) mod addresses;
mod intents;
mod post_office;
pub(crate) mod receiver;
mod stack;
mod subscriptions;

use serde_json::{Value, json};
use wake::{Call, Waker};

use crate::harness::refused;
use post_office::PostOffice;
use receiver::Receiver;

const EVENT: &str = "inbox.reply_received";

/// A post office with one receiver that subscribed to one event, and its secret.
async fn one_receiver() -> (PostOffice, Receiver, String) {
    let (office, receiver) = (PostOffice::open().await, Receiver::start().await);
    let secret = subscribe(&office, &receiver).await;
    (office, receiver, secret)
}

async fn subscribe(office: &PostOffice, receiver: &Receiver) -> String {
    let body = json!({"callback_url": receiver.url, "event_types": [EVENT]});
    let made = office.subscribe(&office.world.agent, "", &body).await;
    made["secret"].as_str().unwrap().to_owned()
}

/// How the deliveries of an event stand: queued, processed, delivered, pending, dead-lettered.
#[track_caller]
fn counts(answer: &Value) -> [u64; 5] {
    ["queued_deliveries", "processed_deliveries", "delivered", "pending", "dead_lettered"]
        .map(|name| answer[name].as_u64().unwrap_or_else(|| panic!("no {name} in {answer}")))
}

/// The stored delivery of the one event that there is.
async fn delivery(office: &PostOffice) -> Value {
    let items = office.items_in("#WEBHOOK#").await;
    let mut deliveries =
        items.iter().filter(|it| it["sk"]["S"].as_str().unwrap().starts_with("D#"));
    let only = deliveries.next().unwrap();
    assert!(deliveries.next().is_none());
    serde_json::from_str(only["body"]["S"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn a_published_event_is_posted_once_signed_in_both_ways() {
    let (mut office, receiver, secret) = one_receiver().await;
    let other = Receiver::start().await;
    let wants = json!({"callback_url": other.url, "event_types": ["inbox.thread_created"]});
    office.subscribe(&office.world.agent, "", &wants).await;
    let sent = office.publish(EVENT).await;
    assert_eq!(counts(&sent), [1, 0, 0, 1, 0], "the answer comes at once");
    assert_eq!(sent["owner_agent"], "agent://local-agent");
    office.work().await;
    let posts = receiver.posts();
    assert_eq!(posts.len(), 1);
    posts[0].assert_signed_with(&secret);
    assert_eq!(posts[0].header("webhook-id"), sent["event_id"].as_str().unwrap());
    let body = posts[0].json();
    assert_eq!((&body["type"], &body["data"]), (&json!(EVENT), &json!({"n": 1})));
    assert_eq!((&body["timestamp"], &body["source"]), (&sent["accepted_at"], &json!("test")));
    assert!(other.posts().is_empty());
    assert!(office.letters.is_empty() && office.returned.is_empty());
}

#[tokio::test]
async fn the_same_request_publishes_once_and_another_under_its_key_is_refused() {
    let (mut office, receiver, _) = one_receiver().await;
    let send = async |world: &tests::World, payload: Value, query: &str| {
        let body = json!({"event_type": EVENT, "source": "test", "payload": payload});
        let request = crate::harness::bare("POST", &format!("/v1/webhooks/events{query}"))
            .header("x-api-key", &world.agent)
            .header("idempotency-key", "k");
        world.send(request, axum::body::Body::from(body.to_string())).await
    };
    let first = send(&office.world, json!({"n": 1}), "").await.json();
    office.work().await;
    let again = send(&office.world, json!({"n": 1}), "").await.json();
    assert_eq!(
        (&first["event_id"], &first["accepted_at"]),
        (&again["event_id"], &again["accepted_at"])
    );
    assert_eq!((counts(&first), counts(&again)), ([1, 0, 0, 1, 0], [1, 1, 1, 0, 0]));
    for (payload, query) in [(json!({"n": 2}), ""), (json!({"n": 1}), "?owner_agent=agent://b")] {
        refused(&send(&office.world, payload, query).await, 409, "idempotency_key_reused");
    }
    office.work().await;
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_failing_receiver_is_tried_again_by_the_schedule_and_then_given_up() {
    let (mut office, receiver, secret) = one_receiver().await;
    receiver.answer([500, 301, 404, 429, 503, 418]);
    let sent = office.publish(EVENT).await;
    office.work().await;
    let (mut posts, mut waits) = (receiver.posts(), vec![]);
    let mut waited = 0;
    while let Some(pause) = office.wait_for_next() {
        assert!(pause.as_secs() <= 900, "no queue keeps a message back for longer");
        waited += pause.as_secs();
        office.work().await;
        let came = receiver.posts();
        if !came.is_empty() {
            waits.push(waited);
            waited = 0;
        }
        posts.extend(came);
    }
    for (waited, (least, most)) in
        waits.iter().zip([(5, 6), (30, 36), (120, 144), (600, 720), (3600, 4320)])
    {
        assert!((least..=most + 1).contains(waited), "{waits:?}");
    }
    assert_eq!((posts.len(), waits.len()), (6, 5));
    for post in &posts {
        post.assert_signed_with(&secret);
        assert_eq!(post.header("webhook-id"), sent["event_id"].as_str().unwrap());
        assert_eq!(post.body, posts[0].body);
    }
    let stored = delivery(&office).await;
    assert_eq!(stored["state"]["state"], "dead_lettered");
    assert_eq!(stored["last"], json!({"status": 418}), "the last status, and nothing else");
    let fields: Vec<_> = stored.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, ["event", "last", "round", "state", "subscription"]);
    assert!(office.returned.is_empty(), "the queue's dead letters are for what nobody knows of");
}

#[tokio::test]
async fn a_message_that_comes_twice_posts_no_more_than_twice_and_under_one_id() {
    let (mut office, receiver, _) = one_receiver().await;
    receiver.answer([500]);
    let sent = office.publish(EVENT).await;
    office.read_stream().await;
    let first = office.letters[0].body.clone();
    office.hand_over(&first).await;
    office.hand_over(&first).await;
    assert_eq!(receiver.posts().len(), 1, "the second copy finds the attempt made");
    office.work().await;
    let second = office.letters[0].body.clone();
    assert_eq!(second["attempt"], 2);
    office.hand_over(&second).await;
    assert!(receiver.posts().is_empty(), "an early message is sent on");
    office.wait_for_next();

    // Two copies at the very same time may both post, and the receiver knows them by their id.
    let event = |body: &Value| {
        let event = json!({"Records": [{"messageId": "m", "body": body.to_string()}]});
        serde_json::from_value(event).unwrap()
    };
    let (one, two) = (event(&second), event(&second));
    let both =
        tokio::join!(notify::handle(&office.notifier, one), notify::handle(&office.notifier, two));
    assert!(both.0.batch_item_failures.is_empty() && both.1.batch_item_failures.is_empty());
    office.work().await;
    let posts = receiver.posts();
    assert!((1..=2).contains(&posts.len()), "{}", posts.len());
    let id = sent["event_id"].as_str().unwrap();
    assert!(posts.iter().all(|post| post.header("webhook-id") == id));
    assert_eq!(delivery(&office).await["state"]["state"], "delivered");
}

#[tokio::test]
async fn a_replay_goes_to_all_that_had_it_and_to_those_that_came_since_under_the_same_id() {
    let (mut office, receiver, _) = one_receiver().await;
    let sent = office.publish(EVENT).await;
    office.work().await;
    let later = Receiver::start().await;
    subscribe(&office, &later).await;
    let replayed = office.replay(&sent["event_id"]).await.json();
    assert_eq!(counts(&replayed), [2, 0, 0, 2, 0]);
    assert_eq!((&replayed["event_type"], &replayed["ok"]), (&json!(EVENT), &json!(true)));
    assert!(replayed["replayed_at"].is_string());
    office.work().await;
    let posts = [receiver.posts(), later.posts()].concat();
    assert_eq!(posts.len(), 3, "once before and twice now");
    let id = sent["event_id"].as_str().unwrap();
    assert!(posts.iter().all(|post| post.header("webhook-id") == id));
    let again = office.replay(&sent["event_id"]).await.json();
    assert_eq!(counts(&again), [2, 0, 0, 2, 0], "another call is another replay");
}

#[tokio::test]
async fn the_same_call_replays_once() {
    let (mut office, receiver, _) = one_receiver().await;
    let sent = office.publish(EVENT).await;
    office.work().await;
    receiver.posts();
    let path = format!("/v1/webhooks/events/{}/replay", sent["event_id"].as_str().unwrap());
    let mut answers = vec![];
    for _ in 0..2 {
        let request = crate::harness::bare("POST", &path)
            .header("content-type", "application/json")
            .header("x-api-key", &office.world.agent)
            .header("idempotency-key", "again");
        let answer = office.world.send(request, axum::body::Body::empty()).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        answers.push(answer.json());
        office.work().await;
    }
    assert_eq!(answers[0]["replayed_at"], answers[1]["replayed_at"]);
    assert_eq!(counts(&answers[1]), [1, 1, 1, 0, 0]);
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_replay_takes_the_place_of_attempts_that_were_still_to_come() {
    let (mut office, receiver, _) = one_receiver().await;
    receiver.answer([500]);
    let sent = office.publish(EVENT).await;
    office.work().await;
    office.replay(&sent["event_id"]).await;
    office.work().await;
    assert_eq!(receiver.posts().len(), 2);
    while office.wait_for_next().is_some() {
        office.work().await;
    }
    assert!(receiver.posts().is_empty(), "the old round's next attempt does nothing");
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_posted_to_again() {
    let (mut office, receiver, _) = one_receiver().await;
    receiver.answer([410]);
    let sent = office.publish(EVENT).await;
    office.work().await;
    let stored = delivery(&office).await;
    assert_eq!(
        (&stored["state"]["state"], &stored["last"]),
        (&json!("dead_lettered"), &json!({"status": 410}))
    );
    let key = office.world.agent.clone();
    let active = office.world.get(&key, "/v1/webhooks/subscriptions").await.json();
    assert_eq!(active["subscriptions"], json!([]));
    let path = "/v1/webhooks/subscriptions?include_inactive=true";
    let all = office.world.get(&key, path).await.json();
    let gone = &all["subscriptions"][0];
    assert_eq!((&gone["active"], &gone["revoked_at"]), (&json!(false), &Value::Null));
    assert_eq!(counts(&office.publish(EVENT).await), [0; 5]);
    assert_eq!(counts(&office.replay(&sent["event_id"]).await.json()), [1, 1, 0, 0, 1]);
    office.work().await;
    assert_eq!(receiver.posts().len(), 1);

    subscribe_again(&office, &receiver).await;
    assert_eq!(counts(&office.replay(&sent["event_id"]).await.json()), [1, 0, 0, 1, 0]);
    office.work().await;
    assert_eq!(receiver.posts().len(), 1);
}

async fn subscribe_again(office: &PostOffice, receiver: &Receiver) {
    let body = json!({"callback_url": receiver.url, "event_types": [EVENT]});
    let changed = office.subscribe(&office.world.agent, "", &body).await;
    assert_eq!((&changed["active"], &changed["secret"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn a_delivery_whose_subscription_has_ended_is_given_up_without_a_post() {
    let (mut office, receiver, _) = one_receiver().await;
    office.publish(EVENT).await;
    let key = office.world.agent.clone();
    let listed = office.world.get(&key, "/v1/webhooks/subscriptions").await.json();
    let id = listed["subscriptions"][0]["subscription_id"].as_str().unwrap();
    let request = crate::harness::bare("DELETE", &format!("/v1/webhooks/subscriptions/{id}"));
    let request = request.header("x-api-key", &key);
    let ended = office.world.send(request, axum::body::Body::empty()).await;
    assert_eq!(ended.status.as_u16(), 200, "{}", ended.text);
    office.work().await;
    assert_eq!(delivery(&office).await["state"]["state"], "dead_lettered");
    assert!(receiver.posts().is_empty());
}

#[tokio::test]
async fn what_a_machines_queues_have_forgotten_is_sent_after_its_restart() {
    let (mut office, receiver, _) = one_receiver().await;
    receiver.answer([500]);
    office.publish(EVENT).await;
    office.work().await;
    assert_eq!(receiver.posts().len(), 1);
    office.lose_letters();
    let waker = Waker { app: office.world.app.clone(), queues: office.relay.queues.clone() };
    for restart in [false, true] {
        let schedule: Call =
            serde_json::from_value(json!({"sweep": true, "restart": restart})).unwrap();
        wake::handle(&waker, schedule).await.unwrap();
        office.collect();
        assert_eq!(office.letters.is_empty(), !restart, "only a restart loses messages");
    }
    office.work().await;
    assert!(receiver.posts().is_empty(), "the attempt is not due yet");
    office.wait_for_next();
    office.work().await;
    assert_eq!(receiver.posts().len(), 1);
    assert_eq!(delivery(&office).await["state"]["state"], "delivered");
}
