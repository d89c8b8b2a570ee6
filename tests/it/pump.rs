//! What carries messages, in one process: the table's commits and timers go through the real relay,
//! and what it sends goes through the real consumers, at the moments of the world's clock. Only the
//! turns of workers are left for the test to run.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::dynamodb::Event;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use jiff::Timestamp;
use local::EventFilter;
use serde_json::{Map, Value, json};
use shared::callback::{Carrier, Courier, Lookup, Reach};
use shared::message::{Message, Notice};
use shared::queue::Queues;
use shared::trace::{TRACEPARENT, Trace};
use tests::World;
use tokio::net::TcpListener;

use crate::stream_filter;

/// The most rounds until nothing is due any more.
const ROUNDS_MAX: usize = 200;

/// What was sent and not looked at yet.
#[derive(Debug, Default)]
struct Sent {
    /// Messages: delay in seconds and body.
    messages: Vec<(u64, Message)>,
    /// Notices, as their receiver gets them.
    letters: Vec<Value>,
    /// Requests to queues.
    requests: usize,
    /// The traces that messages were part of.
    traces: Vec<Trace>,
}

/// The relay, the queues and the wake function of a world.
pub(crate) struct Pump<'a> {
    world: &'a World,
    waker: wake::Waker,
    notifier: notify::Notifier,
    relay: relay::Relay,
    filter: EventFilter,
    sent: Arc<Mutex<Sent>>,
    relayed: BTreeSet<String>,
    waiting: Vec<(Timestamp, Message)>,
    notices: Vec<(String, Notice)>,
    turns: Vec<String>,
}

impl<'a> Pump<'a> {
    /// A pump for a world in which nothing has happened yet.
    pub(crate) async fn of(world: &'a World) -> Self {
        Self::reaching(world, Reach::Private).await
    }

