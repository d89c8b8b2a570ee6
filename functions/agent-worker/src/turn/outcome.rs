//! How a turn came out.

use std::error::Error as _;
use std::fmt;

use shared::agent;
use shared::dead_letter::Reason;
use shared::error::Error;
use shared::intent::{Rejection, Status};
use shared::queue::Failure;
use shared::registration::Standing;

use crate::checkpoint::CheckpointError;
use crate::model::ModelError;

/// An end of a turn that needs no repetition.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Outcome {
    /// The agent has no turn, or it takes its turns by itself.
    NotItsTurn,
    /// The core refused a command; whoever stands in the way goes on with the intent.
    Refused(Rejection),
    /// People were asked.
    Asked(usize),
    /// The next invocation goes on.
    GoesOn,
    /// The model does not answer now; a later invocation asks it again.
    Pauses(ModelError),
    /// The agent is stopped; a later invocation tries again.
    PutOff(Standing),
    /// As many turns of the agent run as may; a later invocation tries again.
    Crowded,
    /// The intent has ended, or its result waits for a sign-off.
    Finished(Status),
}

/// Why a message fails and comes again.
#[derive(Debug, thiserror::Error)]
pub enum TurnError {
    /// The message belongs to another function, or to another account.
    #[error("this message is not a turn of this deployment's agents")]
    Misdirected,
    /// The intent could not be read or changed.
    #[error(transparent)]
    App(#[from] Error),
    /// The stored run cannot be gone on with.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The model did not answer.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The loop does not take what it asked for, which is a defect.
    #[error("the agent loop refuses the result of its own step: {0}")]
    Loop(#[from] agent::Rejection),
}

impl TurnError {
    /// A refusal by the core is an outcome: the intent's own wake-up offers the turn again when
    /// that is needed.
    pub(super) fn acknowledged(self) -> Result<Outcome, Self> {
        match self {
            Self::App(Error::Rejected(rejection)) => Ok(Outcome::Refused(rejection)),
            Self::Misdirected
            | Self::App(_)
            | Self::Checkpoint(_)
            | Self::Model(_)
            | Self::Loop(_) => Err(self),
        }
    }

    /// The error and what led to it, for the log.
    pub(super) fn causes(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        text
    }
}

impl Failure for TurnError {
    fn reason(&self) -> Reason {
        match self {
            Self::Misdirected => Reason::Misplaced,
            Self::App(error) | Self::Checkpoint(CheckpointError::Store(error)) => error.reason(),
            // Another build may read it: the dead letter is sent again once that one runs.
            Self::Checkpoint(
                CheckpointError::Missing
                | CheckpointError::Foreign { .. }
                | CheckpointError::Altered
                | CheckpointError::Unreadable(_),
            ) => Reason::Corrupt,
            Self::Model(ModelError::Unavailable(_)) => Reason::unanswered("the model"),
            Self::Model(ModelError::Refused(_)) => Reason::refused("the model's host refuses it"),
            Self::Checkpoint(CheckpointError::Unwritable(_)) | Self::Loop(_) => Reason::Defect,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotItsTurn => f.write_str("not the agent's turn"),
            Self::Refused(rejection) => write!(f, "left alone: {rejection}"),
            Self::Asked(questions) => write!(f, "asked people ({questions})"),
            Self::GoesOn => f.write_str("goes on in the next invocation"),
            Self::Pauses(unavailable) => write!(f, "pauses: {unavailable}"),
            Self::PutOff(standing) => write!(f, "put off: the agent is {}", standing.name()),
            Self::Crowded => f.write_str("waits: as many turns of the agent run as may"),
            Self::Finished(status) => write!(f, "finished as {}", status.name()),
        }
    }
}
