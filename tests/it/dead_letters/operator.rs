//! What an operator does with what was given up: the real command on a running stack, from the first
//! alarm until the doctor has nothing to say any more.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use serde_json::{Value, json};
use tests::{Ended, Running};

use crate::api::{Api, until};
use crate::cli::{answer, run, says};
use crate::processes;

/// How long anything here may take that goes by table, stream and queues.
const COMES_WITHIN: Duration = Duration::from_mins(1);

/// The stack's own queues and its table, as an operator's enemy reaches them.
pub(crate) struct Backdoor {
    environment: BTreeMap<String, String>,
}

impl Backdoor {
    pub(crate) fn of(stack: &Running) -> Self {
        let functions = processes::functions(stack.id());
        let function = functions.get("dead-letters").expect("the function runs");
        Self { environment: processes::environment(*function).expect("the function runs") }
    }

    /// Sends a text to the queue whose address stands in this variable.
    pub(crate) async fn send(&self, queue: &str, body: &str) {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.environment["AWS_ENDPOINT_URL_SQS"])
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(shared::boot::http_client())
            .build();
        let message = aws_sdk_sqs::Client::from_conf(config).send_message();
        let message = message.queue_url(&self.environment[queue]).message_body(body);
        message.send().await.expect("the queue takes it");
    }

    /// Writes a delivery that nobody can read.
    async fn write_poison(&self) {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .endpoint_url(&self.environment["AWS_ENDPOINT_URL_DYNAMODB"])
            .region(aws_sdk_dynamodb::config::Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(shared::boot::http_client())
            .build();
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let item = aws_sdk_dynamodb::Client::from_conf(config).put_item();
        let item = item.table_name(&self.environment["TABLE_NAME"]);
        let item = item.item("pk", text("default#WEBHOOK#11111111-1111-4111-8111-111111111111"));
        let item = item.item("sk", text("D#22222222-2222-4222-8222-222222222222"));
        item.item("body", text("{")).send().await.expect("the table takes it");
    }
}

fn listed(stack: &Running, more: &[&str]) -> Vec<Value> {
    let list = answer(stack, &[&["dead", "list"], more].concat());
    list["dead_letters"].as_array().expect("a list").clone()
}

/// The letters that wait, once they are these: queue, kind and code of each.
async fn these(stack: &Running, expected: &[(&str, &str, &str)]) -> Vec<Value> {
    let text = |letter: &Value, pointer: &str| {
        letter.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let all = |letters: &[Value]| -> BTreeSet<_> {
        let all = letters.iter();
        all.map(|it| (text(it, "/queue"), text(it, "/kind"), text(it, "/reason/code"))).collect()
    };
    let wanted: BTreeSet<_> = expected
        .iter()
        .map(|(queue, kind, code)| ((*queue).to_owned(), (*kind).to_owned(), (*code).to_owned()))
        .collect();
    until(COMES_WITHIN, "the dead letters", async || {
        let letters = listed(stack, &[]);
        (letters.len() == expected.len() && all(&letters) == wanted).then_some(letters)
    })
    .await
}

fn id(letter: &Value) -> &str {
    letter["dead_letter_id"].as_str().expect("a name")
}

fn of_kind<'a>(letters: &'a [Value], kind: &str) -> &'a Value {
    letters.iter().find(|letter| letter["kind"] == kind).expect("one of them")
}

/// What the doctor finds of dead letters: how bad it is, and the words.
fn diagnosed(stack: &Running) -> (Ended, String, Value) {
    let shown = run(stack, &["doctor", "--no-probe"]);
    let json =
        run(stack, &["doctor", "--no-probe", "--json"]).with_code(shown.code.expect("a code"));
    let json: Value = serde_json::from_str(&json.out).expect("JSON");
    let findings = json["findings"].as_array().expect("a list");
    let found = findings.iter().find(|found| found["check"] == "dead letters").expect("a check");
    (shown, found["level"].as_str().expect("a level").to_owned(), found["detail"].clone())
}

/// How many notices about an intent were posted.
fn notices(stack: &Running, id: &str) -> usize {
    let posted = std::fs::read_to_string(stack.data().join("notices.jsonl")).unwrap_or_default();
    posted.lines().filter(|line| line.contains(id)).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_given_up_is_found_mended_and_forgotten() {
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("stack"));
    let (api, backdoor) = (Api::of(&stack), Backdoor::of(&stack));
    let question = json!({
        "intent_type": "t.v1", "to_agent": "agent://agent_core", "human_task": {"title": "Sure?"},
    });
    let asked = api.create(&question).await;
    until(COMES_WITHIN, "the notice", async || (notices(&stack, &asked) == 1).then_some(())).await;

    let healthy = run(&stack, &["doctor"]).with_code(0);
    says(&healthy.out, &["ok       dead letters     there are none", "an intent ended"]);
    says(&run(&stack, &["dead", "list"]).with_code(0).out, &["no dead letters"]);
    says(&run(&stack, &["dead", "redrive", "--all"]).with_code(0).out, &["no dead letters"]);

    let notice = json!({
        "message": "notice", "tenant": "default", "intent": asked, "notice": {"kind": "assigned"},
    });
    backdoor.send("NOTICES_DEAD_LETTERS_URL", &notice.to_string()).await;
    backdoor.send("WAKES_QUEUE_URL", "{").await;
    backdoor.write_poison().await;
    let found = [
        ("notices", "notice", "unfinished"),
        ("wakes", "unreadable", "unreadable"),
        ("stream", "record", "corrupt"),
    ];
    let letters = these(&stack, &found).await;
    it_is_seen(&stack, &letters, &asked);
    // What came after the poison has arrived.
    let after = api.create(&question).await;
    until(COMES_WITHIN, "the next one", async || (notices(&stack, &after) == 1).then_some(()))
        .await;

    it_is_sent_again(&stack, of_kind(&letters, "notice"), &asked).await;
    let letters = the_rest_is_tried(&stack, &letters).await;
    it_is_forgotten(&stack, &letters);

    let (shown, level, detail) = diagnosed(&stack);
    assert_eq!((shown.code, level.as_str()), (Some(0), "ok"), "{detail}");
}

