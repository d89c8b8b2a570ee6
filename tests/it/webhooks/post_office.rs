//! The table's stream and the queues between the real functions, by the world's clock.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use local::EventFilter;
use notify::Notifier;
use relay::Relay;
use serde_json::{Value, json};
use shared::app::REMEMBERED;
use shared::callback::{Courier, Lookup, Reach};
use shared::queue::Queues;
use tests::{Answer, World};

use crate::events::recorder::Recorder;
use crate::stream_filter;

/// Steps after which something must have come to rest.
const STEPS_MAX: usize = 200;

/// The key of an item.
type Key = (String, String);

/// A message in the queue of deliveries.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) due_at: Timestamp,
    pub(super) body: Value,
}

/// A world whose stream and queue of deliveries are worked through.
pub(super) struct PostOffice {
    pub(super) world: World,
    pub(super) relay: Relay,
    pub(super) notifier: Notifier,
    filter: EventFilter,
    recorder: Recorder,
    seen: BTreeMap<Key, Value>,
    pub(super) letters: Vec<Letter>,
    /// Messages that the function gave back: on AWS they would come again, and end as dead letters.
    pub(super) returned: Vec<Value>,
}

impl PostOffice {
    pub(super) async fn open() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (world, recorder) = (World::new().await, Recorder::start().await);
        let url = |name: &str| Some(format!("https://sqs.us-east-1.amazonaws.com/1/{name}"));
        let queues = Queues::new(recorder.sqs(), url("turns"), url("wakes"), url("notices"));
        let queues = queues.with_deliveries(url("deliveries"));
        let notifier = Notifier {
            app: world.app.clone(),
            secret: world.secret.clone(),
            target: None,
            public_url: String::new(),
            courier: Courier::new(Reach::Private, Lookup::system()).unwrap(),
            queues: queues.clone(),
        };
        let relay = Relay { app: world.app.clone(), queues };
        let mut office = Self {
            world,
            relay,
            notifier,
            filter: stream_filter::of_the_template(),
            recorder,
            seen: BTreeMap::new(),
            letters: vec![],
            returned: vec![],
        };
        office.read_stream().await;
        office
    }

    /// Subscribes as the holder of `key`; the answer's subscription.
    pub(super) async fn subscribe(&self, key: &str, query: &str, body: &Value) -> Value {
        let path = format!("/v1/webhooks/subscriptions{query}");
        let answer = self.world.post(key, &path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        // What relays remember of subscriptions has been forgotten by then.
        self.world.pass(REMEMBERED);
        answer.json()["subscription"].clone()
    }

    /// Publishes as the world's agent; the answer.
    pub(super) async fn publish(&self, event_type: &str) -> Value {
        let body = json!({"event_type": event_type, "source": "test", "payload": {"n": 1}});
        let answer = self.world.post(&self.world.agent, "/v1/webhooks/events", &body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        answer.json()
    }

    /// Replays as the world's agent; the answer.
    pub(super) async fn replay(&self, event_id: &Value) -> Answer {
        let path = format!("/v1/webhooks/events/{}/replay", event_id.as_str().unwrap());
        self.world.post(&self.world.agent, &path, &json!({})).await
    }

    /// Works until nothing is due now.
    pub(super) async fn work(&mut self) {
        for _ in 0..STEPS_MAX {
            self.read_stream().await;
            let now = self.world.app.now();
            let (due, later) = self.letters.drain(..).partition(|letter| letter.due_at <= now);
            let due: Vec<Letter> = due;
            self.letters = later;
            if due.is_empty() {
                return;
            }
            for letter in due {
                self.hand_over(&letter.body).await;
            }
        }
        panic!("it never comes to rest");
    }

    /// Lets the clock run to the next letter; how long that took.
    pub(super) fn wait_for_next(&self) -> Option<Duration> {
        let next = self.letters.iter().map(|letter| letter.due_at).min()?;
        let pause = Duration::try_from(next.duration_since(self.world.app.now())).ok()?;
        self.world.pass(pause);
        Some(pause)
    }

    /// Hands one message to `notify`.
    pub(super) async fn hand_over(&mut self, body: &Value) {
        let event = json!({"Records": [{"messageId": "m", "body": body.to_string()}]});
        let event = serde_json::from_value(event).unwrap();
        let answer = notify::handle(&self.notifier, event).await;
        if !answer.batch_item_failures.is_empty() {
            self.returned.push(body.clone());
        }
        self.collect();
    }

    /// Hands what has changed in the table to `relay`, as the stream does.
    pub(super) async fn read_stream(&mut self) {
        let items = self.items().await;
        let mut records = Vec::new();
        for (key, item) in &items {
            let name = match self.seen.get(key) {
                None => "INSERT",
                Some(before) if before != item => "MODIFY",
                Some(_) => continue,
            };
            let keys = json!({"pk": {"S": key.0}, "sk": {"S": key.1}});
            let change = json!({
                "Keys": keys, "NewImage": item, "SequenceNumber": "1", "SizeBytes": 1,
            });
            records.push(json!({
                "eventID": "e", "eventName": name, "dynamodb": change, "eventSource": "aws:dynamodb",
                "eventVersion": "1.1", "awsRegion": "us-east-1",
            }));
        }
        self.seen = items;
        records.retain(|record| self.filter.takes(record));
        let event = serde_json::from_value(json!({"Records": records})).unwrap();
        let answer = relay::handle(&self.relay, event).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
        self.collect();
    }

    /// Forgets every message, as the queues of a machine do when it stops.
    pub(super) fn lose_letters(&mut self) {
        self.letters.clear();
    }

    /// Takes what was sent to the queue of deliveries.
    pub(super) fn collect(&mut self) {
        let now = self.world.app.now();
        for (queue, delay_s, body) in self.recorder.sent() {
            if queue == "deliveries" {
                let due_at = now.checked_add(Duration::from_secs(delay_s)).unwrap();
                self.letters.push(Letter { due_at, body });
            }
        }
    }

    /// The items under a partition key that contains `part`.
    pub(super) async fn items_in(&self, part: &str) -> Vec<Value> {
        let items = self.items().await;
        items.into_iter().filter(|((pk, _), _)| pk.contains(part)).map(|(_, item)| item).collect()
    }

    async fn items(&self) -> BTreeMap<Key, Value> {
        let scan = self.world.table.client.scan().table_name("holdpoint").consistent_read(true);
        let found = scan.send().await.unwrap();
        assert!(found.last_evaluated_key.is_none(), "one page holds a story");
        found.items.unwrap().iter().map(|item| (key(item), image(item))).collect()
    }
}

fn key(item: &std::collections::HashMap<String, AttributeValue>) -> Key {
    let part = |name: &str| item[name].as_s().unwrap().clone();
    (part("pk"), part("sk"))
}

/// The item as stream records show it.
fn image(item: &std::collections::HashMap<String, AttributeValue>) -> Value {
    let attribute = |value: &AttributeValue| match (value.as_s(), value.as_n()) {
        (Ok(text), _) => json!({"S": text}),
        (_, Ok(number)) => json!({"N": number}),
        (Err(_), Err(_)) => panic!("{value:?} stands in no item"),
    };
    item.iter().map(|(name, value)| (name.clone(), attribute(value))).collect()
}
