//! Working hours on the wire: where they may be given, how they are shown, and what is refused.

use std::time::Duration;

use serde_json::{Value, json};
use shared::message::Notice;
use tests::World;

use crate::harness::create;
use crate::pump::Pump;

/// The world begins on a Tuesday at midnight, which is one in the morning in Berlin.
fn office() -> Value {
    json!({
        "time_zone": "Europe/Berlin", "days": ["mon", "tue", "wed", "thu", "fri"],
        "from": "09:00", "to": "17:00", "holidays": ["2030-01-01"],
    })
}

/// A bundle whose only step is a person's.
fn bundle(of_intent: &Value, of_step: &Value) -> Value {
    json!({
        "scenario_id": "office",
        "agents": [],
        "humans": [{"role": "manager", "contact": ""}],
        "workflow": {"steps": [{
            "step_id": "sign", "runtime_type": "human_approval", "human_task": {"title": "Right?"},
            "working_hours": of_step,
        }]},
        "intent": {
            "type": "t", "payload": {}, "ttl_seconds": 864_000, "remind_after_seconds": 60,
            "max_reminders": 1, "working_hours": of_intent,
        },
    })
}

#[tokio::test]
async fn a_reminder_outside_of_the_hours_is_sent_when_they_begin() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let body = json!({
        "intent_type": "t", "to_agent": "agent://agent_core", "ttl_seconds": 864_000,
        "human_task": {"title": "Anybody?"}, "remind_after_seconds": 3_600,
        "remind_interval_seconds": 3_600, "max_reminders": 3, "escalate_to": "agent://boss",
        "working_hours": office(),
    });
    let id = create(&world, &body).await;
    let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await.json();
    assert_eq!(read["intent"]["working_hours"], office());
    let mut told = async |time: Duration| {
        pump.pass(time).await;
        pump.notices().into_iter().map(|(_, notice)| notice).collect::<Vec<_>>()
    };
    assert_eq!(told(Duration::ZERO).await, [Notice::Assigned]);
    for _ in 0..31 {
        assert_eq!(told(Duration::from_hours(1)).await, [], "a holiday, and the night after it");
    }
    assert_eq!(told(Duration::from_secs(3_599)).await, []);
    let boss = "agent://boss".to_owned().try_into().unwrap();
    let expected = [Notice::Reminder { count: 3 }, Notice::Escalation { to: boss }];
    assert_eq!(told(Duration::from_secs(1)).await, expected, "on Wednesday at nine in Berlin");
    assert_eq!(told(Duration::from_hours(24)).await, []);
}

#[tokio::test]
async fn a_step_and_an_approval_have_hours_of_their_own_or_those_of_their_intent() {
    let world = World::new().await;
    let apply = async |body: &Value| {
        let answer = world.post(&world.agent, "/v1/scenarios/apply", body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        let id = answer.json()["intent_id"].as_str().unwrap().to_owned();
        world.get(&world.agent, &format!("/v1/intents/{id}")).await.json()["intent"].clone()
    };
    let own = json!({"time_zone": "UTC", "days": ["sun"], "from": "00:00", "to": "24:00"});
    let both = apply(&bundle(&office(), &own)).await;
    assert_eq!(both["working_hours"], office());
    assert_eq!(both["workflow"]["steps"][0]["working_hours"], own);
    let one = apply(&bundle(&office(), &Value::Null)).await;
    assert_eq!(one["working_hours"], office());
    assert_eq!(one["workflow"]["steps"][0]["working_hours"], Value::Null);

    let body = json!({"intent_type": "t", "to_agent": "a", "working_hours": office()});
    let id = create(&world, &body).await;
    let asks = json!({"approvals": [
        {"call_id": "c1", "tool": "t", "remind_after_seconds": 60, "working_hours": own},
        {"call_id": "c2", "tool": "t", "remind_after_seconds": 60},
    ]});
    let answer = world.post(&world.agent, &format!("/v1/intents/{id}/suspend"), &asks).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    for (ask, expected) in [(0, own), (1, office())] {
        let child = answer.json()["approvals"][ask]["approval_id"].clone();
        let path = format!("/v1/intents/{}", child.as_str().unwrap());
        let child = world.get(&world.agent, &path).await.json();
        assert_eq!(child["intent"]["working_hours"], expected);
    }
}

#[tokio::test]
async fn hours_that_cannot_be_are_refused_by_field_wherever_they_stand() {
    let world = World::new().await;
    let id = create(&world, &json!({"intent_type": "t", "to_agent": "a"})).await;
    let suspend = format!("/v1/intents/{id}/suspend");
    for (field, value, named) in [
        ("time_zone", json!("Europe/Atlantis"), ".time_zone"),
        ("time_zone", json!(null), ".time_zone"),
        ("time_zone", json!(5), ".time_zone"),
        ("days", json!([]), ".days"),
        ("days", json!("mon"), ".days"),
        ("days", json!(["mon", "someday"]), ".days[1]"),
        ("from", json!("17:00"), ".to"),
        ("from", json!("9"), ".from"),
        ("to", json!("25:00"), ".to"),
        ("holidays", json!(["Christmas"]), ".holidays[0]"),
        ("holidays", json!(vec!["2030-12-25"; 101]), ".holidays"),
    ] {
        let mut hours = office();
        hours[field] = value;
        refused_everywhere(&world, &suspend, &hours, named).await;
    }
    for value in [json!("always"), json!(["mon"]), json!(9)] {
        refused_everywhere(&world, &suspend, &value, "").await;
    }
    refused_everywhere(&world, &suspend, &json!({}), ".time_zone").await;
}

async fn refused_everywhere(world: &World, suspend: &str, hours: &Value, named: &str) {
    let intent = json!({"intent_type": "t", "to_agent": "a", "working_hours": hours});
    let asks = json!({"approvals": [{"call_id": "c", "tool": "t", "working_hours": hours}]});
    for (path, body, at) in [
        ("/v1/intents", intent, "working_hours"),
        (suspend, asks, "approvals[0].working_hours"),
        ("/v1/scenarios/apply", bundle(hours, &Value::Null), "intent.working_hours"),
        ("/v1/scenarios/apply", bundle(&Value::Null, hours), "workflow.steps.sign.working_hours"),
    ] {
        let answer = world.post(&world.agent, path, &body).await;
        assert_eq!(answer.status.as_u16(), 422, "{path}: {hours}: {}", answer.text);
        let field = answer.json()["error"]["details"]["field"].clone();
        assert_eq!(field, json!(format!("{at}{named}")), "{path}: {hours}: {}", answer.text);
    }
}
