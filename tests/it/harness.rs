//! What several modules begin with: an intent to try something on.

use axum::body::Body;
use axum::http::Request;
use axum::http::request::Builder;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::address::Address;
use shared::app::NewKey;
use shared::id::IntentId;
use shared::intent::Intent;
use shared::link::Link;
use shared::principal::Role;
use tests::{Answer, World};

/// A request without anything that the test does not name.
pub(crate) fn bare(method: &str, path: &str) -> Builder {
    Request::builder().method(method).uri(path).header("host", "127.0.0.1")
}

/// Sends an intent by the world's agent; it must be taken.
pub(crate) async fn create(world: &World, body: &Value) -> String {
    let made = world.post(&world.agent, "/v1/intents", body).await;
    assert_eq!(made.status.as_u16(), 200, "{}", made.text);
    made.json()["intent_id"].as_str().unwrap().to_owned()
}

/// An intent that is the turn of the agent at `address`.
pub(crate) async fn turn(world: &World, address: &str) -> String {
    create(world, &json!({"intent_type": "t", "to_agent": address, "payload": {"n": 1}})).await
}

/// An intent that waits for a person, in reach of the agent at `address`.
pub(crate) async fn question(world: &World, address: &str, task: Value) -> String {
    let body = json!({
        "intent_type": "deploy.request.v1",
        "to_agent": address,
        "payload": {"service": "api"},
        "human_task": task,
    });
    create(world, &body).await
}

/// A key of the registry.
pub(crate) async fn key(world: &World, name: &str, role: Role, address: Option<&str>) -> String {
    let address = address.map(|text| Address::parse(text).unwrap());
    let new = NewKey { name: name.to_owned(), role, address, expires_at: None };
    let (_, text) = world.app.create_key(new).await.unwrap();
    text.reveal().to_owned()
}

/// The intent as it is stored.
pub(crate) async fn stored(world: &World, id: &str) -> Intent {
    world.app.load(id.parse().unwrap()).await.unwrap().intent
}

/// How many events it has.
pub(crate) async fn events(world: &World, id: &str) -> Vec<Value> {
    let path = format!("/v1/intents/{id}/events");
    let read = world.get(&world.admin, &path).await.json();
    read["events"].as_array().cloned().unwrap_or_default()
}

/// What happened, in the contract's names.
pub(crate) async fn names(world: &World, id: &str) -> Vec<String> {
    let name = |event: &Value| event["event_type"].as_str().unwrap().to_owned();
    events(world, id).await.iter().map(name).collect()
}

/// A link to the open hold of an intent.
pub(crate) async fn link(world: &World, id: &str, reviewer: &str) -> Link {
    let intent = stored(world, id).await;
    link_to(&intent, reviewer, intent.envelope.deadline_at)
}

/// A link that ends at `expires_at`.
pub(crate) fn link_to(intent: &Intent, reviewer: &str, expires_at: Timestamp) -> Link {
    Link {
        tenant: intent.envelope.tenant.clone(),
        intent_id: intent.id.uuid(),
        hold_version: intent.open_hold().expect("an open hold").version,
        reviewer: reviewer.to_owned(),
        expires_at,
    }
}

/// The path behind a link.
pub(crate) fn path_of(world: &World, link: &Link) -> String {
    format!("/approve/{}", link.sign(&world.secret).unwrap().as_str())
}

/// An id that no intent has.
pub(crate) fn nobody() -> IntentId {
    IntentId::derived(&["nobody"])
}

/// Asserts a refusal.
#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{}", answer.text);
}

/// A body of text.
pub(crate) fn text(body: impl Into<String>) -> Body {
    Body::from(body.into())
}
