//! Scenario bundles.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{answer, instant, list, named, object, or_null, said, status, text, uri, uuid};
use super::{Area, parameter, refusals};
use crate::error::Error;
use crate::intent::Rejection;
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
            "address": uri(), "created": {"type": "boolean"},
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
            "pending_with": or_null(text()),
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
            "role": text(),
            "address": text(),
            "display_name": {"type": ["string", "null"]},
            "create_if_missing": {"type": "boolean"},
            "delivery_mode": {"type": ["string", "null"]},
        }),
    );
    let human = object(&["role"], json!({"role": text(), "contact": {"type": ["string", "null"]}}));
    let intent = json!({"type": "object", "required": ["type"], "properties": {"type": text()}});
    object(
        &["scenario_id", "intent"],
        json!({
            "scenario_id": text(),
            "idempotency_key": {"type": ["string", "null"]},
            "agents": list(agent),
            "humans": list(human),
            "workflow": {"type": ["object", "null"]},
            "intent": intent,
        }),
    )
}
