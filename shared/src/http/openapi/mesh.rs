//! The mesh: who is alive, and the kill switch.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, count, instant, list, named, object, optional_whole, or_null, said, text, uri, words,
};
use super::{Area, parameter, refusals};
use crate::error::Error;
use crate::http::wire::mesh::{
    AGENTS_DEFAULT, AGENTS_MAX, COST_USD_MAX, EVENTS_DEFAULT, EVENTS_MAX, INTENTS_MAX,
    LATENCY_MS_MAX,
};
use crate::mesh::Health;
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Mesh",
        about: "Which agents are alive, and which are stopped.",
        operations: vec![
            heartbeat(),
            agents(),
            get(),
            switch("/v1/mesh/agents/{address}/kill", "killAgent", "Stop an agent"),
            switch("/v1/mesh/agents/{address}/resume", "resumeAgent", "Let an agent go on"),
            events(),
        ],
        schemas: vec![("MeshAgent", mesh_agent()), ("MeshEvent", event()), ("Heartbeat", beat())],
    }
}

fn heartbeat() -> Operation {
    let example =
        json!({"metrics": {"intents_total": 3, "intents_succeeded": 3, "cost_usd": 0.02}});
    Operation::new("post", "/v1/mesh/heartbeat", "sendHeartbeat", "Say that an agent is alive")
        .says("Metrics are added to those of earlier heartbeats; the latency is the newest.")
        .for_roles(&[Role::Agent])
        .taking(named("Heartbeat"), example)
        .or_nothing()
        .answering(
            "How the agent stands.",
            answer(json!({
                "address_id": text(),
                "address": uri(),
                "status": text(),
                "health_status": health(),
                "last_heartbeat_at": or_null(instant()),
            })),
        )
}

fn agents() -> Operation {
    Operation::new("get", "/v1/mesh/agents", "listMeshAgents", "List agents with their health")
        .with_query([
            parameter::limit(AGENTS_DEFAULT, AGENTS_MAX),
            parameter::query("health", "Only agents with this health.", health()),
        ])
        .answering("Agents.", answer(json!({"agents": list(named("MeshAgent"))})))
}

fn get() -> Operation {
    let path = "/v1/mesh/agents/{address}";
    Operation::new("get", path, "getMeshAgent", "Look at an agent's health")
        .with(parameter::address())
        .answering(
            "The agent, and what happened to it lately.",
            answer(json!({
                "agent": named("MeshAgent"), "events": list(named("MeshEvent")),
            })),
        )
        .refusing([Error::NotFound("agent"), refusals::wrong()])
}

fn switch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("post", path, id, summary)
        .says("A stopped agent neither sends nor receives.")
        .for_roles(&[Role::Admin])
        .with(parameter::address())
        .answering(
            "The agent.",
            answer(json!({
                "agent": named("MeshAgent"),
                "effective_within_seconds": said("How long until it holds everywhere.", count()),
            })),
        )
        .refusing([Error::NotFound("agent"), refusals::wrong()])
}

fn events() -> Operation {
    Operation::new("get", "/v1/mesh/events", "listMeshEvents", "What happened to agents")
        .says("Newest first.")
        .with_query([
            parameter::limit(EVENTS_DEFAULT, EVENTS_MAX),
            parameter::query("event_type", "Only events of this type.", text()),
        ])
        .answering("Events.", answer(json!({"events": list(named("MeshEvent"))})))
}

fn health() -> Value {
    let all = [Health::Healthy, Health::Degraded, Health::Unreachable, Health::Killed];
    words(all.map(Health::name))
}

fn beat() -> Value {
    let number = |max: f64| json!({"type": ["number", "null"], "minimum": 0, "maximum": max});
    let whole = || optional_whole(0_u64, INTENTS_MAX);
    let metrics = json!({"type": ["object", "null"], "properties": {
        "intents_total": whole(),
        "intents_succeeded": whole(),
        "intents_failed": whole(),
        "avg_latency_ms": number(LATENCY_MS_MAX),
        "cost_usd": number(COST_USD_MAX),
    }});
    object(&[], json!({"metrics": metrics}))
}

fn mesh_agent() -> Value {
    let metrics = object(
        &["intents_total", "intents_succeeded", "intents_failed", "avg_latency_ms", "cost_usd"],
        json!({
            "intents_total": count(),
            "intents_succeeded": count(),
            "intents_failed": count(),
            "avg_latency_ms": {"type": ["number", "null"]},
            "cost_usd": {"type": "number"},
        }),
    );
    let own = object(
        &["address_id", "health_status", "last_heartbeat_at", "killed_at", "metrics"],
        json!({
            "address_id": text(),
            "health_status": health(),
            "last_heartbeat_at": or_null(instant()),
            "killed_at": or_null(instant()),
            "metrics": metrics,
        }),
    );
    json!({"allOf": [named("Agent"), own]})
}

fn event() -> Value {
    object(
        &["event_id", "event_type", "address_id", "address", "actor", "at", "details"],
        json!({
            "event_id": text(),
            "event_type": {"type": "string", "pattern": "^agent\\.[a-z]+$"},
            "address_id": text(),
            "address": uri(),
            "actor": text(),
            "at": instant(),
            "created_at": instant(),
            "details": {"type": "object"},
        }),
    )
}
