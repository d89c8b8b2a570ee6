//! The sample events of `events/`, replayed through the real handlers.

mod recorder;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lambda_events::event::dynamodb::Event;
use aws_lambda_events::event::sqs::SqsEvent;
use axum::Router;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::app::{App, Clock};
use shared::http::service;
use shared::intent::Status;
use shared::queue::Queues;
use tests::World;
use tower::ServiceExt as _;

use crate::harness::{create, link, names, path_of, question, stored, turn};
use recorder::Recorder;

/// Every file, with the function that is invoked with it. Each has its test below.
const REPLAYED: [&str; 16] = [
    "agent-worker/turn.json",
    "agents/create-key.json",
    "agents/put-route.json",
    "approve/decide.json",
    "approve/page.json",
    "approve/tasks.json",
    "intents/cancel.json",
    "intents/event-stream.json",
    "intents/get.json",
    "notify/assigned.json",
    "relay/commit.json",
    "relay/ttl-removal.json",
    "send-intent/apply-scenario.json",
    "send-intent/create.json",
    "wake/messages.json",
    "wake/sweep.json",
];

fn folder(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(name)
}

/// The entries of a folder, by name.
fn entries(folder: PathBuf) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn every_function_has_sample_events_and_every_event_is_replayed() {
    let functions = entries(folder("functions"));
    let mut found = BTreeSet::new();
    for function in &functions {
        let files = entries(folder("events").join(function));
        assert!(!files.is_empty(), "events/{function} is empty");
        found.extend(files.into_iter().map(|file| format!("{function}/{file}")));
    }
    let mut expected = functions;
    expected.insert("README.md".to_owned());
    assert_eq!(entries(folder("events")), expected, "a folder of events for no function");
    assert_eq!(found, REPLAYED.map(str::to_owned).into());
    let source = include_str!("events.rs");
    for file in REPLAYED {
        let uses = source.matches(&format!("\"{file}\"")).count();
        assert!(uses >= 2, "{file} is in the list and replayed by no test");
    }
}

/// A sample event with its placeholders filled in.
fn event(world: &World, file: &str, id: &str) -> String {
    assert!(REPLAYED.contains(&file));
    let text = std::fs::read_to_string(folder("events").join(file)).unwrap();
    let filled = text
        .replace("{{agent_key}}", &world.agent)
        .replace("{{reviewer_key}}", &world.reviewer)
        .replace("{{admin_key}}", &world.admin)
        .replace("{{intent_id}}", id);
    assert!(!filled.contains("{{"), "{file} has a placeholder that events/README.md does not name");
    filled
}

/// What a function answers to an event of API Gateway.
async fn answer(world: &World, routes: Router<App>, event: &str) -> (u16, String) {
    let request = lambda_http::request::from_str(event).unwrap();
    let Ok(answer) = service(routes, world.app.clone()).oneshot(request).await;
    let status = answer.status().as_u16();
    let body = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn reviews(world: &World) -> Router<App> {
    let public_url = Some("https://api.example.com".to_owned());
    approve::routes(approve::Reviews { secret: world.secret.clone(), public_url })
}

#[tokio::test]
async fn send_intent_takes_an_intent_once() {
    let world = World::new().await;
    let event = event(&world, "send-intent/create.json", "");
    let (status, first) = answer(&world, send_intent::routes(), &event).await;
    assert_eq!((status, &json_of(&first)["status"]), (200, &json!("WAITING")), "{first}");
    let (_, again) = answer(&world, send_intent::routes(), &event).await;
    assert_eq!(json_of(&first)["intent_id"], json_of(&again)["intent_id"]);
}

#[tokio::test]
async fn send_intent_applies_a_scenario() {
    let world = World::new().await;
    let event = event(&world, "send-intent/apply-scenario.json", "");
    let (status, applied) = answer(&world, send_intent::routes(), &event).await;
    assert_eq!((status, &json_of(&applied)["status"]), (200, &json!("WAITING")), "{applied}");
    assert_eq!(json_of(&applied)["agents_provisioned"], json!(["agent://expenses"]));
}

#[tokio::test]
async fn intents_shows_streams_and_cancels() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let get = event(&world, "intents/get.json", &id);
    let (status, read) = answer(&world, intents::routes(), &get).await;
    assert_eq!((status, &json_of(&read)["intent_id"]), (200, &json!(id)));
    let stream = event(&world, "intents/event-stream.json", &id);
    let (status, frames) = answer(&world, intents::routes(), &stream).await;
    assert_eq!((status, frames.matches("\nevent: ").count()), (200, 4), "{frames}");
    let cancel = event(&world, "intents/cancel.json", &id);
    let (status, ended) = answer(&world, intents::routes(), &cancel).await;
    assert_eq!(
        (status, &json_of(&ended)["intent"]["status"]),
        (200, &json!("CANCELED")),
        "{ended}"
    );
}

