//! `GET /v1/capabilities`.

use serde_json::{Value, json};

use crate::intent::task_type::TaskType;

/// What is served, and a route that serves it. A test holds the routes against the template, so that
/// nothing is promised that is not there.
pub const CAPABILITIES: [(&str, &str); 26] = [
    ("intents.create", "POST /v1/intents"),
    ("intents.get", "GET /v1/intents/{id}"),
    ("intents.list", "GET /v1/intents"),
    ("intents.events", "GET /v1/intents/{id}/events"),
    ("intents.events.stream", "GET /v1/intents/{id}/events/stream"),
    ("intents.resume", "POST /v1/intents/{id}/resume"),
    ("intents.resolve", "POST /v1/intents/{id}/resolve"),
    ("intents.controls", "POST /v1/intents/{id}/controls"),
    ("intents.policy", "POST /v1/intents/{id}/policy"),
    ("intents.acknowledge", "POST /v1/intents/{id}/acknowledge"),
    ("intents.bulk_cancel", "POST /v1/intents/bulk-cancel"),
    ("intents.suspend", "POST /v1/intents/{id}/suspend"),
    ("intents.tool_calls", "POST /v1/intents/{id}/tool-calls/{call_id}/claim"),
    ("agents", "GET /v1/agents"),
    ("agents.routes", "PUT /v1/routes/{address+}"),
    ("agents.stream", "GET /v1/agents/{a}/intents/stream"),
    ("keys", "POST /v1/keys"),
    ("mcp", "POST /mcp"),
    ("mesh", "POST /v1/mesh/heartbeat"),
    ("mesh.kill_switch", "POST /v1/mesh/agents/{address+}"),
    ("service_accounts", "POST /v1/service-accounts"),
    ("inbox", "GET /v1/inbox"),
    ("approvals", "POST /v1/approvals/{id}/decision"),
    ("tasks", "GET /v1/me/tasks"),
    ("scenarios", "POST /v1/scenarios/apply"),
    ("webhooks", "POST /v1/webhooks/subscriptions"),
];

/// The contract's own type of a plain request to an agent.
const ASK: &str = "intent.ask.v1";

/// Writes what is served. An intent may be of any type, since nothing here depends on it; the list that
/// the contract wants names its plain request, and one for each kind of task that a person may be given.
pub fn present() -> Value {
    let capabilities: Vec<_> = CAPABILITIES.iter().map(|(name, _)| *name).collect();
    let tasks = TaskType::ALL.into_iter().map(|kind| format!("intent.{}.v1", kind.name()));
    let types: Vec<_> = std::iter::once(ASK.to_owned()).chain(tasks).collect();
    json!({"ok": true, "capabilities": capabilities, "supported_intent_types": types})
}
