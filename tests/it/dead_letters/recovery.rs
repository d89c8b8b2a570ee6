//! A part of the stream that was passed over: nobody knows what was in it, so everything that is alive
//! is looked at.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsEvent;
use serde_json::{Value, json};
use shared::app::REMEMBERED;
use shared::queue::Queues;
use tests::World;

use super::{failed, listed, queues, redrive, wake_all};
use crate::events::recorder::Recorder;
use crate::harness::{create, question};

/// What the queue `wakes` hands over.
fn wakes(bodies: &[Value]) -> SqsEvent {
    let records = bodies.iter().map(|body| json!({"messageId": "m", "body": body.to_string()}));
    serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()})).unwrap()
}

/// Buries what Lambda says of records that it has passed over, and sends it again: the message.
async fn passed_over(world: &World, recorder: &Recorder) -> Value {
    let queues = queues(recorder);
    let text = include_str!("../../../events/dead-letters/stream-records.json");
    let answer = dead_letters::bury(&world.app, &queues, serde_json::from_str(text).unwrap()).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let [letter] = &listed(world).await[..] else { panic!("one is buried") };
    let said = |name: &str| letter[name].clone();
    assert_eq!((said("kind"), said("queue")), (json!("batch"), json!("stream")));
    assert_eq!((&letter["reason"]["code"], said("attempts")), (&json!("unfinished"), json!(101)));
    redrive(world, &queues, &letter["dead_letter_id"]).await;
    let [(queue, 0, message)] = &recorder.sent()[..] else { panic!("one message is sent") };
    assert_eq!((queue.as_str(), &message["message"]), ("wakes", &json!("recover_all")));
    message.clone()
}

/// Lets `wake` do what the message says, and everything that follows in its own queue; what goes to
/// others, as queue, kind and intent.
async fn done(
    world: &World,
    recorder: &Recorder,
    message: &Value,
) -> BTreeSet<(String, String, String)> {
    let queues: Queues = queues(recorder);
    let (mut waiting, mut others) = (vec![message.clone()], BTreeSet::new());
    while !waiting.is_empty() {
        let answer = wake_all(world, &queues, wakes(&waiting)).await;
        assert!(failed(&answer).is_empty(), "{answer:?}");
        waiting.clear();
        for (queue, delay_s, body) in recorder.sent() {
            let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
            if queue == "wakes" && delay_s == 0 {
                waiting.push(body);
            } else {
                others.insert((queue, text("message"), text("intent")));
            }
        }
    }
    others
}

#[tokio::test]
async fn whatever_is_alive_gets_once_more_what_it_waits_for() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let hook = json!({"callback_url": "https://hooks.example.com/x", "event_types": ["inbox.*"]});
    world.post(&world.agent, "/v1/webhooks/subscriptions", &hook).await;
    world.pass(REMEMBERED);
    let event = json!({"event_type": "inbox.reply_received", "source": "test", "payload": {}});
    world.post(&world.agent, "/v1/webhooks/events", &event).await;
    for (address, route) in [
        ("worked", json!({"delivery_mode": "worker"})),
        ("pushed", json!({"delivery_mode": "http", "callback_url": "https://a.example.com/"})),
    ] {
        let put = world.put(&world.admin, &format!("/v1/routes/{address}"), &route).await;
        assert_eq!(put.status.as_u16(), 200, "{}", put.text);
    }
    let to = async |address: &str, ttl_s: u64| {
        let body = json!({"intent_type": "t", "to_agent": address, "ttl_seconds": ttl_s});
        create(&world, &body).await
    };
    let asking = question(&world, "agent_core", json!({"title": "Sure?"})).await;
    let (worked, pushed) = (to("worked", 86_400).await, to("pushed", 86_400).await);
    let soon = to("streamed", 600).await;
    to("streamed", 86_400).await;
    let over = to("worked", 86_400).await;
    let cancel = json!({"status": "CANCELED"});
    world.post(&world.agent, &format!("/v1/intents/{over}/resolve"), &cancel).await;
    // Nothing of all that was relayed.

    let message = passed_over(&world, &recorder).await;
    let owed = done(&world, &recorder, &message).await;
    let sent =
        |queue: &str, kind: &str, id: &str| (queue.to_owned(), kind.to_owned(), id.to_owned());
    let expected = BTreeSet::from([
        sent("notices", "notice", &asking),
        sent("turns", "turn", &worked),
        sent("deliveries", "push", &pushed),
        sent("deliveries", "delivery", ""),
        sent("wakes", "wake", &soon),
    ]);
    // An agent that is posted its turns has a timer for the next attempt as well.
    let missing: Vec<_> = expected.difference(&owed).collect();
    assert!(missing.is_empty(), "{missing:?} were not sent: {owed:?}");
    let more: Vec<_> = owed.difference(&expected).filter(|(_, kind, _)| kind != "wake").collect();
    assert!(more.is_empty(), "nobody waits for {more:?}");
    assert_eq!(done(&world, &recorder, &message).await, owed, "again is the same again");
}

#[tokio::test]
async fn an_intent_that_has_ended_gets_nothing() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let body = json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 600});
    let id = create(&world, &body).await;
    let cancel = json!({"status": "CANCELED"});
    let path = format!("/v1/intents/{id}/resolve");
    let canceled = world.post(&world.agent, &path, &cancel).await;
    assert_eq!(canceled.status.as_u16(), 200, "{}", canceled.text);
    let message = passed_over(&world, &recorder).await;
    assert_eq!(done(&world, &recorder, &message).await, BTreeSet::new());
}

#[tokio::test]
async fn deadlines_that_passed_meanwhile_are_noticed_at_once() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let body = json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 600});
    let id = create(&world, &body).await;
    world.pass(Duration::from_hours(1));
    let message = passed_over(&world, &recorder).await;
    done(&world, &recorder, &message).await;
    let intent = crate::harness::stored(&world, &id).await;
    assert_eq!(intent.status(), shared::intent::Status::TimedOut);
}
