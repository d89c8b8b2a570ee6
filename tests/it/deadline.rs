//! Time, in real processes: deadlines, reminders, escalation, and time that passes while nothing
//! runs.

mod template;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use reqwest::Method;
use serde_json::{Value, json};
use tests::Running;

use crate::api::{Api, instant, now, seconds, until};
use crate::processes;

/// From a deadline to the moment when everybody knows, in seconds.
const LATE_SECONDS_MAX: f64 = 2.0;
/// The same, where nothing but TTL is left to notice it: an item may stand for a second after its
/// own time, the table is looked through every second, and what follows takes a moment.
const TTL_LATE_SECONDS_MAX: f64 = 8.0;
/// How long anything here may take.
const STORY_MAX: Duration = Duration::from_mins(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_is_kept_by_a_running_stack() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(&data.path().join("stack"));
    let api = Api::of(&running);
    tokio::join!(
        nobody_answers(&api),
        nobody_takes_it(&api),
        an_agent_gets_its_turn_back(&api),
        reminders_come_in_time(&api, running.data()),
    );
}

/// A question that nobody answers ends at its deadline, and who waits on its stream hears of it.
async fn nobody_answers(api: &Api) {
    let body = json!({
        "intent_type": "t.v1", "to_agent": "agent://agent_core", "ttl_seconds": 2,
        "human_task": {"title": "Nobody will look"},
    });
    let id = api.create(&body).await;
    let deadline_at = instant(&api.intent(&id).await["deadline_at"]);
    let (event, heard_at) = stream_until(api, &id, "intent.timed_out").await;
    on_time("a question ends", seconds(deadline_at, instant(&event["at"])));
    on_time("the waiting client hears of it", seconds(deadline_at, heard_at));
    let late = json!({"decision": "approve"});
    let path = format!("/v1/approvals/{id}/decision");
    let key = &api.connection.reviewer_key;
    let answer = api.send(Method::POST, key, &path, Some(&late)).await.expect("an answer");
    assert_eq!(answer.0, 410, "{}", answer.1);
    assert!(answer.1.contains("deadline_passed"), "{}", answer.1);
}

/// The same for an agent that never asks for its work.
async fn nobody_takes_it(api: &Api) {
    let body = json!({"intent_type": "t.v1", "to_agent": "agent://nobody", "ttl_seconds": 3});
    let id = api.create(&body).await;
    let deadline_at = instant(&api.intent(&id).await["deadline_at"]);
    let (event, heard_at) = stream_until(api, &id, "intent.timed_out").await;
    on_time("a delivery ends", seconds(deadline_at, instant(&event["at"])));
    on_time("the sender hears of it", seconds(deadline_at, heard_at));
}

/// An agent that asked, and waits, learns that nobody answered in time, and goes on.
async fn an_agent_gets_its_turn_back(api: &Api) {
    let to = "agent://patient";
    let id = api.create(&json!({"intent_type": "t.v1", "to_agent": to, "ttl_seconds": 60})).await;
    let suspend = json!({
        "checkpoint": {"format": "test", "version": "1", "data": "half way"},
        "approvals": [{"call_id": "c1", "tool": "launch", "timeout_seconds": 2}],
    });
    let suspended = api.post(&format!("/v1/intents/{id}/suspend"), &suspend).await;
    let child = suspended["approvals"][0]["approval_id"].as_str().expect("a child").to_owned();
    let asked_until = instant(&api.intent(&child).await["deadline_at"]);

    let resumed = async |event: &Value| event["details"]["step"] == "resumed";
    let (event, heard_at) = stream_until_it(api, &id, resumed).await;
    on_time("the turn comes back", seconds(asked_until, instant(&event["at"])));
    on_time("the agent hears of it", seconds(asked_until, heard_at));
    let stored = api.get(&format!("/v1/intents/{id}/checkpoint")).await;
    let ask = &stored["approvals"][0];
    assert_eq!((&ask["status"], &ask["outcome"]), (&json!("TIMED_OUT"), &Value::Null), "{ask}");
    assert_eq!(ask["approved"], false);
    assert_eq!(stored["checkpoint"]["data"], "half way");
    let done = json!({"action": "complete", "launched": false});
    let ended = api.post(&format!("/v1/intents/{id}/resume"), &done).await;
    assert_eq!(ended["intent"]["status"], "COMPLETED", "{ended}");
}

