//! The mesh: heartbeats, agents with their health, and what happened to them.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::agent::body as agent_body;
use super::check;
use crate::app::MeshAgent;
use crate::error::Error;
use crate::mesh::{Health, MeshEvent, MeshEventKind, Metrics};

/// The most of one kind of intents that one heartbeat may report.
pub(crate) const INTENTS_MAX: u64 = 1_000_000_000;
/// The longest average latency that is taken, in milliseconds: a year.
pub(crate) const LATENCY_MS_MAX: f64 = 366.0 * 24.0 * 3_600_000.0;
/// The highest cost that one heartbeat may report, in dollars.
pub(crate) const COST_USD_MAX: f64 = 1_000_000.0;
/// The most agents that a list returns.
pub(crate) const AGENTS_MAX: usize = 1000;
/// How many agents a list returns unless told otherwise. The contract's default.
pub(crate) const AGENTS_DEFAULT: usize = 100;
/// The most events that a list returns.
pub(crate) const EVENTS_MAX: usize = 500;
/// How many events a list returns unless told otherwise. The contract's default.
pub(crate) const EVENTS_DEFAULT: usize = 50;

/// A heartbeat, as it is sent: with metrics or without. What else it reports is ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireHeartbeat {
    metrics: Option<Map<String, Value>>,
}

impl WireHeartbeat {
    /// Reads what is reported.
    pub fn read(self) -> Result<Metrics, Error> {
        let metrics = self.metrics.unwrap_or_default();
        let field = |name: &str| format!("metrics.{name}");
        let given = |name: &str| metrics.get(name).filter(|value| !value.is_null());
        let count = |name: &str| -> Result<u64, Error> {
            let Some(value) = given(name) else { return Ok(0) };
            let count = check::whole(&field(name), value)?;
            if count <= INTENTS_MAX {
                return Ok(count);
            }
            let detail = format!("is {count}; send a number from 0 to {INTENTS_MAX}");
            Err(Error::field(field(name), detail))
        };
        let scaled = |name: &str, max: f64, parts: f64| -> Result<Option<u64>, Error> {
            let Some(value) = given(name) else { return Ok(None) };
            let amount = value.as_f64().filter(|amount| (0.0..=max).contains(amount));
            let detail = || format!("is no number from 0 to {max}");
            let amount = amount.ok_or_else(|| Error::field(field(name), detail()))?;
            // What is in bounds has few enough digits for a whole number of parts.
            Ok(format!("{:.0}", amount * parts).parse().ok())
        };
        Ok(Metrics {
            intents_total: count("intents_total")?,
            intents_succeeded: count("intents_succeeded")?,
            intents_failed: count("intents_failed")?,
            cost_micro_usd: scaled("cost_usd", COST_USD_MAX, 1e6)?.unwrap_or(0),
            avg_latency_us: scaled("avg_latency_ms", LATENCY_MS_MAX, 1e3)?,
        })
    }
}

/// Which agents of the mesh to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireMeshAgents {
    limit: Option<usize>,
    health: Option<String>,
}

impl WireMeshAgents {
    /// Writes `{ok, agents}`.
    pub fn present(&self, agents: &[MeshAgent]) -> Result<Value, Error> {
        let limit = check::limit(self.limit, AGENTS_DEFAULT, AGENTS_MAX)?;
        let health = match self.health.as_deref() {
            None => None,
            Some("healthy") => Some(Health::Healthy),
            Some("degraded") => Some(Health::Degraded),
            Some("unreachable") => Some(Health::Unreachable),
            Some("killed") => Some(Health::Killed),
            Some(other) => {
                let detail = format!("is `{other}`; send healthy, degraded, unreachable or killed");
                return Err(Error::field("health", detail));
            }
        };
        let wanted = |agent: &&MeshAgent| health.is_none_or(|health| agent.health == health);
        let agents: Vec<_> = agents.iter().filter(wanted).take(limit).map(body).collect();
        Ok(json!({"ok": true, "agents": agents}))
    }
}

/// Which events of the mesh to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireMeshEvents {
    limit: Option<usize>,
    /// The one kind of events that is wanted.
    pub event_type: Option<String>,
}

impl WireMeshEvents {
    /// How many are wanted.
    pub fn limit(&self) -> Result<usize, Error> {
        check::limit(self.limit, EVENTS_DEFAULT, EVENTS_MAX)
    }
}

