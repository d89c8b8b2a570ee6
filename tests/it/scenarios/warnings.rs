//! What is taken, although it may not be what was meant.

use serde_json::{Value, json};
use tests::World;

use super::{agents, apply, bundle, findings, persons, with, with_steps};

async fn check(bundle: &Value, expected: &[&str]) {
    let world = World::new().await;
    let (faults, warnings) = findings(&world, bundle).await;
    assert!(faults.is_empty(), "{faults:?}");
    let fits = |(found, begins): (&String, &&str)| found.starts_with(begins);
    let all = warnings.len() == expected.len() && warnings.iter().zip(expected).all(fits);
    assert!(all, "{warnings:#?}");
    assert_eq!(apply(&world, bundle).await["warnings"], json!(warnings));
}

#[tokio::test]
async fn a_plain_bundle_gives_no_reason_to_warn() {
    check(&bundle(), &[]).await;
}

#[tokio::test]
async fn validating_changes_nothing() {
    let world = World::new().await;
    let before = world.table.items().await;
    findings(&world, &bundle()).await;
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_question_without_a_title_is_named_after_its_step() {
    let untitled = json!({"step_id": "p", "tool_id": "tool.human.approval.v1"});
    let bundle = with_steps(json!([untitled]));
    check(
        &bundle,
        &["workflow.steps.p.human_task.title: is missing; reviewers read `Sign off on p`"],
    )
    .await;
}

#[tokio::test]
async fn reminders_that_say_too_little_are_filled_in_aloud() {
    let after = with(persons("p"), json!({"remind_after_seconds": "60"}));
    check(
        &with_steps(json!([after])),
        &["workflow.steps.p.remind_interval_seconds: is missing; reminders come every 60 seconds"],
    )
    .await;
    let never = with(persons("p"), json!({"max_reminders": 2}));
    check(
        &with_steps(json!([never])),
        &["workflow.steps.p.remind_after_seconds: is missing, so nobody is reminded"],
    )
    .await;
    let once = with(persons("p"), json!({"remind_after_seconds": 60, "max_reminders": 1}));
    check(&with_steps(json!([once])), &[]).await;
    let mut of_intent = bundle();
    of_intent["intent"]["remind_after_seconds"] = json!(30);
    check(&of_intent, &["intent.remind_interval_seconds: is missing"]).await;
}

#[tokio::test]
async fn steps_that_lead_in_a_circle_or_nowhere_are_doubted() {
    let circle = json!([
        with(agents("a"), json!({"on_failure": "b"})),
        with(agents("b"), json!({"on_success": "a"})),
    ]);
    check(&with_steps(circle), &["workflow.steps.a: leads back to itself"]).await;
    let lost = json!([with(agents("a"), json!({"on_success": "c"})), agents("b"), agents("c")]);
    check(&with_steps(lost), &["workflow.steps.b: is never reached"]).await;
}

#[tokio::test]
async fn what_nobody_does_is_done_at_once_only_where_there_is_no_agent() {
    let mut alone = with_steps(json!([
        {"step_id": "window", "tool_id": "tool.approval.check_window"},
        persons("p"),
    ]));
    alone["agents"] = json!([]);
    check(
        &alone,
        &["workflow.steps.window.assigned_to: names nobody, and the bundle has no agents"],
    )
    .await;
}

#[tokio::test]
async fn other_things_that_are_taken_with_a_doubt() {
    let untooled = json!([{"step_id": "a", "assigned_to": "processor"}]);
    check(&with_steps(untooled), &["workflow.steps.a.tool_id: is missing, as is runtime_type"])
        .await;
    let to_agent = with(persons("p"), json!({"assigned_to": "processor"}));
    check(&with_steps(json!([to_agent])), &["workflow.steps.p.assigned_to: names an agent, and"])
        .await;
    let told = with(persons("p"), json!({"input": {"n": 1}}));
    check(&with_steps(json!([told])), &["workflow.steps.p.input: is not shown to a person"]).await;
    let mut channel = bundle();
    channel["humans"][0]["contact"] = json!("#finance");
    check(&channel, &["humans.manager.contact: is neither a reviewer's name nor"]).await;
    let mut by_macro = bundle();
    by_macro["workflow"]["macro_id"] = json!("m");
    check(&by_macro, &["workflow.macro_id: is ignored"]).await;
    let role = json!({"title": "t", "assignees": ["manager"]});
    let by_role = with(persons("p"), json!({"human_task": role}));
    check(
        &with_steps(json!([by_role])),
        &["workflow.steps.p.human_task.assignees: names the role"],
    )
    .await;
}
