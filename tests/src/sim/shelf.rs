//! The table, with its stream and its TTL, which move when the world says so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::mail;
use crate::engine;
use crate::table::TABLE;

/// Partition and sort key.
pub(super) type Place = (String, String);

/// The attribute by which items end.
const TTL: &str = "ttl_epoch_s";
/// What the partitions of timers begin with.
const TIMERS: &str = "default#TIMER#";

/// The table. Clones are the same one.
#[derive(Clone)]
pub(super) struct Shelf {
    database: Database,
    state: Arc<Mutex<State>>,
    written: Arc<Notify>,
}

#[derive(Default)]
struct State {
    /// Every item that is there, and when TTL may remove it.
    items: BTreeMap<Place, Option<i64>>,
    /// The stream: records as Lambda hands them over.
    records: Vec<Value>,
    /// Transactions that were carried out. The table does none of them twice.
    tokens: BTreeSet<String>,
    /// Timers that TTL has removed.
    removed: BTreeSet<Place>,
}

/// How an item changed.
enum Change {
    Written(Place),
    Removed(Place),
}

impl Shelf {
    /// An empty table.
    pub(super) fn new() -> Self {
        let database = Database::memory().expect("a database in memory");
        let attribute = |name: &str| json!({"AttributeName": name, "AttributeType": "S"});
        let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
        let table = json!({
            "TableName": TABLE,
            "AttributeDefinitions": [attribute("pk"), attribute("sk")],
            "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
            "BillingMode": "PAY_PER_REQUEST",
        });
        let table = serde_json::from_value(table).expect("a definition");
        database.create_table(table).expect("the table is new");
        Self { database, state: Arc::default(), written: Arc::default() }
    }

    /// The database behind it.
    pub(super) fn database(&self) -> &Database {
        &self.database
    }

    /// Carries a call out, and notes in the stream what changed.
    pub(super) fn perform(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let answer = engine::answer(&self.database, operation, body);
        if answer.0 == 200 && !matches!(operation, "GetItem" | "BatchGetItem" | "Query" | "Scan") {
            let body: Value = serde_json::from_slice(body).expect("a request is JSON");
            self.note(&body);
        }
        answer
    }

    /// The records of the stream from `position` on, `count_max` at most.
    pub(super) fn records(&self, position: usize, count_max: usize) -> Vec<Value> {
        let state = self.state();
        state.records.iter().skip(position).take(count_max).cloned().collect()
    }

    /// Waits until the stream goes on behind `position`.
    pub(super) async fn longer_than(&self, position: usize) {
        loop {
            let written = self.written.notified();
            if self.state().records.len() > position {
                return;
            }
            written.await;
        }
    }

    /// How many records the stream has but for the schedule's signs of life, which never end.
    pub(super) fn changes(&self) -> usize {
        let is_pulse = |record: &&Value| {
            let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str();
            pk.is_some_and(|pk| pk.ends_with("#PULSE"))
        };
        self.state().records.iter().filter(|record| !is_pulse(record)).count()
    }

    /// Whether the intent of this name has a timer.
    pub(super) fn has_timer(&self, intent: &str) -> bool {
        self.state().timers().any(|(_, sk)| sk.ends_with(intent))
    }

    /// Whether a timer heals the loss of this message.
    pub(super) fn heals(&self, message: &str) -> bool {
        mail::healed_by(message).is_some_and(|intent| self.has_timer(&intent))
    }

    /// How many timers there are.
    pub(super) fn timers(&self) -> usize {
        self.state().timers().count()
    }

    /// Timers that TTL has removed so far.
    pub(super) fn removed(&self) -> BTreeSet<Place> {
        self.state().removed.clone()
    }

    /// Removes by TTL what was over at `until_s`; how much.
    pub(super) fn expire(&self, until_s: i64) -> usize {
        let over: Vec<Place> = {
            let state = self.state();
            let over = state.items.iter().filter(|(_, ttl)| ttl.is_some_and(|ttl| ttl <= until_s));
            over.map(|(place, _)| place.clone()).collect()
        };
        for place in &over {
            let old = self.item(place);
            let key = json!({"TableName": TABLE, "Key": key(place)});
            let key = serde_json::from_value(key).expect("a request");
            self.database.delete_item(key).expect("the table answers");
            let mut state = self.state();
            state.items.remove(place);
            if place.0.starts_with(TIMERS) {
                state.removed.insert(place.clone());
            }
            let by = json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"});
            let record = state.record("REMOVE", place, (None, old), Some(by));
            state.records.push(record);
        }
        self.written.notify_waiters();
        over.len()
    }

