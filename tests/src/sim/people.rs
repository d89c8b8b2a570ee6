//! Reviewers: each looks for himself, and two of them may answer one question at the same moment.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use shared::digest::Digest;
use shared::id::IntentId;

use super::errand::LEAVE;
use super::stage::{Asked, Stage};

/// Between two looks, in milliseconds.
const LOOK_MS: std::ops::Range<u64> = 300..4_000;

/// Looks and decides until people go home.
pub(super) async fn review(stage: Arc<Stage>, reviewer: usize, mut rng: Rng) {
    while !stage.is_closed() {
        tokio::time::sleep(Duration::from_millis(rng.u64(LOOK_MS))).await;
        let (_, key) = &stage.keys.reviewers[reviewer];
        let path = "/v1/me/tasks";
        let asked = Asked { method: "GET", key, path, body: None, name: None };
        let Some((200, text)) = stage.call(&mut rng, asked).await else { continue };
        let tasks: Value = serde_json::from_str(&text).expect("an answer is JSON");
        for task in tasks["tasks"].as_array().expect("a list") {
            if rng.u8(0..3) > 0 {
                tokio::spawn(decide(Arc::clone(&stage), reviewer, task.clone(), rng.fork()));
            }
        }
    }
}

/// Decides one task as it was shown, if it is not one of those that nobody answers.
async fn decide(stage: Arc<Stage>, reviewer: usize, task: Value, mut rng: Rng) {
    let is_left =
        task["human_task"]["title"].as_str().is_some_and(|title| title.starts_with(LEAVE));
    let id = task["intent_id"].as_str().and_then(|id| id.parse::<IntentId>().ok());
    let digest = task["digest"].as_str().map(|hex| Digest::try_from(hex.to_owned()));
    let (Some(id), Some(Ok(digest)), false) = (id, digest, is_left) else { return };
    tokio::time::sleep(Duration::from_millis(rng.u64(0..1_500))).await;
    let yes = if task["action"]["tool"] == "confirm_outcome" {
        // Whether something happened is no matter of taste.
        stage.shelf.has_report(task["parent_intent_id"].as_str().unwrap_or_default())
    } else {
        rng.u8(0..10) < 7
    };
    let (name, key) = &stage.keys.reviewers[reviewer];
    let body = json!({
        "decision": if yes { "approve" } else { "reject" },
        "version": task["version"],
        "digest": task["digest"],
    });
    let path = format!("/v1/approvals/{id}/decision");
    let asked = Asked { method: "POST", key, path: &path, body: Some(&body), name: None };
    let asked_at = stage.told().asks(name, &digest, stage.clock.now(0));
    if let Some((200, _)) = stage.insist(&mut rng, asked).await {
        let between = (asked_at, stage.clock.now(0));
        stage.told().decided((id, digest), (name, yes), between);
    }
}
