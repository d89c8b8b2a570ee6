//! A person who looks at what waits, and decides.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::digest::Digest;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::crowd::Caller;
use super::errand::Kind;
use crate::client::Call;
use crate::clock::now;

/// Decisions that one reviewer has under way at once; those that wait for a deadline do not count.
const AT_ONCE_MAX: usize = 16;
/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(300);
/// A decision at the last moment is made so long before the deadline at most, and as long after it.
const LAST_MOMENT_MS: u64 = 600;

/// One reviewer.
#[derive(Clone, Debug)]
pub(super) struct Reviewer {
    caller: Caller,
    /// What it is about to decide.
    busy: Arc<Mutex<BTreeSet<String>>>,
}

impl Reviewer {
    pub(super) fn new(caller: Caller) -> Self {
        Self { caller, busy: Arc::default() }
    }

    /// Looks and decides, for ever.
    pub(super) async fn run(self) {
        let mut work = JoinSet::new();
        let mut late = JoinSet::new();
        loop {
            for task in self.tasks().await {
                let Some(digest) = text(&task, "/digest") else { continue };
                if !self.busy().insert(digest.clone()) {
                    continue;
                }
                let reviewer = self.clone();
                let is_late =
                    text(&task, "/action/payload/plan").as_deref() == Some(Kind::Late.name());
                let deciding = async move {
                    if is_late {
                        reviewer.wait_for_the_last_moment(&task).await;
                    }
                    reviewer.decide(&task).await;
                    reviewer.busy().remove(&digest);
                };
                if is_late {
                    late.spawn(deciding);
                } else {
                    work.spawn(deciding);
                }
                while work.len() >= AT_ONCE_MAX {
                    work.join_next().await;
                }
            }
            while work.try_join_next().is_some() || late.try_join_next().is_some() {}
            sleep(PAUSE).await;
        }
    }

    async fn tasks(&self) -> Vec<Value> {
        let call = Call::get(&self.caller.key, "/v1/me/tasks");
        let Some(answer) = self.caller.ask(&call).await else { return Vec::new() };
        let mut tasks = match answer.json().pointer("/tasks").and_then(Value::as_array) {
            Some(tasks) => tasks.clone(),
            None => Vec::new(),
        };
        // Several reviewers do not go in step, or each task would be decided by the quickest.
        let first = self.caller.weather.one_of(tasks.len());
        tasks.rotate_left(first);
        tasks
    }

    async fn wait_for_the_last_moment(&self, task: &Value) {
        let due_at = text(task, "/due_at").and_then(|text| text.parse::<Timestamp>().ok());
        let Some(due_at) = due_at else { return };
        let left = Duration::try_from(due_at.duration_since(now())).unwrap_or_default();
        let early = Duration::from_millis(LAST_MOMENT_MS);
        let late = self.caller.weather.ms(0..2 * LAST_MOMENT_MS);
        sleep(left.saturating_sub(early) + late).await;
    }

    /// Decides what is shown; a refusal means that somebody else was first, or the deadline.
    async fn decide(&self, task: &Value) -> Option<()> {
        let intent = text(task, "/intent_id")?;
        let digest = Digest::try_from(text(task, "/digest")?).ok()?;
        let yes = self.caller.weather.one_of(5) > 0;
        let body = json!({
            "decision": if yes { "approve" } else { "reject" },
            "version": task.get("version"), "digest": digest,
        });
        let path = format!("/v1/approvals/{intent}/decision");
        let (by, journal) = (&*self.caller.name, &self.caller.journal);
        let asked_at = journal.note().told.asks(by, &digest, now());
        self.caller.ask(&Call::post(&self.caller.key, path, body)).await?;
        let between = (asked_at, now());
        journal.note().told.decided((intent.parse().ok()?, digest), (by, yes), between);
        Some(())
    }

    fn busy(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn text(value: &Value, place: &str) -> Option<String> {
    value.pointer(place)?.as_str().map(str::to_owned)
}
