//! Tasks that want more than a yes: forms, evidence, and words of their own.

use serde_json::{Value, json};
use shared::intent::Status;
use tests::World;

use super::page::{Page, shows};
use crate::harness::{question, stored};

fn expenses() -> Value {
    json!({
        "title": "Fill in the costs",
        "task_type": "form",
        "form_schema": {
            "type": "object",
            "properties": {
                "amount": {"type": "integer", "minimum": 1, "title": "Amount"},
                "approved": {"type": "boolean"},
                "note": {"type": "string", "maxLength": 20},
            },
            "required": ["amount", "approved"],
        },
    })
}

async fn press(world: &World, page: &Page, outcome: &str, more: &str) -> tests::Answer {
    let form = format!("{}{more}", page.form(outcome, ""));
    page.post(world, &form, &[("cookie", &page.cookie)]).await
}

#[tokio::test]
async fn a_form_that_is_filled_in_wrongly_comes_back_as_it_was_and_the_task_stays_open() {
    let world = World::new().await;
    let id = question(&world, "agent_core", expenses()).await;
    let page = Page::open(&world, &id, "ana").await;
    let answer = press(&world, &page, "submitted", "&field.amount=0&field.note=%3Cb%3Ehi").await;
    shows(&answer, 422, "Review request");
    assert!(answer.text.contains("to correct"), "{}", answer.text);
    assert!(
        answer.text.contains("&lt;b&gt;hi") && !answer.text.contains("<b>hi"),
        "{}",
        answer.text
    );
    assert_eq!(stored(&world, &id).await.status(), Status::Waiting);

    // The same page goes on: its form and its cookie still fit.
    let answer = press(&world, &page, "submitted", "&field.amount=25").await;
    shows(&answer, 200, "Decision recorded");
    let intent = stored(&world, &id).await;
    let decision = &intent.decided().unwrap().decision;
    assert_eq!(decision.data["amount"], json!(25));
    assert_eq!(decision.data["approved"], json!(true));
}

#[tokio::test]
async fn who_says_no_fills_in_nothing() {
    let world = World::new().await;
    let id = question(&world, "agent_core", expenses()).await;
    let page = Page::open(&world, &id, "ana").await;
    shows(&press(&world, &page, "declined", "").await, 200, "Decision recorded");
    assert_eq!(stored(&world, &id).await.status(), Status::Failed);
}

#[tokio::test]
async fn evidence_is_asked_for_and_kept() {
    let world = World::new().await;
    let task = json!({"title": "Is it there?", "task_type": "validate_real_world", "evidence_required": true});
    let id = question(&world, "agent_core", task).await;
    let page = Page::open(&world, &id, "ana").await;
    shows(&press(&world, &page, "confirmed", "").await, 400, "Decision not taken");
    assert_eq!(stored(&world, &id).await.status(), Status::Waiting);
    let answer = press(&world, &page, "confirmed", "&evidence=photo+7").await;
    shows(&answer, 200, "Decision recorded");
    let intent = stored(&world, &id).await;
    assert_eq!(intent.decided().unwrap().decision.data["evidence"], json!("photo 7"));
}

#[tokio::test]
async fn a_question_is_answered_in_words() {
    let world = World::new().await;
    let task = json!({"title": "Which region?", "task_type": "clarification"});
    let id = question(&world, "agent_core", task).await;
    let page = Page::open(&world, &id, "ana").await;
    shows(&press(&world, &page, "provided", "&answer=eu-north").await, 200, "Decision recorded");
    let intent = stored(&world, &id).await;
    assert_eq!(intent.decided().unwrap().decision.data["answer"], json!("eu-north"));
}
