//! What is on the disk when a stack is gone: every intent with its history.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use dynoxide::Database;
use serde_json::{Value, json};
use shared::id::IntentId;
use shared::intent::Intent;
use shared::intent::event::Event;
use shared::store::{Commit, Report};

use crate::Failure;

/// The file that a stack keeps its tables in.
const FILE: &str = "dynamodb.sqlite";
/// What the partitions of intents and of timers begin with.
const INTENTS: &str = "default#INTENT#";
const TIMERS: &str = "default#TIMER#";
const REPORTS: &str = "default#REPORTS";

/// Everything that matters of a table.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) lives: BTreeMap<IntentId, Life>,
    /// Intents that have a timer, each with when it is due, in milliseconds since 1970.
    pub(crate) timers: BTreeMap<IntentId, Vec<i64>>,
    /// What the built-in agent published.
    pub(crate) reports: Vec<IntentId>,
    /// What cannot be read.
    pub(crate) unreadable: BTreeSet<String>,
}

/// One intent with its whole history.
#[derive(Debug)]
pub(crate) struct Life {
    pub(crate) state: Intent,
    /// How many commits the snapshot counts.
    pub(crate) version: u64,
    /// The digest of the last of them, as the snapshot has it.
    pub(crate) head: String,
    /// The commits, oldest first, each with its text, which the next one's digest covers.
    pub(crate) commits: Vec<(String, Commit)>,
}

impl Life {
    pub(crate) fn events(&self) -> impl Iterator<Item = &Event> {
        let records = self.commits.iter().flat_map(|(_, commit)| &commit.records);
        records.map(|record| &record.event)
    }

    /// What happened, one line for each event.
    pub(crate) fn story(&self) -> Vec<String> {
        let line = |event: &Event| {
            let kind = serde_json::to_string(&event.kind).unwrap_or_default();
            format!("{:>4} {} {} {kind}", event.seq, event.at, event.actor)
        };
        self.events().map(line).collect()
    }
}

impl Ledger {
    /// Opens what a stack that no longer runs has left in `data`.
    pub(crate) fn open(data: &Path) -> Result<Self, Failure> {
        let unreadable = |detail: String| Failure::Table { path: data.to_owned(), detail };
        let file = data.join(FILE);
        let name = file.to_str().ok_or_else(|| unreadable("its name is no text".to_owned()))?;
        let database = Database::new(name).map_err(|error| unreadable(error.to_string()))?;
        let items = items(&database).map_err(unreadable)?;
        Ok(Self::of(&items))
    }

    fn of(items: &[Value]) -> Self {
        let mut ledger = Self::default();
        let mut commits: BTreeMap<&str, Vec<(&str, &Value)>> = BTreeMap::new();
        for item in items {
            let (pk, sk) = (text(item, "pk"), text(item, "sk"));
            if let (Some(id), true) = (pk.strip_prefix(INTENTS), sk.starts_with("C#")) {
                commits.entry(id).or_default().push((sk, item));
            } else if pk.starts_with(TIMERS) {
                ledger.timer(sk, item);
            } else if pk == REPORTS {
                match serde_json::from_str::<Report>(text(item, "body")) {
                    Ok(report) => ledger.reports.push(report.intent),
                    Err(error) => ledger.cannot_read(pk, &error.to_string()),
                }
            }
        }
        for item in items.iter().filter(|item| text(item, "sk") == "S") {
            let Some(id) = text(item, "pk").strip_prefix(INTENTS) else { continue };
            let mut own = commits.remove(id).unwrap_or_default();
            own.sort_by_key(|(sk, _)| *sk);
            match life(item, &own) {
                Ok(life) => drop(ledger.lives.insert(life.state.id, life)),
                Err(detail) => ledger.cannot_read(id, &detail),
            }
        }
        for id in commits.into_keys() {
            ledger.cannot_read(id, "has commits and no snapshot");
        }
        ledger
    }

    fn timer(&mut self, sk: &str, item: &Value) {
        let id = text(item, "intent").parse();
        let due_ms = sk.split_once('#').and_then(|(due_ms, _)| due_ms.parse().ok());
        match (id, due_ms) {
            (Ok(id), Some(due_ms)) => self.timers.entry(id).or_default().push(due_ms),
            (_, _) => self.cannot_read(sk, "is no timer"),
        }
    }

    fn cannot_read(&mut self, what: &str, detail: &str) {
        self.unreadable.insert(format!("{what}: {detail}"));
    }
}

fn life(snapshot: &Value, commits: &[(&str, &Value)]) -> Result<Life, String> {
    let state = serde_json::from_str(text(snapshot, "body")).map_err(|error| error.to_string())?;
    let version = snapshot.pointer("/version/N").and_then(Value::as_str);
    let version = version.and_then(|text| text.parse().ok()).ok_or("counts no commits")?;
    let read = |(_, item): &(&str, &Value)| {
        let text = text(item, "body").to_owned();
        let commit = Commit::parse(&text).map_err(|error| error.to_string())?;
        Ok::<_, String>((text, commit))
    };
    let commits = commits.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Life { state, version, head: text(snapshot, "head").to_owned(), commits })
}

/// Every item of the one table, in the form in which `DynamoDB` speaks.
fn items(database: &Database) -> Result<Vec<Value>, String> {
    let request = serde_json::from_value(json!({})).map_err(|error| error.to_string())?;
    let listed = database.list_tables(request).map_err(|error| error.to_string())?;
    let listed = serde_json::to_value(listed).map_err(|error| error.to_string())?;
    let table = listed.pointer("/TableNames/0").ok_or("there is no table")?;
    let mut items = Vec::new();
    let mut request = json!({"TableName": table});
    loop {
        let scan = serde_json::from_value(request.clone()).map_err(|error| error.to_string())?;
        let page = database.scan(scan).map_err(|error| error.to_string())?;
        let mut page = serde_json::to_value(page).map_err(|error| error.to_string())?;
        if let Some(Value::Array(more)) = page.get_mut("Items").map(Value::take) {
            items.extend(more);
        }
        match (page.get_mut("LastEvaluatedKey").map(Value::take), request.as_object_mut()) {
            (Some(last @ Value::Object(_)), Some(fields)) => {
                fields.insert("ExclusiveStartKey".to_owned(), last);
            }
            (_, _) => return Ok(items),
        }
    }
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item.get(name).and_then(|it| it.get("S")).and_then(Value::as_str).unwrap_or_default()
}