    /// The same, in a deployment whose callbacks lead no further than `reach`.
    pub(crate) async fn reaching(world: &'a World, reach: Reach) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let sent = Arc::<Mutex<Sent>>::default();
        let routes = Router::new().fallback(take).with_state(sent.clone());
        tokio::spawn(async { axum::serve(listener, routes).await });
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(shared::boot::http_client())
            .build();
        let url = || Some(format!("{endpoint}/queue"));
        let client = aws_sdk_sqs::Client::from_conf(config);
        let queues = Queues::new(client, url(), url(), url()).with_deliveries(url());
        // Another test in this process may have chosen the provider already; it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let target = notify::Target {
            url: format!("{endpoint}/hook"),
            secret: vec![5; 32],
            carrier: Carrier::network(reqwest::Client::new()),
        };
        Self {
            world,
            waker: wake::Waker { app: world.app.clone(), queues: queues.clone() },
            notifier: notify::Notifier {
                app: world.app.clone(),
                secret: world.secret.clone(),
                target: Some(target),
                public_url: "http://127.0.0.1".to_owned(),
                courier: Courier::new(reach, Lookup::system()).unwrap(),
                queues: queues.clone(),
            },
            relay: relay::Relay { app: world.app.clone(), queues },
            filter: stream_filter::of_the_template(),
            sent,
            relayed: BTreeSet::new(),
            waiting: vec![],
            notices: vec![],
            turns: vec![],
        }
    }

    /// Lets time pass, and then everything happen that is due.
    pub(crate) async fn pass(&mut self, time: Duration) {
        self.world.pass(time);
        self.run().await;
    }

    /// Lets everything happen that is due.
    pub(crate) async fn run(&mut self) {
        self.sweep().await;
        self.run_due(true).await;
    }

    /// The same, where nobody calls the schedule; unless the queues keep them, messages that should
    /// come later are lost.
    pub(crate) async fn run_due(&mut self, keeps_delayed: bool) {
        for _ in 0..ROUNDS_MAX {
            let relayed = self.relay().await;
            self.collect();
            let due = self.due();
            self.waiting.retain(|_| keeps_delayed);
            if due.is_empty() && !relayed {
                return;
            }
            for message in due {
                self.deliver(message).await;
            }
        }
        panic!("something is due again and again");
    }

    /// Relays what was committed, and loses every message that `lost` names.
    pub(crate) async fn lose(&mut self, lost: impl Fn(&Message) -> bool) -> usize {
        self.relay().await;
        self.collect();
        let before = self.waiting.len();
        self.waiting.retain(|(_, message)| !lost(message));
        before - self.waiting.len()
    }

    /// Removes the items whose time is over, as the table does by itself, and relays that.
    pub(crate) async fn expire(&mut self) {
        let now = self.world.app.now().as_second();
        let mut removals = Vec::new();
        for image in images(self.world).await {
            let ttl = image.get("ttl_epoch_s").and_then(|ttl| ttl["N"].as_str()?.parse().ok());
            if ttl.is_none_or(|second: i64| second > now) {
                continue;
            }
            let part =
                |name: &str| AttributeValue::S(image[name]["S"].as_str().unwrap().to_owned());
            let removal = self.world.table.client.delete_item().table_name("holdpoint");
            removal.key("pk", part("pk")).key("sk", part("sk")).send().await.unwrap();
            let key = format!("{} {}", image["pk"], image["sk"]);
            self.relayed.remove(&key);
            let keys = json!({"pk": image["pk"], "sk": image["sk"]});
            let change = json!({"Keys": keys, "OldImage": image});
            removals.push(by_ttl(record(&key, "REMOVE", change)));
        }
        self.hand(&removals).await;
    }

    /// The queues lose what is in them, and the schedule is told of the restart.
    pub(crate) async fn restart(&mut self) {
        self.collect();
        self.waiting.clear();
        self.wake(&json!({"sweep": true, "restart": true})).await;
    }

    /// Calls the schedule.
    pub(crate) async fn sweep(&self) {
        self.wake(&json!({"sweep": true})).await;
    }

    /// When the wake-ups of an intent become visible that are in the queue.
    pub(crate) fn wakes(&mut self, id: &str) -> Vec<Timestamp> {
        self.collect();
        let is_its = |message: &Message| matches!(message, Message::Wake { intent, .. } if intent.to_string() == id);
        let its = self.waiting.iter().filter(|(_, message)| is_its(message));
        its.map(|(at, _)| *at).collect()
    }

    /// Messages that have been sent since the last look, and the requests that it took.
    pub(crate) fn sent(&mut self) -> (usize, usize) {
        let mut sent = self.sent.lock().unwrap();
        let requests = std::mem::take(&mut sent.requests);
        (std::mem::take(&mut sent.messages).len(), requests)
    }

    /// What people were to be told since the last look: the intent and what.
    pub(crate) fn notices(&mut self) -> Vec<(String, Notice)> {
        std::mem::take(&mut self.notices)
    }

    /// The traces that messages were sent in since the last look.
    pub(crate) fn traces(&mut self) -> Vec<Trace> {
        std::mem::take(&mut self.sent.lock().unwrap().traces)
    }

    /// What the receiver of notices was sent since the last look.
    pub(crate) fn letters(&mut self) -> Vec<Value> {
        std::mem::take(&mut self.sent.lock().unwrap().letters)
    }

    /// The intents whose turns workers were to run since the last look.
    pub(crate) fn turns(&mut self) -> Vec<String> {
        std::mem::take(&mut self.turns)
    }

    /// Hands items that are new in the table to the relay; whether there were any.
    async fn relay(&mut self) -> bool {
        let mut new = Vec::new();
        for image in images(self.world).await {
            let key = format!("{} {}", image["pk"], image["sk"]);
            if self.relayed.insert(key.clone()) {
                new.push((key, image));
            }
        }
        new.sort_by(|one, other| one.0.cmp(&other.0));
        let inserted = |(key, image): &(String, Map<String, Value>)| {
            let keys = json!({"pk": image["pk"], "sk": image["sk"]});
            record(key, "INSERT", json!({"Keys": keys, "NewImage": image}))
        };
        let records: Vec<_> = new.iter().map(inserted).collect();
        self.hand(&records).await;
        !new.is_empty()
    }

    async fn hand(&self, records: &[Value]) {
        let records: Vec<_> = records.iter().filter(|record| self.filter.takes(record)).collect();
        let event: Event = serde_json::from_value(json!({"Records": records})).unwrap();
        let answer = relay::handle(&self.relay, event).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }

    fn collect(&mut self) {
        let now = self.world.app.now();
        let sent = std::mem::take(&mut self.sent.lock().unwrap().messages);
        let due = |delay| now.checked_add(Duration::from_secs(delay)).unwrap();
        self.waiting.extend(sent.into_iter().map(|(delay, message)| (due(delay), message)));
    }

    fn due(&mut self) -> Vec<Message> {
        let now = self.world.app.now();
        let waiting = std::mem::take(&mut self.waiting);
        let (due, later) = waiting.into_iter().partition(|(at, _)| *at <= now);
        self.waiting = later;
        let due: Vec<(Timestamp, Message)> = due;
        due.into_iter().map(|(_, message)| message).collect()
    }

    /// Hands a message to its consumer.
    pub(crate) async fn deliver(&mut self, message: Message) {
        let body = serde_json::to_string(&message).unwrap();
        let batch = json!({"Records": [{"messageId": "m", "body": body}]});
        match message {
            Message::Notice { intent, notice, .. } => {
                self.notices.push((intent.to_string(), notice));
                let batch = serde_json::from_value(batch).unwrap();
                let answer = notify::handle(&self.notifier, batch).await;
                assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
            }
            Message::Delivery(_) | Message::News(_) | Message::Push { .. } => {
                let batch = serde_json::from_value(batch).unwrap();
                let answer = notify::handle(&self.notifier, batch).await;
                assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
            }
            Message::Turn { intent, .. } => self.turns.push(intent.to_string()),
            Message::Wake { .. }
            | Message::Recover { .. }
            | Message::RecoverAll { .. }
            | Message::AskEnded { .. }
            | Message::ParentEnded { .. } => self.wake(&batch).await,
        }
    }

    async fn wake(&self, call: &Value) {
        let call = serde_json::from_value(call.clone()).unwrap();
        let answer = wake::handle(&self.waker, call).await.unwrap();
        let answer = serde_json::to_value(&answer).unwrap();
        assert!(answer.get("batchItemFailures").is_none_or(|it| *it == json!([])), "{answer}");
    }
}

