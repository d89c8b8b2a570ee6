//! Sending intents, and looking at them.

use serde_json::{Value, json};

use super::Area;
use super::operation::Operation;
use super::schema::{
    address, answer, count, example_id, instant, named, object, optional_text, optional_whole,
    or_null, said, status, statuses, text, text_to, uri, uuid, waiting_reason, words,
};
use super::{parameter, refusals, schema};
use crate::error::Error;
use crate::http::wire::list;
use crate::intent::Rejection;
use crate::intent::envelope::{
    DELIVERY_ATTEMPTS_DEFAULT, DELIVERY_ATTEMPTS_MAX, INTENT_TYPE_CHARS_MAX, PUSH_ATTEMPTS_DEFAULT,
    REMINDERS_MAX, TTL_SECONDS_MAX, TTL_SECONDS_MIN,
};
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Intents",
        about: "Sending intents, and looking at them.",
        operations: vec![send(), list_intents(), bulk_cancel(), get()],
        schemas: vec![
            ("NewIntent", new_intent()),
            ("Created", created()),
            ("Intent", intent()),
            ("IntentAnswer", intent_answer()),
            ("PendingWith", pending_with()),
            ("Workflow", workflow()),
        ],
    }
}

fn send() -> Operation {
    let example = json!({
        "intent_type": "deploy.request.v1",
        "to_agent": "agent://agent_core",
        "correlation_id": example_id(),
        "payload": {"title": "Deploy 2.4 to production?"},
        "ttl_seconds": 3600,
        "human_task": {"title": "Deploy 2.4 to production?", "required_comment": true},
    });
    Operation::new("post", "/v1/intents", "sendIntent", "Send an intent")
        .says(
            "An intent goes to an agent, or with a `human_task` to a person first. One to \
             `agent://agent_core` only asks a person.",
        )
        .for_roles(&[Role::Agent, Role::Admin])
        .with(parameter::idempotency_key())
        .taking(named("NewIntent"), example)
        .answering("The intent that was made, or was made before under this key.", named("Created"))
        .refusing([Error::KeyReused])
        .refusing(refusals::stopped())
        .refusing(refusals::rejected([Rejection::InexactNumber]))
}

fn list_intents() -> Operation {
    let query = parameter::query;
    Operation::new("get", "/v1/intents", "listIntents", "List recent intents")
        .says("Newest first. An agent's key sees what its agent sent and handles.")
        .with_query([
            query("status", "Only intents with one of these statuses.", statuses()),
            query(
                "intent_type",
                "Only intents of this type.",
                json!({"type": "string", "maxLength": INTENT_TYPE_CHARS_MAX}),
            ),
            query("to_agent", "Only intents that were sent there.", schema::queried_address()),
            query(
                "from_agent",
                "Only intents of this sender.",
                json!({"type": "string", "maxLength": list::NAME_CHARS_MAX}),
            ),
            query("correlation_id", "Only intents that belong together.", schema::queried(uuid())),
            query("created_after", "Only later ones.", schema::queried(instant())),
            query("created_before", "Only earlier ones.", schema::queried(instant())),
            parameter::page_limit(list::LIST_DEFAULT, list::LIST_MAX),
            parameter::cursor(),
        ])
        .answering(
            "Intents.",
            answer(json!({
                "intents": schema::list(named("Intent")),
                "next_cursor": or_null(text()),
            })),
        )
}

fn bulk_cancel() -> Operation {
    let hours_max = u64::from(TTL_SECONDS_MAX) / 3600;
    let hours = json!({"type": ["integer", "string"], "minimum": 0, "maximum": hours_max, "pattern": "^[0-9]+$"});
    let body = object(
        &["older_than_hours"],
        json!({
            "older_than_hours": said("How old they must be; 0 for any age.", hours),
            "dry_run": said("Only say what would be canceled.", json!({"type": "boolean"})),
            "reason": optional_text(list::REASON_CHARS_MAX),
            "limit": said(
                "The most of them; a number above what one request takes counts as that.",
                json!({"type": ["integer", "string", "null"], "minimum": 0, "pattern": "^[0-9]+$"}),
            ),
            "status_filter": {"type": ["array", "null"], "items": status()},
            "cursor": {"type": ["string", "null"]},
        }),
    );
    let failed = object(
        &["intent_id", "code", "detail"],
        json!({
            "intent_id": uuid(), "code": text(), "detail": text(),
        }),
    );
    Operation::new("post", "/v1/intents/bulk-cancel", "cancelIntents", "Cancel old intents")
        .says("An agent cancels what it sent, an administrator anything.")
        .for_roles(&[Role::Agent, Role::Admin])
        .taking(body, json!({"older_than_hours": 24, "dry_run": true}))
        .answering(
            "What was canceled, or would be.",
            answer(json!({
                "dry_run": {"type": "boolean"},
                "would_cancel": count(),
                "canceled": count(),
                "intent_ids": schema::list(uuid()),
                "failed": schema::list(failed),
                "next_cursor": or_null(text()),
            })),
        )
}

