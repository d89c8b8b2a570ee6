//! The sample events of `events/`, replayed through the real handlers.

pub(crate) mod recorder;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lambda_events::event::dynamodb::Event;
use aws_lambda_events::event::sqs::SqsEvent;
use axum::Router;
use serde_json::{Value, json};
use shared::app::App;
use shared::callback::{Carrier, Courier, Lookup, Reach};
use shared::http::service;
use shared::intent::Status;
use shared::queue::Queues;
use tests::{World, no_queues};
use tower::ServiceExt as _;

use crate::harness::{create, link, names, path_of, question, stored, turn};
use recorder::Recorder;

/// Every file, with the function that is invoked with it. Each has its test below.
const REPLAYED: [&str; 31] = [
    "agent-worker/turn.json",
    "agents/create-key.json",
    "agents/create-service-account.json",
    "agents/heartbeat.json",
    "agents/kill.json",
    "agents/put-route.json",
    "approve/decide.json",
    "approve/page.json",
    "approve/tasks.json",
    "dead-letters/list.json",
    "dead-letters/redrive.json",
    "dead-letters/stream-records.json",
    "dead-letters/turn.json",
    "inbox/reply.json",
    "intents/cancel.json",
    "intents/controls.json",
    "intents/event-stream.json",
    "intents/get.json",
    "mcp/request-approval.json",
    "notify/assigned.json",
    "notify/news.json",
    "notify/push.json",
    "relay/commit.json",
    "relay/delivery.json",
    "relay/ttl-removal.json",
    "send-intent/apply-scenario.json",
    "send-intent/create.json",
    "wake/messages.json",
    "wake/sweep.json",
    "webhooks/publish.json",
    "webhooks/subscribe.json",
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
    let (status, first) = answer(&world, send_intent::routes(Reach::Private), &event).await;
    assert_eq!((status, &json_of(&first)["status"]), (200, &json!("WAITING")), "{first}");
    let (_, again) = answer(&world, send_intent::routes(Reach::Private), &event).await;
    assert_eq!(json_of(&first)["intent_id"], json_of(&again)["intent_id"]);
}

#[tokio::test]
async fn send_intent_applies_a_scenario() {
    let world = World::new().await;
    let event = event(&world, "send-intent/apply-scenario.json", "");
    let (status, applied) = answer(&world, send_intent::routes(Reach::Private), &event).await;
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
    let controls = event(&world, "intents/controls.json", &id);
    let (status, changed) = answer(&world, intents::routes(), &controls).await;
    assert_eq!((status, &json_of(&changed)["policy_generation"]), (200, &json!(1)), "{changed}");
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
async fn agents_makes_an_account_and_kills_its_agent_by_its_other_address() {
    let world = World::new().await;
    let account = event(&world, "agents/create-service-account.json", "");
    let (status, made) = answer(&world, agents::routes(Reach::Private), &account).await;
    let made = json_of(&made);
    assert_eq!((status, &made["service_account"]["address"]), (200, &json!("agent://deployer")));
    let kill = event(&world, "agents/kill.json", "");
    let (status, killed) = answer(&world, agents::routes(Reach::Private), &kill).await;
    assert_eq!((status, &json_of(&killed)["agent"]["status"]), (200, &json!("killed")), "{killed}");
    assert_eq!(json_of(&killed)["agent"]["address"], "agent://deployer");
}

#[tokio::test]
async fn agents_hears_an_agent() {
    let world = World::new().await;
    let beat = event(&world, "agents/heartbeat.json", "");
    let (status, heard) = answer(&world, agents::routes(Reach::Private), &beat).await;
    assert_eq!((status, &json_of(&heard)["health_status"]), (200, &json!("healthy")), "{heard}");
}

#[tokio::test]
async fn inbox_takes_a_message() {
    let world = World::new().await;
    let id = question(&world, "agent_core", json!({"title": "Sure?"})).await;
    let reply = event(&world, "inbox/reply.json", &id);
    let (status, thread) = answer(&world, inbox::routes(), &reply).await;
    let said = json_of(&thread)["thread"]["messages"][0]["text"].clone();
    assert_eq!((status, said), (200, json!("Which service is it?")), "{thread}");
}

#[tokio::test]
async fn agents_makes_a_key_and_a_route() {
    let world = World::new().await;
    let key = event(&world, "agents/create-key.json", "");
    let (status, made) = answer(&world, agents::routes(Reach::Private), &key).await;
    assert_eq!((status, &json_of(&made)["key"]["name"]), (200, &json!("agent://team/deployer")));
    let route = event(&world, "agents/put-route.json", "");
    let (status, put) = answer(&world, agents::routes(Reach::Private), &route).await;
    assert_eq!(
        (status, &json_of(&put)["route"]["address"]),
        (200, &json!("agent://team/deployer"))
    );
}

#[tokio::test]
async fn mcp_asks_a_person_once() {
    let world = World::new().await;
    let event = event(&world, "mcp/request-approval.json", "");
    let (status, first) = answer(&world, mcp::routes(), &event).await;
    let asked = json_of(&first)["result"]["structuredContent"].clone();
    assert_eq!((status, &asked["status"]), (200, &json!("waiting")), "{first}");
    let (_, again) = answer(&world, mcp::routes(), &event).await;
    assert_eq!(json_of(&again)["result"]["structuredContent"]["approval_id"], asked["approval_id"]);
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
    let worker = agent_worker::Worker::new(world.app.clone(), no_queues(), model).unwrap();
    let until = world.app.now().checked_add(std::time::Duration::from_mins(1)).unwrap();
    let answer = agent_worker::handle(&worker, event, until).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let intent = stored(&world, &id).await;
    assert_eq!((intent.status(), intent.asks.is_empty()), (Status::Waiting, false));
}

fn queues(recorder: &Recorder) -> Queues {
    let url = |name: &str| Some(format!("https://sqs.us-east-1.amazonaws.com/1/{name}"));
    Queues::new(recorder.sqs(), url("turns"), url("wakes"), url("notices"))
        .with_deliveries(url("deliveries"))
}

#[tokio::test]
async fn relay_sends_what_a_commit_owes_and_a_timer_that_is_near() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let id = crate::harness::nobody().to_string();
    let relay = relay::Relay { app: world.app.clone(), queues: queues(&recorder) };
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
    // It was put back, and what is written comes by the stream like any timer.
    assert_eq!(recorder.sent(), []);
    let items = world.table.items().await;
    let put_back: Vec<_> = items.iter().filter(|item| item.contains("#TIMER#")).collect();
    assert_eq!(put_back.len(), 1, "{put_back:?}");
}

