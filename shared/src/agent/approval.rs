//! What a run asks of people, and what they answer.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    agents::Agents,
    run::{Call, CallState, RunState},
};

/// A question to people about one call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalRequest {
    /// The call, unique in the run: one question about a call has one id.
    pub call_id: String,
    /// The tool.
    pub tool: String,
    /// Its arguments, exactly as it would get them.
    pub arguments: Value,
    /// The digest of the arguments, which the answer must bring back.
    pub args_sha256: String,
    /// What is asked.
    pub question: Question,
    /// One line for the inbox.
    pub title: String,
    /// What the reviewer should know.
    pub description: String,
}

/// What is asked about a call.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// May it run? Answered by approved, rejected or timed out.
    MayItRun,
    /// Did it happen? Answered by happened, did not happen or timed out.
    DidItHappen,
}

/// A person's answer, or the end of the wait for one.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The call.
    pub call_id: String,
    /// The digest of the arguments that were shown.
    pub args_sha256: String,
    /// The question that was put.
    pub question: Question,
    /// What was answered.
    pub decision: Decision,
}

/// What was answered.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Decision {
    /// The call may run.
    Approved {
        /// Who decided.
        by: String,
    },
    /// The call must not run.
    Rejected {
        /// Who decided.
        by: String,
        /// Why; the model is told.
        reason: Option<String>,
    },
    /// Nobody answered in time.
    TimedOut,
    /// The call of unknown outcome took effect.
    Happened {
        /// Who looked.
        by: String,
        /// What was found; the model is told.
        report: Option<String>,
    },
    /// The call of unknown outcome had no effect.
    DidNotHappen {
        /// Who looked.
        by: String,
    },
}

/// All that the run asks of people now. The worker stores these with the state that raised them, so
/// that people can answer while the free calls of the same turn still run.
pub fn waiting(state: &RunState, agents: &Agents) -> Vec<ApprovalRequest> {
    let agent = state.agent();
    state.calls().iter().filter_map(|call| request(call, agent, agents)).collect()
}

fn request(call: &Call, agent: &str, agents: &Agents) -> Option<ApprovalRequest> {
    let question = question(&call.state)?;
    let tool = agents.agent(agent).and_then(|agent| agent.tool(&call.tool));
    // A tool that a later build dropped is still asked about: its call may have happened.
    let title = tool.map_or(call.tool.as_str(), |tool| tool.title.as_str());
    let about = tool.map_or("", |tool| tool.description.as_str());
    let (title, description) = match question {
        Question::MayItRun => {
            (title.to_owned(), format!("Agent `{agent}` asks to run `{}`. {about}", call.tool))
        }
        Question::DidItHappen => (
            format!("Did it happen? {title}"),
            format!(
                "`{}` was interrupted while it ran for agent `{agent}`, and its outcome is unknown. It will not be run again. Look whether it took effect. {about}",
                call.tool
            ),
        ),
    };
    Some(ApprovalRequest {
        call_id: call.call_id.clone(),
        tool: call.tool.clone(),
        arguments: call.arguments.clone(),
        args_sha256: call.args_sha256.clone(),
        question,
        title,
        description: description.trim_end().to_owned(),
    })
}

fn question(state: &CallState) -> Option<Question> {
    match state {
        CallState::AwaitingApproval => Some(Question::MayItRun),
        CallState::UnknownOutcome => Some(Question::DidItHappen),
        CallState::Ready
        | CallState::Approved { .. }
        | CallState::Rejected { .. }
        | CallState::Expired
        | CallState::Running { .. }
        | CallState::Done { .. } => None,
    }
}
