//! Everything that a table holds.

use std::collections::BTreeMap;

use dynoxide::Database;
use serde_json::{Value, json};
use shared::dead_letter::{Content, DeadLetter};
use shared::id::IntentId;
use shared::intent::Intent;
use shared::store::{Commit, Report};
use shared::webhook::{Delivery, Published};

use super::life::{Life, Link};
use super::{Rule, Violation};

/// What the partitions of intents begin with.
const INTENT: &str = "default#INTENT#";
/// What the partitions of published events begin with.
const WEBHOOK: &str = "default#WEBHOOK#";
/// What the sort keys of commits begin with.
const COMMIT: &str = "C#";

/// The items of a table, by their places.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    items: BTreeMap<(String, String), Value>,
}

impl Ledger {
    /// A ledger of these items, in the form in which `DynamoDB` speaks.
    pub fn new(items: impl IntoIterator<Item = Value>) -> Self {
        let place = |item: &Value| (text(item, "pk").to_owned(), text(item, "sk").to_owned());
        Self { items: items.into_iter().map(|item| (place(&item), item)).collect() }
    }

    /// What a database holds in one table.
    pub fn of(database: &Database, table: &str) -> Self {
        let mut items = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut request = json!({"TableName": table});
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let request = serde_json::from_value(request).expect("a request");
            let page = database.scan(request).expect("the table answers");
            let mut page = serde_json::to_value(page).expect("an answer");
            items.extend(page["Items"].as_array().expect("items").clone());
            from = page["LastEvaluatedKey"].take();
            if from.is_null() {
                return Self::new(items);
            }
        }
    }

    /// The items, in the order of their places.
    pub fn items(&self) -> impl Iterator<Item = &Value> {
        self.items.values()
    }

    /// How many intents there are.
    pub fn intents(&self) -> usize {
        self.items.keys().filter(|(pk, sk)| pk.starts_with(INTENT) && sk == "S").count()
    }

    /// How many intents are in each status.
    pub fn ends(&self) -> BTreeMap<String, usize> {
        let mut ends = BTreeMap::new();
        for ((pk, sk), item) in &self.items {
            if pk.starts_with(INTENT) && sk == "S" {
                *ends.entry(text(item, "status").to_owned()).or_default() += 1;
            }
        }
        ends
    }

    /// The state of every intent that can be read.
    pub fn states(&self) -> impl Iterator<Item = (IntentId, Intent)> {
        self.lives().0.into_iter().map(|life| (life.id, life.state))
    }

    /// How many events there are.
    pub fn events(&self) -> usize {
        self.lives().0.iter().map(|life| life.events().count()).sum()
    }

    /// What happened to the intent of this name, one line for each event.
    pub fn story(&self, intent: &str) -> Vec<String> {
        let pk = format!("{INTENT}{intent}");
        let snapshot = self.items.get(&(pk.clone(), "S".to_owned()));
        let life = snapshot.and_then(|snapshot| self.life(intent, &pk, snapshot).ok());
        life.iter().flat_map(Life::events).map(|event| format!("{event:?}")).collect()
    }

    /// The places of a kind, by what their partition begins with.
    pub(super) fn places<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = &'a (String, String)> {
        self.items.keys().filter(move |(pk, _)| pk.starts_with(prefix))
    }

    /// Every intent with its history, and what cannot be read.
    pub(super) fn lives(&self) -> (Vec<Life>, Vec<Violation>) {
        let (mut lives, mut unreadable) = (Vec::new(), Vec::new());
        for ((pk, sk), item) in &self.items {
            let Some(id) = pk.strip_prefix(INTENT).filter(|_| sk == "S") else { continue };
            match self.life(id, pk, item) {
                Ok(life) => lives.push(life),
                Err(detail) => unreadable.push(Violation::new(Rule::Readable, id, detail)),
            }
        }
        let orphan = |(pk, sk): &&(String, String)| {
            pk.starts_with(INTENT)
                && !self.items.contains_key(&(pk.clone(), "S".to_owned()))
                && sk != "S"
        };
        let orphans = self.items.keys().filter(orphan);
        let lost = |(pk, sk): &(String, String)| {
            Violation::new(Rule::Readable, pk, format!("{sk} stands there without a snapshot"))
        };
        unreadable.extend(orphans.map(lost));
        (lives, unreadable)
    }

    /// What agents have published.
    pub(super) fn reports(&self) -> Vec<Report> {
        let reports = self.items.iter().filter(|((pk, _), _)| pk == "default#REPORTS");
        let body = |item| serde_json::from_str(text(item, "body")).ok();
        reports.filter_map(|(_, item)| body(item)).collect()
    }

    /// What clients have published.
    pub(super) fn published(&self) -> Vec<Published> {
        let is_event = |(pk, sk): &(String, String)| pk.starts_with(WEBHOOK) && sk == "E";
        let events = self.items.iter().filter(|(place, _)| is_event(place));
        events.filter_map(|(_, item)| serde_json::from_str(text(item, "body")).ok()).collect()
    }

    /// How an event's delivery to a subscription stands.
    pub(super) fn delivery(&self, event: &str, subscription: &str) -> Option<Delivery> {
        let place = (format!("{WEBHOOK}{event}"), format!("D#{subscription}"));
        serde_json::from_str(text(self.items.get(&place)?, "body")).ok()
    }

    /// What was given up, each with a reason, and was not sent again since.
    pub(super) fn dead_letters(&self) -> Vec<Content> {
        let dead = self.items.iter().filter(|((pk, _), _)| pk == "default#DEAD");
        let dead = dead.filter(|(_, item)| item.get("redriven_at").is_none());
        let read = |item| serde_json::from_str::<DeadLetter>(text(item, "body")).ok();
        dead.filter_map(|(_, item)| read(item).map(|letter| letter.content)).collect()
    }

    fn life(&self, id: &str, pk: &str, snapshot: &Value) -> Result<Life, String> {
        let id: IntentId = id.parse().map_err(|_| "its name is no id".to_owned())?;
        let state = serde_json::from_str(text(snapshot, "body"));
        let state = state.map_err(|error| format!("its snapshot: {error}"))?;
        let first = (pk.to_owned(), COMMIT.to_owned());
        let rest = self.items.range(first..);
        let commits = rest.take_while(|((other, sk), _)| other == pk && sk.starts_with(COMMIT));
        let mut links = Vec::new();
        for ((_, sk), item) in commits {
            let text = text(item, "body").to_owned();
            let commit = Commit::parse(&text).map_err(|error| format!("{sk}: {error}"))?;
            links.push(Link { sk: sk.clone(), text, commit });
        }
        let version = snapshot["version"]["N"].as_str().and_then(|text| text.parse().ok());
        let version = version.ok_or("its snapshot counts no commits")?;
        Ok(Life { id, state, version, head: text(snapshot, "head").to_owned(), links })
    }
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_default()
}
