//! In which order steps are taken.

use serde_json::{Value, json};
use tests::World;

use super::{Story, agents, with, with_steps};

/// Runs a workflow of the agent's steps; each ends as the list says, in the order in which they come.
async fn runs(bundle: &Value, endings: &[(&str, bool)]) -> Vec<String> {
    let world = World::new().await;
    let mut story = Story::of(&world, bundle).await;
    for (step, ends_well) in endings {
        assert_eq!(story.at().await, ("WAITING".to_owned(), (*step).to_owned()));
        let action = if *ends_well { "complete" } else { "fail" };
        let body = json!({"action": action, "reason": "it rains", "done": step});
        story.agent_ends("expenses", &body).await;
    }
    let mut states = story.states().await;
    states.push(story.at().await.0);
    states
}

#[tokio::test]
async fn steps_are_taken_in_the_order_of_the_list() {
    let bundle = with_steps(json!([agents("a"), agents("b"), agents("c")]));
    let states = Box::pin(runs(&bundle, &[("a", true), ("b", true), ("c", true)])).await;
    assert_eq!(states, ["a completed", "b completed", "c completed", "COMPLETED"]);
}

#[tokio::test]
async fn a_workflow_begins_where_it_says_and_goes_where_its_steps_say() {
    let mut bundle = with_steps(json!([
        agents("last"),
        with(agents("first"), json!({"on_success": "third"})),
        agents("never"),
        with(agents("third"), json!({"on_success": "last"})),
    ]));
    bundle["workflow"]["entry_step"] = json!("first");
    bundle["workflow"]["steps"][0]["on_success"] = json!("");
    bundle["workflow"]["steps"][0]["on_failure"] = Value::Null;
    // `last` leads to the following step in the list, which is `first` again.
    let world = World::new().await;
    let mut story = Story::of(&world, &bundle).await;
    for step in ["first", "third", "last", "first"] {
        assert_eq!(story.at().await.1, step);
        story.agent_ends("expenses", &json!({"action": "complete"})).await;
    }
}

#[tokio::test]
async fn a_failure_that_nobody_catches_is_the_workflows() {
    let bundle = with_steps(json!([agents("a"), agents("b")]));
    assert_eq!(Box::pin(runs(&bundle, &[("a", false)])).await, ["a failed", "b skipped", "FAILED"]);
}

#[tokio::test]
async fn a_step_that_catches_a_failure_is_stepped_over_otherwise_and_ends_the_workflow() {
    let bundle = with_steps(json!([
        with(agents("a"), json!({"on_failure": "undo"})),
        agents("undo"),
        agents("b"),
    ]));
    let caught = Box::pin(runs(&bundle, &[("a", false), ("undo", true)])).await;
    assert_eq!(caught, ["a failed", "undo completed", "b skipped", "COMPLETED"]);
    let well = Box::pin(runs(&bundle, &[("a", true), ("b", true)])).await;
    assert_eq!(well, ["a completed", "undo skipped", "b completed", "COMPLETED"]);
}

#[tokio::test]
async fn a_step_that_catches_a_failure_may_lead_back() {
    let bundle = with_steps(json!([
        with(agents("a"), json!({"on_failure": "mend"})),
        with(agents("mend"), json!({"on_success": "a"})),
        agents("b"),
    ]));
    let states =
        Box::pin(runs(&bundle, &[("a", false), ("mend", true), ("a", true), ("b", true)])).await;
    assert_eq!(states, ["a completed", "mend completed", "b completed", "COMPLETED"]);
}

#[tokio::test]
async fn a_circle_ends_by_itself() {
    let world = World::new().await;
    let notice = json!({"step_id": "tell", "runtime_type": "notification", "on_success": "tell"});
    let mut story = Story::of(&world, &with_steps(json!([notice]))).await;
    // A long chain goes on over several commits, so that none of them grows too large.
    for _ in 0..100 {
        story.pump.pass(std::time::Duration::from_secs(1)).await;
    }
    let intent = story.read().await;
    assert_eq!(
        (&intent["status"], &intent["error"]["code"]),
        (&json!("FAILED"), &json!("too_many_steps"))
    );
}

#[tokio::test]
async fn a_failed_step_is_tried_again_as_often_as_it_says() {
    let again = json!({"retry": {"max_retries": "1", "retry_delay_seconds": 0}});
    let bundle = with_steps(json!([with(agents("a"), again)]));
    let well = Box::pin(runs(&bundle, &[("a", false), ("a", true)])).await;
    assert_eq!(well, ["a completed", "COMPLETED"]);
    assert_eq!(
        Box::pin(runs(&bundle, &[("a", false), ("a", false)])).await,
        ["a failed", "FAILED"]
    );
}
