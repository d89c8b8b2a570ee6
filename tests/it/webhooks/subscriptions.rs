//! Who may subscribe to what, and what they are shown.

use axum::body::Body;
use serde_json::{Value, json};
use shared::principal::Role;
use tests::{Answer, World};

use crate::harness::{bare, key, refused};

const PATH: &str = "/v1/webhooks/subscriptions";
const URL: &str = "https://hooks.example.com/holdpoint";

fn body(url: &str) -> Value {
    json!({"callback_url": url, "event_types": ["inbox.thread_created", "intent.*"]})
}

async fn listed(world: &World, key: &str, query: &str) -> Vec<Value> {
    let answer = world.get(key, &format!("{PATH}{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["subscriptions"].as_array().unwrap().clone()
}

async fn delete(world: &World, key: &str, id: &Value) -> Answer {
    let path = format!("{PATH}/{}", id.as_str().unwrap());
    world.send(bare("DELETE", &path).header("x-api-key", key), Body::empty()).await
}

#[tokio::test]
async fn a_secret_that_nobody_sent_is_made_and_shown_once() {
    let world = World::new().await;
    let made = world.post(&world.agent, PATH, &body(URL)).await.json();
    let made = &made["subscription"];
    let secret = made["secret"].as_str().unwrap();
    assert!(
        secret.starts_with("whsec_") && secret.ends_with(made["secret_hint"].as_str().unwrap())
    );
    assert_eq!(made["owner_agent"], "agent://local-agent");
    assert_eq!((&made["active"], &made["revoked_at"]), (&json!(true), &Value::Null));
    let again = world.post(&world.agent, PATH, &body(URL)).await;
    let list = world.get(&world.agent, &format!("{PATH}?include_inactive=true")).await;
    for answer in [&again, &list] {
        assert!(!answer.text.contains(secret) && answer.text.contains("secret_hint"));
    }
    assert!(again.json()["subscription"]["secret"].is_null());
    let mut own = body(URL);
    own["secret"] = json!("a secret of my own making");
    let own = world.post(&world.agent, PATH, &own).await;
    assert!(!own.text.contains("a secret of my own") && own.text.contains("\"king\""));
}

#[tokio::test]
async fn an_owner_has_one_subscription_for_an_address() {
    let world = World::new().await;
    let first = world.post(&world.agent, PATH, &body(URL)).await.json();
    let mut changed = body("https://HOOKS.example.com:443/holdpoint");
    changed["event_types"] = json!(["*"]);
    changed["description"] = json!("Everything");
    changed["active"] = json!(false);
    let second = world.post(&world.agent, PATH, &changed).await.json();
    let (first, second) = (&first["subscription"], &second["subscription"]);
    assert_eq!(first["subscription_id"], second["subscription_id"]);
    assert_eq!(first["created_at"], second["created_at"]);
    assert_eq!((&second["event_types"], &second["active"]), (&json!(["*"]), &json!(false)));
    assert!(listed(&world, &world.agent, "").await.is_empty());
    let all = listed(&world, &world.agent, "?include_inactive=true").await;
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["description"], "Everything");
}

#[tokio::test]
async fn a_subscription_ends_once_and_may_be_made_again() {
    let world = World::new().await;
    let made = world.post(&world.agent, PATH, &body(URL)).await.json();
    let id = &made["subscription"]["subscription_id"];
    let ended = delete(&world, &world.agent, id).await.json();
    assert_eq!((&ended["ok"], &ended["subscription_id"]), (&json!(true), id));
    world.pass(std::time::Duration::from_secs(1));
    let again = delete(&world, &world.agent, id).await.json();
    assert_eq!(ended["revoked_at"], again["revoked_at"]);
    assert!(ended["revoked_at"].is_string());
    assert!(listed(&world, &world.agent, "").await.is_empty());
    let ended = listed(&world, &world.agent, "?include_inactive=true").await;
    assert_eq!(ended[0]["revoked_at"], again["revoked_at"]);
    let revived = world.post(&world.agent, PATH, &body(URL)).await.json();
    let revived = &revived["subscription"];
    assert_eq!((&revived["active"], &revived["revoked_at"]), (&json!(true), &Value::Null));
    assert_ne!(revived["secret"], made["subscription"]["secret"], "what has ended keeps no secret");
}

#[tokio::test]
async fn one_owner_neither_sees_nor_ends_nor_feeds_anothers_subscriptions() {
    let world = World::new().await;
    let anna = key(&world, "anna's key", Role::Agent, Some("team/anna")).await;
    let bert = key(&world, "bert's key", Role::Agent, Some("team/bert")).await;
    let made = world.post(&anna, PATH, &body(URL)).await.json();
    let made = &made["subscription"];
    assert_eq!(made["owner_agent"], "agent://team/anna");
    assert!(listed(&world, &bert, "?include_inactive=true").await.is_empty());
    refused(&delete(&world, &bert, &made["subscription_id"]).await, 404, "not_found");
    let event = json!({"event_type": "intent.x", "source": "test", "payload": {}});
    let events = "/v1/webhooks/events";
    let own = world.post(&bert, events, &event).await.json();
    assert_eq!(own["queued_deliveries"], 0);
    let sent = world.post(&anna, events, &event).await.json();
    assert_eq!(sent["queued_deliveries"], 1);
    let replay = format!("{events}/{}/replay", sent["event_id"].as_str().unwrap());
    refused(&world.post(&bert, &replay, &json!({})).await, 404, "not_found");
    for path in [PATH, events, &replay] {
        let path = format!("{path}?owner_agent=agent://team/anna");
        refused(&world.post(&bert, &path, &body(URL)).await, 403, "policy_denied");
    }
    for (key, expected) in [(&anna, 1), (&world.admin, 1), (&world.agent, 1)] {
        let found = listed(&world, key, "?owner_agent=team/anna").await;
        assert_eq!(found.len(), expected, "administrators and keys for every address may look");
    }
}

#[tokio::test]
async fn the_owner_may_stand_in_the_query_or_the_header_but_not_differ() {
    let world = World::new().await;
    let ask = async |query: &str, header: Option<&str>| {
        let mut request = bare("GET", &format!("{PATH}{query}")).header("x-api-key", &world.admin);
        if let Some(header) = header {
            request = request.header("x-owner-agent", header);
        }
        world.send(request, Body::empty()).await
    };
    for (query, header, status) in [
        ("?owner_agent=agent://a", None, 200),
        ("", Some("agent://a"), 200),
        ("?owner_agent=agent://a", Some("a"), 200),
        ("?owner_agent=agent://a", Some("agent://b"), 400),
        ("?owner_agent=a%20b", None, 422),
        ("?include_inactive=perhaps", None, 400),
    ] {
        let answer = ask(query, header).await;
        assert_eq!(answer.status.as_u16(), status, "{query} {header:?}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_is_out_of_bounds_is_refused_by_name() {
    let world = World::new().await;
    let event = json!({"event_type": "a.b", "source": "test", "payload": {}});
    let types = vec!["a.b"; 33];
    let payload = json!({"text": "x".repeat(70_000)});
    for (path, body, field, value) in [
        (PATH, body(URL), "callback_url", Value::Null),
        (PATH, body(URL), "callback_url", json!(format!("{URL}{}", "x".repeat(2100)))),
        (PATH, body(URL), "event_types", json!([])),
        (PATH, body(URL), "event_types", json!(types)),
        (PATH, body(URL), "event_types[0]", json!(["ab"])),
        (PATH, body(URL), "secret", json!("too short")),
        (PATH, body(URL), "description", json!("x".repeat(501))),
        ("/v1/webhooks/events", event.clone(), "event_type", json!("intent.*")),
        ("/v1/webhooks/events", event.clone(), "source", json!("x")),
        ("/v1/webhooks/events", event.clone(), "source", json!("holdpoint")),
        ("/v1/webhooks/events", event.clone(), "payload", Value::Null),
        ("/v1/webhooks/events", event, "payload", payload),
    ] {
        let mut body = body;
        body[field.trim_end_matches("[0]")] = value;
        let answer = world.post(&world.agent, path, &body).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{}", answer.text);
    }
}

#[tokio::test]
async fn an_owner_has_fifty_subscriptions_at_most() {
    let world = World::new().await;
    for n in 0..50 {
        let made = world.post(&world.agent, PATH, &body(&format!("{URL}/{n}"))).await;
        assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    }
    let one_more = world.post(&world.agent, PATH, &body(&format!("{URL}/more"))).await;
    refused(&one_more, 422, "invalid_request");
    let changed = world.post(&world.agent, PATH, &body(&format!("{URL}/7"))).await;
    assert_eq!(changed.status.as_u16(), 200);
    let id = &changed.json()["subscription"]["subscription_id"];
    let event = json!({"event_type": "intent.x", "source": "test", "payload": {}});
    let sent = world.post(&world.agent, "/v1/webhooks/events", &event).await.json();
    assert_eq!(sent["queued_deliveries"], 50, "one transaction takes them all");
    delete(&world, &world.agent, id).await;
    let one_more = world.post(&world.agent, PATH, &body(&format!("{URL}/more"))).await;
    assert_eq!(one_more.status.as_u16(), 200, "{}", one_more.text);
}
