//! The script, in process.

use async_trait::async_trait;
use serde_json::Value;
use shared::agent::{self, scripted};

use super::{Model, ModelError};

/// The most tokens that one reply may have. The script's own are far shorter.
const OUTPUT_TOKENS_MAX: u64 = 4_000;

/// The model that is no model: the same request always gets the same response.
#[derive(Clone, Copy, Debug)]
pub struct Scripted;

#[async_trait]
impl Model for Scripted {
    fn profile(&self) -> agent::Model {
        let name = scripted::MODEL.to_owned();
        agent::Model { name, reasoning: false, output_tokens_max: OUTPUT_TOKENS_MAX }
    }

    async fn respond(&self, request: &Value) -> Result<Value, ModelError> {
        Ok(scripted::respond(request))
    }
}
