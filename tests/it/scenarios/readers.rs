//! What readers of a workflow are shown.

use serde_json::{Value, json};
use tests::World;

use super::{Story, agents, apply, bundle, persons, with, with_steps};
use crate::harness::events;

#[tokio::test]
async fn the_intent_shows_its_steps_and_each_child_its_parent() {
    let world = World::new().await;
    let mut story = Story::of(&world, &bundle()).await;
    let intent = story.read().await;
    assert_eq!(intent["workflow"]["scenario_id"], "expense-approval");
    assert_eq!((&intent["current_step"], &intent["step_id"]), (&json!("process"), &Value::Null));
    let pending = json!({"type": "agent", "ref": "agent://expenses", "name": "expenses"});
    assert_eq!(intent["pending_with"], pending);
    assert_eq!(story.states().await, ["process waiting", "sign_off pending"]);

    let child = story.offered("expenses").await;
    assert_eq!(intent["child_intent_ids"], json!([child["intent_id"]]));
    assert_eq!(intent["workflow"]["steps"][0]["child_intent_id"], child["intent_id"]);
    assert_eq!(child["parent_intent_id"], story.id.as_str());
    assert_eq!(child["step_id"], "process");
    assert_eq!(child["payload"]["parent_payload"], json!({"amount": 40}));

    story.agent_ends("expenses", &json!({"action": "complete", "paid": 40})).await;
    let intent = story.read().await;
    assert_eq!(story.states().await, ["process completed", "sign_off waiting"]);
    let step = |place: usize, field: &str| intent["workflow"]["steps"][place][field].clone();
    assert_eq!(step(0, "result"), json!({"paid": 40}));
    assert_eq!((step(0, "kind"), step(1, "kind")), (json!("agent"), json!("human")));
    assert_eq!((step(0, "attempts"), step(1, "attempts")), (json!(1), json!(1)));
    assert_eq!(step(1, "requires_approval"), true);
    assert_eq!(step(1, "step_deadline_seconds"), 3600);
    assert_eq!(intent["hold"]["action"]["proposal"], json!({"process": {"paid": 40}}));

    story.reviewer_says("approved").await;
    let intent = story.read().await;
    assert_eq!((&intent["current_step"], &intent["pending_with"]), (&Value::Null, &Value::Null));
    assert_eq!(intent["workflow"]["steps"][1]["result"]["approved"], true);
    assert_eq!(intent["result"], json!({"paid": 40}));
}

/// Event types with the step that each names.
fn steps(events: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let step = |event: &Value| {
        assert_eq!(event["details"]["step_id"], event["data"]["step_id"]);
        (text(&event["event_type"]), text(&event["details"]["step_id"]))
    };
    events.iter().map(step).collect()
}

#[tokio::test]
async fn events_name_the_step_that_they_are_about() {
    let world = World::new().await;
    let reminded = with(persons("p"), json!({"remind_after_seconds": 30, "max_reminders": 1}));
    let mut story =
        Story::of(&world, &with_steps(json!([agents("a"), reminded, agents("b")]))).await;
    story.agent_ends("expenses", &json!({"action": "complete"})).await;
    story.pump.pass(std::time::Duration::from_secs(30)).await;
    let all = events(&world, &story.id).await;
    let expected = [
        ("intent.created", "-"),
        ("intent.submitted", "-"),
        ("intent.delivered", "-"),
        ("intent.waiting", "a"),
        ("intent.in_progress", "a"),
        ("intent.in_progress", "p"),
        ("intent.waiting", "p"),
        ("intent.human_task_assigned", "p"),
        ("intent.reminder", "p"),
    ];
    let owned = |(kind, step): (&str, &str)| (kind.to_owned(), step.to_owned());
    assert_eq!(steps(&all), expected.map(owned));
    assert_eq!(all[3]["pending_with"]["name"], "expenses");

    // Wherever a reader begins, it is told the same.
    story.reviewer_says("approved").await;
    story.agent_ends("expenses", &json!({"action": "complete"})).await;
    let all = events(&world, &story.id).await;
    assert_eq!(steps(&all).last().unwrap(), &owned(("intent.completed", "-")));
    for (place, event) in all.iter().enumerate() {
        let since = event["seq"].as_u64().unwrap();
        let path = format!("/v1/intents/{}/events?since={since}", story.id);
        let read = world.get(&world.agent, &path).await.json();
        let read = read["events"].as_array().unwrap().clone();
        assert_eq!(steps(&read), steps(&all)[place + 1..], "since {since}");
        let path = format!("/v1/intents/{}/events/stream?since={since}&wait_seconds=1", story.id);
        if read.is_empty() {
            continue;
        }
        let streamed = world.get(&world.agent, &path).await.text;
        let streamed = streamed.lines().filter_map(|line| line.strip_prefix("data: "));
        let streamed = streamed.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let streamed: Vec<_> = streamed.filter(|event| event["event_type"].is_string()).collect();
        assert_eq!(steps(&streamed), steps(&all)[place + 1..], "since {since}");
    }
}

#[tokio::test]
async fn a_childs_first_event_names_its_parent_and_the_sender_may_read_it() {
    let world = World::new().await;
    let story = Story::of(&world, &bundle()).await;
    let child = story.offered("expenses").await["intent_id"].as_str().unwrap().to_owned();
    let created = events(&world, &child).await[0].clone();
    assert_eq!(created["details"]["parent_intent_id"], story.id.as_str());
    assert_eq!(created["details"]["step_id"], "process");
    let begun = events(&world, &story.id).await[3].clone();
    assert_eq!(begun["details"]["child_intent_id"], child.as_str());
}

#[tokio::test]
async fn other_answers_name_the_workflow_and_the_present_step() {
    let world = World::new().await;
    let id = apply(&world, &bundle()).await["intent_id"].clone();
    let listed = world.get(&world.agent, "/v1/intents").await.json();
    let listed = listed["intents"].as_array().unwrap().iter();
    let listed = listed.clone().find(|intent| intent["intent_id"] == id).unwrap();
    assert_eq!(listed["workflow"]["scenario_id"], "expense-approval");
    assert_eq!(listed["current_step"], "process");
    let plain = crate::harness::turn(&world, "expenses").await;
    let plain = world.get(&world.agent, &format!("/v1/intents/{plain}")).await.json();
    assert_eq!((&plain["workflow"], &plain["step_id"]), (&Value::Null, &Value::Null));
}
