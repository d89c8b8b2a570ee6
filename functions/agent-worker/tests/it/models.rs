//! Models that do not always answer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use agent_worker::model::{Model, ModelError, Scripted};
use async_trait::async_trait;
use serde_json::{Value, json};
use shared::agent;
use shared::id::IntentId;

use crate::stage::{LEASE, Stage};
use crate::stops::kill;

/// The script, with one request that goes wrong.
#[derive(Debug)]
pub(crate) struct Faulty {
    requests: AtomicU32,
    fails_at: u32,
    error: ModelError,
}

impl Faulty {
    /// A model whose request number `fails_at`, from 1, meets `error`.
    pub(crate) fn at(fails_at: u32, error: ModelError) -> Self {
        Self { requests: AtomicU32::new(0), fails_at, error }
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Model for Faulty {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        let number = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if number == self.fails_at {
            Err(self.error.clone())
        } else {
            Scripted.respond(request).await
        }
    }
}

/// A model that says what it is given to say, by how many outputs of calls it has seen.
#[derive(Debug)]
pub(crate) struct Prepared(pub(crate) Vec<Value>);

#[async_trait]
impl Model for Prepared {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        let items = request["input"].as_array().unwrap();
        let outputs = items.iter().filter(|item| item["type"] == "function_call_output").count();
        let reply = self.0.get(outputs).unwrap_or_else(|| panic!("nothing to say to {outputs}"));
        Ok(json!({"status": "completed", "output": reply}))
    }
}

/// The script, so slow with its first answer that another worker takes the turn meanwhile.
pub(crate) struct Overtaken {
    stage: Arc<Stage>,
    id: IntentId,
    answered: AtomicBool,
}

impl Overtaken {
    pub(crate) fn by(stage: Arc<Stage>, id: IntentId) -> Self {
        Self { stage, id, answered: AtomicBool::new(false) }
    }
}

impl fmt::Debug for Overtaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Overtaken")
    }
}

#[async_trait]
impl Model for Overtaken {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        if !self.answered.swap(true, Ordering::SeqCst) {
            self.stage.pass(i64::try_from(LEASE.as_secs()).unwrap());
            self.stage.wake(self.id).await;
            assert!(self.stage.deliver(&self.stage.worker(), self.id).await);
        }
        Scripted.respond(request).await
    }
}

/// The script, whose agent is killed while it answers one request.
pub(crate) struct Interrupted {
    stage: Arc<Stage>,
    requests: AtomicU32,
    killed_at: u32,
}

impl Interrupted {
    /// The kill comes during request number `killed_at`, from 1.
    pub(crate) fn at(killed_at: u32, stage: Arc<Stage>) -> Self {
        Self { stage, requests: AtomicU32::new(0), killed_at }
    }
}

impl fmt::Debug for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Interrupted")
    }
}

#[async_trait]
impl Model for Interrupted {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        if self.requests.fetch_add(1, Ordering::SeqCst) + 1 == self.killed_at {
            kill(&self.stage).await;
        }
        Scripted.respond(request).await
    }
}

/// A model that never answers.
#[derive(Debug)]
pub(crate) struct Silent;

#[async_trait]
impl Model for Silent {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, _: &Value) -> Result<Value, ModelError> {
        std::future::pending().await
    }
}

/// A model whose host does not answer now.
#[derive(Debug)]
pub(crate) struct Away;

#[async_trait]
impl Model for Away {
    fn profile(&self) -> agent::Model {
        Scripted.profile()
    }

    async fn respond(&self, _: &Value) -> Result<Value, ModelError> {
        Err(ModelError::Unavailable("status 503".to_owned()))
    }
}
