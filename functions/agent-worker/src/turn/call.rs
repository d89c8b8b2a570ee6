//! Running a tool: claim, run, report, store.

use serde_json::{Map, Value};
use shared::agent::{self, Effect, ToolCall};
use shared::app::{self, ClaimedCall};
use shared::error::Error;
use shared::intent::Rejection;
use shared::store::CallOutput;

use super::{Turn, TurnError};
use crate::tools::{self, ToolError};

impl Turn<'_> {
    pub(super) async fn call_tool(&mut self, call: &ToolCall) -> Result<(), TurnError> {
        let result = match call.effect {
            Effect::Pure => tools::run(self.app(), self.intent.id, call).await,
            Effect::Idempotent | Effect::AtMostOnce => self.claim_and_run(call).await?,
        };
        let (agents, call_id, tool) = (&self.worker.agents, &call.call_id, &call.tool);
        let (state, note) = match result {
            Ok(output) => {
                let state = agent::tool_finished(&self.state, agents, call_id, Ok(output))?;
                (state, format!("ran {tool}"))
            }
            Err(ToolError::Failed(why)) => {
                let state = agent::tool_finished(&self.state, agents, call_id, Err(why))?;
                (state, format!("{tool} gave an error"))
            }
            Err(ToolError::Lost) => {
                let state = agent::tool_lost(&self.state, agents, call_id)?;
                (state, format!("the outcome of {tool} is unknown"))
            }
        };
        self.store(state, note).await
    }

    /// Runs a call whose claim nobody else has or will get.
    async fn claim_and_run(&self, call: &ToolCall) -> Result<Result<Value, ToolError>, TurnError> {
        let (app, id) = (self.app(), self.intent.id);
        let claimed = match app.claim(&self.by, Some(self.fence), id, &claim(call)).await {
            Ok(claimed) => claimed,
            Err(Error::Rejected(Rejection::CallOutcomeUnknown(_))) => {
                return Ok(Err(ToolError::Lost));
            }
            // What people did not allow, or not long enough, does not run, and the model is told.
            Err(Error::Rejected(
                refusal @ (Rejection::NoGrant(_)
                | Rejection::GrantRefused(_)
                | Rejection::GrantExpired { .. }
                | Rejection::CallMismatch(_)
                | Rejection::TooManyCalls),
            )) => return Ok(Err(ToolError::Failed(refusal.to_string()))),
            Err(error) => return Err(error.into()),
        };
        let claim_token = match claimed {
            ClaimedCall::Run { claim_token } => claim_token,
            ClaimedCall::Ran(output) => return Ok(result_of(output)),
        };
        let result = tools::run(app, id, call).await;
        let (output, is_error) = match &result {
            Ok(output) => (output.clone(), false),
            Err(ToolError::Failed(why)) => (tools::stored_failure(why), true),
            // The claim stays open, which is what "unknown" means to whoever looks next.
            Err(ToolError::Lost) => return Ok(result),
        };
        let output = CallOutput { call_id: call.call_id.clone(), output, is_error };
        app.record_call(&self.by, id, &claim_token, output).await?;
        Ok(result)
    }
}

fn claim(call: &ToolCall) -> app::ToolCall {
    let arguments = match &call.arguments {
        Value::Object(fields) => fields.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    app::ToolCall {
        call_id: call.call_id.clone(),
        tool: call.tool.clone(),
        arguments,
        needs_grant: call.approved_by.is_some(),
        claim_token: match call.effect {
            // The same claim again is granted again, and a second run does no harm.
            Effect::Pure | Effect::Idempotent => Some(call.idempotency_key.clone()),
            Effect::AtMostOnce => None,
        },
    }
}

fn result_of(CallOutput { output, is_error, .. }: CallOutput) -> Result<Value, ToolError> {
    if is_error { Err(ToolError::Failed(tools::read_failure(&output))) } else { Ok(output) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(effect: Effect, approved_by: Option<&str>) -> ToolCall {
        ToolCall {
            call_id: "c".to_owned(),
            tool: "t".to_owned(),
            arguments: json!({"n": 1}),
            args_sha256: "d".to_owned(),
            effect,
            idempotency_key: "k".to_owned(),
            approved_by: approved_by.map(str::to_owned),
        }
    }

    #[test]
    fn a_call_that_a_person_approved_is_claimed_on_that_approval() {
        assert!(claim(&call(Effect::AtMostOnce, Some("ada"))).needs_grant);
        assert!(!claim(&call(Effect::AtMostOnce, None)).needs_grant);
    }

    #[test]
    fn only_a_call_that_may_run_twice_can_be_claimed_twice() {
        assert_eq!(claim(&call(Effect::Idempotent, None)).claim_token.as_deref(), Some("k"));
        assert_eq!(claim(&call(Effect::AtMostOnce, None)).claim_token, None);
    }
}
