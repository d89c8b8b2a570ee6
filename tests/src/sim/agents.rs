//! Agents of their own, which take what they do from their stream, or have it posted. Two run at a time,
//! as if one had been started before the other had died, and each remembers only what it has done itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use shared::id::IntentId;

use super::errand::{AGENT, LEAVE, Shape};
use super::stage::{Asked, Stage};

/// The tool that agents ask about.
const TOOL: &str = "launch";
/// Between two looks, in milliseconds.
const LOOK_MS: std::ops::Range<u64> = 100..3_000;

/// One agent's process.
#[derive(Clone)]
pub(super) struct Agent {
    stage: Arc<Stage>,
    number: usize,
    busy: Arc<Mutex<BTreeSet<IntentId>>>,
    /// Claims under which its tool has run.
    ran: Arc<Mutex<BTreeSet<String>>>,
}

impl Agent {
    pub(super) fn new(stage: Arc<Stage>, number: usize) -> Self {
        Self { stage, number, busy: Arc::default(), ran: Arc::default() }
    }

    /// Listens and works until agents go home.
    pub(super) async fn work(self, mut rng: Rng) {
        let mut since = 0;
        while !self.stage.is_closed() {
            let path = format!("/v1/agents/{AGENT}/intents/stream?since={since}&wait_seconds=1");
            let asked = Asked { path: &path, ..self.get() };
            if let Some((200, text)) = self.stage.call(&mut rng, asked).await {
                let frames = text.lines().filter_map(|line| line.strip_prefix("data: "));
                let offers: Vec<Value> =
                    frames.filter_map(|data| serde_json::from_str(data).ok()).collect();
                for offer in offers {
                    since = offer["seq"].as_u64().map_or(since, |seq| seq.max(since));
                    self.take(&offer, &mut rng);
                }
            }
            if rng.u8(0..4) == 0 {
                // It was started anew, and knows no place.
                since = 0;
            }
            tokio::time::sleep(Duration::from_millis(rng.u64(LOOK_MS))).await;
        }
    }

    /// Does what is posted until agents go home.
    pub(super) async fn answer(self, mut rng: Rng) {
        loop {
            let id = self.stage.outside.next_turn().await;
            if self.stage.is_closed() {
                return;
            }
            let (agent, mut rng) = (self.clone(), rng.fork());
            tokio::spawn(async move {
                // The turn before may not have come to its end.
                while !agent.busy().insert(id) {
                    tokio::time::sleep(Duration::from_millis(rng.u64(LOOK_MS))).await;
                }
                agent.turn(id, &mut rng).await;
                agent.busy().remove(&id);
            });
        }
    }

    fn busy(&self) -> MutexGuard<'_, BTreeSet<IntentId>> {
        self.busy.lock().expect("nobody panics with it")
    }

    fn take(&self, offer: &Value, rng: &mut Rng) {
        let id = offer["intent_id"].as_str().and_then(|id| id.parse::<IntentId>().ok());
        let Some(id) = id else { return };
        if self.busy().insert(id) {
            let (agent, mut rng) = (self.clone(), rng.fork());
            tokio::spawn(async move {
                agent.turn(id, &mut rng).await;
                agent.busy().remove(&id);
            });
        }
    }

    async fn turn(&self, id: IntentId, rng: &mut Rng) -> Option<()> {
        let path = format!("/v1/intents/{id}");
        let (200, read) = self.stage.insist(rng, Asked { path: &path, ..self.get() }).await? else {
            return None;
        };
        let payload = &read["intent"]["payload"];
        let is_step = payload.get("parent_payload").is_some();
        let shape = payload["shape"].as_str().unwrap_or_default();
        if !is_step && shape == Shape::Neglected.name() {
            return None;
        }
        if rng.u8(0..3) == 0 {
            self.post(&format!("/v1/intents/{id}/acknowledge"), &json!({}), rng).await;
        }
        let asks = shape == Shape::Asking.name()
            || (shape == Shape::Pushed.name() && payload["calls"].as_u64() > Some(1));
        if !is_step && asks {
            return self.ask_and_run(id, payload, rng).await;
        }
        self.complete(id, rng).await
    }

    /// Asks about its calls, or runs those that were allowed and completes.
    async fn ask_and_run(&self, id: IntentId, payload: &Value, rng: &mut Rng) -> Option<()> {
        let path = format!("/v1/intents/{id}/checkpoint");
        let (200, stored) = self.stage.insist(rng, Asked { path: &path, ..self.get() }).await?
        else {
            return None;
        };
        let asks = stored["approvals"].as_array().cloned().unwrap_or_default();
        if asks.is_empty() {
            let title = if payload["left"] == true { LEAVE } else { "Launch?" };
            let ask = |call: u64| {
                json!({
                    "call_id": format!("c{call}"), "tool": TOOL, "title": title,
                    "arguments": {"id": id, "call": call},
                })
            };
            let calls: Vec<_> = (0..payload["calls"].as_u64().unwrap_or(1)).map(ask).collect();
            let suspend = json!({
                "checkpoint": {"format": "sim", "version": "1", "data": id},
                "approvals": calls,
            });
            self.post(&format!("/v1/intents/{id}/suspend"), &suspend, rng).await?;
            return Some(());
        }
        for (call, ask) in asks.iter().enumerate().filter(|(_, ask)| ask["approved"] == true) {
            self.run(id, call, ask, rng).await?;
        }
        self.complete(id, rng).await
    }

    /// Claims one call, runs it if the claim is given, and says what came of it.
    async fn run(&self, id: IntentId, call: usize, ask: &Value, rng: &mut Rng) -> Option<()> {
        let call_id = ask["call_id"].as_str()?;
        let token = format!("claim-{}-{id}-{call_id}", self.number);
        let claim = json!({
            "tool": TOOL, "arguments": {"id": id, "call": call},
            "approval_id": ask["approval_id"], "claim_token": token,
        });
        let path = format!("/v1/intents/{id}/tool-calls/{call_id}");
        let (status, claimed) = self.post(&format!("{path}/claim"), &claim, rng).await?;
        if status == 409 {
            // The other one has it, or has died with it. It is never run again.
            return (claimed["error"]["code"] == "tool_call_outcome_unknown").then_some(());
        }
        if status == 200 && claimed["claim"]["status"] == "claimed" {
            let is_new = self.ran.lock().expect("nobody panics with it").insert(token.clone());
            if is_new {
                self.stage.told().ran(id, call_id, &token);
            }
            let output = json!({"claim_token": token, "output": {"launched": call}});
            self.post(&format!("{path}/complete"), &output, rng).await?;
        }
        Some(())
    }

    async fn complete(&self, id: IntentId, rng: &mut Rng) -> Option<()> {
        let result = json!({"insights": [id], "by": self.number});
        let mut body = result.clone();
        body["action"] = json!("complete");
        let (status, _) = self.post(&format!("/v1/intents/{id}/resume"), &body, rng).await?;
        if status == 200 {
            self.stage.told().completed(id, result);
        }
        Some(())
    }

    async fn post(&self, path: &str, body: &Value, rng: &mut Rng) -> Option<(u16, Value)> {
        let asked = Asked { method: "POST", path, body: Some(body), ..self.get() };
        self.stage.insist(rng, asked).await
    }

    fn get(&self) -> Asked<'_> {
        Asked { method: "GET", key: &self.stage.keys.agent, path: "", body: None, name: None }
    }
}