#[tokio::test]
async fn relay_stops_at_the_first_record_that_fails() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let without = Queues::new(recorder.sqs(), None, None, None);
    let relay = relay::Relay { app: world.app.clone(), queues: without };
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
async fn relay_sends_each_attempt_that_a_delivery_waits_for() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let relay = relay::Relay { app: world.app.clone(), queues: queues(&recorder) };
    let text = event(&world, "relay/delivery.json", "");
    let answer = relay::handle(&relay, serde_json::from_str(&text).unwrap()).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let attempts = recorder.sent().into_iter().map(|(queue, delay, body)| {
        assert_eq!((queue.as_str(), &body["message"]), ("deliveries", &json!("delivery")));
        (delay, body["attempt"].as_u64().unwrap())
    });
    assert_eq!(attempts.collect::<Vec<_>>(), [(0, 1), (5, 2)], "and none once it was delivered");
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
        carrier: Carrier::network(reqwest::Client::new()),
    };
    let notifier = notify::Notifier {
        app: world.app.clone(),
        secret: world.secret.clone(),
        target: Some(target),
        public_url: "http://127.0.0.1".to_owned(),
        courier: Courier::new(Reach::Public, Lookup::system()).unwrap(),
        queues: queues(&recorder),
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

#[tokio::test]
async fn a_notice_that_is_led_elsewhere_is_not_taken_and_comes_again() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let receiver = crate::webhooks::receiver::Receiver::start().await;
    receiver.answer([302]);
    let id = question(&world, "agent_core", json!({"title": "Sure?"})).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build();
    let target = notify::Target {
        url: receiver.url.clone(),
        secret: vec![5; 32],
        carrier: Carrier::network(client.unwrap()),
    };
    let notifier = notify::Notifier {
        app: world.app.clone(),
        secret: world.secret.clone(),
        target: Some(target),
        public_url: String::new(),
        courier: Courier::new(Reach::Public, Lookup::system()).unwrap(),
        queues: queues(&recorder),
    };
    let batch = event(&world, "notify/assigned.json", &id);
    for failed in [1, 0] {
        let answer = notify::handle(&notifier, serde_json::from_str(&batch).unwrap()).await;
        assert_eq!(answer.batch_item_failures.len(), failed, "{answer:?}");
    }
    assert_eq!(receiver.posts().len(), 2);
}

