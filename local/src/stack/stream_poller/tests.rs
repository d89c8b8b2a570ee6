use std::path::Path;

use super::*;
use crate::stack::host::{Failure, Limits};
use crate::stack::ids::Ids;
use crate::template::filter::EventFilter;
use crate::template::queue::Queue;

const DEAD_LETTERS: &str = "Dead";

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
        ttl_attribute: None,
    }
}

/// A poller with a table of four items, and the host whose function the test plays.
struct Story {
    host: Arc<Host>,
    queues: Queues,
    generation: u64,
    tables: Tables,
    /// The numbers of the four records.
    numbers: Vec<String>,
    position: std::path::PathBuf,
    poller: tokio::task::JoinHandle<()>,
    folder: tempfile::TempDir,
}

impl Story {
    async fn begin(retries_max: Option<u32>) -> Self {
        Self::with(retries_max, EventFilter::default()).await
    }

    /// One whose function wants the items with these keys only.
    async fn wanting(keys: &str) -> Self {
        let pattern = format!(r#"{{"dynamodb": {{"Keys": {{"pk": {{"S": {keys}}}}}}}}}"#);
        let criteria = json!({"Filters": [{"Pattern": pattern}]});
        Self::with(Some(1), EventFilter::parse("In", Some(&criteria)).unwrap()).await
    }

    async fn with(retries_max: Option<u32>, filter: EventFilter) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tables = Tables::open(&folder.path().join("d.sqlite"), &[table()]).unwrap();
        for key in ["a", "b", "c", "d"] {
            tables.put_for_test("Table", json!({"pk": {"S": key}}));
        }
        let records = tables.records_after("Table", None, 10).unwrap();
        let numbers = records.into_iter().map(|record| record.dynamodb.sequence_number).collect();
        let dead = Queue { name: DEAD_LETTERS.to_owned(), attributes: [].into() };
        let queues = Queues::create(&[dead]).await.unwrap();
        let commits = watch::Sender::new(0);
        let limits = Limits::new(Duration::from_mins(1), 4);
        let ids = Arc::new(Ids::new().unwrap());
        let host = Host::new(limits, ids, || Timestamp::UNIX_EPOCH, commits.clone());
        let generation = host.begin_process();
        let position = folder.path().join("position.json");
        let poller = StreamPoller {
            source: StreamSource {
                table: "Table".to_owned(),
                batch_size: 100,
                retries_max,
                bisects: true,
                reports_failures: true,
                on_failure: Some(DEAD_LETTERS.to_owned()),
                filter,
            },
            function_arn: "arn".into(),
            tables: tables.clone(),
            queues: queues.clone(),
            host: Arc::clone(&host),
            position: StreamPosition::open(position.clone()).unwrap(),
            commits: commits.subscribe(),
            sole_consumer: true,
            clock: || Timestamp::UNIX_EPOCH,
        };
        let poller = tokio::spawn(poller.run());
        Self { host, queues, generation, tables, numbers, position, poller, folder }
    }

    /// Takes one batch and answers it; returns the keys that were in it.
    async fn answer(&self, answer: impl FnOnce(&Json) -> Result<Json, Failure>) -> Vec<String> {
        let next = self.host.next(self.generation);
        let invocation = tokio::time::timeout(Duration::from_secs(20), next).await;
        let invocation = invocation.unwrap().unwrap();
        let event: Json = serde_json::from_slice(&invocation.payload).unwrap();
        let records = &event["Records"];
        let answer = answer(records).map(|answer| Bytes::from(answer.to_string()));
        self.host.finish(invocation.id, answer);
        let keys = records.as_array().unwrap().iter();
        keys.map(|record| record["dynamodb"]["Keys"]["pk"]["S"].as_str().unwrap().to_owned())
            .collect()
    }

