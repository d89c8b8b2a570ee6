//! An agent that does what its intents tell it to, and keeps a journal of the tools that it ran.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use shared::id::IntentId;
use tokio::task::JoinSet;

use super::crowd::Caller;
use super::errand::{AGENT, Kind, TOOL};
use crate::client::Call;

/// Intents that one agent works on at once.
const AT_ONCE_MAX: usize = 8;
/// The pause after a stream that could not be read, or that showed nothing to do.
const PAUSE: Duration = Duration::from_millis(200);

/// One agent.
#[derive(Clone, Debug)]
pub(super) struct Agent {
    caller: Caller,
    number: usize,
    /// What it ran its tool for: on its disk, so to speak, before the tool runs.
    ran: Arc<Mutex<BTreeSet<IntentId>>>,
    /// What it works on now.
    busy: Arc<Mutex<BTreeSet<IntentId>>>,
}

impl Agent {
    pub(super) fn new(caller: Caller, number: usize) -> Self {
        Self { caller, number, ran: Arc::default(), busy: Arc::default() }
    }

    /// Reads its stream and does what is there, for ever.
    pub(super) async fn run(self) {
        let mut work = JoinSet::new();
        loop {
            for id in self.offered().await {
                if !locked(&self.busy).insert(id) {
                    continue;
                }
                let agent = self.clone();
                work.spawn(async move {
                    agent.act(id).await;
                    locked(&agent.busy).remove(&id);
                });
                while work.len() >= AT_ONCE_MAX {
                    work.join_next().await;
                }
            }
            while work.try_join_next().is_some() {}
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What is its turn, in an order of its own, so that several agents do not go in step.
    async fn offered(&self) -> Vec<IntentId> {
        let path = format!("/v1/agents/{AGENT}/intents/stream?since=0&wait_seconds=1");
        let Some(answer) = self.caller.ask(&Call::get(&self.caller.key, path)).await else {
            return Vec::new();
        };
        let frames = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
        let frames = frames.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let ids = frames.filter_map(|offer| offer.get("intent_id")?.as_str()?.parse().ok());
        let mut ids: Vec<_> = ids.collect();
        let first = self.caller.weather.one_of(ids.len());
        ids.rotate_left(first);
        ids
    }

    /// Does what is to be done next; whatever fails is shown again.
    async fn act(&self, id: IntentId) -> Option<()> {
        let read = Call::get(&self.caller.key, format!("/v1/intents/{id}"));
        let intent = self.caller.ask(&read).await?.json();
        let plan = ["/intent/payload/plan", "/intent/payload/parent_payload/plan"];
        let plan = plan.iter().find_map(|place| intent.pointer(place)?.as_str())?;
        if plan == Kind::Call.name() {
            return self.go_on(id).await;
        }
        // What is to be withdrawn waits for that, unless its sender is slow.
        if plan == Kind::Canceled.name() && self.caller.weather.one_of(4) > 0 {
            return Some(());
        }
        if self.caller.weather.one_of(3) == 0 {
            let path = format!("/v1/intents/{id}/acknowledge");
            self.caller.ask(&Call::post(&self.caller.key, path, json!({}))).await;
        }
        self.complete(id, json!({"done": id, "by": self.number})).await
    }

    async fn complete(&self, id: IntentId, result: Value) -> Option<()> {
        let mut body = result.clone();
        body.as_object_mut()?.insert("action".to_owned(), json!("complete"));
        let call = Call::post(&self.caller.key, format!("/v1/intents/{id}/resume"), body);
        self.caller.ask(&call).await?;
        self.caller.journal.note().told.completed(id, result);
        Some(())
    }

    /// Asks, or runs its tool if a person said yes, and completes.
    async fn go_on(&self, id: IntentId) -> Option<()> {
        let path = format!("/v1/intents/{id}/checkpoint");
        let stored = self.caller.ask(&Call::get(&self.caller.key, path)).await?.json();
        let Some(ask) = stored.pointer("/approvals/0") else {
            let suspend = json!({
                "checkpoint": {"format": "chaos", "version": "1", "data": id},
                "approvals": [{"call_id": "c1", "tool": TOOL, "arguments": {"id": id}}],
            });
            let path = format!("/v1/intents/{id}/suspend");
            return self.caller.ask(&Call::post(&self.caller.key, path, suspend)).await.map(drop);
        };
        if stored.pointer("/checkpoint/data") != Some(&json!(id)) {
            let absurd = format!("{id} has a run state that is not its own: {stored}");
            self.caller.journal.note().absurd.push(absurd);
        }
        if ask.get("approved") != Some(&json!(true)) {
            return self.complete(id, json!({"refused": id})).await;
        }
        self.use_tool(id, ask.get("approval_id")?.clone()).await?;
        self.complete(id, json!({"launched": id})).await
    }

    /// Runs the tool if nobody has, and says what it gave.
    async fn use_tool(&self, id: IntentId, approval_id: Value) -> Option<()> {
        let token = format!("claim-{}-of-{id}", self.number);
        let path = format!("/v1/intents/{id}/tool-calls/c1");
        let claim = json!({
            "tool": TOOL, "arguments": {"id": id},
            "approval_id": approval_id, "claim_token": token,
        });
        let claim = Call::post(&self.caller.key, format!("{path}/claim"), claim);
        let claimed = self.caller.ask(&claim).await?.json();
        if claimed.pointer("/claim/status") != Some(&json!("claimed")) {
            return Some(());
        }
        // Claimed again means that the report of the run did not arrive, and its journal says so.
        if locked(&self.ran).insert(id) {
            self.caller.journal.note().told.ran(id, "c1", &token);
        }
        let output = json!({"claim_token": token, "output": {"launched": id}});
        let report = Call::post(&self.caller.key, format!("{path}/complete"), output);
        self.caller.ask(&report).await.map(drop)
    }
}

fn locked<T>(shared: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
