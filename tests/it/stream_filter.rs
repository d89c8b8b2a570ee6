//! What of the table's stream `relay` is invoked with: all that it works on. A filter that takes too
//! little would lose work without a word, so each kind of item is tried in each way of changing.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lambda_events::event::dynamodb::Event;
use local::EventFilter;
use serde_json::{Value, json};
use shared::address::Address;
use shared::message::Message;
use shared::queue::Queues;
use shared::store::Report;
use tests::World;

use crate::events::recorder::Recorder;
use crate::harness::{create, question, turn};
use crate::pump::{by_ttl, images, record};

/// Every kind of item, as its partition after the tenant and the beginning of its sort key.
const KINDS: [(&str, &str); 24] = [
    ("INTENT#", "S"),
    ("INTENT#", "C#"),
    ("INTENT#", "K"),
    ("INTENT#", "O#"),
    ("TIMER#", ""),
    ("AGENT#", ""),
    ("TASKS", ""),
    ("DAY#", ""),
    ("INBOX#", ""),
    ("PULSE", ""),
    ("SUBSCRIPTIONS", ""),
    ("WEBHOOK#", "E"),
    ("WEBHOOK#", "D#"),
    ("WEBHOOK#", "R#"),
    ("UNDERWAY", ""),
    ("SLOTS#", ""),
    ("DEAD", ""),
    ("ROUTES", ""),
    ("ACCOUNTS", ""),
    ("BEATS", ""),
    ("MESH", ""),
    ("RATE#", ""),
    ("KEYS", ""),
    ("REPORTS", ""),
];
/// Those that the relay works on, and each way of changing that makes it act.
const WANTED: [((&str, &str), &[&str]); 3] = [
    (("INTENT#", "C#"), &["INSERT"]),
    (("WEBHOOK#", "D#"), &["INSERT", "MODIFY"]),
    (("TIMER#", ""), &["TTL"]),
];

/// The filter of the template, which stories that play the stream put before `relay` as well.
pub(crate) fn of_the_template() -> EventFilter {
    let template = include_str!("../../template.yaml");
    let filters = local::stream_filters(template, "Relay").expect("the template can be run");
    let [filter] = filters.try_into().expect("the relay reads one stream");
    filter
}

fn kind(image: &Value) -> (&'static str, &'static str) {
    let part = |name: &str| image[name]["S"].as_str().unwrap();
    let (_, place) = part("pk").split_once('#').unwrap();
    let is_its = |(pk, sk): &&(&str, &str)| place.starts_with(pk) && part("sk").starts_with(sk);
    *KINDS.iter().find(is_its).unwrap_or_else(|| panic!("{image} is of a kind without a line here"))
}

/// The stream's record of one way in which an item changes.
fn changed(image: &Value, way: &str) -> Value {
    let keys = json!({"pk": image["pk"], "sk": image["sk"]});
    let [new, old] = [json!({"NewImage": image}), json!({"OldImage": image})];
    let images = match way {
        "INSERT" => vec![new],
        "MODIFY" => vec![new, old],
        _ => vec![old],
    };
    let mut change = json!({"Keys": keys});
    for image in images {
        change.as_object_mut().unwrap().extend(image.as_object().unwrap().clone());
    }
    match way {
        "TTL" => by_ttl(record("1", "REMOVE", change)),
        other => record("1", other, change),
    }
}

const WAYS: [&str; 4] = ["INSERT", "MODIFY", "REMOVE", "TTL"];

