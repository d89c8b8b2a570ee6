//! Intents that are sent, by HTTP or by a model's tool call.

use std::time::Duration;

use serde_json::{Map, Value};
use shared::error::Error;
use shared::http::wire::create::{self, WireCreate};
use shared::http::wire::{intent, mcp as tools};
use shared::id::IntentId;
use shared::intent::envelope::{Envelope, TTL_SECONDS_MAX};
use shared::intent::{Command, EventKind, apply, decide, record};
use shared::principal::Role;
use shared::route::Route;

use crate::request::{arrival, body, is_meant, now, principal, stored, taken};

const ROUTE: &str = "POST /v1/intents";

/// `POST /v1/intents`: what is taken keeps to its limits, can be decided on, and comes back from the
/// table as it was; another spelling of the same body is the same request.
pub fn create(bytes: &[u8]) {
    let Some(sent) = taken(ROUTE, bytes, body::<Value>(bytes)) else { return };
    let spelled = serde_json::to_vec_pretty(&sent).expect("it was JSON");
    let again: Value = body(&spelled).expect("what was read can be read");
    assert_eq!(create::fingerprint(&again), create::fingerprint(&sent));
    if let Some(envelope) = taken(ROUTE, bytes, read(sent)) {
        live(envelope);
    }
}

/// The tools: what `request_approval` is called with is an intent, or is refused by name.
pub fn mcp(bytes: &[u8]) {
    let Ok(sent) = body::<Map<String, Value>>(bytes) else { return };
    named(&sent, tools::read_look(sent.clone()));
    named(&sent, tools::read_list(sent.clone()));
    if let Some((_, wait)) = named(&sent, tools::read_wait(sent.clone())) {
        assert!(wait <= Duration::from_secs(25), "{wait:?}");
    }
    if let Some(requested) = named(&sent, tools::read_request(sent.clone())) {
        let envelope = read(requested.body).expect("a tool sends what can be sent");
        assert!(envelope.hold_point.is_some(), "nobody would be asked");
        live(envelope);
    }
}

/// The fields that tools take, which their schemas name.
fn named<T>(sent: &Map<String, Value>, read: Result<T, Error>) -> Option<T> {
    let error = match read {
        Ok(read) => return Some(read),
        Err(error) => error,
    };
    let Error::Invalid(invalid) = &error else { panic!("a tool is refused by {error}") };
    let schemas = [tools::schema::request(), tools::schema::look(), tools::schema::wait()];
    let first = invalid.field.split(['.', '[']).next().expect("a part");
    let known = schemas.iter().any(|schema| schema["properties"].get(first).is_some());
    let was_sent = sent.keys().any(|name| is_meant(&invalid.field, name));
    assert!(first.is_empty() || known || was_sent, "a tool has no {error}");
    None
}

fn read(sent: Value) -> Result<Envelope, Error> {
    let by = principal(Role::Agent);
    let wire = WireCreate::from_value(sent)?;
    let to = wire.to()?;
    let mut route = Route::direct(to);
    route.updated_at = now();
    wire.read(arrival(&by), &route)
}

/// Lets an intent begin.
pub(crate) fn live(envelope: Envelope) {
    let latest = now() + Duration::from_secs(TTL_SECONDS_MAX.into());
    assert!(now() < envelope.deadline_at && envelope.deadline_at <= latest);
    stored(&envelope);
    let id = IntentId::derived(&["it"]);
    let command = Command::Create { id, envelope: Box::new(envelope) };
    let events = decide(None, &command, now()).expect("what is taken can begin");
    let mut made = None;
    for event in &events {
        stored(event);
        made = apply(made, event);
        let is_first = matches!(event.kind, EventKind::Created { .. });
        assert_eq!(is_first, event.seq == events[0].seq);
    }
    let made = made.expect("it has begun");
    stored(&made);
    assert!(intent::envelope(&made).is_object());
    assert!(record::pending_with(&made).is_some() || made.is_ended());
}
