//! What applying a bundle makes, once.

use serde_json::{Value, json};
use tests::{Answer, World};

use super::{APPLY, agents, apply, bundle, findings, with, with_steps};
use crate::harness::{bare, names, refused, stored, text};

#[tokio::test]
async fn an_applied_bundle_answers_with_everything_that_clients_read() {
    let world = World::new().await;
    let applied = apply(&world, &bundle()).await;
    assert_eq!(applied["scenario_id"], "expense-approval");
    assert_eq!((&applied["status"], &applied["idempotent"]), (&json!("WAITING"), &json!(false)));
    assert_eq!(applied["lifecycle_status"], "WAITING");
    assert_eq!(applied["pending_with"], "expenses");
    assert_eq!(applied["current_step"], "process");
    assert_eq!(applied["compile_id"], applied["workflow_compile_id"]);
    assert!(applied["compile_id"].is_string());
    let agent = json!({"role": "processor", "address": "agent://expenses", "created": true});
    assert_eq!(applied["agents"], json!([agent]));
    assert_eq!(applied["agents_provisioned"], json!(["agent://expenses"]));
    assert_eq!(applied["created_at"], "2030-01-01T00:00:00Z");
    assert_eq!(applied["deadline_at"], "2030-01-08T00:00:00Z", "the deployment's time to live");
    assert_eq!(applied["warnings"], json!([]));

    let registered = world.get(&world.agent, "/v1/agents").await.json();
    assert_eq!(registered["agents"][0]["address"], "agent://expenses");
    assert_eq!(registered["agents"][0]["display_name"], "Expenses");
    let again = apply(&world, &bundle()).await;
    assert_ne!(again["intent_id"], applied["intent_id"], "without a key it is another one");
    assert_eq!(again["agents"][0]["created"], false);
    assert_eq!(again["agents_provisioned"], json!([]));
}

#[tokio::test]
async fn an_agent_that_is_not_to_be_made_is_not_registered() {
    let world = World::new().await;
    let mut plain = bundle();
    plain["agents"][0]["create_if_missing"] = json!(false);
    let applied = apply(&world, &plain).await;
    assert_eq!(applied["agents"][0]["created"], false);
    let registered = world.get(&world.agent, "/v1/agents").await.json();
    assert_eq!(registered["agents"], json!([]));
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
        assert_eq!(again["idempotent"], true);
        for field in ["intent_id", "compile_id", "status", "deadline_at", "created_at"] {
            assert_eq!(again[field], first.json()[field], "{field}");
        }
        let mut other = bundle.clone();
        other["agents"][0]["address"] = json!("agent://somebody-new");
        refused(&keyed(&world, key, &other).await, 409, "idempotency_key_reused");
        assert_eq!(world.table.items().await, before, "the refused bundle registered nobody");
    }
}

#[tokio::test]
async fn a_bundle_without_steps_goes_to_its_one_agent() {
    let world = World::new().await;
    let mut plain = bundle();
    plain.as_object_mut().unwrap().remove("workflow");
    plain["agents"][0]["delivery_mode"] = json!("worker");
    let refused = world.post(&world.agent, APPLY, &plain).await;
    assert_eq!(refused.status.as_u16(), 403, "no agent puts Holdpoint's worker to work");
    assert_eq!(world.post(&world.admin, APPLY, &plain).await.status.as_u16(), 200);
    for workflow in [Value::Null, json!({}), json!({"steps": []})] {
        plain["workflow"] = workflow;
        let applied = apply(&world, &plain).await;
        assert_eq!(applied["status"], "DELIVERED");
        let intent = stored(&world, applied["intent_id"].as_str().unwrap()).await;
        assert_eq!(intent.envelope.handler.path(), "expenses");
        assert_eq!(intent.envelope.delivery, shared::intent::envelope::Delivery::Worker);
        assert!(intent.human_task().is_none() && intent.envelope.workflow.is_none());
    }
    plain["intent"]["human_task"] = json!({"title": "May it?"});
    assert_eq!(apply(&world, &plain).await["pending_with"], "reviewers");
    plain["agents"] = json!([]);
    assert_eq!(apply(&world, &plain).await["pending_with"], "reviewers", "nobody but a person");
}

#[tokio::test]
async fn the_intents_own_fields_count_also_as_texts() {
    let world = World::new().await;
    let mut full = bundle();
    full["intent"] = json!({
        "type": "expense.process.v1",
        "payload": {"amount": 40},
        "ttl_seconds": "7200",
        "remind_after_seconds": "60",
        "remind_interval_seconds": 30.0,
        "max_reminders": "2",
        "max_delivery_attempts": "5",
        "escalate_to": "manager",
        "reply_to": "agent://initiator",
        "deadline_at": "",
        "something_new": true,
    });
    let applied = apply(&world, &full).await;
    assert_eq!(applied["deadline_at"], "2030-01-01T02:00:00Z");
    let path = format!("/v1/intents/{}", applied["intent_id"].as_str().unwrap());
    let intent = world.get(&world.agent, &path).await.json();
    for (field, value) in [
        ("remind_after_seconds", json!(60)),
        ("remind_interval_seconds", json!(30)),
        ("max_reminders", json!(2)),
        ("max_delivery_attempts", json!(5)),
        ("escalate_to", json!("agent://manager")),
        ("reply_to", json!("agent://initiator")),
        ("to_agent", json!("agent://agent_core")),
        ("payload", json!({"amount": 40})),
    ] {
        assert_eq!(intent[field], value, "{field}");
    }
}

#[tokio::test]
async fn a_step_goes_where_the_route_of_its_address_leads_and_keeps_the_routes_sign_off() {
    let world = World::new().await;
    let route = json!({"to": "agent://clerk", "human_task": {"title": "The deployer asks"}});
    let put = world.put(&world.admin, "/v1/routes/expenses", &route).await;
    assert_eq!(put.status.as_u16(), 200, "{}", put.text);
    let own = json!({"requires_approval": true, "human_task": {"title": "The sender asks"}});
    let applied = apply(&world, &with_steps(json!([with(agents("a"), own)]))).await;
    let run = stored(&world, applied["intent_id"].as_str().unwrap()).await.run.unwrap();
    let child = stored(&world, &run.child.unwrap().to_string()).await;
    assert_eq!(child.envelope.to.path(), "expenses");
    assert_eq!(child.handler().path(), "clerk");
    assert_eq!(child.human_task().unwrap().title, "The deployer asks");

    // What such a route asks about must be exact, whatever the bundle says.
    let mut inexact = with_steps(json!([agents("a")]));
    inexact["intent"]["payload"] = json!({"n": 9_007_199_254_740_993_u64});
    assert!(findings(&world, &inexact).await.0.is_empty());
    let before = world.table.items().await;
    refused(&world.post(&world.agent, APPLY, &inexact).await, 422, "invalid_request");
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_workflow_in_which_nobody_acts_ends_as_it_is_applied() {
    let world = World::new().await;
    let notice = json!({"step_id": "tell", "runtime_type": "notification"});
    let applied = apply(&world, &with_steps(json!([notice]))).await;
    assert_eq!((&applied["status"], &applied["pending_with"]), (&json!("COMPLETED"), &Value::Null));
    let happened = names(&world, applied["intent_id"].as_str().unwrap()).await;
    assert_eq!(happened[..3], ["intent.created", "intent.submitted", "intent.delivered"]);
    assert_eq!(happened.last().unwrap(), "intent.completed");
}
