//! What happens between the task and its end.

use std::sync::Arc;

use agent_worker::model::ModelError;
use serde_json::{Value, json};
use shared::dead_letter::Content;
use shared::digest::Digest;
use shared::intent::envelope::Delivery;
use shared::intent::human_task::Outcome;
use shared::intent::{EventKind, Phase, Status, Waiting};
use shared::message::Message;
use shared::retry::Again;

use crate::models::{Away, Faulty, Overtaken, Silent};
use crate::stage::{Answer, INVOCATION_S, Stage, acknowledged, failure, result};

const YES: Answer = Some((Outcome::APPROVED, None));

#[tokio::test]
async fn a_task_stops_at_one_question_and_nothing_is_published_before_the_answer() {
    let (stage, id) = asked().await;
    let intent = stage.intent(id).await;
    assert!(matches!(intent.phase, Phase::Waiting(Waiting::Children)));
    assert_eq!(intent.asks.len(), 1);
    assert_eq!(intent.asks[0].tool, "publish_report");
    assert_eq!(stage.reports(id).await, []);

    let child = stage.intent(intent.asks[0].child).await;
    let task = child.human_task().unwrap();
    assert_eq!(task.title, "Publish a report");
    assert_eq!(child.envelope.payload["arguments"]["title"], "Sales report 2026-Q1");
    let stored = stage.app.store().checkpoint("default", id).await.unwrap().unwrap();
    assert_eq!((stored.format.as_str(), stored.version.as_str()), ("holdpoint-agent", "1"));
    assert_eq!(intent.checkpoint, Some(Digest::of_bytes(stored.data.as_bytes())));
}

#[tokio::test]
async fn an_approved_report_is_published_once_and_the_intent_completes() {
    let (stage, id) = asked().await;
    stage.answer_only(id, YES).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    let intent = stage.intent(id).await;
    let reports = stage.reports(id).await;
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].content["title"], "Sales report 2026-Q1");
    assert_eq!(result(&intent)["published"], true);
    assert_eq!(result(&intent)["report_id"], reports[0].report_id.as_str());
}

