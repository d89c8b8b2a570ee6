//! Who sends intents, withdraws some, and publishes events.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::json;
use shared::id::IntentId;

use super::errand::Errand;
use super::stage::{Asked, Stage};
use crate::check::{Rule, Violation};

/// Sends one errand, and says so under one name until it is answered or the sender gives up.
pub(super) async fn send(stage: Arc<Stage>, errand: Errand, mut rng: Rng) {
    tokio::time::sleep(errand.after).await;
    stage.told().tries(&errand.name);
    let body = errand.body();
    let asked = Asked {
        method: "POST",
        key: &stage.keys.sender,
        path: errand.path(),
        body: Some(&body),
        name: Some(&errand.name),
    };
    let Some((status, answer)) = stage.insist(&mut rng, asked).await else { return };
    // The request took longer than its intent may live.
    if status == 410 && answer["error"]["code"] == "deadline_passed" {
        return;
    }
    let id = answer["intent_id"].as_str().and_then(|id| id.parse::<IntentId>().ok());
    let Some(id) = id.filter(|_| status == 200) else {
        let detail = format!("was answered with {status}: {answer}");
        return stage.violations().push(Violation::new(Rule::Answer, &errand.name, detail));
    };
    stage.told().sent(&errand.name, id);
    if let Some(after) = errand.canceled_after {
        tokio::time::sleep(after).await;
        cancel(&stage, id, &mut rng).await;
    }
}

async fn cancel(stage: &Stage, id: IntentId, rng: &mut Rng) {
    let body = json!({"status": "CANCELED", "reason": "it is not needed any more"});
    let path = format!("/v1/intents/{id}/resolve");
    let key = if rng.bool() { &stage.keys.admin } else { &stage.keys.sender };
    let asked = Asked { method: "POST", key, path: &path, body: Some(&body), name: None };
    if let Some((200, _)) = stage.insist(rng, asked).await {
        stage.told().canceled(id);
    }
}

/// Publishes one event of the sender's.
pub(super) async fn publish(stage: Arc<Stage>, (number, after): (usize, Duration), mut rng: Rng) {
    tokio::time::sleep(after).await;
    let name = format!("event-{number}");
    let body = json!({"event_type": "sim.happened", "source": "sim", "payload": {"name": name}});
    let asked = Asked {
        method: "POST",
        key: &stage.keys.sender,
        path: "/v1/webhooks/events",
        body: Some(&body),
        name: Some(&name),
    };
    let Some((200, answer)) = stage.insist(&mut rng, asked).await else { return };
    stage.told().published(answer["event_id"].as_str().unwrap_or_default(), &name);
}
