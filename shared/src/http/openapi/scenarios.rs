//! Scenario bundles.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    address, answer, instant, list, named, object, optional_text, optional_whole, or_null, said,
    status, text, text_to, uri, uuid,
};
use super::{Area, parameter, refusals};
use crate::address::ADDRESS_CHARS_MAX;
use crate::callback::{CALLBACK_URL_BYTES_MAX, SECRET_CHARS_MAX};
use crate::error::Error;
use crate::http::wire::route::DISPLAY_NAME_CHARS_MAX;
use crate::http::wire::scenario::{
    AGENTS_MAX, CONTACT_CHARS_MAX, DESCRIPTION_CHARS_MAX, HUMANS_MAX, NAME_CHARS_MAX,
    ROLE_CHARS_MAX, STEP_ID_CHARS_MAX,
};
use crate::intent::Rejection;
use crate::intent::envelope::{INTENT_TYPE_CHARS_MAX, REMINDERS_MAX, TTL_SECONDS_MAX};
use crate::intent::human_task::TITLE_CHARS_MAX;
use crate::intent::workflow::{RETRIES_MAX, STEPS_MAX};
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Scenarios",
        about: "Agents, people and a workflow around one intent, in one bundle.",
        operations: vec![apply(), validate()],
        schemas: vec![("Scenario", scenario())],
    }
}

fn example() -> Value {
    json!({
        "scenario_id": "release.sign_off",
        "agents": [{"role": "deployer", "address": "agent://deployer", "create_if_missing": true}],
        "humans": [{"role": "lead", "contact": ""}],
        "workflow": {"steps": [
            {"step_id": "prepare", "assigned_to": "deployer", "tool_id": "tool.agent.task.v1"},
            {"step_id": "sign_off", "assigned_to": "lead", "runtime_type": "human_approval"},
        ]},
        "intent": {"type": "release.request.v1", "payload": {"version": "2.4"}},
    })
}

fn apply() -> Operation {
    let agent = object(
        &["address", "created"],
        json!({
            "role": text(),
            "address": uri(),
            "created": {"type": "boolean"},
            "secret": super::agents::shown_secret(),
        }),
    );
    Operation::new("post", "/v1/scenarios/apply", "applyScenario", "Apply a bundle")
        .says("Registers missing agents, and sends the bundle's intent. A refused bundle changes nothing.")
        .for_roles(&[Role::Agent, Role::Admin])
        .with(parameter::idempotency_key())
        .taking(named("Scenario"), example())
        .answering("The intent that carries it.", answer(json!({
            "scenario_id": text(),
            "intent_id": uuid(),
            "status": status(),
            "lifecycle_status": status(),
"pending_with": or_null(text()),
"current_step": or_null(text()),
"warnings": list(text()),
            "compile_id": uuid(),
            "workflow_compile_id": uuid(),
            "idempotent": {"type": "boolean"},
            "agents": list(agent),
            "agents_provisioned": list(uri()),
            "deadline_at": instant(),
            "created_at": instant(),
        })))
        .refusing([Error::KeyReused])
        .refusing(refusals::stopped())
        .refusing(refusals::rejected([Rejection::InexactNumber]))
}

fn validate() -> Operation {
    let found = object(
        &["ok", "errors", "warnings"],
        json!({
            "ok": said("Whether it could be applied.", json!({"type": "boolean"})),
            "errors": list(text()),
            "warnings": list(text()),
        }),
    );
    Operation::new("post", "/v1/scenarios/validate", "validateScenario", "Check a bundle")
        .for_roles(&[Role::Agent, Role::Admin])
        .taking(named("Scenario"), example())
        .answering(
            "Every fault, each with its place; none for a bundle that can be applied.",
            found,
        )
}

