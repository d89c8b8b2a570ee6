//! Models that do not always answer.

use std::sync::atomic::{AtomicU32, Ordering};

use agent_worker::model::{Model, ModelError, Scripted};
use async_trait::async_trait;
use serde_json::{Value, json};
use shared::agent;

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
