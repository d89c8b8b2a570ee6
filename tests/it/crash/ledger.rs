//! What is left on the disk when the stack is gone.

use std::collections::BTreeMap;
use std::path::Path;

use dynoxide::Database;
use serde_json::{Value, json};
use shared::store::{Commit, genesis};

/// The table's file, opened without the stack.
pub(super) struct Ledger {
    database: Database,
    table: String,
}

impl Ledger {
    /// Opens what a stack that no longer runs has left in `data`.
    pub(super) fn open(data: &Path) -> Self {
        let file = data.join("dynamodb.sqlite");
        let database = Database::new(file.to_str().expect("a path")).expect("the table's file");
        let request = serde_json::from_value(json!({})).expect("a request");
        let listed = database.list_tables(request).expect("the tables");
        let listed = serde_json::to_value(listed).expect("an answer");
        let table = listed["TableNames"][0].as_str().expect("one table").to_owned();
        Self { database, table }
    }

    /// How many reports were published for each intent.
    pub(super) fn reports(&self) -> BTreeMap<String, usize> {
        let mut reports = BTreeMap::new();
        for item in self.partition("default#REPORTS") {
            let report: Value = serde_json::from_str(text(&item, "body")).expect("a report");
            let intent = report["intent"].as_str().expect("a report names its intent");
            *reports.entry(intent.to_owned()).or_default() += 1;
        }
        reports
    }

    /// Checks an intent's chain of commits from its beginning to the head that its snapshot names,
    /// and says how many events they hold.
    pub(super) fn check_chain(&self, id: &str) -> usize {
        let items = self.partition(&format!("default#INTENT#{id}"));
        let is = |prefix: &'static str| move |item: &&Value| text(item, "sk").starts_with(prefix);
        let snapshot = items.iter().find(is("S")).expect("a snapshot");
        let mut previous = genesis(id.parse().expect("an id"));
        let mut seqs = Vec::new();
        let mut version = 0;
        for item in items.iter().filter(is("C#")) {
            let body = text(item, "body");
            let commit = Commit::parse(body).expect("a commit");
            version += 1;
            assert_eq!((commit.version, &commit.previous), (version, &previous), "{id}");
            seqs.extend(commit.records.iter().map(|record| record.event.seq));
            previous = Commit::digest(body);
        }
        assert_eq!(text(snapshot, "head"), previous.hex(), "{id}: the head is another commit");
        assert_eq!(snapshot["version"]["N"], json!(version.to_string()), "{id}");
        let expected: Vec<u64> = (1..=seqs.len() as u64).map(|number| number * 2).collect();
        assert_eq!(seqs, expected, "{id}");
        seqs.len()
    }

    /// Every item of one partition, in order.
    fn partition(&self, pk: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut from = Value::Null;
        loop {
            let mut request = json!({
                "TableName": self.table,
                "KeyConditionExpression": "pk = :pk",
                "ExpressionAttributeValues": {":pk": {"S": pk}},
            });
            if !from.is_null() {
                request["ExclusiveStartKey"] = from;
            }
            let request = serde_json::from_value(request).expect("a request");
            let page = self.database.query(request).expect("the table answers");
            let mut page = serde_json::to_value(page).expect("an answer");
            items.extend(page["Items"].as_array().expect("items").clone());
            from = page["LastEvaluatedKey"].take();
            if from.is_null() {
                return items;
            }
        }
    }
}

fn text<'a>(item: &'a Value, name: &str) -> &'a str {
    item[name]["S"].as_str().unwrap_or_else(|| panic!("no {name} in {item}"))
}
