//! What happens to intents: histories, and streams.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, count, example_id, instant, list, named, object, or_null, said, status, text, uuid,
    waiting_reason,
};
use super::{Area, parameter, refusals, schema};
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    let listen = |path, id, segments: &[&str]| {
        let operation = Operation::new("get", path, id, "Listen for an agent's intents")
            .says(
                "A frame for each intent that is the agent's to do. `seq` counts for this agent, and \
                 `since=0` begins with all that is still to do.",
            )
            .for_roles(&[Role::Agent])
            .refusing(refusals::stopped());
        let operation =
            segments.iter().fold(operation, |it, name| it.with(parameter::segment(name)));
        let operation = operation.with(statuses());
        stream(operation, "intent.delivered")
    };
    Area {
        tag: "Events",
        about: "What happens to intents: histories, and streams that are held until something does.",
        operations: vec![
            history(),
            follow(),
            listen("/v1/agents/{a}/intents/stream", "listen1", &["a"]),
            listen("/v1/agents/{a}/{b}/intents/stream", "listen2", &["a", "b"]),
            listen("/v1/agents/{a}/{b}/{c}/intents/stream", "listen3", &["a", "b", "c"]),
        ],
        schemas: vec![("Event", event())],
    }
}

/// Which of the agent's intents to show.
fn statuses() -> Value {
    let description = "Only intents with one of these statuses, with commas between them; without \
                       it, whatever has not ended.";
    parameter::query("status", description, schema::statuses())
}

fn history() -> Operation {
    Operation::new("get", "/v1/intents/{id}/events", "listEvents", "Read an intent's history")
        .with(parameter::intent())
        .with_query([parameter::since()])
        .answering(
            "Events after `since`, in their order.",
            answer(json!({
"events": list(named("Event")),
"has_more": said("Whether more follows than one answer holds.", json!({"type": "boolean"})),
"next_since": said("Where to go on.", count()),
})),
        )
        .refusing(refusals::hidden())
}

fn follow() -> Operation {
    let path = "/v1/intents/{id}/events/stream";
    let operation = Operation::new("get", path, "followEvents", "Follow an intent")
        .says("A frame for each event after `since`, as it happens.")
        .with(parameter::intent())
        .refusing(refusals::hidden());
    stream(operation, "intent.completed")
}

/// A stream of server-sent events.
fn stream(operation: Operation, event: &str) -> Operation {
    let data = json!({
        "intent_id": example_id(), "seq": 8, "event_type": event, "status": "DELIVERED", "data": {},
    });
    let example = format!(
        "id: 8\nevent: {event}\ndata: {data}\n\n\
         id: 8\nevent: stream.timeout\ndata: {{\"next_seq\":8,\"ok\":true}}\n\n"
    );
    let frame = object(
        &["id", "event", "data"],
        json!({
            "id": {"type": "string", "pattern": "^[0-9]+$"},
            "event": {"type": "string", "pattern": "^(intent\\.[a-z_]+|stream\\.timeout)$"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        }),
    );
    let content = json!({
        "schema": frame,
    });
    operation.with_query([parameter::since(), parameter::wait_seconds()]).answering_in(
        200,
        "text/event-stream",
        &format!(
                "Server-sent events, each with its number as `id`, its type and its JSON; the schema \
                 is that of one. The last is always `stream.timeout`, whose `next_seq` is what to ask \
                 for next. Such as:\n\n```text\n{example}```"
            ),
        content,
    )
}

fn event() -> Value {
    object(
        &[
            "intent_id",
            "seq",
            "event_type",
            "status",
            "waiting_reason",
            "handler",
            "pending_with",
            "actor",
            "at",
            "details",
            "data",
        ],
        json!({
            "intent_id": uuid(),
            "seq": said(
                "Grows with each event; not by one.",
                json!({"type": "integer", "minimum": 1}),
            ),
            "event_type": json!({"type": "string", "pattern": "^intent\\.[a-z_]+$"}),
            "status": status(),
            "waiting_reason": waiting_reason(),
            "lifecycle_waiting_reason": waiting_reason(),
            "handler": or_null(text()),
            "pending_with": or_null(named("PendingWith")),
            "actor": said("Who did it.", text()),
            "at": instant(),
            "details": said("Its facts.", json!({"type": "object"})),
            "data": said("The same facts.", json!({"type": "object"})),
            "result": said("What came of a completed intent.", json!(true)),
        }),
    )
}
