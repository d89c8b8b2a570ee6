//! What came of one post.

use serde::{Deserialize, Serialize};

/// The status for good-bye: the receiver wants nothing more.
const GONE: u16 = 410;

/// What the receiver said, or why it said nothing. Its body is nobody's business.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It answered with this status.
    Status(u16),
    /// The address leads where callbacks may not go; nothing was connected.
    Blocked,
    /// It took too long.
    TimedOut,
    /// It could not be reached, or broke off.
    Unreachable,
}

impl Reply {
    /// Whether the receiver has taken it.
    pub fn is_taken(self) -> bool {
        matches!(self, Self::Status(200..=299))
    }

    /// The status, if it answered.
    pub fn status(self) -> Option<u16> {
        match self {
            Self::Status(status) => Some(status),
            Self::Blocked | Self::TimedOut | Self::Unreachable => None,
        }
    }

    /// Whether the receiver wants nothing more.
    pub fn is_gone(self) -> bool {
        self == Self::Status(GONE)
    }
}
