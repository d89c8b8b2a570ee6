//! An intent's whole life on a running stack, as a collector sees it.

use std::collections::BTreeSet;
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use reqwest::Client;
use serde_json::{Value, json};
use tests::Running;

use super::collector::{Collector, Mood, Received};
use super::tree::{CALLER, TRACE, Tree};
use crate::api::{Api, until};

/// How long a stage may take to be reached.
pub(super) const STAGE_MAX: Duration = Duration::from_mins(1);
/// The address of the built-in agent.
const WORKER: &str = "openai-agent-demo";
/// What no span may say, beside keys and links.
const NOTE: &str = "a-note-that-is-nobodys-business";
const PAYLOAD: &str = "a-payload-that-is-nobodys-business";
const HEADER: &str = "a-key-of-the-collector";

/// A stack that is told of a collector.
pub(super) fn traced(data: &tempfile::TempDir, collector: &Collector) -> Running {
    let endpoint = format!("OtlpEndpoint={}", collector.endpoint);
    let headers = format!("OtlpHeaders=api-key={HEADER}");
    let arguments = ["--parameter", &endpoint, "--parameter", &headers];
    Running::start_with(&data.path().join("stack"), "127.0.0.1:0", &arguments)
}

/// Sends something as a part of the caller's trace.
pub(super) async fn post(api: &Api, path: &str, body: &Value) -> Value {
    let url = format!("{}{path}", api.connection.base_url);
    let request = Client::builder().no_proxy().build().unwrap().post(url).json(body);
    let request = request.header("x-api-key", &api.connection.agent_key);
    let sent = request.header("traceparent", format!("00-{TRACE}-{CALLER}-01")).send().await;
    serde_json::from_str(&sent.unwrap().text().await.unwrap()).unwrap()
}