#[tokio::test]
async fn a_refused_report_is_not_published_and_the_answer_says_why() {
    check_not_published(Some((Outcome::REJECTED, Some("check South"))), "\"check South\".").await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_in_time_leaves_the_agent_time_to_say_so() {
    check_not_published(None, "no reviewer answered in time.").await;
}

async fn check_not_published(answer: Answer, end: &str) {
    let (stage, id) = asked().await;
    stage.answer_only(id, answer).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    let intent = stage.intent(id).await;
    assert_eq!(result(&intent)["published"], false);
    assert_eq!(result(&intent)["report_id"], Value::Null);
    let summary = result(&intent)["summary"].as_str().unwrap();
    assert!(summary.ends_with(end), "{summary}");
    assert_eq!(stage.reports(id).await, []);
}

#[tokio::test]
async fn an_approval_that_is_used_too_late_does_not_count() {
    let (stage, id) = asked().await;
    stage.answer_only(id, YES).await;
    stage.pass(25 * 3_600);
    assert!(stage.deliver(&stage.worker(), id).await);
    assert_eq!(result(&stage.intent(id).await)["published"], false);
    assert_eq!(stage.reports(id).await, []);
}

#[tokio::test]
async fn a_message_that_comes_again_changes_nothing() {
    let (stage, id) = asked().await;
    let waiting = stage.intent(id).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    assert_eq!(stage.intent(id).await, waiting);

    stage.answer_only(id, YES).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    let ended = stage.intent(id).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    assert_eq!(stage.intent(id).await, ended);
    assert_eq!(stage.reports(id).await.len(), 1);
}

#[tokio::test]
async fn of_two_workers_with_one_message_one_works() {
    let stage = Stage::new().await;
    let id = stage.task().await;
    let error = ModelError::Unavailable("never".to_owned());
    let model = Arc::new(Faulty::at(0, error));
    let (one, two) = (stage.worker_with(model.clone()), stage.worker_with(model.clone()));
    let both = tokio::join!(stage.deliver(&one, id), stage.deliver(&two, id));
    assert_eq!(both, (true, true));
    let intent = stage.intent(id).await;
    assert_eq!((intent.fence, intent.asks.len(), model.requests()), (1, 1, 3));

    stage.answer_only(id, YES).await;
    let both = tokio::join!(stage.deliver(&one, id), stage.deliver(&two, id));
    assert_eq!(both, (true, true));
    assert_eq!(stage.reports(id).await.len(), 1);
    assert_eq!(stage.intent(id).await.status(), Status::Completed);
}

#[tokio::test]
async fn a_dead_workers_lease_is_respected_until_it_ends() {
    let (stage, id) = asked().await;
    stage.answer_only(id, YES).await;
    stage.gate.dies_after(5, crate::gate::Death::AfterSending);
    assert!(!stage.deliver(&stage.worker(), id).await);
    assert!(stage.gate.was_fatal());
    let leased = stage.intent(id).await;
    assert!(stage.deliver(&stage.worker(), id).await, "the lease is respected");
    assert_eq!(stage.intent(id).await, leased);
}

#[tokio::test]
async fn a_worker_that_is_overtaken_stores_nothing_more() {
    let stage = Arc::new(Stage::new().await);
    let id = stage.task().await;
    let slow = stage.worker_with(Arc::new(Overtaken::by(Arc::clone(&stage), id)));
    assert!(stage.deliver(&slow, id).await);
    let intent = stage.intent(id).await;
    assert_eq!((intent.fence, intent.asks.len()), (2, 1));
    let commits = stage.app.store().history("default", id, 0).await.unwrap().commits;
    let steps = commits
        .iter()
        .flat_map(|commit| &commit.records)
        .filter(|record| matches!(record.event.kind, EventKind::Stepped { .. }));
    assert_eq!(steps.count(), 4, "a step of the first worker is among them");
}

#[tokio::test]
async fn a_turn_that_runs_out_of_time_goes_on_in_the_next_invocation() {
    let stage = Stage::new().await;
    let (id, worker) = (stage.task().await, stage.worker());
    let mut invocations = 0;
    while !matches!(stage.intent(id).await.phase, Phase::Waiting(Waiting::Children)) {
        assert!(stage.deliver_within(&worker, id, 10).await);
        stage.wake(id).await;
        invocations += 1;
        assert!(invocations < 10, "it gets nowhere");
    }
    assert!(invocations > 1, "one invocation was long enough");
    assert_eq!(stage.intent(id).await.delivery_attempt, 1, "an attempt was used up");
    assert_eq!(stage.reports(id).await, []);
}

#[tokio::test]
async fn a_model_that_does_not_answer_now_is_asked_again_later() {
    for request in 1..=4 {
        let stage = Stage::new().await;
        let id = stage.task().await;
        let error = ModelError::Unavailable("status 503".to_owned());
        let worker = stage.worker_with(Arc::new(Faulty::at(request, error)));
        let intent = stage.play(&worker, id).await;
        assert_eq!(result(&intent)["published"], true, "request {request}");
        assert_eq!(stage.reports(id).await.len(), 1, "request {request}");
    }
}

#[tokio::test]
async fn a_model_that_is_away_for_hours_is_waited_for_without_using_up_an_attempt() {
    let stage = Stage::new().await;
    let id = stage.task().await;
    let away = stage.worker_with(Arc::new(Away));
    let mut pauses_s = vec![];
    for _ in 0..40 {
        assert!(stage.deliver(&away, id).await, "the message is done with");
        let intent = stage.intent(id).await;
        let Phase::Waiting(Waiting::Time { until }) = intent.phase else {
            panic!("it does not wait: {:?}", intent.phase)
        };
        assert_eq!(intent.delivery_attempt, 1);
        let wait_s = until.as_second() - stage.app.now().as_second();
        pauses_s.push(wait_s);
        stage.pass(wait_s + 1);
        stage.wake(id).await;
    }
    assert!(pauses_s.is_sorted(), "{pauses_s:?}");
    assert_eq!(
        (pauses_s.first(), pauses_s.last().map(|last| *last > 100)),
        (Some(&15), Some(true))
    );
    let intent = stage.play(&stage.worker(), id).await;
    assert_eq!(result(&intent)["published"], true);
    assert_eq!(stage.reports(id).await.len(), 1);
}

#[tokio::test]
async fn a_model_that_is_silent_is_not_waited_for_beyond_the_invocation() {
    let stage = Stage::new().await;
    let id = stage.task().await;
    assert!(stage.deliver_within(&stage.worker_with(Arc::new(Silent)), id, 0).await);
    let intent = stage.intent(id).await;
    assert!(matches!(intent.phase, Phase::Waiting(Waiting::Time { .. })), "{:?}", intent.phase);
}

#[tokio::test]
async fn a_model_that_refuses_the_request_ends_the_run() {
    for request in 1..=4 {
        let stage = Stage::new().await;
        let id = stage.task().await;
        let error = ModelError::Refused("status 401".to_owned());
        let worker = stage.worker_with(Arc::new(Faulty::at(request, error)));
        let intent = stage.play(&worker, id).await;
        let (code, reason) = failure(&intent);
        assert_eq!(code, "model_unavailable");
        assert!(reason.ends_with("status 401"), "{reason}");
    }
}

#[tokio::test]
async fn a_task_without_text_fails_before_the_model_is_asked() {
    let stage = Stage::new().await;
    let id = stage.send(Delivery::Worker, json!({"department": "Sales"})).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    let intent = stage.intent(id).await;
    assert_eq!(failure(&intent).0, "guardrail");
    let stored = stage.app.store().checkpoint("default", id).await.unwrap();
    assert!(stored.is_some_and(|run| run.data.contains("\"failed\"")), "the end is stored too");
}

#[tokio::test]
async fn an_agent_that_takes_its_own_turns_is_left_alone() {
    let stage = Stage::new().await;
    let id = stage.send(Delivery::Stream, json!({"task": "Analyze Q1"})).await;
    let before = stage.intent(id).await;
    assert!(stage.deliver(&stage.worker(), id).await);
    assert_eq!(stage.intent(id).await, before);
}

#[tokio::test]
async fn a_message_that_is_no_turn_of_this_deployment_is_buried() {
    let stage = Stage::new().await;
    let id = stage.task().await;
    let until = stage.app.now();
    let worker = stage.worker();
    let foreign = Message::Turn { tenant: "other".to_owned(), intent: id };
    let recover = Message::Recover { tenant: "default".to_owned(), intent: id };
    let buried = async || stage.app.store().dead_letters("default", None, 10).await.unwrap();
    for message in [&foreign, &recover] {
        assert!(acknowledged(&worker, message, until).await);
        let letters = buried().await;
        assert!(letters.iter().any(|letter| letter.content == Content::Message(message.clone())));
        assert!(letters.iter().all(|letter| letter.reason.again() == Again::Never), "{letters:?}");
    }
    assert_eq!(stage.intent(id).await.fence, 0);
}

#[tokio::test]
async fn history_says_what_each_step_did_and_no_word_of_the_model() {
    let (stage, id) = asked().await;
    stage.answer_only(id, YES).await;
    assert!(stage.deliver_within(&stage.worker(), id, INVOCATION_S).await);
    let commits = stage.app.store().history("default", id, 0).await.unwrap().commits;
    let events = commits.into_iter().flat_map(|commit| commit.records);
    let notes: Vec<_> = events
        .filter_map(|record| {
            let EventKind::Stepped { note, .. } = record.event.kind else { return None };
            Some(note)
        })
        .collect();
    assert_eq!(
        notes,
        [
            "asked the model (turn 1), handed over to analyst",
            "asked the model (turn 2)",
            "ran sales_figures",
            "asked the model (turn 3)",
            "ran publish_report",
            "asked the model (turn 4)",
        ]
    );
}

async fn asked() -> (Stage, shared::id::IntentId) {
    let stage = Stage::new().await;
    let id = stage.task().await;
    assert!(stage.deliver(&stage.worker(), id).await);
    (stage, id)
}
