//! What happens in a workflow by itself, by the world's clock.

use std::time::Duration;

use serde_json::{Value, json};
use shared::message::{Message, Notice};
use tests::World;

use super::{Story, agents, persons, with, with_steps};
use crate::harness::names;

fn inner(step_id: &str, kind: &str, config: Value) -> Value {
    json!({"step_id": step_id, "runtime_type": kind, "runtime_config": config})
}

/// What the step gave as its reason, once the intent has ended.
async fn reason(story: &Story<'_>) -> String {
    story.read().await["error"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_delay_waits_as_long_as_it_says() {
    for (seconds, tool) in [(json!(3600), ""), (json!("60"), "tool.internal.delay")] {
        let world = World::new().await;
        let kind = if tool.is_empty() { "delay" } else { "" };
        let mut delay = inner("wait", kind, json!({"seconds": seconds}));
        delay["tool_id"] = json!(tool);
        let mut story = Story::of(&world, &with_steps(json!([delay, agents("a")]))).await;
        assert_eq!(story.read().await["waiting_reason"], "WAITING_FOR_TIME");
        let seconds = seconds.as_u64().unwrap_or(60);
        story.pump.pass(Duration::from_secs(seconds - 1)).await;
        assert_eq!(story.at().await.1, "wait");
        story.pump.pass(Duration::from_secs(1)).await;
        assert_eq!(story.at().await.1, "a");
    }
}

#[tokio::test]
async fn a_timeout_fails_after_its_time_and_can_be_caught() {
    let world = World::new().await;
    let timeout = inner("limit", "timeout", json!({"seconds": 60}));
    let mut story = Story::of(&world, &with_steps(json!([timeout.clone()]))).await;
    story.pump.pass(Duration::from_mins(1)).await;
    assert_eq!(
        (story.at().await.0.as_str(), reason(&story).await.as_str()),
        ("FAILED", "step_timeout")
    );

    let caught = json!([with(timeout, json!({"on_failure": "a"})), agents("a")]);
    let mut story = Story::of(&world, &with_steps(caught)).await;
    story.pump.pass(Duration::from_mins(1)).await;
    assert_eq!(story.at().await.1, "a");
}

#[tokio::test]
async fn notices_escalations_and_reminders_are_sent_and_the_workflow_goes_on() {
    let world = World::new().await;
    let mut bundle = with_steps(json!([
        inner("tell", "notification", json!({"to": ["manager", "ops@example.com"], "subject": "Hello"})),
        {"step_id": "owner", "tool_id": "tool.notification.notify_owner", "assigned_to": "manager"},
        {"step_id": "nudge", "runtime_type": "reminder", "config": {"body": "Still there?"}},
        with(inner("up", "escalation", json!({"reason": "late"})), json!({"escalate_to": "manager"})),
    ]));
    bundle["humans"][0]["contact"] = json!("ana@example.com");
    let mut story = Story::of(&world, &bundle).await;
    assert_eq!(story.at().await.0, "COMPLETED");
    let told: Vec<_> = story.pump.notices().into_iter().map(|(_, notice)| notice).collect();
    for step in 0..4 {
        assert!(told.contains(&Notice::Step { step }), "{step} {told:?}");
    }
    let mut letters = story.pump.letters();
    letters.sort_by_key(|letter| letter["data"]["step_id"].to_string());
    let said: Vec<_> = letters.iter().map(|letter| letter["data"].clone()).collect();
    assert!(letters.iter().all(|letter| letter["type"] == "intent.notification"), "{letters:?}");
    let id = story.id.as_str();
    let letter = |step_id: &str, to: Value, subject: &str, body: Value| {
        json!({
            "intent_id": id, "parent_intent_id": null, "scenario_id": "expense-approval",
            "step_id": step_id, "to": to, "subject": subject, "body": body,
            "sent_by": "local-agent",
        })
    };
    let (ana, both) = ("ana@example.com", "ana@example.com, ops@example.com");
    let expected = [
        letter("nudge", Value::Null, "expense-approval", json!("Still there?")),
        letter("owner", json!(ana), "expense-approval", Value::Null),
        letter("tell", json!(both), "Hello", Value::Null),
        letter("up", json!(ana), "expense-approval was escalated to you", json!("late")),
    ];
    assert_eq!(said, expected);
    let steps = story.read().await["workflow"]["steps"].clone();
    let to: Vec<_> = (0..4).map(|step| steps[step]["assigned_to"].clone()).collect();
    assert_eq!(to, [json!(both), json!(ana), Value::Null, json!("agent://ana@example.com")]);
    assert!(names(&world, &story.id).await.contains(&"intent.escalated".to_owned()));
}

#[tokio::test]
async fn a_persons_step_reminds_escalates_and_ends_at_its_deadline() {
    let world = World::new().await;
    let step = with(
        persons("p"),
        json!({
            "remind_after_seconds": 30,
            "max_reminders": 2,
            "step_deadline_seconds": 300,
            "escalate_to": "agent://the-boss",
            "on_failure": "late",
        }),
    );
    let mut story = Story::of(&world, &with_steps(json!([step, agents("late")]))).await;
    story.pump.notices();
    for (seconds, expected) in [
        (29, None),
        (1, Some(Notice::Reminder { count: 1 })),
        (30, Some(Notice::Reminder { count: 2 })),
        (30, Some(Notice::Escalation { to: "agent://the-boss".to_owned().try_into().unwrap() })),
    ] {
        story.pump.pass(Duration::from_secs(seconds)).await;
        let told: Vec<_> = story.pump.notices().into_iter().map(|(_, notice)| notice).collect();
        assert_eq!(told, Vec::from_iter(expected));
    }
    story.pump.pass(Duration::from_secs(209)).await;
    assert_eq!(story.at().await.1, "p");
    story.pump.pass(Duration::from_secs(1)).await;
    assert_eq!(story.at().await, ("WAITING".to_owned(), "late".to_owned()));
    assert_eq!(story.states().await[0], "p failed");
}

#[tokio::test]
async fn an_agents_step_ends_at_its_deadline_and_is_tried_again_after_its_pause() {
    let world = World::new().await;
    let step = with(agents("a"), json!({"step_deadline_seconds": 60, "retry": {"max_retries": 1}}));
    let mut story = Story::of(&world, &with_steps(json!([step]))).await;
    let first = story.offered("expenses").await;
    assert_eq!(first["deadline_at"], "2030-01-01T00:01:00Z");
    story.pump.pass(Duration::from_mins(1)).await;
    assert_eq!(story.states().await, ["a retrying"]);
    story.pump.pass(Duration::from_secs(30)).await;
    assert_eq!(story.states().await, ["a waiting"]);
    let second = story.offered("expenses").await;
    assert_ne!(second["intent_id"], first["intent_id"]);
    assert_eq!(second["payload"]["attempt"], 2);
    story.pump.pass(Duration::from_mins(1)).await;
    assert_eq!(
        (story.at().await.0.as_str(), reason(&story).await.as_str()),
        ("FAILED", "step_timeout")
    );
}

#[tokio::test]
async fn the_deadline_of_the_intent_ends_whatever_step_it_is_at() {
    for step in [agents("a"), persons("p"), inner("wait", "delay", json!({"seconds": 7200}))] {
        let world = World::new().await;
        let mut bundle = with_steps(json!([step]));
        bundle["intent"]["ttl_seconds"] = json!(3600);
        let mut story = Story::of(&world, &bundle).await;
        let child = story.read().await["child_intent_ids"][0].clone();
        story.pump.pass(Duration::from_hours(1)).await;
        assert_eq!(story.at().await.0, "TIMED_OUT", "{step}");
        assert!(story.states().await[0].ends_with("timed_out"), "{step}");
        if let Some(child) = child.as_str() {
            let path = format!("/v1/intents/{child}");
            let child = world.get(&world.agent, &path).await.json();
            assert_eq!(child["status"], "TIMED_OUT");
        }
    }
}

#[tokio::test]
async fn news_that_were_lost_delay_a_workflow_and_do_not_strand_it() {
    let world = World::new().await;
    let mut story = Story::of(&world, &with_steps(json!([agents("a"), agents("b")]))).await;
    let child = story.offered("expenses").await["intent_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/intents/{child}/resume");
    let done = json!({"action": "complete", "sum": 40});
    assert_eq!(world.post(&world.agent, &path, &done).await.status.as_u16(), 200);
    let is_news = |message: &Message| matches!(message, Message::AskEnded { .. });
    assert_eq!(story.pump.lose(is_news).await, 1, "the news that the step has ended");
    story.pump.run().await;
    assert_eq!(story.at().await.1, "a", "nobody told it");
    story.pump.pass(Duration::from_hours(1)).await;
    assert_eq!(story.at().await.1, "b");
    assert_eq!(story.read().await["workflow"]["steps"][0]["result"], json!({"sum": 40}));
}

#[tokio::test]
async fn a_workflow_that_is_canceled_takes_its_step_with_it() {
    let world = World::new().await;
    let mut story = Story::of(&world, &with_steps(json!([agents("a")]))).await;
    let child = story.offered("expenses").await["intent_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/intents/{}/resolve", story.id);
    let cancel = json!({"status": "CANCELED", "reason": "not any more"});
    assert_eq!(world.post(&world.agent, &path, &cancel).await.status.as_u16(), 200);
    story.pump.run().await;
    assert_eq!(story.states().await, ["a canceled"]);
    let child = world.get(&world.agent, &format!("/v1/intents/{child}")).await.json();
    assert_eq!(child["status"], "CANCELED");
}
