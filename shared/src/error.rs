//! Everything a caller can be told. `http/problem.rs` has the one table from here to HTTP.

use crate::account::AccountError;
use crate::address::Address;
use crate::dead_letter::Reason;
use crate::intent::Rejection;
use crate::registration::Standing;
use crate::retry::Again;
use crate::store::{CommitError, StoreError};

/// The longest name of a field in a refusal, in characters.
pub const FIELD_CHARS_MAX: usize = 200;
/// The longest explanation in a refusal, in characters. What was sent is repeated only as far.
pub const DETAIL_CHARS_MAX: usize = 1000;

/// Why a request failed. Each variant documents the response that it becomes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400, or 422 where a field of well-formed JSON is wrong: names the field, the limit, the remedy.
    #[error("{0}")]
    Invalid(Invalid),
    /// 413: the body is over the limit, which the text names.
    #[error("the body is larger than {bytes_max} bytes; send less, or a reference to it")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// 415: the body is in another form than JSON.
    #[error(
        "the body is not said to be JSON; send it with the header content-type: application/json"
    )]
    UnsupportedMediaType,
    /// 401: no key, or none that is in force.
    #[error("{0}")]
    Unauthenticated(Unauthenticated),
    /// 403: the key's role or address does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// 403: an administrator has stopped the agent that sends, or the one that would receive.
    #[error("{agent} is {} and neither sends nor receives; {}", .standing.name(), .standing.remedy())]
    AgentStopped {
        /// The agent.
        agent: Address,
        /// How it was stopped.
        standing: Standing,
    },
    /// 404: there is no such thing, or it is none of the caller's business.
    #[error("there is no such {0}, or this key may not see it")]
    NotFound(&'static str),
    /// 405: the path is there, for other methods.
    #[error("this path takes {allow} only")]
    MethodNotAllowed {
        /// The methods that it takes.
        allow: String,
    },
    /// 409, 410, 403 or 422, by the rejection: the core refused the command.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// 409: the registry has something else in this place.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// 409: an idempotency key came back with another body.
    #[error("this Idempotency-Key was used with another body; use a new key for a new request")]
    KeyReused,
    /// 409: a dead letter does not say what to send.
    #[error(
        "this dead letter was not kept whole, or does not say what to send; look at what it is \
         about, and drop it"
    )]
    NotRedrivable,
    /// 429: the key has used up its limit at this endpoint.
    #[error(
        "this key may ask this {limit} times a minute; wait {retry_after_s} s, or ask the \
         administrator for a higher limit"
    )]
    RateLimited {
        /// Requests a minute.
        limit: u32,
        /// Seconds until the next minute.
        retry_after_s: u64,
    },
    /// 503: others keep changing the same intent.
    #[error("the intent is being changed by others; try again")]
    Busy,
    /// 503: something that Holdpoint needs did not answer.
    #[error("{dependency} did not answer; try again")]
    Unavailable {
        /// What did not answer.
        dependency: &'static str,
        /// Its words, for the log.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// 500: stored data is not what it should be.
    #[error("something stored cannot be read")]
    Corrupt(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What is wrong with a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Invalid {
    /// Where, as a path such as `human_task.title`; empty for the body as a whole.
    pub field: String,
    /// What is wrong, and what would be right.
    pub detail: String,
    /// Whether the request cannot even be read (400), rather than asking for something wrong (422).
    pub malformed: bool,
}

impl std::fmt::Display for Invalid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.field.is_empty() {
            f.write_str(&self.detail)
        } else {
            write!(f, "{}: {}", self.field, self.detail)
        }
    }
}

/// Why a caller is not known.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Unauthenticated {
    /// No key came with the request.
    #[error("send an API key in the header x-api-key, or as Authorization: Bearer")]
    Missing,
    /// The key is unknown, expired or revoked.
    #[error("this API key is unknown, expired or revoked; ask an administrator for a new one")]
    Invalid,
}

impl Error {
    /// A field of a request that asks for something wrong.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let field = shortened(field.into(), FIELD_CHARS_MAX);
        let detail = shortened(detail.into(), DETAIL_CHARS_MAX);
        Self::Invalid(Invalid { field, detail, malformed: false })
    }

    /// A request that cannot be read.
    pub fn malformed(detail: impl Into<String>) -> Self {
        let detail = shortened(detail.into(), DETAIL_CHARS_MAX);
        Self::Invalid(Invalid { field: String::new(), detail, malformed: true })
    }

    /// Whether the same request may succeed later, unchanged. Queues and clients ask this, nobody
    /// decides it anew.
    pub fn is_retryable(&self) -> bool {
        self.reason().again() != Again::Never
    }

    /// Why an attempt failed, without anything that a caller sent: what dead letters say, and what
    /// decides whether another attempt is worth it.
    pub fn reason(&self) -> Reason {
        match self {
            Self::RateLimited { .. } | Self::Busy => Reason::Busy,
            Self::Unavailable { dependency, .. } => Reason::unanswered(dependency),
            Self::Corrupt(_) => Reason::Corrupt,
            Self::TooLarge { .. } => Reason::refused("the intent's state has become too large"),
            Self::AgentStopped { .. } => Reason::refused("the agent is stopped"),
            Self::NotFound(_) => Reason::refused("what it is about is not there"),
            Self::Rejected(_) => Reason::refused("the intent's state does not allow it"),
            Self::Unauthenticated(_) | Self::Forbidden(_) => Reason::refused("nobody may do that"),
            Self::Invalid(_)
            | Self::UnsupportedMediaType
            | Self::MethodNotAllowed { .. }
            | Self::Account(_)
            | Self::KeyReused
            | Self::NotRedrivable => Reason::refused("it is not valid"),
        }
    }
}

/// The text without its middle, if it is too long: what is wrong stands at its beginning and the
/// remedy at its end.
fn shortened(text: String, chars_max: usize) -> String {
    let chars = text.chars().count();
    if chars <= chars_max {
        return text;
    }
    let half = (chars_max - 1) / 2;
    let begins = text.chars().take(half);
    let ends = text.chars().skip(chars - half);
    begins.chain(['…']).chain(ends).collect()
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::Unavailable { dependency: "the table", source: Box::new(error) }
            }
            StoreError::Corrupt(..) => Self::Corrupt(Box::new(error)),
            StoreError::TooLarge => Self::TooLarge { bytes_max: crate::app::STATE_BYTES_MAX },
        }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict(_) => Self::Busy,
            CommitError::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_repeats_what_was_sent_only_so_far_and_ends_in_the_remedy() {
        let sent = "é".repeat(100_000);
        let error = Error::field(&*sent, format!("is `{sent}`; send approve or reject"));
        let Error::Invalid(invalid) = error else { panic!("{error}") };
        assert!(invalid.field.chars().count() <= FIELD_CHARS_MAX);
        assert!(invalid.detail.chars().count() <= DETAIL_CHARS_MAX);
        assert!(invalid.detail.starts_with("is `éé") && invalid.detail.contains("é…é"));
        assert!(invalid.detail.ends_with("é`; send approve or reject"), "{}", invalid.detail);
        let short = Error::field("status", "is `x`; send approve or reject").to_string();
        assert_eq!(short, "status: is `x`; send approve or reject");
    }
}