    /// Whether the built-in agent has published something for the intent of this name.
    pub(super) fn has_report(&self, intent: &str) -> bool {
        let reports: Vec<Place> = {
            let state = self.state();
            state.items.keys().filter(|(pk, _)| pk == "default#REPORTS").cloned().collect()
        };
        reports.iter().filter_map(|place| self.item(place)).any(|item| {
            let body: Value = serde_json::from_str(item["body"]["S"].as_str().unwrap_or("null"))
                .unwrap_or_default();
            body["intent"] == intent
        })
    }

    fn note(&self, body: &Value) {
        if let Some(token) = body["ClientRequestToken"].as_str()
            && !self.state().tokens.insert(token.to_owned())
        {
            return;
        }
        let single = std::slice::from_ref(body);
        let writes = body["TransactItems"].as_array().map_or(single, Vec::as_slice);
        for write in writes {
            let write = write.as_object().expect("a write");
            let inner = ["Put", "Delete", "Update"].iter().find_map(|kind| write.get(*kind));
            let inner = inner.and_then(Value::as_object).unwrap_or(write);
            let change = match (inner.get("Item"), inner.get("Key")) {
                (Some(item), _) => Change::Written(place(item)),
                (None, Some(key)) if inner.contains_key("UpdateExpression") => {
                    Change::Written(place(key))
                }
                (None, Some(key)) => Change::Removed(place(key)),
                (None, None) => continue,
            };
            self.change(change);
        }
        self.written.notify_waiters();
    }

    fn change(&self, change: Change) {
        match change {
            Change::Written(place) => {
                let new = self.item(&place).expect("it was just written");
                let ttl = new[TTL]["N"].as_str().and_then(|text| text.parse().ok());
                let mut state = self.state();
                let before = state.items.insert(place.clone(), ttl);
                let name = if before.is_some() { "MODIFY" } else { "INSERT" };
                let record = state.record(name, &place, (Some(new), None), None);
                state.records.push(record);
            }
            Change::Removed(place) => {
                let mut state = self.state();
                if state.items.remove(&place).is_some() {
                    let record = state.record("REMOVE", &place, (None, None), None);
                    state.records.push(record);
                }
            }
        }
    }

    fn item(&self, place: &Place) -> Option<Value> {
        let request = json!({"TableName": TABLE, "Key": key(place), "ConsistentRead": true});
        let request = serde_json::from_value(request).expect("a request");
        let answer = self.database.get_item(request).expect("the table answers");
        let answer = serde_json::to_value(answer).expect("an answer");
        answer.get("Item").cloned()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }
}

impl State {
    fn timers(&self) -> impl Iterator<Item = &Place> {
        self.items.keys().filter(|(pk, _)| pk.starts_with(TIMERS))
    }

    fn record(
        &self,
        name: &str,
        place: &Place,
        (new, old): (Option<Value>, Option<Value>),
        by: Option<Value>,
    ) -> Value {
        let number = self.records.len();
        let mut change = json!({
            "Keys": key(place),
            "SequenceNumber": format!("{number:021}"),
            "ApproximateCreationDateTime": 0,
            "SizeBytes": 0,
        });
        if let Some(new) = new {
            change["NewImage"] = new;
        }
        if let Some(old) = old {
            change["OldImage"] = old;
        }
        let event_id = number.to_string();
        let mut record = json!({
            "eventID": event_id, "awsRegion": "us-east-1", "eventName": name, "dynamodb": change,
        });
        if let Some(by) = by {
            record["userIdentity"] = by;
        }
        record
    }
}

fn key((pk, sk): &Place) -> Value {
    json!({"pk": {"S": pk}, "sk": {"S": sk}})
}

fn place(item: &Value) -> Place {
    let part = |name: &str| item[name]["S"].as_str().expect("a key of text").to_owned();
    (part("pk"), part("sk"))
}