#[tokio::test]
async fn approve_shows_the_page_lists_the_task_and_takes_the_decision() {
    let world = World::new().await;
    let id = question(&world, "agent_core", json!({"title": "Sure?"})).await;
    let path = path_of(&world, &link(&world, &id, "ana").await);
    let text = std::fs::read_to_string(folder("events").join("approve/page.json")).unwrap();
    let page = text.replace("{{link}}", path.trim_start_matches("/approve/"));
    let (status, shown) = answer(&world, reviews(&world), &page).await;
    assert_eq!((status, shown.contains("Sure?")), (200, true), "{shown}");
    let tasks = event(&world, "approve/tasks.json", &id);
    let (status, list) = answer(&world, reviews(&world), &tasks).await;
    let url = json_of(&list)["tasks"][0]["approve_url"].as_str().unwrap().to_owned();
    assert_eq!((status, url.starts_with("https://api.example.com/approve/")), (200, true), "{url}");
    let decide = event(&world, "approve/decide.json", &id);
    let (status, decided) = answer(&world, reviews(&world), &decide).await;
    assert_eq!((status, &json_of(&decided)["status"]), (200, &json!("COMPLETED")), "{decided}");
}

#[tokio::test]
async fn agents_makes_a_key_and_a_route() {
    let world = World::new().await;
    let key = event(&world, "agents/create-key.json", "");
    let (status, made) = answer(&world, agents::routes(), &key).await;
    assert_eq!((status, &json_of(&made)["key"]["name"]), (200, &json!("agent://team/deployer")));
    let route = event(&world, "agents/put-route.json", "");
    let (status, put) = answer(&world, agents::routes(), &route).await;
    assert_eq!(
        (status, &json_of(&put)["route"]["address"]),
        (200, &json!("agent://team/deployer"))
    );
}

#[tokio::test]
async fn agent_worker_runs_the_turn_up_to_its_hold_point() {
    let world = World::new().await;
    let worker = json!({"delivery_mode": "worker"});
    world.put(&world.admin, "/v1/routes/openai-agent-demo", &worker).await;
    let sent = json!({
        "intent_type": "process_task",
        "to_agent": "openai-agent-demo",
        "payload": {"task": "Summarize the quarterly sales and publish the report"},
    });
    let id = create(&world, &sent).await;
    let event: SqsEvent =
        serde_json::from_str(&event(&world, "agent-worker/turn.json", &id)).unwrap();
    let model = Arc::new(agent_worker::model::Scripted);
    let worker = agent_worker::Worker::new(world.app.clone(), model).unwrap();
    let until = world.app.now().checked_add(std::time::Duration::from_mins(1)).unwrap();
    let answer = agent_worker::handle(&worker, event, until).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let intent = stored(&world, &id).await;
    assert_eq!((intent.status(), intent.asks.is_empty()), (Status::Waiting, false));
}

fn queues(recorder: &Recorder) -> Queues {
    let url = |name: &str| Some(format!("https://sqs.us-east-1.amazonaws.com/1/{name}"));
    Queues::new(recorder.sqs(), url("turns"), url("wakes"), url("notices"))
}

#[tokio::test]
async fn relay_sends_what_a_commit_owes_and_a_timer_that_is_near() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let id = crate::harness::nobody().to_string();
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let relay = relay::Relay { queues: queues(&recorder), clock: Clock::new(move || now) };
    let commit: Event = serde_json::from_str(&event(&world, "relay/commit.json", &id)).unwrap();
    let answer = relay::handle(&relay, commit).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let notice = json!({"message": "notice", "tenant": "default", "intent": id, "notice": {"kind": "assigned"}});
    let wake = json!({"message": "wake", "tenant": "default", "intent": id, "due_at": "2030-01-01T00:01:00Z"});
    let expected = [("notices", 0, notice), ("wakes", 60, wake.clone())];
    assert_eq!(
        recorder.sent(),
        expected.map(|(queue, delay, body)| (queue.to_owned(), delay, body))
    );

    // Of two timers that are gone only the one that TTL removed had woken nobody.
    let removal: Event =
        serde_json::from_str(&event(&world, "relay/ttl-removal.json", &id)).unwrap();
    let answer = relay::handle(&relay, removal).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    assert_eq!(recorder.sent(), [("wakes".to_owned(), 0, wake)]);
}