/// Two reminders at their times, then the escalation, each with its notice.
async fn reminders_come_in_time(api: &Api, data: &Path) {
    let body = json!({
        "intent_type": "t.v1", "to_agent": "agent://agent_core", "ttl_seconds": 60,
        "remind_after_seconds": 2, "remind_interval_seconds": 2, "max_reminders": 2,
        "escalate_to": "agent://the-boss", "human_task": {"title": "Slow reviewers"},
    });
    let id = api.create(&body).await;
    let opened_at = instant(&api.intent(&id).await["hold"]["opened_at"]);
    let (escalated, _) = stream_until(api, &id, "intent.escalated").await;
    assert_eq!(escalated["details"]["escalated_to"], "agent://the-boss");
    let events = api.events(&id).await;
    let at = |kind: &str, number: usize| {
        let found = events.iter().filter(|event| event["event_type"] == kind).nth(number);
        seconds(opened_at, instant(&found.expect("it happened")["at"]))
    };
    on_time("the first reminder", at("intent.reminder", 0) - 2.0);
    on_time("the second reminder", at("intent.reminder", 1) - 4.0);
    on_time("the escalation", at("intent.escalated", 0) - 6.0);
    let reminders = events.iter().filter(|event| event["event_type"] == "intent.reminder").count();
    assert_eq!(reminders, 2);

    let expected = BTreeMap::from([
        ("intent.escalated".to_owned(), 1),
        ("intent.human_task_assigned".to_owned(), 1),
        ("intent.reminder".to_owned(), 2),
    ]);
    until(STORY_MAX, "every notice is sent once", async || {
        (notices(data, &id) == expected).then_some(())
    })
    .await;
}

/// Notices about one intent that have been posted, by type.
fn notices(data: &Path, id: &str) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(data.join("notices.jsonl")).unwrap_or_default();
    let mut counts = BTreeMap::new();
    for line in text.lines().filter(|line| line.contains(id)) {
        let notice: Value = serde_json::from_str(line).expect("a notice a line");
        let kind = notice["type"].as_str().expect("a notice has a type");
        *counts.entry(kind.to_owned()).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_that_passes_while_nothing_runs_is_noticed_at_the_start() {
    let data = tempfile::tempdir().expect("a folder");
    let stack = data.path().join("stack");
    let running = Running::start(&stack);
    let api = Api::of(&running);
    let ask = json!({
        "intent_type": "t.v1", "to_agent": "agent://agent_core", "ttl_seconds": 2,
        "human_task": {"title": "Nobody will be there"},
    });
    let short = api.create(&ask).await;
    let to = "agent://patient";
    let body = json!({"intent_type": "t.v1", "to_agent": to, "ttl_seconds": 600});
    let parent = api.create(&body).await;
    let suspend = json!({
        "approvals": [{"call_id": "c1", "tool": "launch", "timeout_seconds": 2}],
    });
    api.post(&format!("/v1/intents/{parent}/suspend"), &suspend).await;
    running.kill();
    let passed_at = now() + Duration::from_secs(3);
    until(STORY_MAX, "the deadlines", async || (now() > passed_at).then_some(())).await;

    let running = Running::start(&stack);
    let api = Api::of(&running);
    let started_at = now();
    let (event, _) = stream_until(&api, &short, "intent.timed_out").await;
    let late = seconds(started_at, instant(&event["at"]));
    eprintln!("a deadline that had passed was noticed {late:.3} s after the start");
    assert!(late < LATE_SECONDS_MAX, "{late} s");
    let resumed = async |event: &Value| event["details"]["step"] == "resumed";
    let (event, _) = stream_until_it(&api, &parent, resumed).await;
    let late = seconds(started_at, instant(&event["at"]));
    assert!(late < LATE_SECONDS_MAX, "its parent's agent: {late} s");
}

/// With the schedule off and the wake-up's message gone, nothing but the table's own removal of the
/// expired timer is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_timers_ttl_alone_ends_what_everything_else_forgot() {
    let data = tempfile::tempdir().expect("a folder");
    let file = data.path().join("template.yaml");
    std::fs::write(&file, template::without_schedule()).expect("a file");
    let arguments = ["--template", file.to_str().expect("a path")];
    let running = Running::start_with(&data.path().join("stack"), "127.0.0.1:0", &arguments);
    let api = Api::of(&running);
    let queue = Wakes::of(&running);
    let body = json!({
        "intent_type": "t.v1", "to_agent": "agent://agent_core", "ttl_seconds": 6,
        "human_task": {"title": "Forgotten"},
    });
    let id = api.create(&body).await;
    let deadline_at = instant(&api.intent(&id).await["deadline_at"]);
    until(STORY_MAX, "the relay hands the wake-up over", async || {
        (queue.messages().await == 1).then_some(())
    })
    .await;
    queue.purge().await;
    assert_eq!(queue.messages().await, 0, "the wake-up is still there");
    assert!(now() < deadline_at, "too slow a machine: the deadline passed before the purge");

    let (event, _) = stream_until(&api, &id, "intent.timed_out").await;
    let late = seconds(deadline_at, instant(&event["at"]));
    eprintln!("TTL alone: {late:.3} s after the deadline");
    assert!((0.0..TTL_LATE_SECONDS_MAX).contains(&late), "{late} s");
}

