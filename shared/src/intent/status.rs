//! The contract's words for where an intent stands.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Lifecycle status.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Status {
    /// Taken from the sender.
    Created,
    /// Stored durably.
    Submitted,
    /// Offered to the agent.
    Delivered,
    /// Taken by the agent.
    Acknowledged,
    /// Being worked on.
    InProgress,
    /// Stopped until somebody or something else acts.
    Waiting,
    /// Ended well.
    Completed,
    /// Ended badly, or refused by a person.
    Failed,
    /// Withdrawn.
    Canceled,
    /// Its deadline passed.
    TimedOut,
}

impl Status {
    /// Every status, in the order of life.
    pub const ALL: [Self; 10] = [
        Self::Created,
        Self::Submitted,
        Self::Delivered,
        Self::Acknowledged,
        Self::InProgress,
        Self::Waiting,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
        Self::TimedOut,
    ];

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Created => "CREATED",
            Self::Submitted => "SUBMITTED",
            Self::Delivered => "DELIVERED",
            Self::Acknowledged => "ACKNOWLEDGED",
            Self::InProgress => "IN_PROGRESS",
            Self::Waiting => "WAITING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Canceled => "CANCELED",
            Self::TimedOut => "TIMED_OUT",
        }
    }

    /// Whether it is the last one of a life.
    pub fn is_terminal(self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Canceled | Self::TimedOut => true,
            Self::Created
            | Self::Submitted
            | Self::Delivered
            | Self::Acknowledged
            | Self::InProgress
            | Self::Waiting => false,
        }
    }
}

/// A word that is no status.
#[derive(Debug, thiserror::Error)]
#[error(
    "a status is one of CREATED, SUBMITTED, DELIVERED, ACKNOWLEDGED, IN_PROGRESS, WAITING, \
     COMPLETED, FAILED, CANCELED, TIMED_OUT"
)]
pub struct UnknownStatus;

impl FromStr for Status {
    type Err = UnknownStatus;

    /// Reads a status; `CANCELLED`, which older clients write, is `CANCELED`.
    fn from_str(text: &str) -> Result<Self, UnknownStatus> {
        let text = if text == "CANCELLED" { "CANCELED" } else { text };
        Self::ALL.into_iter().find(|status| status.name() == text).ok_or(UnknownStatus)
    }
}

/// Whom or what a WAITING intent waits for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WaitingReason {
    /// A person's decision, on this intent or on one that its agent asked for.
    WaitingForHuman,
    /// A tool that the agent started.
    WaitingForTool,
    /// Another agent.
    WaitingForAgent,
    /// A moment.
    WaitingForTime,
}

impl WaitingReason {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::WaitingForHuman => "WAITING_FOR_HUMAN",
            Self::WaitingForTool => "WAITING_FOR_TOOL",
            Self::WaitingForAgent => "WAITING_FOR_AGENT",
            Self::WaitingForTime => "WAITING_FOR_TIME",
        }
    }
}
