//! What is stored and queued, as it was first written: each example stays readable for ever.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Delivery, Parties, Published, Subscription};
use crate::message::Message;

const ID: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";
const AT: &str = "2030-01-01T00:00:00Z";

#[track_caller]
fn check<T: DeserializeOwned + Serialize>(stored: Value) {
    let read: T = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), stored);
}

#[test]
fn subscriptions_stay_readable() {
    for standing in
        [json!("active"), json!("paused"), json!("gone"), json!({"revoked": {"at": AT}})]
    {
        check::<Subscription>(json!({
            "id": ID,
            "owner": "team/deployer",
            "sends_as": "agent://team/deployer",
            "callback_url": "https://hooks.example.com/",
            "event_types": ["intent.*", "inbox.thread_created", "*"],
            "description": null,
            "standing": standing,
            "secret_hint": "abcd",
            "created_at": AT,
            "updated_at": AT,
        }));
    }
}

#[test]
fn published_events_and_their_deliveries_stay_readable() {
    check::<Published>(json!({
        "id": ID,
        "owner": "team/deployer",
        "event_type": "inbox.reply_received",
        "source": "mail-bridge",
        "payload": {"n": 1},
        "accepted_at": AT,
        "fingerprint": null,
    }));
    for state in [
        json!({"state": "pending", "attempt": 1, "due_at": AT}),
        json!({"state": "delivered", "at": AT}),
        json!({"state": "dead_lettered", "at": AT}),
    ] {
        for last in [json!(null), json!({"status": 503}), json!("blocked"), json!("timed_out")] {
            check::<Delivery>(json!({
                "event": ID, "subscription": OTHER, "round": 1, "state": state, "last": last,
            }));
        }
    }
}

#[test]
fn what_stands_beside_commits_and_in_the_queue_stays_readable() {
    check::<Parties>(json!({"from": "ci", "handler": "team/deployer", "reply_to": null}));
    check::<Message>(json!({
        "message": "delivery",
        "tenant": "default",
        "event": ID,
        "subscription": OTHER,
        "round": 1,
        "attempt": 2,
        "due_at": AT,
    }));
    check::<Message>(json!({
        "message": "news",
        "tenant": "default",
        "owner": "team/deployer",
        "subscription": OTHER,
        "intent": ID,
        "commit_seq": 8,
        "seq": 2,
        "event_type": "intent.created",
        "attempt": 1,
        "due_at": AT,
    }));
}
