//! Records of the table's stream that can never be worked through: they hold up nobody, and what was
//! owed for them can be sent.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::Event;
use aws_lambda_events::event::streams::DynamoDbEventResponse;
use serde_json::{Value, json};
use tests::{Gate, Manner, Table, World};

use super::{listed, queues, redrive};
use crate::events::recorder::Recorder;
use crate::harness::{question, refused};
use crate::pump::{images, record};

/// The stream's records of items that were written, each numbered by its place.
fn written(items: &[Value]) -> Vec<Value> {
    let numbered = items.iter().enumerate();
    let record = |(place, image): (usize, &Value)| {
        let keys = json!({"pk": image["pk"], "sk": image["sk"]});
        record(&place.to_string(), "INSERT", json!({"Keys": keys, "NewImage": image}))
    };
    numbered.map(record).collect()
}

async fn relay(world: &World, recorder: &Recorder, records: &[Value]) -> DynamoDbEventResponse {
    let relay = relay::Relay { app: world.app.clone(), queues: queues(recorder) };
    let event: Event = serde_json::from_value(json!({"Records": records})).unwrap();
    relay::handle(&relay, event).await
}

/// An intent that waits for a person, and the item of its kind whose sort key begins with `sk`.
async fn asked(world: &World, part: &str, sk: &str) -> (String, Value) {
    let id = question(world, "agent_core", json!({"title": "Sure?"})).await;
    let text = |image: &serde_json::Map<String, Value>, name: &str| {
        image[name]["S"].as_str().unwrap().to_owned()
    };
    let is_its = |image: &serde_json::Map<String, Value>| {
        let (pk, own) = (text(image, "pk"), text(image, "sk"));
        pk.contains(part) && own.starts_with(sk) && format!("{pk} {own}").contains(&id)
    };
    let found = images(world).await.into_iter().find(is_its);
    (id, Value::Object(found.expect("it has one")))
}

async fn commit_of_a_question(world: &World) -> (String, Value) {
    asked(world, "#INTENT#", "C#").await
}

/// Which intents' reviewers were to be told, in order.
fn told(recorder: &Recorder) -> Vec<String> {
    let sent = recorder.sent().into_iter();
    sent.map(|(queue, _, body)| {
        assert_eq!((queue.as_str(), &body["message"]), ("notices", &json!("notice")));
        body["intent"].as_str().unwrap().to_owned()
    })
    .collect()
}

#[tokio::test]
async fn a_poisoned_commit_is_buried_and_what_comes_after_it_is_sent_in_order() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let (first, good) = commit_of_a_question(&world).await;
    let (poisoned, mut bad) = commit_of_a_question(&world).await;
    let (second, also_good) = commit_of_a_question(&world).await;
    for poison in [json!({"S": "{"}), json!({"S": "null"}), json!({"N": "7"})] {
        bad["body"] = poison.clone();
        let records = written(&[good.clone(), bad.clone(), also_good.clone()]);
        let answer = relay(&world, &recorder, &records).await;
        assert!(answer.batch_item_failures.is_empty(), "{poison} stands in the way: {answer:?}");
        assert_eq!(told(&recorder), [first.clone(), second.clone()], "{poison}");
    }
    // The same record is the same dead letter, however often it was buried.
    let [letter] = &listed(&world).await[..] else { panic!("one is buried") };
    let said = |name: &str| letter[name].clone();
    assert_eq!((said("queue"), said("kind")), (json!("stream"), json!("commit")));
    assert_eq!((said("intent_id"), said("attempts")), (json!(poisoned), json!(1)));
    assert_eq!(letter["reason"]["code"], "corrupt");

    // Only the record was damaged. What the commit owes stands in the table.
    let sent = redrive(&world, &queues(&recorder), &letter["dead_letter_id"]).await;
    assert_eq!(sent.status.as_u16(), 200, "{}", sent.text);
    assert_eq!(told(&recorder), [poisoned]);
    assert!(listed(&world).await.is_empty());
}

#[tokio::test]
async fn a_poisoned_timer_leads_to_a_look_at_its_intent() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let (id, mut timer) = asked(&world, "#TIMER#", "").await;
    timer["intent"] = json!({"S": "nobody"});
    let answer = relay(&world, &recorder, &written(&[timer])).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let [letter] = &listed(&world).await[..] else { panic!("one is buried") };
    assert_eq!((&letter["kind"], &letter["intent_id"]), (&json!("timer"), &json!(id)));
    redrive(&world, &queues(&recorder), &letter["dead_letter_id"]).await;
    let recover = json!({"message": "recover", "tenant": "default", "intent": id});
    assert_eq!(recorder.sent(), [("wakes".to_owned(), 0, recover)]);
}

#[tokio::test]
async fn what_says_too_little_to_act_on_is_kept_and_cannot_be_sent() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let (id, good) = commit_of_a_question(&world).await;
    let delivery = json!({
        "pk": {"S": "default#WEBHOOK#11111111-1111-4111-8111-111111111111"},
        "sk": {"S": "D#22222222-2222-4222-8222-222222222222"},
        "body": {"S": "{"},
    });
    let answer = relay(&world, &recorder, &written(&[delivery, good])).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    assert_eq!(told(&recorder), [id]);
    let [letter] = &listed(&world).await[..] else { panic!("one is buried") };
    assert_eq!((&letter["kind"], &letter["intent_id"]), (&json!("record"), &Value::Null));
    let answer = redrive(&world, &queues(&recorder), &letter["dead_letter_id"]).await;
    refused(&answer, 409, "not_redrivable");
    assert_eq!(listed(&world).await.len(), 1, "it waits for whoever drops it");
    assert!(recorder.sent().is_empty());
}

async fn gated() -> (World, Gate) {
    let (table, gate) = Table::gated().await;
    (World::over(table).await, gate)
}

#[tokio::test]
async fn while_the_table_takes_no_dead_letter_the_record_comes_again_and_nothing_overtakes_it() {
    let ((world, gate), recorder) = (gated().await, Recorder::start().await);
    let (_, mut bad) = commit_of_a_question(&world).await;
    let (id, good) = commit_of_a_question(&world).await;
    bad["body"] = json!({"S": "{"});
    let records = written(&[bad, good]);
    gate.treat(Manner::Throttling);
    // The pauses between the client's own attempts.
    tokio::time::pause();
    let answer = relay(&world, &recorder, &records).await;
    tokio::time::resume();
    let failed = answer.batch_item_failures.iter().map(|it| it.item_identifier.as_deref());
    assert_eq!(failed.collect::<Vec<_>>(), [Some("0")]);
    assert!(recorder.sent().is_empty(), "the second waits behind the first");

    gate.treat(Manner::Open);
    world.pass(Duration::from_mins(1));
    let answer = relay(&world, &recorder, &records).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    assert_eq!((told(&recorder), listed(&world).await.len()), (vec![id], 1));
}