fn get() -> Operation {
    Operation::new("get", "/v1/intents/{id}", "getIntent", "Look at an intent")
        .with(parameter::intent())
        .answering("The intent, with its members at the top as well.", named("IntentAnswer"))
        .refusing(refusals::hidden())
}

fn new_intent() -> Value {
    let seconds = |min: u32| optional_whole(min, TTL_SECONDS_MAX);
    let known = [
        ("intent_type", said("What kind of thing is wanted.", text_to(INTENT_TYPE_CHARS_MAX))),
        (
            "to_agent",
            said("Where it goes. It may be missing beside a human_task.", or_null(address())),
        ),
        (
            "correlation_id",
            said(
                "Ties together what belongs together. One is made if it is missing.",
                or_null(uuid()),
            ),
        ),
        ("payload", said("What the agent is to work on.", json!({"type": ["object", "null"]}))),
        ("reply_to", said("Where the sender wants the completion.", or_null(address()))),
        (
            "deadline_at",
            said(
                "From when on it can only time out: in the future, and at most 366 days away.",
                or_null(instant()),
            ),
        ),
        (
            "ttl_seconds",
            said(
                "The same, counted from now. Only one of the two may be sent.",
                seconds(TTL_SECONDS_MIN),
            ),
        ),
        ("remind_after_seconds", said("When a person is reminded first.", seconds(1))),
        ("remind_interval_seconds", said("The time between reminders.", seconds(1))),
        (
            "max_reminders",
            said("How often a person is reminded.", optional_whole(0_u32, REMINDERS_MAX)),
        ),
        ("working_hours", new_hours()),
        ("escalate_to", said("Who is told when reminders did not help.", or_null(address()))),
        (
            "max_delivery_attempts",
            said(
                &format!(
                    "How often it is offered to the agent; {DELIVERY_ATTEMPTS_DEFAULT} if it is \
                     missing, {PUSH_ATTEMPTS_DEFAULT} where it is posted to the agent."
                ),
                optional_whole(1_u32, DELIVERY_ATTEMPTS_MAX),
            ),
        ),
        ("human_task", or_null(named("NewHumanTask"))),
    ];
    let properties: serde_json::Map<String, Value> =
        known.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    let mut schema = object(&["intent_type"], Value::Object(properties));
    if let Value::Object(fields) = &mut schema {
        let is_there =
            |name: &str, of: &str| json!({"required": [name], "properties": {name: {"type": of}}});
        let approval = json!({"properties": {"intent_type": {"pattern": "^human_approval$|(^|\\.)approval(\\.|$)"}}});
        let either = [is_there("to_agent", "string"), is_there("human_task", "object"), approval];
        fields.insert("anyOf".to_owned(), json!(either));
        let both = json!({"required": ["deadline_at", "ttl_seconds"], "properties": {
            "deadline_at": {"type": "string"}, "ttl_seconds": {"type": "integer"},
        }});
        fields.insert("not".to_owned(), both);
    }
    schema
}

fn new_hours() -> Value {
    said(
        "The hours in which a person is reminded or the task escalated; what falls outside of them \
         comes when they begin next, once. Deadlines are not moved.",
        or_null(named("WorkingHours")),
    )
}

fn created() -> Value {
    answer(json!({
        "intent_id": uuid(),
        "status": status(),
        "lifecycle_status": status(),
        "created_at": instant(),
        "correlation_id": uuid(),
        "deadline_at": instant(),
        "pending_with": or_null(named("PendingWith")),
    }))
}