/// Writes the answer to a heartbeat.
pub fn present_heartbeat(agent: &MeshAgent) -> Value {
    let address = &agent.route.address;
    json!({
        "ok": true,
        "address_id": address.path(),
        "address": address.uri(),
        "status": agent.route.registration.standing().name(),
        "health_status": agent.health.name(),
        "last_heartbeat_at": agent.beat.as_ref().map(|beat| beat.heard_at),
    })
}

/// Writes `{ok, agent}`, after an agent was killed or resumed.
pub fn present(agent: &MeshAgent) -> Value {
    let within_s = crate::app::REMEMBERED.as_secs();
    json!({"ok": true, "agent": body(agent), "effective_within_seconds": within_s})
}

/// Writes `{ok, agent, events}`: an agent, and what happened to it lately.
pub fn present_agent(agent: &MeshAgent, events: &[MeshEvent]) -> Value {
    let events: Vec<_> = events.iter().map(event_body).collect();
    json!({"ok": true, "agent": body(agent), "events": events})
}

/// Writes `{ok, events}`.
pub fn present_events(events: &[MeshEvent]) -> Value {
    let events: Vec<_> = events.iter().map(event_body).collect();
    json!({"ok": true, "events": events})
}

fn body(agent: &MeshAgent) -> Value {
    let metrics = agent.beat.as_ref().map(|beat| beat.metrics).unwrap_or_default();
    let mut body = agent_body(&agent.route);
    if let Value::Object(fields) = &mut body {
        let mut add = |name: &str, value: Value| fields.insert(name.to_owned(), value);
        add("address_id", json!(agent.route.address.path()));
        add("health_status", json!(agent.health.name()));
        add("last_heartbeat_at", json!(agent.beat.as_ref().map(|beat| beat.heard_at)));
        add("killed_at", json!(agent.route.registration.killed_at));
        add("metrics", metrics_body(&metrics));
    }
    body
}

fn metrics_body(metrics: &Metrics) -> Value {
    json!({
        "intents_total": metrics.intents_total,
        "intents_succeeded": metrics.intents_succeeded,
        "intents_failed": metrics.intents_failed,
        "avg_latency_ms": metrics.avg_latency_us.map(|us| parts(us, 1e3)),
        "cost_usd": parts(metrics.cost_micro_usd, 1e6),
    })
}

/// A whole number of parts, as the number that it is part of.
#[expect(clippy::cast_precision_loss, reason = "sums beyond 2^53 are shown rounded")]
fn parts(amount: u64, parts: f64) -> f64 {
    amount as f64 / parts
}

fn event_body(event: &MeshEvent) -> Value {
    let details = match event.kind {
        MeshEventKind::Recovered { was } => json!({"was": was.name()}),
        MeshEventKind::Registered
        | MeshEventKind::Killed
        | MeshEventKind::Resumed
        | MeshEventKind::Suspended
        | MeshEventKind::Activated
        | MeshEventKind::Deleted => json!({}),
    };
    json!({
        "event_id": event.id,
        "event_type": event.kind.name(),
        "address_id": event.agent.path(),
        "address": event.agent.uri(),
        "actor": event.actor,
        "at": event.at,
        "created_at": event.at,
        "details": details,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(metrics: Value) -> Result<Metrics, String> {
        let beat: WireHeartbeat = serde_json::from_value(json!({"metrics": metrics})).unwrap();
        beat.read().map_err(|error| error.to_string())
    }

    #[test]
    fn metrics_are_read_to_the_millionth_and_unknown_ones_ignored() {
        let metrics = read(json!({
            "intents_total": 3.0, "intents_failed": 1, "intents_succeeded": null,
            "avg_latency_ms": 12.5, "cost_usd": 0.1, "mood": "good",
        }));
        let expected = Metrics {
            intents_total: 3,
            intents_failed: 1,
            avg_latency_us: Some(12_500),
            cost_micro_usd: 100_000,
            ..Metrics::default()
        };
        assert_eq!(metrics, Ok(expected));
        assert_eq!(read(Value::Null), Ok(Metrics::default()));
        assert_eq!(metrics_body(&expected)["cost_usd"], json!(0.1));
    }

    #[test]
    fn metrics_out_of_bounds_are_refused_by_name() {
        for (name, value) in [
            ("intents_total", json!(-1)),
            ("intents_total", json!(1_000_000_001)),
            ("intents_failed", json!("three")),
            ("intents_succeeded", json!(1.5)),
            ("cost_usd", json!(-0.1)),
            ("cost_usd", json!(1e300)),
            ("avg_latency_ms", json!([1])),
        ] {
            let refused = read(json!({name: value})).unwrap_err();
            assert!(refused.starts_with(&format!("metrics.{name}: is ")), "{refused}");
        }
    }
}