/// A world in which there is an item of each kind.
async fn full_world(queues: &Queues) -> World {
    let world = World::new().await;
    let now = world.app.now();
    let hook = json!({"callback_url": "https://hooks.example.com/x", "event_types": ["*"]});
    let account = json!({
        "org_id": "acme", "workspace_id": "prod", "name": "deployer", "display_name": "Deployer",
        "created_by_actor_id": "ana",
    });
    let event = json!({"event_type": "inbox.reply_received", "source": "test", "payload": {}});
    let admin = &world.admin;
    for (path, body) in [
        ("/v1/webhooks/subscriptions", &hook),
        ("/v1/service-accounts", &account),
        ("/v1/mesh/agents/worker/kill", &json!({})),
    ] {
        if path.ends_with("kill") {
            world.put(admin, "/v1/routes/worker", &json!({})).await;
        }
        let answer = world.post(admin, path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
    }
    let published = world.post(admin, "/v1/webhooks/events", &event).await.json();
    let replay = format!("/v1/webhooks/events/{}/replay", published["event_id"].as_str().unwrap());
    let replayed = world.post(admin, &replay, &json!({})).await;
    assert_eq!(replayed.status.as_u16(), 200, "{}", replayed.text);
    world.post(&world.agent, "/v1/mesh/heartbeat", &json!({})).await;

    question(&world, "agent_core", json!({"title": "Sure?"})).await;
    turn(&world, "quiet").await;
    let id = turn(&world, "writer").await;
    let post = async |path: &str, body: Value| {
        let answer = world.post(&world.agent, &format!("/v1/intents/{id}/{path}"), &body).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
        answer.json()
    };
    let claimed = post("tool-calls/c/claim", json!({"tool": "read"})).await;
    let output = json!({"claim_token": claimed["claim"]["claim_token"], "output": 1});
    post("tool-calls/c/complete", output).await;
    let suspend = json!({
        "checkpoint": {"format": "test", "version": "1", "data": "half way"},
        "approvals": [{"call_id": "d", "tool": "launch"}],
    });
    post("suspend", suspend).await;

    let (store, soon) = (world.app.store(), now.checked_add(Duration::from_mins(1)).unwrap());
    let agent = Address::parse("writer").unwrap();
    assert!(store.take_slot("default", &agent, "holder", 1, (now, soon)).await.unwrap());
    store.count_requests("default", "key", "GET /v1/me", now, 10).await.unwrap();
    store.note_sweep("default", now).await.unwrap();
    let report = Report {
        report_id: "r".to_owned(),
        intent: id.parse().unwrap(),
        content: json!({}),
        published_at: now,
    };
    store.put_report("default", &report).await.unwrap();
    let poison = json!({"Records": [{"messageId": "m", "body": "{"}]});
    dead_letters::bury(&world.app, queues, serde_json::from_value(poison).unwrap()).await;
    world
}

fn queues(recorder: &Recorder) -> Queues {
    let url = |name: &str| Some(format!("https://sqs.us-east-1.amazonaws.com/1/{name}"));
    Queues::new(recorder.sqs(), url("turns"), url("wakes"), url("notices"))
        .with_deliveries(url("deliveries"))
}

#[tokio::test]
async fn the_relay_is_invoked_with_what_it_works_on_and_with_nothing_else() {
    let recorder = Recorder::start().await;
    let world = full_world(&queues(&recorder)).await;
    let filter = of_the_template();
    let mut seen = BTreeSet::new();
    for image in images(&world).await {
        let image = Value::Object(image);
        let kind = kind(&image);
        seen.insert(kind);
        let wanted = WANTED.iter().any(|(wanted, _)| *wanted == kind);
        for way in WAYS {
            assert_eq!(filter.takes(&changed(&image, way)), wanted, "{way} of {image}");
        }
    }
    let missing: Vec<_> = KINDS.into_iter().filter(|kind| !seen.contains(kind)).collect();
    assert!(missing.is_empty(), "there is no item of {missing:?} to try");
}

#[tokio::test]
async fn whatever_the_relay_acts_on_passes_the_filter() {
    let recorder = Recorder::start().await;
    let world = full_world(&queues(&recorder)).await;
    let relay = relay::Relay { app: world.app.clone(), queues: queues(&recorder) };
    let filter = of_the_template();
    let mut acted = BTreeSet::new();
    for image in images(&world).await {
        let image = Value::Object(image);
        for way in WAYS {
            let record = changed(&image, way);
            let before = world.table.items().await;
            let event: Event = serde_json::from_value(json!({"Records": [record]})).unwrap();
            let answer = relay::handle(&relay, event).await;
            let idle = answer.batch_item_failures.is_empty()
                && recorder.sent().is_empty()
                && world.table.items().await == before;
            if !idle {
                acted.insert((kind(&image), way));
                assert!(filter.takes(&record), "{way} of {image}");
            }
        }
    }
    // A timer that is set far ahead is left to the schedule, so nothing is seen of that here.
    let expected = WANTED.iter().flat_map(|(kind, ways)| ways.iter().map(|way| (*kind, *way)));
    assert_eq!(acted, expected.collect());
}

#[tokio::test]
async fn a_wake_up_that_is_due_soon_is_sent_from_the_stream() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let relay = relay::Relay { app: world.app.clone(), queues: queues(&recorder) };
    create(&world, &json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 60})).await;
    let filter = of_the_template();
    for image in images(&world).await {
        let record = changed(&Value::Object(image), "INSERT");
        if filter.takes(&record) {
            let event = serde_json::from_value(json!({"Records": [record]})).unwrap();
            relay::handle(&relay, event).await;
        }
    }
    let sent = recorder.sent().into_iter();
    let wakes: Vec<_> = sent
        .map(|(_, delay_s, body)| (delay_s, serde_json::from_value::<Message>(body).unwrap()))
        .filter(|(_, message)| matches!(message, Message::Wake { .. }))
        .collect();
    assert_eq!(wakes.len(), 1, "{wakes:?}");
    assert_eq!(wakes[0].0, 60);
}

#[test]
fn sample_events_are_what_the_relay_is_invoked_with() {
    let filter = of_the_template();
    let samples = [
        (include_str!("../../events/relay/commit.json"), vec![false, true, true]),
        (include_str!("../../events/relay/ttl-removal.json"), vec![true, true]),
        (include_str!("../../events/relay/delivery.json"), vec![true, true, true]),
    ];
    for (text, expected) in samples {
        let event: Value = serde_json::from_str(text).unwrap();
        let records = event["Records"].as_array().unwrap().iter();
        assert_eq!(records.map(|record| filter.takes(record)).collect::<Vec<_>>(), expected);
    }
}