/// Every item of the table, as a stream record has it.
pub(crate) async fn images(world: &World) -> Vec<Map<String, Value>> {
    let scan = world.table.client.scan().table_name("holdpoint").consistent_read(true);
    let mut images = Vec::new();
    let mut pages = scan.into_paginator().items().send();
    while let Some(item) = pages.next().await {
        images.push(image(&item.unwrap()));
    }
    images
}

fn image(attributes: &HashMap<String, AttributeValue>) -> Map<String, Value> {
    attributes.iter().map(|(name, value)| (name.clone(), wire(value))).collect()
}

/// The same record, of a removal by TTL.
pub(crate) fn by_ttl(mut record: Value) -> Value {
    record["userIdentity"] = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
    record
}

/// A record of the stream, under a name of its own.
pub(crate) fn record(key: &str, name: &str, mut change: Value) -> Value {
    change["SequenceNumber"] = json!(key);
    change["ApproximateCreationDateTime"] = json!(0);
    change["SizeBytes"] = json!(0);
    json!({"eventID": key, "awsRegion": "us-east-1", "eventName": name, "dynamodb": change})
}

fn wire(value: &AttributeValue) -> Value {
    if let Ok(text) = value.as_s() {
        return json!({"S": text});
    }
    if let Ok(number) = value.as_n() {
        return json!({"N": number});
    }
    if let Ok(attributes) = value.as_m() {
        return json!({"M": image(attributes)});
    }
    json!({"BOOL": *value.as_bool().expect("an attribute of a kind that the table has")})
}

/// Takes what the functions send, as the queue or as the receiver of notices.
async fn take(State(sent): State<Arc<Mutex<Sent>>>, body: Bytes) -> Json<Value> {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut sent = sent.lock().unwrap();
    sent.requests += 1;
    let mut keep = |entry: &Value| {
        let message = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
        sent.messages.push((entry["DelaySeconds"].as_u64().unwrap(), message));
        let trace = entry["MessageAttributes"][TRACEPARENT]["StringValue"].as_str();
        sent.traces.extend(trace.map(|text| Trace::parse(text).unwrap()));
    };
    let taken = |id: &Value| json!({"Id": id, "MessageId": "taken", "MD5OfMessageBody": ""});
    if let Some(entries) = body["Entries"].as_array() {
        entries.iter().for_each(keep);
        let taken: Vec<_> = entries.iter().map(|entry| taken(&entry["Id"])).collect();
        return Json(json!({"Successful": taken, "Failed": []}));
    }
    if body["MessageBody"].is_string() {
        keep(&body);
    } else {
        sent.letters.push(body);
    }
    Json(taken(&Value::Null))
}
