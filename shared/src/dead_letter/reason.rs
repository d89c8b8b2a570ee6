//! Why an attempt failed, in words of our own: no body, no address and no URL can be in them.

use serde::{Deserialize, Serialize};

use crate::retry::Again;

/// Why an attempt failed.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "code")]
pub enum Reason {
    /// Others kept changing the same thing.
    Busy,
    /// Something that Holdpoint needs did not answer.
    Unanswered {
        /// What did not answer.
        dependency: String,
    },
    /// The function was deployed without something that it needs.
    Misdeployed,
    /// The message cannot be read.
    Unreadable,
    /// The message belongs in another queue.
    Misplaced,
    /// Something stored is not what it should be.
    Corrupt,
    /// The message asks for what Holdpoint refuses.
    Refused {
        /// Why it refuses it.
        because: String,
    },
    /// The receiver of a webhook did not take it, after all attempts.
    Untaken {
        /// What it answered, if it did.
        status: Option<u16>,
    },
    /// Holdpoint did something that it should not.
    Defect,
    /// The function crashed or took too long.
    Unfinished,
}

impl Reason {
    /// Something did not answer.
    pub fn unanswered(dependency: &str) -> Self {
        Self::Unanswered { dependency: dependency.to_owned() }
    }

    /// Holdpoint refuses it.
    pub fn refused(because: &str) -> Self {
        Self::Refused { because: because.to_owned() }
    }

    /// Whether and when another attempt is worth it.
    pub fn again(&self) -> Again {
        match self {
            Self::Busy => Again::Soon,
            Self::Unanswered { .. } | Self::Misdeployed | Self::Unfinished => Again::Later,
            Self::Unreadable
            | Self::Misplaced
            | Self::Corrupt
            | Self::Refused { .. }
            | Self::Untaken { .. }
            | Self::Defect => Again::Never,
        }
    }

    /// Its stable name.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Unanswered { .. } => "unanswered",
            Self::Misdeployed => "misdeployed",
            Self::Unreadable => "unreadable",
            Self::Misplaced => "misplaced",
            Self::Corrupt => "corrupt",
            Self::Refused { .. } => "refused",
            Self::Untaken { .. } => "untaken",
            Self::Defect => "defect",
            Self::Unfinished => "unfinished",
        }
    }

    /// What it means, as a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Busy => "others kept changing the same intent".to_owned(),
            Self::Unanswered { dependency } => format!("{dependency} did not answer"),
            Self::Misdeployed => "the function was deployed without what it needs".to_owned(),
            Self::Unreadable => "the message cannot be read by this version".to_owned(),
            Self::Misplaced => "the message belongs in another queue".to_owned(),
            Self::Corrupt => "something stored cannot be read".to_owned(),
            Self::Refused { because } => format!("Holdpoint refuses it: {because}"),
            Self::Untaken { status: Some(status) } => {
                format!("the receiver did not take it and answered {status} at last")
            }
            Self::Untaken { status: None } => "the receiver could not be reached".to_owned(),
            Self::Defect => "Holdpoint has a defect; the log has the cause".to_owned(),
            Self::Unfinished => "the function did not finish".to_owned(),
        }
    }
}