fn scenario() -> Value {
    let agent = object(
        &["role", "address"],
        json!({
            "role": text_to(ROLE_CHARS_MAX),
            "address": address(),
            "display_name": optional_text(DISPLAY_NAME_CHARS_MAX),
            "create_if_missing": flag(),
            "delivery_mode": said(
                "As a route has it; `stream` if it is missing.",
                optional_text(ROLE_CHARS_MAX),
            ),
            "callback_url": said(
                "As a route has it; an agent that is registered already needs none.",
                optional_text(CALLBACK_URL_BYTES_MAX),
            ),
            "secret": said("As a route has it.", optional_text(SECRET_CHARS_MAX)),
        }),
    );
    let human = object(
        &["role"],
        json!({
            "role": text_to(ROLE_CHARS_MAX),
            "contact": said(
                "A reviewer's name or an e-mail address; any reviewer if it is missing.",
                optional_text(CONTACT_CHARS_MAX),
            ),
            "display_name": optional_text(DISPLAY_NAME_CHARS_MAX),
        }),
    );
    let listed = |items: Value, items_max: usize| json!({"type": ["array", "null"], "items": items, "maxItems": items_max});
    let workflow = json!({"type": ["object", "null"], "properties": {
        "steps": listed(step(), STEPS_MAX),
        "entry_step": said(
            "Where it begins; with the first step if it is missing.",
            optional_text(STEP_ID_CHARS_MAX),
        ),
        "macro_id": optional_text(NAME_CHARS_MAX),
    }});
    let intent = object(
        &["type"],
        json!({
            "type": text_to(INTENT_TYPE_CHARS_MAX),
            "payload": json!({"type": ["object", "null"]}),
        }),
    );
    object(
        &["scenario_id", "intent"],
        json!({
            "scenario_id": text_to(NAME_CHARS_MAX),
            "title": optional_text(TITLE_CHARS_MAX),
            "description": optional_text(DESCRIPTION_CHARS_MAX),
            "idempotency_key": said(
                "The same as the header, which goes before it.",
                optional_text(NAME_CHARS_MAX),
            ),
            "agents": listed(agent, AGENTS_MAX),
            "humans": listed(human, HUMANS_MAX),
            "workflow": workflow,
            "intent": said("The intent, with further members as for `POST /v1/intents`.", intent),
        }),
    )
}

fn step() -> Value {
    let seconds = |min: u32| optional_whole(min, TTL_SECONDS_MAX);
    let retry = json!({"type": ["object", "null"], "properties": {
        "max_retries": optional_whole(0_u32, RETRIES_MAX),
        "retry_delay_seconds": seconds(0),
    }});
    object(
        &["step_id"],
        json!({
            "step_id": text_to(STEP_ID_CHARS_MAX),
            "assigned_to": said(
                "A role of the bundle, or an address.",
                optional_text(ADDRESS_CHARS_MAX),
            ),
            "tool_id": optional_text(NAME_CHARS_MAX),
            "runtime_type": said(
                "`human_approval`, `timeout`, `reminder`, `delay`, `escalation` or \
                 `notification`.",
                optional_text(NAME_CHARS_MAX),
            ),
            "runtime_config": said("What the runtime type needs.", json!(true)),
            "requires_approval": said("Whether a person signs off on it.", flag()),
            "human_task": said("What the person is asked.", json!(true)),
            "step_deadline_seconds": seconds(1),
            "retry": retry,
            "remind_after_seconds": seconds(1),
            "remind_interval_seconds": seconds(1),
            "max_reminders": optional_whole(0_u32, REMINDERS_MAX),
            "working_hours": said(
                "The hours in which people are reminded; those of the intent if they are missing.",
                or_null(named("WorkingHours")),
            ),
            "escalate_to": said("A role or an address.", optional_text(ADDRESS_CHARS_MAX)),
            "on_success": said(
                "The step that follows; the next one if it is missing.",
                optional_text(STEP_ID_CHARS_MAX),
            ),
            "on_failure": said(
                "The step that follows a failure.",
                optional_text(STEP_ID_CHARS_MAX),
            ),
        }),
    )
}

/// A flag, which may be a text.
fn flag() -> Value {
    json!({"enum": [true, false, "true", "false", "", null]})
}
