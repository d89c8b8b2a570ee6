//! The model behind the agents: a host of the Responses API, or the script.

mod openai;
mod scripted;

pub use openai::{OpenAi, OpenAiSettings};
pub use scripted::Scripted;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use shared::agent;
use shared::boot::{BootError, setting};

/// The name of the model at the host, unless the deployment says otherwise.
const DEFAULT_MODEL: &str = "gpt-5-mini";
/// Where the host is, unless the deployment says otherwise.
const DEFAULT_BASE_URL: &str = "https://api.openai.com/v1";

/// Answers requests of the Responses API.
#[async_trait]
pub trait Model: fmt::Debug + Send + Sync {
    /// What the agents must know of it.
    fn profile(&self) -> agent::Model;

    /// Answers a request body with a response body, both as they are on the wire.
    async fn respond(&self, request: &Value) -> Result<Value, ModelError>;
}

/// Why there is no answer. The texts name no part of a request or a response.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ModelError {
    /// The same request may be answered later.
    #[error("the model's host did not answer the request: {0}")]
    Unavailable(String),
    /// The same request will never be answered.
    #[error("the model's host refuses the request: {0}")]
    Refused(String),
}

/// The model that the deployment names. The script answers only where no key is configured: with a
/// key, every failure is the host's and is reported as such.
pub fn configured() -> Result<Arc<dyn Model>, BootError> {
    let Some(api_key) = setting("OPENAI_API_KEY") else { return Ok(Arc::new(Scripted)) };
    let or = |name, default: &str| setting(name).unwrap_or_else(|| default.to_owned());
    let settings = OpenAiSettings {
        api_key,
        base_url: or("OPENAI_BASE_URL", DEFAULT_BASE_URL),
        model: or("OPENAI_MODEL", DEFAULT_MODEL),
    };
    Ok(Arc::new(OpenAi::new(settings)?))
}
