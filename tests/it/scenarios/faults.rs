//! What a bundle is refused for. Every fault is named by step and field, and a refused bundle changes
//! nothing.

use serde_json::{Value, json};
use tests::World;

use super::{APPLY, agents, bundle, findings, persons, with, with_steps};
use crate::harness::refused;

/// Changes the bundle at `pointer`, of which the last part may be new.
fn changed(pointer: &str, value: &Value) -> Value {
    let mut bundle = bundle();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    bundle.pointer_mut(parent).unwrap()[name] = value.clone();
    bundle
}

async fn check(cases: Vec<(Value, &str)>) {
    let world = World::new().await;
    let before = world.table.items().await;
    let mut wrong = Vec::new();
    for (bundle, fault) in cases {
        let (found, _) = findings(&world, &bundle).await;
        if found.len() != 1 || !found[0].starts_with(fault) {
            wrong.push(format!("{fault}\n  {found:?}"));
        }
        let applied = world.post(&world.agent, APPLY, &bundle).await;
        refused(&applied, 422, "invalid_request");
        let (field, _) = fault.split_once(": ").unwrap();
        assert_eq!(applied.json()["error"]["details"]["field"], field, "{}", applied.text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.table.items().await, before, "a refused bundle changed the table");
}

fn long(chars: usize) -> Value {
    json!("x".repeat(chars))
}

#[tokio::test]
async fn every_fault_of_the_bundle_is_named() {
    let twice = |pointer: &str| {
        let bundle = bundle();
        let item = bundle.pointer(pointer).unwrap();
        json!([item[0], item[0]])
    };
    let many = |count: usize| {
        let agent = |n: usize| json!({"role": format!("r{n}"), "address": format!("a{n}")});
        Value::Array((0..count).map(agent).collect())
    };
    let people =
        |count: usize| Value::Array((0..count).map(|n| json!({"role": format!("p{n}")})).collect());
    let mut cases = vec![
        (changed("/scenario_id", &json!(null)), "scenario_id: is missing"),
        (changed("/scenario_id", &json!(" ")), "scenario_id: is missing"),
        (changed("/scenario_id", &json!(5)), "scenario_id: is not a text"),
        (changed("/scenario_id", &long(256)), "scenario_id: has 256 characters; send at most 255"),
        (
            changed("/description", &long(1001)),
            "description: has 1001 characters; send at most 1000",
        ),
        (changed("/idempotency_key", &long(256)), "idempotency_key: has 256 characters"),
        (changed("/workflow", &json!([])), "workflow: is not an object"),
        (
            changed("/workflow/entry_step", &json!("none")),
            "workflow.entry_step: `none` is no step_id",
        ),
        (changed("/agents", &twice("/agents")), "agents.processor.role: stands twice"),
        (changed("/agents/0/address", &json!("a b")), "agents.processor.address: an address has"),
        (changed("/agents/0/address", &json!("")), "agents.processor.address: is missing"),
        (
            changed("/agents/0/create_if_missing", &json!(1)),
            "agents.processor.create_if_missing: is neither",
        ),
        (
            changed("/agents/0/delivery_mode", &json!("pigeon")),
            "agents.processor.delivery_mode: `pigeon`",
        ),
        (changed("/agents/0/display_name", &long(121)), "agents.processor.display_name: has 121"),
        (changed("/humans", &twice("/humans")), "humans.manager.role: stands twice"),
        (changed("/humans/0/contact", &long(256)), "humans.manager.contact: has 256"),
        (changed("/workflow/steps", &json!("all")), "workflow.steps: is not a list"),
    ];
    let mut agents_twice = bundle();
    agents_twice["humans"] = json!([{"role": "manager"}, {"role": "processor"}]);
    cases.push((agents_twice, "humans.processor.role: stands twice"));
    let mut crowd = bundle();
    let mut all = many(50);
    all.as_array_mut().unwrap().push(bundle()["agents"][0].clone());
    crowd["agents"] = all;
    cases.push((crowd, "agents: has 51; send at most 50"));
    let mut crowd = bundle();
    let mut all = people(20);
    all.as_array_mut().unwrap().push(bundle()["humans"][0].clone());
    crowd["humans"] = all;
    cases.push((crowd, "humans: has 21; send at most 20"));
    let steps: Vec<_> = (0..101).map(|n| agents(&format!("s{n}"))).collect();
    cases.push((with_steps(json!(steps)), "workflow.steps: has 101; send at most 100"));
    let mut by_macro = bundle();
    by_macro["workflow"] = json!({"macro_id": "m"});
    cases.push((by_macro, "workflow.macro_id: `m` is not served"));
    check(cases).await;
}

#[tokio::test]
async fn every_fault_of_a_step_is_named() {
    let step = |more: Value| with_steps(json!([with(agents("a"), more)]));
    check(vec![
        (step(json!({"step_id": ""})), "workflow.steps[0].step_id: is missing"),
        (step(json!({"step_id": 7})), "workflow.steps[0].step_id: is not a text"),
        (with_steps(json!([agents("a"), agents("a")])), "workflow.steps.a.step_id: stands twice"),
        (
            step(json!({"assigned_to": "nobody"})),
            "workflow.steps.a.assigned_to: `nobody` is no role",
        ),
        (step(json!({"assigned_to": ""})), "workflow.steps.a.assigned_to: names nobody who does"),
        (step(json!({"assigned_to": "agent_core"})), "workflow.steps.a.assigned_to: names nobody"),
        (
            step(json!({"tool_id": "tool.approval.check_window", "assigned_to": null})),
            "workflow.steps.a.assigned_to: names nobody who does this step; set it to",
        ),
        (step(json!({"runtime_type": "dance"})), "workflow.steps.a.runtime_type: is `dance`; send"),
        (
            step(json!({"requires_approval": "yes"})),
            "workflow.steps.a.requires_approval: is neither",
        ),
        (step(json!({"human_task": {"title": "?"}})), "workflow.steps.a.human_task: stands on"),
        (step(json!({"input": "all"})), "workflow.steps.a.input: is not an object"),
        (step(json!({"step_deadline_seconds": 0})), "workflow.steps.a.step_deadline_seconds: is 0"),
        (
            step(json!({"step_deadline_seconds": "soon"})),
            "workflow.steps.a.step_deadline_seconds: is not",
        ),
        (step(json!({"retry": 3})), "workflow.steps.a.retry: is not an object"),
        (step(json!({"retry": {"max_retries": 21}})), "workflow.steps.a.retry.max_retries: is 21"),
        (
            step(json!({"retry": {"retry_delay_seconds": -1}})),
            "workflow.steps.a.retry.retry_delay_seconds: is not",
        ),
        (step(json!({"on_success": "x"})), "workflow.steps.a.on_success: `x` is no step_id"),
        (step(json!({"on_failure": "x"})), "workflow.steps.a.on_failure: `x` is no step_id"),
        (step(json!({"escalate_to": "a b"})), "workflow.steps.a.escalate_to: an address has"),
    ])
    .await;
}

#[tokio::test]
async fn every_fault_of_a_persons_step_and_of_one_that_is_nobodys_is_named() {
    let person = |more: Value| with_steps(json!([with(persons("p"), more)]));
    let inner = |kind: &str, more: Value| {
        let step = json!({"step_id": "i", "runtime_type": kind});
        with_steps(json!([agents("a"), with(step, more)]))
    };
    check(vec![
        (person(json!({"remind_after_seconds": 0})), "workflow.steps.p.remind_after_seconds: is 0"),
        (
            person(json!({"remind_after_seconds": 9, "max_reminders": 101})),
            "workflow.steps.p.max_reminders: is 101",
        ),
        (person(json!({"human_task": "?"})), "workflow.steps.p.human_task: invalid type"),
        (
            person(json!({"human_task": {"title": "t", "task_type": "dance"}})),
            "workflow.steps.p.human_task.task_type: is `dance`",
        ),
        (
            person(json!({"human_task": {"title": "t", "allowed_outcomes": "yes"}})),
            "workflow.steps.p.human_task.allowed_outcomes: invalid type",
        ),
        (inner("delay", json!({})), "workflow.steps.i.runtime_config.seconds: is missing"),
        (inner("delay", json!({"config": {}})), "workflow.steps.i.config.seconds: is missing"),
        (
            inner("timeout", json!({"runtime_config": {"seconds": 0}})),
            "workflow.steps.i.runtime_config.seconds: is 0",
        ),
        (
            inner("delay", json!({"runtime_config": {"seconds": 1}, "requires_approval": true})),
            "workflow.steps.i.requires_approval: stands on a step that asks nobody",
        ),
        (inner("escalation", json!({})), "workflow.steps.i.escalate_to: is missing; name whom"),
        (
            inner("notification", json!({"config": {"subject": "x".repeat(256)}})),
            "workflow.steps.i.config.subject: has 256",
        ),
    ])
    .await;
}

#[tokio::test]
async fn every_fault_of_the_intent_is_named() {
    let intent = |more: Value| {
        let mut bundle = bundle();
        bundle["intent"] = with(bundle["intent"].clone(), more);
        bundle
    };
    let mut nobody_is_asked = with_steps(json!([agents("a")]));
    nobody_is_asked["intent"]["human_task"] = json!({"title": "?"});
    let mut two = bundle();
    two.as_object_mut().unwrap().remove("workflow");
    two["agents"] = json!([two["agents"][0], {"role": "second", "address": "b"}]);
    let mut exact = with_steps(json!([with(
        agents("a"),
        json!({"requires_approval": true, "human_task": {"title": "?"}}),
    )]));
    exact["workflow"]["steps"][0]["input"] = json!({"n": 9_007_199_254_740_993_u64});
    check(vec![
        (intent(json!({"type": null})), "intent.type: is missing"),
        (intent(json!({"type": 5})), "intent.type: is not a text"),
        (intent(json!({"payload": []})), "intent.payload: invalid type"),
        (intent(json!({"ttl_seconds": 0})), "intent.ttl_seconds: is 0"),
        (intent(json!({"deadline_at": "tomorrow"})), "intent.deadline_at: is not an RFC 3339 time"),
        (
            intent(json!({"deadline_at": "2031-01-01T00:00:00Z", "ttl_seconds": 60})),
            "intent.ttl_seconds: cannot stand beside deadline_at",
        ),
        (intent(json!({"reply_to": "a b"})), "intent.reply_to: an address has"),
        (intent(json!({"escalate_to": "a b"})), "intent.escalate_to: an address has"),
        (intent(json!({"max_delivery_attempts": 0})), "intent.max_delivery_attempts: is 0"),
        (
            intent(json!({"human_task": {"title": "t", "type": "x"}})),
            "intent.human_task.task_type: is",
        ),
        (
            intent(json!({"payload": {"n": 9_007_199_254_740_993_u64}})),
            "intent.payload: has a whole number beyond",
        ),
        (exact, "workflow.steps.a.input: has a whole number beyond"),
        (nobody_is_asked, "intent.human_task: is asked in no step"),
        (two, "workflow: without steps a bundle names exactly one agent"),
    ])
    .await;
}

#[tokio::test]
async fn all_faults_are_named_at_once_and_a_refusal_says_how_many_there_are() {
    let world = World::new().await;
    let bundle = json!({
        "agents": [{"role": "a", "address": "/"}, "b"],
        "workflow": {"entry_step": "none", "steps": [
            {"step_id": "one", "assigned_to": "a", "step_deadline_seconds": "x", "on_success": "two"},
            {"assigned_to": "nobody"},
            5,
        ]},
        "intent": {"ttl_seconds": 0, "reply_to": 5},
    });
    let (found, _) = findings(&world, &bundle).await;
    for field in [
        "scenario_id: ",
        "agents.a.address: ",
        "agents[1]: ",
        "workflow.entry_step: ",
        "workflow.steps.one.step_deadline_seconds: ",
        "workflow.steps.one.on_success: ",
        "workflow.steps[1].step_id: ",
        "workflow.steps[1].assigned_to: ",
        "workflow.steps[2]: ",
        "intent.type: ",
        "intent.ttl_seconds: ",
        "intent.reply_to: ",
    ] {
        assert_eq!(
            found.iter().filter(|it| it.starts_with(field)).count(),
            1,
            "{field} {found:#?}"
        );
    }
    assert_eq!(found.len(), 12, "{found:#?}");
    let refusal = world.post(&world.agent, APPLY, &bundle).await;
    refused(&refusal, 422, "invalid_request");
    assert!(refusal.text.contains("one of 12 faults"), "{}", refusal.text);
}
