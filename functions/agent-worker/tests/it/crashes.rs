//! The worker dies everywhere.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use shared::intent::{Intent, Status};

use crate::gate::Death;
use crate::models::Prepared;
use crate::stage::{Stage, failure, result};

/// More requests than one intent needs in its life.
const REQUESTS_MAX: i64 = 100;

#[tokio::test]
async fn a_worker_that_dies_before_any_request_loses_nothing_and_repeats_nothing() {
    Box::pin(check_one_death(Death::BeforeSending)).await;
}

#[tokio::test]
async fn a_worker_that_dies_after_any_request_loses_nothing_and_repeats_nothing() {
    Box::pin(check_one_death(Death::AfterSending)).await;
}

async fn check_one_death(death: Death) {
    let stage = Stage::new().await;
    let (mut died, mut asked_about) = (0, 0);
    for requests in 0..REQUESTS_MAX {
        let id = stage.task().await;
        stage.gate.dies_after(requests, death);
        let (worker, fatal) = (stage.worker(), std::cell::Cell::new(false));
        let between = || fatal.set(fatal.get() || stage.gate.was_fatal());
        let intent = stage.play_with(&worker, id, between).await;
        let reports = stage.reports(id).await.len();
        assert!(reports <= 1, "{reports} reports after a death at request {requests}");
        assert_eq!(result(&intent)["published"], reports == 1, "request {requests}");
        let unsure = was_unsure(&intent);
        assert!(reports == 1 || unsure, "the approved report is missing, request {requests}");
        asked_about += u32::from(unsure);
        if !fatal.get() {
            // A full life: the last death was behind the last request.
            assert!(!unsure && reports == 1);
            assert!(died > 20, "only {died} deaths");
            assert!(asked_about > 0, "no death fell between the claim and its end");
            return;
        }
        died += 1;
    }
    panic!("the intent needs more than {REQUESTS_MAX} requests");
}

#[tokio::test]
async fn workers_that_die_again_and_again_end_the_intent_and_publish_once_at_most() {
    for death in [Death::BeforeSending, Death::AfterSending] {
        let stage = Stage::new().await;
        let mut completed = 0;
        for requests in 1..20 {
            let id = stage.task().await;
            stage.gate.dies_after(requests, death);
            let between = || {
                if stage.gate.was_fatal() {
                    stage.gate.dies_after(requests, death);
                }
            };
            let intent = stage.play_with(&stage.worker(), id, between).await;
            assert!(intent.is_ended());
            assert!(stage.reports(id).await.len() <= 1, "{death:?} at every {requests}");
            completed += u32::from(intent.status() == Status::Completed);
            // What the last life left must not reach into the next story.
            stage.gate.dies_after(i64::MAX, death);
        }
        assert!((1..19).contains(&completed), "{completed} got through");
    }
}

/// The second call has the name under which people are asked whether the first one happened.
#[tokio::test]
async fn a_call_that_takes_the_name_of_a_question_is_never_run_on_its_answer() {
    let call = |call_id: &str, tool: &str, arguments: Value| {
        let arguments = arguments.to_string();
        json!({"type": "function_call", "call_id": call_id, "name": tool, "arguments": arguments})
    };
    let report = |title: &str| json!({"title": title, "summary": "s", "audience": "company"});
    let answer = json!({"summary": "s", "insights": [], "published": false, "report_id": null});
    let text = json!({"type": "output_text", "text": answer.to_string()});
    let model = Arc::new(Prepared(vec![
        json!([call("h", "transfer_to_analyst", json!({}))]),
        json!([
            call("a", "publish_report", report("one")),
            call("a:outcome", "publish_report", report("two")),
        ]),
        Value::Null,
        json!([{"type": "message", "role": "assistant", "content": [text]}]),
    ]));
    let (stage, mut stuck) = (Stage::new().await, 0);
    for requests in 0..REQUESTS_MAX {
        let id = stage.task().await;
        stage.gate.dies_after(requests, Death::AfterSending);
        let fatal = std::cell::Cell::new(false);
        let between = || fatal.set(fatal.get() || stage.gate.was_fatal());
        let intent = stage.play_with(&stage.worker_with(model.clone()), id, between).await;
        let titles: BTreeSet<_> = stage
            .reports(id)
            .await
            .iter()
            .map(|report| report.content["title"].to_string())
            .collect();
        assert_eq!(titles.len(), stage.reports(id).await.len(), "one report came twice");
        if intent.status() == Status::Failed {
            assert_eq!(failure(&intent).0, "cannot_ask");
            stuck += 1;
        }
        if !fatal.get() {
            assert!(stuck > 0, "the names never met");
            return;
        }
    }
    panic!("the intent needs more than {REQUESTS_MAX} requests");
}

fn was_unsure(intent: &Intent) -> bool {
    intent.asks.iter().any(|ask| ask.tool == "confirm_outcome")
}