/// The members that every intent has when it is read.
const ALWAYS: [&str; 28] = [
    "intent_id",
    "status",
    "lifecycle_status",
    "legacy_status",
    "waiting_reason",
    "lifecycle_waiting_reason",
    "created_at",
    "updated_at",
    "intent_type",
    "correlation_id",
    "from_agent",
    "to_agent",
    "handler",
    "payload",
    "reply_to",
    "deadline_at",
    "due_at",
    "escalate_to",
    "max_delivery_attempts",
    "delivery_attempt",
    "pending_with",
    "human_task",
    "parent_intent_id",
    "result",
    "seq",
    "policy_generation",
    "remind_after_seconds",
    "max_reminders",
];

fn intent() -> Value {
    let known = [
        ("intent_id", uuid()),
        ("status", status()),
        ("lifecycle_status", said("The same as `status`.", status())),
        ("legacy_status", words(["accepted", "running", "blocked", "done", "failed"])),
        ("waiting_reason", waiting_reason()),
        ("lifecycle_waiting_reason", waiting_reason()),
        ("created_at", instant()),
        ("updated_at", instant()),
        ("intent_type", text()),
        ("correlation_id", uuid()),
        ("from_agent", said("The name of the sender's key.", text())),
        ("to_agent", uri()),
        ("handler", said("The agent that it went to after routes were followed.", uri())),
        ("payload", json!({"type": "object"})),
        ("reply_to", or_null(uri())),
        ("deadline_at", instant()),
        ("due_at", said("The same as `deadline_at`.", instant())),
        ("remind_after_seconds", or_null(count())),
        ("remind_interval_seconds", or_null(count())),
        ("max_reminders", or_null(count())),
        ("remind_count", said("How often the open hold was reminded of.", count())),
        ("working_hours", or_null(named("WorkingHours"))),
        ("escalate_to", or_null(uri())),
        ("max_delivery_attempts", count()),
        ("delivery_attempt", count()),
        ("pending_with", or_null(named("PendingWith"))),
        ("human_task", or_null(named("HumanTask"))),
        ("parent_intent_id", or_null(uuid())),
        ("step_id", said("The step of the parent's workflow that it is.", or_null(text()))),
        ("current_step", or_null(text())),
        ("child_intent_ids", schema::list(uuid())),
        ("workflow", named("Workflow")),
        ("result", said("What came of it; null while there is nothing.", json!(true))),
        ("error", said("Why it failed.", json!({"type": "object"}))),
        ("reason", said("Why it was canceled.", text())),
        ("hold", named("Hold")),
        ("decision", named("Decision")),
        ("approvals", schema::list(named("Approval"))),
        ("seq", said("The number of its last event.", count())),
        ("policy_generation", said("How often controls or policy were changed.", count())),
        ("controls", json!({"type": "object"})),
        ("policy", json!({"type": "object"})),
    ];
    let properties: serde_json::Map<String, Value> =
        known.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect();
    object(&ALWAYS, Value::Object(properties))
}

fn intent_answer() -> Value {
    let own = answer(json!({"intent": named("Intent")}));
    json!({"allOf": [named("Intent"), own]})
}

fn pending_with() -> Value {
    object(
        &["type", "ref", "name"],
        json!({
            "type": words(["agent", "human", "internal"]),
            "ref": text(),
            "name": text(),
        }),
    )
}

/// Where a workflow is.
fn workflow() -> Value {
    let step = object(
        &["step_id", "kind", "state", "attempts"],
        json!({
            "step_id": text(),
            "kind": words(["agent", "human", "delay", "timeout", "notification", "escalation"]),
            "assigned_to": or_null(text()),
            "requires_approval": {"type": "boolean"},
            "state": text(),
            "attempts": count(),
            "child_intent_id": or_null(uuid()),
            "began_at": or_null(instant()),
            "ended_at": or_null(instant()),
            "result": json!(true),
            "error": json!(true),
            "working_hours": or_null(named("WorkingHours")),
            "escalate_to": or_null(uri()),
            "step_deadline_seconds": or_null(count()),
        }),
    );
    object(
        &["scenario_id", "current_step"],
        json!({
            "scenario_id": text(),
            "current_step": or_null(text()),
            "steps": said(
                "Each step; where one intent is read, not in lists.",
                schema::list(step),
            ),
        }),
    )
}
