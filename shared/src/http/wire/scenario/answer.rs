//! The answer to an applied bundle.

use serde_json::{Value, json};

use super::plan::Plan;
use crate::app::Routed;
use crate::intent::Intent;
use crate::intent::record::pending_with;

/// Writes the answer: the intent that `plan` came to, whether it was there before, and the agents
/// that were `created` for it, each with its new secret this once.
pub fn present(plan: &Plan, intent: &Intent, repeated: bool, created: &[Routed]) -> Value {
    let agents: Vec<_> = plan
        .members()
        .map(|agent| {
            let made = created.iter().find(|made| made.route.address == *agent.address);
            let mut body = json!({
                "role": agent.role,
                "address": agent.address.uri(),
                "created": made.is_some(),
            });
            let secret = made.and_then(|made| made.made.as_ref());
            if let (Some(secret), Value::Object(fields)) = (secret, &mut body) {
                fields.insert("secret".to_owned(), json!(secret.reveal()));
            }
            body
        })
        .collect();
    let provisioned: Vec<_> = created.iter().map(|made| made.route.address.uri()).collect();
    json!({
        "ok": true,
        "scenario_id": plan.scenario_id,
        "intent_id": intent.id,
        "status": intent.status().name(),
        "lifecycle_status": intent.status().name(),
        "pending_with": pending_with(intent).map(|holder| holder.name),
        "current_step": intent.current_step().filter(|_| !intent.is_ended()).map(|step| &step.id),
        // The workflow is part of its intent, and has no other name.
        "compile_id": intent.id,
        "workflow_compile_id": intent.id,
        "idempotent": repeated,
        "agents": agents,
        "agents_provisioned": provisioned,
        "warnings": plan.warnings,
        "deadline_at": intent.envelope.deadline_at,
        "created_at": intent.created_at,
    })
}
