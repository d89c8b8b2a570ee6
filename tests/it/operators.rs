//! What operators see: the diagnosis, the runbook, and one trace from a request to its last consumer.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};
use shared::app::REMEMBERED;
use shared::trace::Trace;
use tests::World;

use crate::harness::{bare, create, text};
use crate::pump::Pump;

/// What each check of the diagnosis says, as `check: level`.
async fn diagnosis(world: &World) -> BTreeSet<String> {
    let answer = world.get(&world.admin, "/v1/diagnostics").await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let findings = answer.json()["findings"].as_array().unwrap().clone();
    let said = |found: &Value| {
        assert_eq!(found["level"] == "ok", found["remedy"].is_null(), "{found}");
        format!("{}: {}", found["check"].as_str().unwrap(), found["level"].as_str().unwrap())
    };
    findings.iter().map(said).filter(|line| !line.ends_with(": ok")).collect()
}

fn of(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(|line| (*line).to_owned()).collect()
}

#[tokio::test]
async fn a_deployment_in_which_everything_runs_has_nothing_to_complain_of() {
    let world = World::new().await;
    assert_eq!(diagnosis(&world).await, of(&["schedule: failure"]), "nothing has run yet");
    let mut pump = Pump::of(&world).await;
    create(&world, &json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 600})).await;
    pump.run().await;
    assert_eq!(diagnosis(&world).await, of(&[]));
}

#[tokio::test]
async fn what_rests_and_what_waits_for_too_long_is_found() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    pump.run().await;
    create(&world, &json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 60})).await;
    world.pass(Duration::from_mins(2));
    assert_eq!(diagnosis(&world).await, of(&[]), "a little late is not late");
    world.pass(Duration::from_mins(2));
    assert_eq!(diagnosis(&world).await, of(&["schedule: failure", "wake-ups: failure"]));
    pump.run().await;
    assert_eq!(diagnosis(&world).await, of(&[]), "everything was caught up on");
}

#[tokio::test]
async fn agents_that_fell_silent_or_were_killed_deserve_a_look() {
    let world = World::new().await;
    Pump::of(&world).await.run().await;
    world.post(&world.agent, "/v1/mesh/heartbeat", &json!({})).await;
    world.put(&world.admin, "/v1/routes/worker", &json!({})).await;
    assert_eq!(diagnosis(&world).await, of(&[]), "an agent that was never heard may be silent");
    world.post(&world.admin, "/v1/mesh/agents/worker/kill", &json!({})).await;
    world.pass(REMEMBERED);
    assert_eq!(diagnosis(&world).await, of(&["kill switch: warning"]));
    world.pass(Duration::from_mins(30));
    Pump::of(&world).await.run().await;
    assert_eq!(diagnosis(&world).await, of(&["agents: warning", "kill switch: warning"]));
}

#[tokio::test]
async fn a_callers_trace_goes_on_in_what_its_intent_leads_to() {
    const CALLERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let body = json!({"intent_type": "t", "to_agent": "a", "human_task": {"title": "Sure?"}});
    let request = bare("POST", "/v1/intents").header("x-api-key", &world.agent);
    let request = request.header("traceparent", CALLERS).header("content-type", "application/json");
    let sent = world.send(request, text(body.to_string())).await;
    assert_eq!(sent.status.as_u16(), 200, "{}", sent.text);
    create(&world, &json!({"intent_type": "t", "to_agent": "a", "human_task": {"title": "?"}}))
        .await;
    pump.run().await;
    let callers = Trace::parse(CALLERS).unwrap();
    let traces = pump.traces();
    let continued: Vec<_> = traces.iter().filter(|it| it.id() == callers.id()).collect();
    assert!(!continued.is_empty(), "{traces:?}");
    assert!(
        continued.iter().all(|it| it.span_id() != callers.span_id()),
        "each is work of its own"
    );
    let ids: BTreeSet<_> = traces.iter().map(Trace::id).collect();
    assert!(ids.len() > 1, "who brings no trace begins one: {ids:?}");
}

#[test]
fn every_alarm_has_its_steps_in_the_runbook() {
    let template: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(include_str!("../../template.yaml")).unwrap();
    let runbook = include_str!("../../RUNBOOK.md");
    let alarms = template["Resources"].as_mapping().unwrap().iter();
    let alarms = alarms.filter(|(_, it)| it["Type"] == "AWS::CloudWatch::Alarm");
    let names: Vec<_> = alarms.map(|(name, _)| name.as_str().unwrap()).collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        let has_steps = runbook.lines().any(|line| {
            line.split(|it: char| !it.is_alphanumeric()).any(|word| word == name)
                && (line.starts_with("## ") || line.contains(": "))
        });
        assert!(has_steps, "{name} has no steps");
    }
}