/// Sends what the built-in agent asks a person about.
async fn send(api: &Api) -> String {
    let body = json!({
        "intent_type": "t.v1", "to_agent": format!("agent://{WORKER}"),
        "payload": {"task": format!("Analyze Q1 sales data and generate insights {PAYLOAD}")},
    });
    let made = post(api, "/v1/intents?a-query=string", &body).await;
    made["intent_id"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

/// Approves what is asked about `id`, with a note.
async fn approve(api: &Api, id: &str) {
    let task = until(STAGE_MAX, "the agent asks", async || {
        api.tasks()
            .await
            .into_iter()
            .find(|task| task["intent_id"] == id || task["parent_intent_id"] == id)
    });
    let task = task.await;
    let body = json!({
        "decision": "approve", "version": task["version"], "digest": task["digest"],
        "comment": NOTE,
    });
    let path = format!("/v1/approvals/{}/decision", task["intent_id"].as_str().unwrap());
    let key = &api.connection.reviewer_key;
    let answer = api.send(reqwest::Method::POST, key, &path, Some(&body)).await.unwrap();
    assert_eq!(answer.0, 200, "{}", answer.1);
}

/// The link that the reviewer was sent.
async fn review_url(running: &Running) -> String {
    let file = running.data().join("notices.jsonl");
    until(STAGE_MAX, "the reviewer is told", async || {
        let text = std::fs::read_to_string(&file).ok()?;
        let notice: Value = serde_json::from_str(text.lines().next()?).ok()?;
        notice["data"]["review_url"].as_str().map(str::to_owned)
    })
    .await
}

async fn completed(api: &Api, id: &str) {
    until(STAGE_MAX, "the intent completes", async || {
        (api.intent(id).await["status"] == "COMPLETED").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_intents_life_is_one_trace_for_each_request_that_moved_it_and_nobodys_secret() {
    let collector = Collector::start(Mood::Taking).await;
    let data = tempfile::tempdir().unwrap();
    let running = traced(&data, &collector);
    let api = Api::of(&running);
    api.put(&format!("/v1/routes/{WORKER}"), &json!({"delivery_mode": "worker"})).await;
    let id = send(&api).await;
    let url = review_url(&running).await;
    let page = Client::builder().no_proxy().build().unwrap().get(&url).send().await.unwrap();
    assert_eq!(page.status().as_u16(), 200);
    approve(&api, &id).await;
    completed(&api, &id).await;
    let life = until(STAGE_MAX, "every hop's span comes", async || life(&collector)).await;

    // The caller's trace: from its own unit of work to the one that told the reviewer.
    let first = &life.first;
    let begun = first.named("POST /v1/intents");
    assert_eq!((begun.parent.as_str(), begun.kind), (CALLER, SpanKind::Server));
    assert_eq!(begun.service, "SendIntent");
    assert_eq!(begun.attributes["http.request.method"], "POST");
    assert_eq!(begun.attributes["http.route"], "/v1/intents");
    assert_eq!(begun.attributes["http.response.status_code"], "200");
    let turn = first.named("process TurnsQueue");
    assert_eq!((turn.kind, turn.service.as_str()), (SpanKind::Consumer, "AgentWorker"));
    assert_eq!(turn.attributes["messaging.system"], "aws_sqs");
    assert_eq!(turn.attributes["messaging.destination.name"], "TurnsQueue");
    let path = ["process TurnsQueue", "relay commit", "POST /v1/intents"];
    assert_eq!(first.path(turn), path, "the hops in their order");
    let told = first.named("process NoticesQueue");
    let path = [["process NoticesQueue", "relay commit"].as_slice(), &path].concat();
    assert_eq!(first.path(told), path);
    first.check();

    // The reviewer began another trace, which goes on with the first.
    let second = &life.second;
    let decided = second.named("POST /v1/approvals/{id}/decision");
    assert_eq!((decided.parent.as_str(), decided.service.as_str()), ("", "Approve"));
    assert_eq!(decided.links, [TRACE]);
    let resumed = second.named("process TurnsQueue");
    let path = second.path(resumed);
    assert_eq!((path[1], *path.last().unwrap()), ("relay commit", decided.name.as_str()));
    second.check();
    let of_intent = |span: &&Received| span.attributes.contains_key("holdpoint.intent_id");
    for span in [begun, turn, told, decided, resumed] {
        assert!(of_intent(&span), "{span:?}");
    }

    // What is nobody's business is in no span.
    let spans = collector.spans();
    assert!(spans.iter().any(|span| span.name == "GET /approve/{token}"));
    let connection = &api.connection;
    let token = url.rsplit('/').next().unwrap();
    let secrets = [&connection.agent_key, &connection.reviewer_key, &connection.admin_key];
    let secrets = secrets.into_iter().map(String::as_str);
    for secret in secrets.chain([token, NOTE, PAYLOAD, HEADER, "a-query", "127.0.0.1"]) {
        assert!(!collector.says(secret), "{secret}");
    }
    assert!(collector.says(&id), "they would be found");
    assert!(collector.headers("api-key").iter().all(|key| key == HEADER));

    // The log has the same ids.
    let log = std::fs::read_to_string(running.data().join("logs/send-intent.log")).unwrap();
    assert!(log.contains(TRACE), "{log}");
    running.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_refuses_or_is_silent_changes_nothing() {
    for mood in [Mood::Refusing, Mood::Silent] {
        let collector = Collector::start(mood).await;
        let data = tempfile::tempdir().unwrap();
        let running = traced(&data, &collector);
        let api = Api::of(&running);
        api.put(&format!("/v1/routes/{WORKER}"), &json!({"delivery_mode": "worker"})).await;
        let id = send(&api).await;
        approve(&api, &id).await;
        completed(&api, &id).await;
        let spans = collector.spans();
        let ids: BTreeSet<_> = spans.iter().map(|span| &span.id).collect();
        assert_eq!(ids.len(), spans.len(), "{mood:?}: no span is sent again");
        let mut logs = String::new();
        for entry in std::fs::read_dir(running.data().join("logs")).unwrap() {
            logs += &std::fs::read_to_string(entry.unwrap().path()).unwrap();
        }
        let said = logs.lines().filter(|line| line.contains("spans could not be exported"));
        let said: Vec<_> = said.collect();
        assert!(!said.is_empty() && said.len() <= collector.exports(), "{mood:?}: {said:?}");
        assert!(!logs.contains(HEADER) && !logs.contains(&collector.endpoint), "{logs}");
        running.kill();
    }
}

/// The two traces of a life, once everything is there.
struct Life {
    first: Tree,
    second: Tree,
}

fn life(collector: &Collector) -> Option<Life> {
    let spans = collector.spans();
    let decided = spans.iter().find(|span| span.name.ends_with("/decision"))?.trace.clone();
    let (first, second) = (Tree::of(&spans, TRACE), Tree::of(&spans, &decided));
    let is_there = |tree: &Tree, names: &[&str]| {
        names.iter().all(|name| tree.spans().any(|span| span.name == *name))
    };
    let has_begun =
        is_there(&first, &["POST /v1/intents", "process TurnsQueue", "process NoticesQueue"]);
    let has_ended = is_there(&second, &["process TurnsQueue"]);
    (has_begun && has_ended && first.is_whole() && second.is_whole())
        .then_some(Life { first, second })
}