#[tokio::test]
async fn notify_posts_what_happened_to_an_intent_to_a_webhook() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hook = json!({"callback_url": format!("{}/hook", recorder.endpoint), "event_types": ["*"]});
    let made = world.post(&world.agent, "/v1/webhooks/subscriptions", &hook).await.json();
    let subscription = made["subscription"]["subscription_id"].as_str().unwrap().to_owned();
    let id = question(&world, "agent_core", json!({"title": "Sure?"})).await;
    let notifier = notify::Notifier {
        app: world.app.clone(),
        secret: world.secret.clone(),
        target: None,
        public_url: String::new(),
        courier: Courier::new(Reach::Private, Lookup::system()).unwrap(),
        queues: queues(&recorder),
    };
    let text = std::fs::read_to_string(folder("events").join("notify/news.json")).unwrap();
    let batch = text
        .replace("{{intent_id}}", &id)
        .replace("{{subscription_id}}", &subscription)
        .replace("{{commit_seq}}", &stored(&world, &id).await.seq.to_string());
    let answer = notify::handle(&notifier, serde_json::from_str(&batch).unwrap()).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let posted = recorder.posted();
    assert_eq!((posted.len(), &posted[0].1["type"]), (1, &json!("intent.created")));
    assert_eq!(posted[0].1["data"]["intent_id"], json!(id));
}

#[tokio::test]
async fn notify_posts_a_turn_to_its_agent() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let route = json!({"delivery_mode": "http", "callback_url": recorder.endpoint});
    world.put(&world.admin, "/v1/routes/pushed", &route).await;
    let id = turn(&world, "pushed").await;
    let notifier = notify::Notifier {
        app: world.app.clone(),
        secret: world.secret.clone(),
        target: None,
        public_url: String::new(),
        courier: Courier::new(Reach::Private, Lookup::system()).unwrap(),
        queues: queues(&recorder),
    };
    let batch = event(&world, "notify/push.json", &id);
    let answer = notify::handle(&notifier, serde_json::from_str(&batch).unwrap()).await;
    assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    let posted = recorder.posted();
    assert_eq!((posted.len(), &posted[0].1["intent_id"]), (1, &json!(id)));
    assert_eq!(stored(&world, &id).await.status(), Status::Acknowledged);
}

#[tokio::test]
async fn dead_letters_buries_what_queues_gave_up_lists_it_and_sends_it_again() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let id = crate::harness::nobody().to_string();
    let queues = queues(&recorder);
    for file in ["dead-letters/turn.json", "dead-letters/stream-records.json"] {
        let batch = serde_json::from_str(&event(&world, file, &id)).unwrap();
        let answer = dead_letters::bury(&world.app, &queues, batch).await;
        assert!(answer.batch_item_failures.is_empty(), "{answer:?}");
    }
    let list = event(&world, "dead-letters/list.json", "");
    let (status, listed) =
        answer(&world, dead_letters::routes(queues.clone(), tests::SETTINGS), &list).await;
    let listed = json_of(&listed)["dead_letters"].clone();
    assert_eq!((status, listed.as_array().unwrap().len()), (200, 1), "{listed}");
    assert_eq!((&listed[0]["kind"], &listed[0]["intent_id"]), (&json!("turn"), &json!(id)));
    assert_eq!(listed[0]["reason"]["code"], "unfinished");

    let redrive = event(&world, "dead-letters/redrive.json", "");
    for _ in 0..2 {
        let routes = dead_letters::routes(queues.clone(), tests::SETTINGS);
        let (status, sent) = answer(&world, routes, &redrive).await;
        assert_eq!(status, 200, "{sent}");
    }
    let turn = json!({"message": "turn", "tenant": "default", "intent": id});
    assert_eq!(recorder.sent(), [("turns".to_owned(), 0, turn)], "once");
}

#[tokio::test]
async fn webhooks_takes_a_subscription_and_an_event() {
    let world = World::new().await;
    let subscribe = event(&world, "webhooks/subscribe.json", "");
    let (status, made) = answer(&world, webhooks::routes(Reach::Public), &subscribe).await;
    assert_eq!((status, &json_of(&made)["subscription"]["active"]), (200, &json!(true)), "{made}");
    let publish = event(&world, "webhooks/publish.json", "");
    let (status, sent) = answer(&world, webhooks::routes(Reach::Public), &publish).await;
    assert_eq!((status, &json_of(&sent)["queued_deliveries"]), (200, &json!(1)), "{sent}");
}
