//! Claims of tool calls, so that what may run once runs at most once.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;

/// The most tool calls that one intent may claim.
pub const CALLS_MAX: usize = 200;
/// The largest output of a tool that is kept, in bytes of JSON.
pub const OUTPUT_BYTES_MAX: usize = 32 * 1024;

/// A tool call that was claimed. A claim is never given twice.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Call {
    /// Digest of tool and arguments.
    pub call_digest: Digest,
    /// Digest of the secret that the claimer got; only its holder may report the output.
    pub token_digest: Digest,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// Whether and how it ended; `None` means that nobody knows whether it ran.
    pub finished: Option<Finished>,
}

/// The reported end of a tool call. The output itself is stored beside the intent.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Finished {
    /// Digest of the output.
    pub output_digest: Digest,
    /// Whether the tool itself said that it failed.
    pub is_error: bool,
}