/// The queue of wake-ups, as its consumer never looks at it.
struct Wakes {
    client: aws_sdk_sqs::Client,
    url: String,
}

impl Wakes {
    fn of(running: &Running) -> Self {
        let functions = processes::functions(running.id());
        let wake = functions.get("wake").expect("the function runs");
        let environment = processes::environment(*wake).expect("the function runs");
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&environment["AWS_ENDPOINT_URL_SQS"])
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(shared::boot::http_client())
            .build();
        let client = aws_sdk_sqs::Client::from_conf(config);
        Self { client, url: environment["WAKES_QUEUE_URL"].clone() }
    }

    /// Messages in it, those that are not due included.
    async fn messages(&self) -> u32 {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let asked = self.client.get_queue_attributes().queue_url(&self.url);
        let asked = asked.set_attribute_names(Some(names.to_vec())).send().await;
        let told = asked.expect("the queue answers").attributes.unwrap_or_default();
        names.iter().map(|name| told[name].parse::<u32>().expect("a number")).sum()
    }

    async fn purge(&self) {
        self.client.purge_queue().queue_url(&self.url).send().await.expect("the queue is emptied");
    }
}

/// Holds an intent's stream until an event of this type comes, and says when it came.
async fn stream_until(api: &Api, id: &str, kind: &str) -> (Value, jiff::Timestamp) {
    stream_until_it(api, id, async |event: &Value| event["event_type"] == kind).await
}

async fn stream_until_it(
    api: &Api,
    id: &str,
    wanted: impl AsyncFn(&Value) -> bool,
) -> (Value, jiff::Timestamp) {
    let mut since = 0;
    let end = tokio::time::Instant::now() + STORY_MAX;
    while tokio::time::Instant::now() < end {
        let path = format!("/v1/intents/{id}/events/stream?since={since}&wait_seconds=10");
        let answer = api.send(Method::GET, &api.connection.agent_key, &path, None).await;
        let (status, text) = answer.expect("the stream answers");
        let heard_at = now();
        assert_eq!(status, 200, "{text}");
        for data in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let event: Value = serde_json::from_str(data).expect("an event is JSON");
            if wanted(&event).await {
                return (event, heard_at);
            }
            since = event["seq"].as_u64().unwrap_or(since);
        }
    }
    panic!("{id}: what was waited for did not come within {STORY_MAX:?}");
}

#[track_caller]
fn on_time(what: &str, late: f64) {
    eprintln!("{what}: {late:.3} s late");
    assert!((0.0..LATE_SECONDS_MAX).contains(&late), "{what}: {late} s late");
}
