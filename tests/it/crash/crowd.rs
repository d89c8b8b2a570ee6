//! Intents of every kind, with the people and agents that bring them to their ends.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::history::History;
use crate::api::Api;

/// Who takes what Holdpoint's own worker does not.
const AGENT: &str = "crowd-agent";
/// An address that leads there through a person's sign-off.
const GATE: &str = "crowd-gate";
/// The address of the built-in agent.
const WORKER: &str = "openai-agent-demo";
/// The tool of the agent that suspends itself.
const TOOL: &str = "launch";
/// How long a chat with the stack may be fruitless before the test gives up.
const END_MAX: Duration = Duration::from_secs(150);

/// What kind of intent it is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Kind {
    /// The built-in agent runs it and asks before it publishes.
    Worker,
    /// An agent of its own takes it from its stream and completes it.
    Stream,
    /// The same, with a sign-off on the result.
    Gated,
    /// Nothing but a question to a person.
    Question,
    /// An agent of its own asks for approval in the middle of its work.
    Suspending,
}

/// One intent.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) id: String,
    pub(super) kind: Kind,
    /// What the reviewer thinks of it.
    pub(super) approved: bool,
}

/// All of them, and what is known of them.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    pub(super) members: Vec<Member>,
    pub(super) history: History,
    /// Approvals that agents asked for, each an intent itself.
    children: BTreeSet<String>,
    /// The suspending agent's own journal: intents for which its tool ran.
    pub(super) launched: BTreeSet<String>,
    /// Calls whose outcome a crash left unknown, by intent: what the reviewer found.
    pub(super) confirmed: BTreeMap<String, bool>,
}

impl Kind {
    /// What is sent.
    pub(super) fn body(self) -> Value {
        let to = |agent: &str| format!("agent://{agent}");
        let task = json!({"task": "Analyze Q1 sales data and generate insights"});
        // A worker that is killed uses up an attempt; these tests kill it more often than the
        // default allows.
        match self {
            Self::Worker => json!({
                "intent_type": "t.v1", "to_agent": to(WORKER), "payload": task,
                "max_delivery_attempts": 50,
            }),
            Self::Stream | Self::Suspending => {
                json!({"intent_type": "t.v1", "to_agent": to(AGENT), "payload": task})
            }
            Self::Gated => json!({"intent_type": "t.v1", "to_agent": to(GATE), "payload": task}),
            Self::Question => json!({
                "intent_type": "t.v1", "to_agent": to("agent_core"),
                "human_task": {"title": "May it?"},
            }),
        }
    }
}

/// Registers who takes part.
pub(super) async fn register(api: &Api) {
    api.put(&format!("/v1/routes/{WORKER}"), &json!({"delivery_mode": "worker"})).await;
    api.put(&format!("/v1/routes/{AGENT}"), &json!({"delivery_mode": "stream"})).await;
    let gate = json!({"to": AGENT, "human_task": {"title": "Sign off"}});
    api.put(&format!("/v1/routes/{GATE}"), &gate).await;
}

impl Crowd {
    /// Sends `count` intents of one kind.
    pub(super) async fn send(&mut self, api: &Api, kind: Kind, count: usize, approved: bool) {
        self.send_as(api, &kind.body(), kind, count, approved).await;
    }

    /// Sends `count` intents with a body of their own.
    pub(super) async fn send_as(
        &mut self,
        api: &Api,
        body: &Value,
        kind: Kind,
        count: usize,
        approved: bool,
    ) {
        for _ in 0..count {
            let id = api.create(body).await;
            self.members.push(Member { id, kind, approved });
        }
    }

    /// Reads every intent's events, as far as the stack answers.
    pub(super) async fn look(&mut self, api: &Api) {
        let ids: Vec<_> = self.members.iter().map(|member| member.id.clone()).collect();
        for id in ids.iter().chain(&self.children.clone()) {
            if self.history.end_of(id).is_none() {
                self.look_at(api, id).await;
            }
        }
    }

    /// Reads everything once more, what has ended included: it must still be as it was.
    pub(super) async fn look_at_all(&mut self, api: &Api) {
        let known: Vec<_> = self.history.intents().map(str::to_owned).collect();
        for id in known {
            self.look_at(api, &id).await;
        }
    }

    /// Members, by a property of theirs.
    pub(super) fn ids(&self, wanted: impl Fn(&Member) -> bool) -> Vec<String> {
        let wanted = self.members.iter().filter(|member| wanted(member));
        wanted.map(|member| member.id.clone()).collect()
    }

    /// Lets reviewers and agents act until every intent has ended, whatever fails meanwhile.
    pub(super) async fn drive(&mut self, api: &Api) {
        let end = Instant::now() + END_MAX;
        loop {
            self.review(api).await;
            self.act(api).await;
            self.look(api).await;
            let open: Vec<_> = self
                .members
                .iter()
                .filter(|member| self.history.end_of(&member.id).is_none())
                .collect();
            if open.is_empty() {
                return;
            }
            assert!(Instant::now() < end, "not ended within {END_MAX:?}: {open:?}");
        }
    }

