//! Who is asked in a step, and who may answer.

use serde_json::{Value, json};
use shared::principal::Role;
use tests::World;

use super::{Story, agents, persons, with, with_steps};
use crate::harness::{key, refused, stored};

/// A bundle that begins with the manager's step.
fn of_manager(contact: Value, task: Value) -> Value {
    let step = json!({"assigned_to": "manager", "human_task": task});
    let mut bundle = with_steps(json!([with(persons("p"), step)]));
    bundle["humans"][0]["contact"] = contact;
    bundle
}

async fn task(story: &Story<'_>) -> Value {
    story.read().await["human_task"].clone()
}

#[tokio::test]
async fn every_way_to_mark_a_persons_step_asks_a_person() {
    for step in [
        json!({"tool_id": "tool.approval.human_signoff", "assigned_to": "manager"}),
        json!({"tool_id": "tool.human.approval.v1", "assigned_to": "manager"}),
        json!({"tool_id": "", "runtime_type": "human_approval"}),
        json!({"tool_id": "axme.approval.v1", "assigned_to": "manager", "requires_approval": true}),
        json!({"tool_id": "tool.agent.task.v1", "assigned_to": "manager"}),
        json!({"tool_id": "tool.notification.notify_owner", "requires_approval": "true"}),
        json!({"tool_id": "tool.notification.notify_owner", "human_task": {"title": "Seen?"}}),
        json!({"tool_id": "tool.approval.check_window", "requires_approval": true}),
        json!({"requires_approval": true, "assigned_to": "agent://agent_core"}),
    ] {
        let world = World::new().await;
        let step = with(json!({"step_id": "p"}), step);
        let mut story = Story::of(&world, &with_steps(json!([step]))).await;
        let intent = story.read().await;
        assert_eq!(intent["waiting_reason"], "WAITING_FOR_HUMAN", "{step}");
        assert_eq!(intent["pending_with"]["type"], "human", "{step}");
        assert_eq!(story.reviewer_says("approved").await.status.as_u16(), 200, "{step}");
        assert_eq!(story.at().await.0, "COMPLETED", "{step}");
    }
}

#[tokio::test]
async fn a_person_without_a_contact_is_any_reviewer() {
    for contact in [json!(""), Value::Null, json!("+49 30 1234"), json!("#finance")] {
        let world = World::new().await;
        let mut story = Story::of(&world, &of_manager(contact, json!({"title": "?"}))).await;
        assert_eq!(task(&story).await["assignees"], json!([]));
        story.reviewer_says("approved").await;
        assert_eq!(story.at().await.0, "COMPLETED");
    }
}

#[tokio::test]
async fn a_contact_that_names_a_reviewer_is_the_only_one_who_may_decide() {
    let world = World::new().await;
    let ana = key(&world, "ana@example.com", Role::Reviewer, None).await;
    let bundle = of_manager(json!("ana@example.com"), json!({"title": "?"}));
    let mut story = Story::of(&world, &bundle).await;
    let asked = task(&story).await;
    assert_eq!(asked["assignees"], json!(["ana@example.com"]));
    assert_eq!(asked["notify_email"], "ana@example.com");
    refused(&story.reviewer_says("approved").await, 403, "not_assigned");
    story.says(&ana, "approved").await;
    assert_eq!(story.at().await.0, "COMPLETED");

    let story = Story::of(&world, &of_manager(json!("Ana"), json!({"title": "?"}))).await;
    let asked = task(&story).await;
    assert_eq!((&asked["assignees"], &asked["notify_email"]), (&json!(["Ana"]), &Value::Null));
}

#[tokio::test]
async fn people_whom_the_task_names_come_before_the_one_whom_the_step_is_assigned_to() {
    let world = World::new().await;
    let own = json!({"title": "?", "assignees": ["bob"], "notify_email": "bob@example.com"});
    let story = Story::of(&world, &of_manager(json!("ana@example.com"), own)).await;
    let asked = task(&story).await;
    assert_eq!(asked["assignees"], json!(["bob"]));
    assert_eq!(asked["notify_email"], "bob@example.com");
    // A role among them stands for the person who has it.
    let by_role = json!({"title": "?", "assignees": ["manager"]});
    let story = Story::of(&world, &of_manager(json!("ana@example.com"), by_role)).await;
    assert_eq!(task(&story).await["assignees"], json!(["ana@example.com"]));
}

