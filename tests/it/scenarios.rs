//! Scenario bundles: each fault is named, and a valid one is applied once.

use serde_json::{Value, json};
use tests::{Answer, World};

use crate::harness::{bare, names, refused, stored, text};

const APPLY: &str = "/v1/scenarios/apply";

/// An agent, and a person who signs off on its result.
fn bundle() -> Value {
    json!({
        "scenario_id": "expense-approval",
        "agents": [{
            "role": "processor",
            "address": "agent://expenses",
            "display_name": "Expenses",
            "create_if_missing": true,
        }],
        "humans": [{"role": "manager", "contact": "ana@example.com"}],
        "workflow": {"steps": [
            {"step_id": "process", "tool_id": "tool.agent.task.v1", "assigned_to": "processor"},
            {
                "step_id": "sign_off",
                "tool_id": "tool.approval.human_signoff",
                "assigned_to": "manager",
                "step_deadline_seconds": 3600,
                "human_task": {"title": "Pay it?"},
            },
        ]},
        "intent": {"type": "expense.process.v1", "payload": {"amount": 40}},
    })
}

async fn faults(world: &World, bundle: &Value) -> Vec<String> {
    let answer = world.post(&world.agent, "/v1/scenarios/validate", bundle).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["warnings"], json!([]));
    let errors = body["errors"].as_array().unwrap();
    assert_eq!(body["ok"], errors.is_empty());
    errors.iter().map(|error| error.as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_valid_bundle_has_no_faults_and_validating_changes_nothing() {
    let world = World::new().await;
    let before = world.table.items().await;
    assert!(faults(&world, &bundle()).await.is_empty());
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn every_fault_is_named_by_step_and_field() {
    let world = World::new().await;
    let agent = json!({"step_id": "more", "assigned_to": "processor"});
    let twice = |pointer: &str| {
        let bundle = bundle();
        let list = bundle.pointer(pointer).unwrap().as_array().unwrap();
        json!([list[0], list[0]])
    };
    for (pointer, value, fault) in [
        ("/scenario_id", json!(null), "scenario_id: is missing"),
        ("/scenario_id", json!(""), "scenario_id: is missing"),
        ("/intent", json!({}), "intent.type: is missing"),
        ("/intent/type", json!(5), "intent.type: is missing"),
        ("/agents", twice("/agents"), "agents.processor.role: stands twice"),
        ("/agents/0/address", json!("a b"), "agents.processor.address: an address has"),
        (
            "/agents/0/delivery_mode",
            json!("http"),
            "agents.processor.delivery_mode: `http` is not served",
        ),
        ("/humans", twice("/humans"), "humans.manager.role: stands twice"),
        ("/humans/0/role", json!("processor"), "humans.processor.role: stands twice"),
        ("/workflow/steps/0/step_id", json!(""), "workflow.steps..step_id: is empty"),
        (
            "/workflow/steps/1/step_id",
            json!("process"),
            "workflow.steps.process.step_id: is empty or stands twice",
        ),
        (
            "/workflow/steps/0/assigned_to",
            json!("nobody"),
            "workflow.steps.process.assigned_to: `nobody`",
        ),
        ("/workflow/steps/0/assigned_to", json!(null), "workflow.steps.process.assigned_to: ``"),
        (
            "/workflow/steps/1/step_deadline_seconds",
            json!(0),
            "workflow.steps.sign_off.step_deadline_seconds: must be above 0",
        ),
        (
            "/workflow/steps/1/human_task",
            json!({"task_type": "form"}),
            "workflow.steps.sign_off.human_task.task_type: `form`",
        ),
        ("/workflow/steps/1", agent, "workflow.steps: served are one agent step"),
        ("/workflow/steps", json!([]), ""),
    ] {
        let mut changed = bundle();
        *changed.pointer_mut(pointer).unwrap_or(&mut Value::Null) = value.clone();
        if pointer == "/agents/0/delivery_mode" {
            changed["agents"][0]["delivery_mode"] = value;
        }
        let before = world.table.items().await;
        let found = faults(&world, &changed).await;
        let named = found.iter().any(|found| found.starts_with(fault));
        assert_eq!(
            (named || fault.is_empty(), found.is_empty()),
            (true, fault.is_empty()),
            "{pointer}: {found:?}"
        );
        if !fault.is_empty() {
            let applied = world.post(&world.agent, APPLY, &changed).await;
            refused(&applied, 422, "invalid_request");
            let (field, _) = found[0].split_once(": ").unwrap();
            assert_eq!(applied.json()["error"]["details"]["field"], field);
        }
        assert_eq!(world.table.items().await, before, "{pointer}");
    }
    let everything =
        json!({"agents": [{"role": "a", "address": ""}, {"role": "a", "address": ""}]});
    assert_eq!(faults(&world, &everything).await.len(), 6, "all faults at once");
}

#[tokio::test]
async fn an_applied_bundle_registers_its_agent_and_waits_for_the_person_after_it() {
    let world = World::new().await;
    let answer = world.post(&world.agent, APPLY, &bundle()).await;
    let applied = answer.json();
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert_eq!(applied["scenario_id"], "expense-approval");
    assert_eq!((&applied["status"], &applied["idempotent"]), (&json!("DELIVERED"), &json!(false)));
    assert_eq!(applied["agents"], json!([{"address": "agent://expenses", "created": true}]));
    assert_eq!(applied["deadline_at"], "2030-01-01T01:00:00Z", "the step's deadline");
    let agents = world.get(&world.agent, "/v1/agents").await.json();
    assert_eq!(agents["agents"][0]["address"], "agent://expenses");
    assert_eq!(agents["agents"][0]["display_name"], "Expenses");

    let id = applied["intent_id"].as_str().unwrap();
    let resume = format!("/v1/intents/{id}/resume");
    let held = world.post(&world.agent, &resume, &json!({"action": "complete", "paid": 40})).await;
    assert_eq!(held.json()["waiting_reason"], "WAITING_FOR_HUMAN", "{}", held.text);
    assert_eq!(held.json()["human_task"]["title"], "Pay it?");
    assert_eq!(held.json()["human_task"]["notify_email"], "ana@example.com");
    let done = world.post(&world.reviewer, &resume, &json!({"outcome": "approved"})).await;
    assert_eq!(done.json()["result"], json!({"paid": 40}), "{}", done.text);

    let again = world.post(&world.agent, APPLY, &bundle()).await.json();
    assert_ne!(again["intent_id"], applied["intent_id"], "without a key it is another one");
    assert_eq!(again["agents"], json!([{"address": "agent://expenses", "created": false}]));
}

async fn keyed(world: &World, key: &str, bundle: &Value) -> Answer {
    let request = bare("POST", APPLY).header("x-api-key", &world.agent);
    let request = if key.is_empty() { request } else { request.header("idempotency-key", key) };
    world.send(request, text(bundle.to_string())).await
}

#[tokio::test]
async fn a_bundle_under_one_key_is_applied_once_and_another_one_is_refused_whole() {
    let world = World::new().await;
    let mut inside = bundle();
    inside["idempotency_key"] = json!("inside");
    for (key, bundle) in [("header", bundle()), ("", inside)] {
        let first = keyed(&world, key, &bundle).await;
        assert_eq!(first.json()["idempotent"], false, "{}", first.text);
        let before = world.table.items().await;
        let again = keyed(&world, key, &bundle).await.json();
        assert_eq!(
            (&again["intent_id"], &again["idempotent"]),
            (&first.json()["intent_id"], &json!(true))
        );
        let mut other = bundle.clone();
        other["agents"][0]["address"] = json!("agent://somebody-new");
        refused(&keyed(&world, key, &other).await, 409, "idempotency_key_reused");
        assert_eq!(world.table.items().await, before, "the refused bundle registered nobody");
    }
}

#[tokio::test]
async fn a_bundle_that_only_asks_a_person_waits_at_once() {
    let world = World::new().await;
    let mut only_human = bundle();
    only_human["agents"] = json!([]);
    only_human["workflow"]["steps"] = json!([bundle()["workflow"]["steps"][1]]);
    for (field, value) in
        [("tool_id", "tool.human.approval.v1"), ("runtime_type", "human_approval")]
    {
        let step = &mut only_human["workflow"]["steps"][0];
        step["tool_id"] = json!("");
        step[field] = json!(value);
        let applied = world.post(&world.agent, APPLY, &only_human).await;
        let id = applied.json()["intent_id"].as_str().unwrap_or_default().to_owned();
        assert_eq!(applied.json()["status"], "WAITING", "{}", applied.text);
        assert_eq!(applied.json()["pending_with"], "reviewers");
        assert_eq!(names(&world, &id).await.last().unwrap(), "intent.human_task_assigned");
        let path = format!("/v1/approvals/{id}/decision");
        let decided = world.post(&world.reviewer, &path, &json!({"decision": "approve"})).await;
        assert_eq!(decided.json()["status"], "COMPLETED", "{}", decided.text);
    }
}

#[tokio::test]
async fn one_step_may_be_the_agents_and_need_an_approval() {
    let world = World::new().await;
    let mut gated = bundle();
    gated["workflow"]["steps"] = json!([{
        "step_id": "process",
        "tool_id": "axme.approval.v1",
        "assigned_to": "processor",
        "requires_approval": true,
    }]);
    assert!(faults(&world, &gated).await.is_empty());
    let applied = world.post(&world.agent, APPLY, &gated).await.json();
    let id = applied["intent_id"].as_str().unwrap();
    assert_eq!(applied["status"], "DELIVERED", "{applied}");
    let resume = format!("/v1/intents/{id}/resume");
    let held = world.post(&world.agent, &resume, &json!({"action": "complete"})).await.json();
    assert_eq!(held["waiting_reason"], "WAITING_FOR_HUMAN", "{held}");
    assert_eq!(stored(&world, id).await.human_task().unwrap().title, "Sign off on process");
}

#[tokio::test]
async fn a_bundle_without_steps_goes_to_its_one_agent() {
    let world = World::new().await;
    let mut plain = bundle();
    plain.as_object_mut().unwrap().remove("workflow");
    plain["agents"][0]["delivery_mode"] = json!("worker");
    let before = world.table.items().await;
    refused(&world.post(&world.agent, APPLY, &plain).await, 403, "policy_denied");
    assert_eq!(world.table.items().await, before, "no agent puts Holdpoint's worker to work");
    let applied = world.post(&world.admin, APPLY, &plain).await.json();
    let intent = stored(&world, applied["intent_id"].as_str().unwrap()).await;
    assert_eq!(intent.envelope.handler.path(), "expenses");
    assert_eq!(intent.envelope.delivery, shared::intent::envelope::Delivery::Worker);
    assert!(intent.human_task().is_none());
    let again = world.post(&world.agent, APPLY, &plain).await;
    assert_eq!(again.status.as_u16(), 200, "it is registered now: {}", again.text);
    plain["agents"] = json!([plain["agents"][0], {"role": "second", "address": "b"}]);
    let found = faults(&world, &plain).await;
    assert_eq!(found, ["workflow: without steps a bundle names exactly one agent"]);
}