    /// One look at what waits for the reviewer, and the decisions.
    pub(super) async fn review(&mut self, api: &Api) {
        let Some(tasks) = self.ask(api, "/v1/me/tasks", &api.connection.reviewer_key).await else {
            return;
        };
        for task in tasks["tasks"].as_array().expect("a list") {
            if let Some(yes) = self.opinion(api, task).await {
                // A refusal means that it was decided, or ended, in between.
                api.decide(task, if yes { "approve" } else { "reject" }).await;
            }
        }
    }

    /// What the reviewer thinks of a task; nothing of strangers' tasks.
    async fn opinion(&mut self, api: &Api, task: &Value) -> Option<bool> {
        let id = task["intent_id"].as_str().expect("an id");
        let owner = task["parent_intent_id"].as_str().unwrap_or(id).to_owned();
        let member = self.members.iter().find(|member| member.id == owner)?.clone();
        if id != owner {
            self.children.insert(id.to_owned());
        }
        if task["action"]["tool"] != "confirm_outcome" {
            return Some(member.approved);
        }
        // The reviewer says what is true: whether the report is among the published ones.
        let happened = super::reports(api).await?.contains(&owner);
        self.confirmed.insert(owner, happened);
        Some(happened)
    }

    /// One look at the agent's stream, and the agent's work.
    pub(super) async fn act(&mut self, api: &Api) {
        let path = format!("/v1/agents/{AGENT}/intents/stream?since=0&wait_seconds=1");
        let key = &api.connection.agent_key;
        let Some((200, text)) = api.send(Method::GET, key, &path, None).await else { return };
        let frames = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let offers = frames.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let offered: Vec<_> =
            offers.filter_map(|offer| Some(offer["intent_id"].as_str()?.to_owned())).collect();
        for id in offered {
            let member = self.members.iter().find(|member| member.id == id).cloned();
            match member.map(|member| member.kind) {
                Some(Kind::Stream | Kind::Gated) => self.complete(api, &id).await,
                Some(Kind::Suspending) => self.go_on(api, &id).await,
                Some(Kind::Worker | Kind::Question) | None => {}
            }
        }
    }

    async fn complete(&self, api: &Api, id: &str) {
        let result = json!({"action": "complete", "insights": [id]});
        self.tell(api, &format!("/v1/intents/{id}/resume"), &result).await;
    }

    /// The agent that asks for approval: it asks, or it launches and completes.
    async fn go_on(&mut self, api: &Api, id: &str) {
        let path = format!("/v1/intents/{id}/checkpoint");
        let Some(stored) = self.ask(api, &path, &api.connection.agent_key).await else { return };
        let Some(ask) = stored["approvals"].as_array().and_then(|asks| asks.first()) else {
            let suspend = json!({
                "checkpoint": {"format": "crowd", "version": "1", "data": id},
                "approvals": [{"call_id": "c1", "tool": TOOL, "arguments": {"id": id}}],
            });
            self.tell(api, &format!("/v1/intents/{id}/suspend"), &suspend).await;
            return;
        };
        assert_eq!(stored["checkpoint"]["data"], id, "the run state is another one's");
        if ask["approved"] != true {
            return self.complete(api, id).await;
        }
        let token = format!("claim-of-{id}");
        let claim = json!({
            "tool": TOOL, "arguments": {"id": id},
            "approval_id": ask["approval_id"], "claim_token": token,
        });
        let path = format!("/v1/intents/{id}/tool-calls/c1");
        let claimed = self.tell(api, &format!("{path}/claim"), &claim).await;
        let Some(claimed) = claimed else { return };
        if claimed["claim"]["status"] == "claimed" {
            // Claimed again means that the report of the run did not arrive.
            self.launched.insert(id.to_owned());
            let output = json!({"claim_token": token, "output": {"launched": id}});
            if self.tell(api, &format!("{path}/complete"), &output).await.is_none() {
                return;
            }
        }
        self.complete(api, id).await;
    }

    async fn look_at(&mut self, api: &Api, id: &str) {
        let path = format!("/v1/intents/{id}/events");
        if let Some(read) = self.ask(api, &path, &api.connection.agent_key).await {
            self.history.observe(id, read["events"].as_array().expect("a list"));
        }
    }

    async fn ask(&self, api: &Api, path: &str, key: &str) -> Option<Value> {
        let (status, text) = api.send(Method::GET, key, path, None).await?;
        (status == 200).then(|| serde_json::from_str(&text).expect("the answer is JSON"))
    }

    async fn tell(&self, api: &Api, path: &str, body: &Value) -> Option<Value> {
        let key = &api.connection.agent_key;
        let (status, text) = api.send(Method::POST, key, path, Some(body)).await?;
        (status == 200).then(|| serde_json::from_str(&text).expect("the answer is JSON"))
    }
}