#[tokio::test]
async fn relay_stops_at_the_first_record_that_fails() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let now: Timestamp = "2030-01-01T00:00:00Z".parse().unwrap();
    let without = Queues::new(recorder.sqs(), None, None, None);
    let relay = relay::Relay { queues: without, clock: Clock::new(move || now) };
    let text = event(&world, "relay/commit.json", &crate::harness::nobody().to_string());
    let event: Event = serde_json::from_str(&text).unwrap();
    let failing = event.records[1].change.sequence_number.clone();
    let answer = relay::handle(&relay, event).await;
    let failed: Vec<_> =
        answer.batch_item_failures.into_iter().map(|f| f.item_identifier).collect();
    assert_eq!(failed, [failing]);
    assert!(recorder.sent().is_empty());
}

#[tokio::test]
async fn wake_works_through_messages_and_sweeps() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let body = json!({
        "intent_type": "t",
        "to_agent": "agent_core",
        "ttl_seconds": 120,
        "remind_after_seconds": 80,
    });
    let id = create(&world, &body).await;
    let waker = wake::Waker { app: world.app.clone(), queues: queues(&recorder) };
    let messages: wake::Call =
        serde_json::from_str(&event(&world, "wake/messages.json", &id)).unwrap();
    let answer = serde_json::to_value(wake::handle(&waker, messages).await.unwrap()).unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let notice = json!({"message": "notice", "tenant": "default", "intent": id, "notice": {"kind": "assigned"}});
    assert_eq!(recorder.sent(), [("notices".to_owned(), 0, notice)], "what may have been lost");

    let sweep: wake::Call = serde_json::from_str(&event(&world, "wake/sweep.json", &id)).unwrap();
    let answer = serde_json::to_value(wake::handle(&waker, sweep).await.unwrap()).unwrap();
    assert_eq!(answer, json!({"timers": 1}));
    let wake = json!({"message": "wake", "tenant": "default", "intent": id, "due_at": "2030-01-01T00:01:20Z"});
    assert_eq!(recorder.sent(), [("wakes".to_owned(), 80, wake)]);
    assert_eq!(names(&world, &id).await.last().unwrap(), "intent.human_task_assigned");
}

#[tokio::test]
async fn notify_tells_the_reviewer_with_a_signed_notice_and_a_link_that_opens() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let id = question(&world, "agent_core", json!({"title": "Sure?", "assignees": ["ana"]})).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let target = notify::Target {
        url: format!("{}/hook", recorder.endpoint),
        secret: vec![5; 32],
        client: reqwest::Client::new(),
    };
    let notifier = notify::Notifier {
        app: world.app.clone(),
        secret: world.secret.clone(),
        target: Some(target),
        public_url: "http://127.0.0.1".to_owned(),
    };
    let batch = event(&world, "notify/assigned.json", &id);
    for _ in 0..2 {
        let answer = notify::handle(&notifier, serde_json::from_str(&batch).unwrap()).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }
    let posted = recorder.posted();
    assert_eq!(posted.len(), 2);
    assert_eq!(posted[0].0, posted[1].0, "a repeated notice has the same id");
    let letter = &posted[0].1;
    assert_eq!(letter["type"], "intent.human_task_assigned");
    assert_eq!(
        (&letter["data"]["reviewer"], &letter["data"]["title"]),
        (&json!("ana"), &json!("Sure?"))
    );
    let url = letter["data"]["review_url"].as_str().unwrap();
    let page = world.get("", url.strip_prefix("http://127.0.0.1").unwrap()).await;
    assert_eq!(page.status.as_u16(), 200);
    assert!(posted[0].2.starts_with("v1,"), "{}", posted[0].2);

    let path = format!("/v1/approvals/{id}/decision");
    let by = crate::harness::key(&world, "ana", shared::principal::Role::Reviewer, None).await;
    world.post(&by, &path, &json!({"decision": "approve"})).await;
    let answer = notify::handle(&notifier, serde_json::from_str(&batch).unwrap()).await;
    assert!(answer.batch_item_failures.is_empty() && recorder.posted().is_empty(), "too late");
}
