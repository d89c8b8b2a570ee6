use std::path::PathBuf;

use super::*;

fn table() -> Table {
    Table {
        name: "Table".to_owned(),
        request: json!({
            "TableName": "Table",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "StreamSpecification": {
                "StreamEnabled": true,
                "StreamViewType": "NEW_AND_OLD_IMAGES",
            },
        }),
        ttl_attribute: Some("ttl".to_owned()),
    }
}

/// A database file in a folder of its own.
struct Folder {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { path: folder.path().join("dynamodb.sqlite"), _folder: folder }
    }

    fn open(&self) -> Tables {
        Tables::open(&self.path, &[table()]).unwrap()
    }
}

fn put(tables: &Tables, item: Json) {
    tables.put_for_test("Table", item);
}

fn numbers(tables: &Tables, position: Option<&str>) -> Vec<String> {
    let records = tables.records_after("Table", position, 1_000).unwrap();
    records.into_iter().map(|record| record.dynamodb.sequence_number).collect()
}

#[test]
fn items_records_and_settings_survive_a_restart() {
    let folder = Folder::new();
    put(&folder.open(), json!({"pk": {"S": "a"}}));
    let tables = folder.open();
    let records = tables.records_after("Table", None, 10).unwrap();
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].event_name, "INSERT");
    let request = serde_json::from_value(json!({"TableName": "Table"})).unwrap();
    let ttl = serde_json::to_value(tables.database.describe_time_to_live(request).unwrap());
    assert_eq!(ttl.unwrap()["TimeToLiveDescription"]["AttributeName"], "ttl");
}

#[test]
fn every_commit_reaches_the_disk() {
    let folder = Folder::new();
    let tables = folder.open();
    let connection = tables.housekeeping();
    let mode: String = connection.query_row("PRAGMA journal_mode", (), |row| row.get(0)).unwrap();
    // 2 is FULL, the default that a connection of the same build has unless it is told otherwise.
    let level: i64 = connection.query_row("PRAGMA synchronous", (), |row| row.get(0)).unwrap();
    assert_eq!((mode.as_str(), level), ("wal", 2));
}

#[test]
fn a_changed_key_schema_is_refused() {
    let folder = Folder::new();
    drop(folder.open());
    let mut changed = table();
    changed.request["KeySchema"][0]["AttributeName"] = json!("id");
    let message = Tables::open(&folder.path, &[changed]).err().unwrap().to_string();
    assert!(message.starts_with("table Table in this data folder has other keys"), "{message}");
}

#[test]
fn passed_records_are_removed_and_the_newest_is_kept() {
    let folder = Folder::new();
    let tables = folder.open();
    for number in 0..5 {
        put(&tables, json!({"pk": {"S": format!("{number}")}}));
    }
    let all = numbers(&tables, None);
    assert_eq!(numbers(&tables, Some(&all[1])), all[2..]);
    assert_eq!(tables.trim("Table", &all[2]).unwrap(), 3);
    assert_eq!(numbers(&tables, None), all[3..]);
    assert_eq!(tables.trim("Table", &all[4]).unwrap(), 1);
    assert_eq!(numbers(&tables, None), all[4..]);
    put(&tables, json!({"pk": {"S": "next"}}));
    assert!(numbers(&tables, None)[1] > all[4]);
}

#[test]
fn an_expired_item_leaves_a_record_that_says_who_removed_it() {
    let folder = Folder::new();
    let tables = folder.open();
    put(&tables, json!({"pk": {"S": "a"}, "ttl": {"N": "1700000000"}}));
    put(&tables, json!({"pk": {"S": "b"}, "ttl": {"N": "9000000000"}}));
    assert_eq!(tables.database.sweep_ttl().unwrap(), 1);
    let records = tables.records_after("Table", None, 10).unwrap();
    let removal = serde_json::to_value(records.last().unwrap()).unwrap();
    assert_eq!(removal["eventName"], "REMOVE");
    assert_eq!(removal["dynamodb"]["OldImage"]["pk"]["S"], "a");
    assert_eq!(
        removal["userIdentity"],
        json!({"type": "Service", "principalId": "dynamodb.amazonaws.com"})
    );
}

/// Without the indexes the last thousand takes four times as long as the first, and ever longer.
/// The bound leaves room for a busy machine.
#[test]
fn a_transaction_costs_the_same_after_thousands_of_them() {
    let folder = Folder::new();
    let tables = folder.open();
    let plan: Vec<String> = {
        let connection = tables.housekeeping();
        let query = "EXPLAIN QUERY PLAN SELECT MAX(CAST(sequence_number AS INTEGER)) \
                     FROM _stream_records WHERE table_name = 'Table'";
        let mut statement = connection.prepare(query).unwrap();
        let rows = statement.query_map((), |row| row.get(3)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    };
    assert!(plan.iter().any(|step| step.contains("local_stream_by_number")), "{plan:?}");
    let thousand = |round: usize| {
        let begun = Instant::now();
        for number in 0..1_000 {
            let item = |part: &str| {
                json!({"Put": {"TableName": "Table", "Item": {
                    "pk": {"S": format!("{round}-{number}-{part}")}}}})
            };
            let request = json!({"TransactItems": [item("a"), item("b"), item("c")]});
            tables.database.transact_write_items(serde_json::from_value(request).unwrap()).unwrap();
        }
        begun.elapsed()
    };
    let first = thousand(0);
    thousand(1);
    thousand(2);
    let last = thousand(3);
    assert!(last < first * 3, "first thousand {first:?}, last thousand {last:?}");
}