    async fn passed(&self, expected: &str) {
        let reached = || {
            let position = StreamPosition::open(self.position.clone()).unwrap();
            position.passed() == Some(expected)
        };
        let wait = async {
            while !reached() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
    }
}

fn number(records: &Json, index: usize) -> String {
    records[index]["dynamodb"]["SequenceNumber"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn records_come_in_order_and_in_lambda_s_form() {
    let story = Story::begin(None).await;
    let mut seen = Json::Null;
    let keys = story
        .answer(|records| {
            seen = records.clone();
            Ok(Json::Null)
        })
        .await;
    assert_eq!(keys, ["a", "b", "c", "d"]);
    let record = &seen[0];
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["awsRegion"], "us-east-1");
    assert_eq!(
        record["eventSourceARN"],
        "arn:aws:dynamodb:us-east-1:123456789012:table/Table/stream/local"
    );
    assert_eq!(record["dynamodb"]["NewImage"]["pk"]["S"], "a");
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_AND_OLD_IMAGES");
    story.passed(&number(&seen, 3)).await;
}

#[tokio::test]
async fn a_partial_failure_goes_on_from_the_failed_record() {
    let story = Story::begin(None).await;
    let keys = story
        .answer(|records| {
            Ok(json!({"batchItemFailures": [
                {"itemIdentifier": number(records, 3)},
                {"itemIdentifier": number(records, 1)},
            ]}))
        })
        .await;
    assert_eq!(keys, ["a", "b", "c", "d"]);
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["b", "c", "d"]);
}

#[tokio::test]
async fn a_failed_batch_is_tried_again_in_halves() {
    let story = Story::begin(None).await;
    let fail = |_: &Json| Err(Failure::Function("Broken".to_owned()));
    assert_eq!(story.answer(fail).await, ["a", "b", "c", "d"]);
    assert_eq!(story.answer(fail).await, ["a", "b"]);
    assert_eq!(story.answer(fail).await, ["a"]);
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["a"]);
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["b", "c", "d"]);
}

#[tokio::test]
async fn a_record_that_fails_too_often_is_given_up_alone_and_announced() {
    let story = Story::begin(Some(1)).await;
    let fail =
        |records: &Json| Ok(json!({"batchItemFailures": [{"itemIdentifier": number(records, 0)}]}));
    assert_eq!(story.answer(fail).await, ["a", "b", "c", "d"]);
    assert_eq!(story.answer(fail).await, ["a", "b", "c", "d"]);
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["b", "c", "d"]);
    let dead = story.queues.receive(DEAD_LETTERS, 10).await.unwrap();
    let notice: Json = serde_json::from_str(&dead[0].body).unwrap();
    assert_eq!(notice["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(notice["requestContext"]["condition"], "RetryAttemptsExhausted");
}

#[tokio::test]
async fn after_a_crash_unfinished_records_come_again_and_finished_ones_do_not() {
    let story = Story::begin(None).await;
    let mut second = String::new();
    story
        .answer(|records| {
            second = number(records, 1);
            Ok(json!({"batchItemFailures": [{"itemIdentifier": number(records, 2)}]}))
        })
        .await;
    story.passed(&second).await;
    story.poller.abort();
    let reopened = StreamPosition::open(story.position.clone()).unwrap();
    let path: &Path = &story.folder.path().join("d.sqlite");
    let tables = Tables::open(path, &[table()]).unwrap();
    let left = tables.records_after("Table", reopened.passed(), 10).unwrap();
    assert_eq!(left.len(), 2);
}

#[tokio::test]
async fn what_the_function_does_not_want_is_passed_over() {
    let story = Story::wanting(r#"["a", "c"]"#).await;
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["a", "c"]);
    story.passed(&story.numbers[3]).await;
}

#[tokio::test]
async fn nothing_is_invoked_for_what_nobody_wants() {
    let story = Story::wanting(r#"["e"]"#).await;
    story.passed(&story.numbers[3]).await;
    story.tables.put_for_test("Table", json!({"pk": {"S": "e"}}));
    assert_eq!(story.answer(|_| Ok(Json::Null)).await, ["e"], "and this is the first invocation");
}

#[tokio::test]
async fn a_record_that_fails_comes_again_and_what_nobody_wants_before_it_does_not() {
    let story = Story::wanting(r#"["b", "d"]"#).await;
    let last_fails = |records: &Json| {
        let last = records.as_array().unwrap().len() - 1;
        Ok(json!({"batchItemFailures": [{"itemIdentifier": number(records, last)}]}))
    };
    assert_eq!(story.answer(last_fails).await, ["b", "d"]);
    story.passed(&story.numbers[2]).await;
    assert_eq!(story.answer(last_fails).await, ["d"]);
    // That was its last attempt.
    story.passed(&story.numbers[3]).await;
    let dead = story.queues.receive(DEAD_LETTERS, 10).await.unwrap();
    let notice: Json = serde_json::from_str(&dead[0].body).unwrap();
    assert_eq!(notice["DDBStreamBatchInfo"]["startSequenceNumber"], story.numbers[3]);
    assert_eq!(notice["DDBStreamBatchInfo"]["batchSize"], 1);
}