fn it_is_seen(stack: &Running, letters: &[Value], asked: &str) {
    let shown = run(stack, &["dead", "list"]).with_code(0).out;
    let words = ["QUEUE", "REASON", asked, "the message cannot be read by this version"];
    says(&shown, &words);
    says(&shown, &["the function did not finish", "something stored cannot be read"]);
    let ids: Vec<_> = letters.iter().map(id).collect();
    says(&shown, &ids);
    let of_queue = listed(stack, &["--queue", "wakes"]);
    assert_eq!(of_queue.iter().map(|it| it["kind"].clone()).collect::<Vec<_>>(), ["unreadable"]);

    let (shown, level, detail) = diagnosed(stack);
    assert_eq!((shown.code, level.as_str()), (Some(1), "failure"), "{}", shown.out);
    let detail = detail.as_str().expect("words");
    assert!(detail.starts_with("3 were given up; the oldest was sent "), "{detail}");
    says(
        &shown.out,
        &["failure  dead letters", "`holdpoint dead list`", "`holdpoint dead redrive ID`"],
    );

    let notice = run(stack, &["dead", "show", id(of_kind(letters, "notice"))]).with_code(0);
    says(&notice.out, &["unfinished: the function did not finish", asked, "\"assigned\""]);
    let text = run(stack, &["dead", "show", id(of_kind(letters, "unreadable"))]).with_code(0);
    says(&text.out, &["queue        wakes", "\"text\": \"{\"", "sent again   -"]);
}

async fn it_is_sent_again(stack: &Running, letter: &Value, asked: &str) {
    let sent = run(stack, &["dead", "redrive", id(letter)]).with_code(0);
    says(&sent.out, &[id(letter), "was sent again at"]);
    until(COMES_WITHIN, "the notice", async || (notices(stack, asked) == 2).then_some(())).await;
    let again = run(stack, &["dead", "redrive", id(letter)]).with_code(0);
    assert_eq!(again.out, sent.out, "once, however often");
    assert_eq!(listed(stack, &[]).len(), 2);
    let all = listed(stack, &["--include-redriven"]);
    let kept = of_kind(&all, "notice");
    assert!(all.len() == 3 && kept["redriven_at"].is_string(), "{all:?}");
}

/// What cannot be sent keeps nothing else from being sent, and what is not mended fails again.
async fn the_rest_is_tried(stack: &Running, letters: &[Value]) -> Vec<Value> {
    let (record, text) = (of_kind(letters, "record"), of_kind(letters, "unreadable"));
    let refused = run(stack, &["dead", "redrive", id(record)]).with_code(1);
    says(&refused.err, &["HTTP 409"]);
    let all = run(stack, &["dead", "redrive", "--all"]).with_code(1);
    says(&all.out, &[id(text), "was sent again at"]);
    assert!(!all.out.contains(id(record)), "{}", all.out);
    says(&all.err, &["HTTP 409"]);
    let again =
        these(stack, &[("wakes", "unreadable", "unreadable"), ("stream", "record", "corrupt")])
            .await;
    assert_ne!(id(of_kind(&again, "unreadable")), id(text), "a message of its own");
    again
}

fn it_is_forgotten(stack: &Running, letters: &[Value]) {
    let ids: Vec<_> = letters.iter().map(id).collect();
    let dropped = run(stack, &[&["dead", "drop"], &ids[..]].concat()).with_code(0);
    for id in &ids {
        says(&dropped.out, &[&format!("{id} is dropped")]);
    }
    for command in ["drop", "show", "redrive"] {
        says(&run(stack, &["dead", command, ids[0]]).with_code(1).err, &["HTTP 404"]);
    }
    assert!(listed(stack, &[]).is_empty());
    let words = ["dead", "list", "--api-key", &stack.connection.agent_key];
    let url = ["--url", &stack.connection.base_url];
    let refused = tests::Program::run(&mut crate::cli::holdpoint(&[&words[..], &url].concat()));
    says(&refused.with_code(1).err, &["HTTP 403"]);
    says(&run(stack, &["dead", "drop", "nonsense"]).with_code(2).err, &["a dead letter's ID is"]);
    says(&run(stack, &["dead", "drop"]).with_code(2).err, &["<ID>"]);
}