#[tokio::test]
async fn a_step_may_name_a_person_or_an_agent_that_has_no_role() {
    let world = World::new().await;
    for (named, name) in
        [("ana@example.com", "ana@example.com"), ("human://ana", "ana"), ("human://a@b.c", "a@b.c")]
    {
        let step = json!({"step_id": "p", "tool_id": "t", "assigned_to": named});
        let story = Story::of(&world, &with_steps(json!([step]))).await;
        assert_eq!(task(&story).await["assignees"], json!([name]), "{named}");
    }
    for named in ["agent://team/other", "expenses"] {
        let step = with(agents("a"), json!({"assigned_to": named}));
        let story = Story::of(&world, &with_steps(json!([step]))).await;
        let intent = story.read().await;
        assert_eq!(intent["pending_with"]["type"], "agent");
        assert_eq!(intent["pending_with"]["name"], named.trim_start_matches("agent://"));
    }
}

#[tokio::test]
async fn steps_without_a_question_of_their_own_ask_the_intents() {
    let world = World::new().await;
    let untold = json!({"step_id": "p", "runtime_type": "human_approval"});
    let mut bundle = with_steps(json!([untold]));
    bundle["intent"]["human_task"] = json!({"title": "Of the intent", "required_comment": true});
    let story = Story::of(&world, &bundle).await;
    let asked = task(&story).await;
    assert_eq!(
        (&asked["title"], &asked["required_comment"]),
        (&json!("Of the intent"), &json!(true))
    );
    // One that none of them has is asked in the words of the step.
    bundle["intent"].as_object_mut().unwrap().remove("human_task");
    let story = Story::of(&world, &bundle).await;
    assert_eq!(task(&story).await["title"], "Sign off on p");
}

#[tokio::test]
async fn an_agents_step_may_need_a_persons_sign_off_on_its_result() {
    let world = World::new().await;
    let gated = with(
        agents("process"),
        json!({
            "tool_id": "axme.approval.v1",
            "requires_approval": true,
            "human_task": {"title": "Is it right?"},
        }),
    );
    let mut story = Story::of(&world, &with_steps(json!([gated]))).await;
    assert_eq!(story.read().await["pending_with"]["name"], "expenses");
    let held =
        story.agent_ends("expenses", &json!({"action": "complete", "paid": 40})).await.json();
    assert_eq!(held["waiting_reason"], "WAITING_FOR_HUMAN", "{held}");
    assert_eq!(held["human_task"]["title"], "Is it right?");
    assert_eq!(held["step_id"], "process");
    assert_eq!(story.at().await, ("WAITING".to_owned(), "process".to_owned()));
    // People decide on the intent that they know.
    let said = story.reviewer_says("approved").await;
    assert_eq!(said.status.as_u16(), 200, "{}", said.text);
    let intent = story.read().await;
    assert_eq!((&intent["status"], &intent["result"]), (&json!("COMPLETED"), &json!({"paid": 40})));
    assert_eq!(intent["decision"]["by"], "local-reviewer");
}

#[tokio::test]
async fn no_agent_answers_for_a_person_and_no_sender_for_itself() {
    let world = World::new().await;
    let mut story = Story::of(&world, &with_steps(json!([persons("p")]))).await;
    let agent = world.agent.clone();
    refused(&story.says(&agent, "approved").await, 403, "wrong_role");
    let path = format!("/v1/intents/{}/resume", story.id);
    let done = json!({"action": "complete"});
    refused(&world.post(&world.agent, &path, &done).await, 409, "awaits_decision");
    assert!(stored(&world, &story.id).await.open_hold().is_some());
}

#[tokio::test]
async fn an_approval_that_a_steps_agent_asks_for_is_decided_on_the_intent_too() {
    let world = World::new().await;
    let mut story = Story::of(&world, &with_steps(json!([agents("a")]))).await;
    let child = story.offered("expenses").await["intent_id"].as_str().unwrap().to_owned();
    let ask = json!({"approvals": [{"call_id": "c1", "tool": "pay", "arguments": {"sum": 40}}]});
    let path = format!("/v1/intents/{child}/suspend");
    assert_eq!(world.post(&world.agent, &path, &ask).await.status.as_u16(), 200);
    let said = story.reviewer_says("approved").await;
    assert_eq!(said.status.as_u16(), 200, "{}", said.text);
    assert_eq!(said.json()["intent"]["parent_intent_id"], child.as_str());
    story.agent_ends("expenses", &json!({"paid": 40})).await;
    assert_eq!(story.at().await.0, "COMPLETED");
}
