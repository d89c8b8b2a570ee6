//! Who sends intents, and withdraws some.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use shared::id::IntentId;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::crowd::Caller;
use super::errand::Kind;
use crate::client::Call;

/// Errands that one sender has under way at once.
const UNDER_WAY_MAX: usize = 32;
/// How long a sender thinks before it withdraws an intent, in milliseconds.
const SECOND_THOUGHT_MS: std::ops::Range<u64> = 0..3_000;

/// One sender.
#[derive(Debug)]
pub(super) struct Sender {
    pub(super) caller: Caller,
    pub(super) number: usize,
    /// The pause between two errands.
    pub(super) every: Duration,
}

impl Sender {
    /// Sends one errand after the other, and waits for none.
    pub(super) async fn run(self, sending: Arc<AtomicBool>) {
        let mut under_way = JoinSet::new();
        let mut due = Instant::now();
        let mut count = 0_u64;
        while sending.load(Ordering::SeqCst) {
            let draw = self.caller.weather.one_of(100);
            let kind = Kind::drawn(u32::try_from(draw).unwrap_or_default());
            let errand = format!("errand-{}-{count}", self.number);
            count += 1;
            under_way.spawn(send(self.caller.clone(), kind, errand));
            while under_way.len() >= UNDER_WAY_MAX {
                under_way.join_next().await;
            }
            while under_way.try_join_next().is_some() {}
            due = (due + self.every).max(Instant::now());
            sleep_until(due).await;
        }
        while under_way.join_next().await.is_some() {}
    }
}

async fn send(caller: Caller, kind: Kind, errand: String) {
    caller.journal.note().tries(&errand);
    let call = Call::post(&caller.key, kind.path(), kind.body(&errand)).under(&errand);
    let Some(answer) = caller.ask(&call).await else { return };
    let id = answer.json().get("intent_id").and_then(Value::as_str).and_then(|id| id.parse().ok());
    let Some(id): Option<IntentId> = id else {
        caller.journal.note().absurd.push(format!("{errand} was taken and has no id"));
        return;
    };
    caller.journal.note().sent(&errand, (kind, id));
    if kind == Kind::Canceled {
        sleep(caller.weather.ms(SECOND_THOUGHT_MS)).await;
        let path = format!("/v1/intents/{id}/resolve");
        let call = Call::post(&caller.key, path, json!({"status": "CANCELED"}));
        if caller.ask(&call).await.is_some() {
            caller.journal.note().told.canceled(id);
        }
    }
}
