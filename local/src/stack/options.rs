//! What the caller decides about a stack.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;

use jiff::Timestamp;

/// Invocations that each function runs at once unless the caller says otherwise.
pub const CONCURRENCY_PER_FUNCTION: u16 = 64;

/// How to run a template on this machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the HTTP API is served; a loopback address, port 0 for any.
    pub listen: SocketAddr,
    /// The folder that everything persistent lives in; made if absent.
    pub data: PathBuf,
    /// The text of the SAM template.
    pub template: String,
    /// Values for the template's parameters, over their defaults.
    pub parameters: BTreeMap<String, String>,
    /// Variables for every function's process, over the template's.
    pub environment: BTreeMap<String, String>,
    /// How a function's process is started.
    pub program: Program,
    /// Invocations that each function runs at once, all in one process.
    pub concurrency_per_function: u16,
    /// The time.
    pub clock: fn() -> Timestamp,
}

/// How a function's process is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// One executable that becomes any function: `exe function <binary>`.
    This {
        /// The executable.
        exe: PathBuf,
    },
    /// The deployable executables: `dir/<binary>/bootstrap`, or else `dir/<binary>`.
    Bootstraps {
        /// The folder that cargo-lambda builds into.
        dir: PathBuf,
    },
}
