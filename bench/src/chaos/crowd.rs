//! Everybody who talks to the stack: senders, agents and reviewers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use shared::principal::Role;
use tokio::task::JoinSet;

use super::agent::Agent;
use super::errand::{AGENT, GATE, WORKER};
use super::reviewer::Reviewer;
use super::sender::Sender;
use super::told::Journal;
use super::weather::Weather;
use crate::Failure;
use crate::client::{Answer, Call, Client};
use crate::stage::Stage;

/// How many there are of each.
const SENDERS: usize = 4;
const AGENTS: usize = 3;
const REVIEWERS: usize = 3;

/// A caller: one key, and what it writes down.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client: Client,
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) journal: Journal,
    pub(super) weather: Weather,
}

/// Everybody, at work until this is dropped.
#[derive(Debug)]
pub(super) struct Crowd {
    /// Whether senders still send.
    sending: Arc<AtomicBool>,
    _at_work: JoinSet<()>,
}

impl Caller {
    /// Asks until the answer will not change by asking again; 2xx answers only.
    pub(super) async fn ask(&self, call: &Call<'_>) -> Option<Answer> {
        let answer = self.client.ask(call).await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        *self.journal.note().statuses.entry(status).or_default() += 1;
        answer.filter(Answer::is_success)
    }
}

impl Crowd {
    /// Registers everybody and lets them begin; senders send this many intents a second together.
    pub(super) async fn gather(
        stage: &Stage,
        journal: &Journal,
        weather: &Weather,
        per_second: f64,
    ) -> Result<Self, Failure> {
        stage.route(WORKER, json!({"delivery_mode": "worker"})).await?;
        stage.route(AGENT, json!({"delivery_mode": "stream"})).await?;
        stage.route(GATE, json!({"to": AGENT, "human_task": {"title": "Sign off"}})).await?;
        let sending = Arc::new(AtomicBool::new(true));
        let mut at_work = JoinSet::new();
        let caller = async |role: Role, name: String| {
            Ok::<_, Failure>(Caller {
                client: stage.client()?,
                key: stage.key(role, &name).await?.into(),
                name: name.into(),
                journal: journal.clone(),
                weather: weather.clone(),
            })
        };
        let agent = caller(Role::Agent, "chaos-agent".to_owned()).await?;
        let senders = u32::try_from(SENDERS).unwrap_or(u32::MAX);
        let every = Duration::from_secs(1).mul_f64(f64::from(senders) / per_second);
        for number in 0..SENDERS {
            let sender = Sender { caller: agent.clone(), number, every };
            at_work.spawn(sender.run(Arc::clone(&sending)));
        }
        for number in 0..AGENTS {
            at_work.spawn(Agent::new(agent.clone(), number).run());
        }
        for number in 0..REVIEWERS {
            let reviewer = caller(Role::Reviewer, format!("reviewer-{number}")).await?;
            at_work.spawn(Reviewer::new(reviewer).run());
        }
        Ok(Self { sending, _at_work: at_work })
    }

    /// Nothing new is sent from now on.
    pub(super) fn stop_sending(&self) {
        self.sending.store(false, Ordering::SeqCst);
    }
}
