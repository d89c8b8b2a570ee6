//! Claims of tool calls: what may run once runs at most once.

use serde_json::{Map, Value};

use super::App;
use super::standing::Stopped;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::ask::call_digest;
use crate::intent::{Command, Rejection};
use crate::principal::Principal;
use crate::store::{Attachment, CallOutput};

/// A tool call that an agent is about to make.
#[derive(Clone, Debug)]
pub struct ToolCall {
    /// The agent's name for the call.
    pub call_id: String,
    /// The tool.
    pub tool: String,
    /// What it runs with.
    pub arguments: Map<String, Value>,
    /// Whether it rests on an approval.
    pub needs_grant: bool,
    /// The claimer's own secret, so that a claim whose answer was lost can be repeated.
    pub claim_token: Option<String>,
}

/// The answer to a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimedCall {
    /// The caller runs the tool now, and nobody else ever will.
    Run {
        /// The secret with which the output is reported.
        claim_token: String,
    },
    /// It ran before; this is what it gave.
    Ran(CallOutput),
}

impl App {
    /// Claims a tool call for the caller.
    pub async fn claim(
        &self,
        by: &Principal,
        fence: Option<u64>,
        id: IntentId,
        call: &ToolCall,
    ) -> Result<ClaimedCall, Error> {
        let random = || data_encoding::HEXLOWER.encode(&self.random::<16>());
        let claim_token = call.claim_token.clone().unwrap_or_else(random);
        let token_digest = Digest::of_bytes(claim_token.as_bytes());
        let command = Command::Claim {
            by: by.clone(),
            fence,
            call_id: call.call_id.clone(),
            call_digest: call_digest(&call.tool, &call.arguments),
            needs_grant: call.needs_grant,
            token_digest: token_digest.clone(),
        };
        let intent = self.execute(id, &command, &[]).await?;
        let claimed = intent.calls.get(&call.call_id);
        let ours = claimed.is_some_and(|claimed| {
            claimed.token_digest == token_digest && claimed.finished.is_none()
        });
        if ours {
            return Ok(ClaimedCall::Run { claim_token });
        }
        let output = self.store().call_output(self.tenant(), id, &call.call_id).await?;
        let unknown = || Rejection::CallOutcomeUnknown(call.call_id.clone());
        Ok(ClaimedCall::Ran(output.ok_or_else(unknown)?))
    }

    /// Reports what a claimed tool call gave.
    pub async fn finish_call(
        &self,
        by: &Principal,
        id: IntentId,
        claim_token: &str,
        output: CallOutput,
    ) -> Result<(), Error> {
        self.report_call(by, id, claim_token, output, Stopped::Refused).await
    }

    /// Reports what a tool gave that Holdpoint's own worker ran. It did run, even if its agent was
    /// stopped meanwhile, and nobody else knows what came of it.
    pub async fn record_call(
        &self,
        by: &Principal,
        id: IntentId,
        claim_token: &str,
        output: CallOutput,
    ) -> Result<(), Error> {
        self.report_call(by, id, claim_token, output, Stopped::Allowed).await
    }

    async fn report_call(
        &self,
        by: &Principal,
        id: IntentId,
        claim_token: &str,
        output: CallOutput,
        stopped: Stopped,
    ) -> Result<(), Error> {
        let command = Command::FinishCall {
            by: by.clone(),
            call_id: output.call_id.clone(),
            token_digest: Digest::of_bytes(claim_token.as_bytes()),
            output_digest: Digest::of_json(&output.output),
            is_error: output.is_error,
        };
        self.carry_out(id, &command, &[Attachment::CallOutput(output)], stopped).await?;
        Ok(())
    }
}
