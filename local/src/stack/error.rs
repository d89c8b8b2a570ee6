//! Why the stack cannot start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::template::TemplateError;

/// What stops [`Stack::start`](crate::Stack::start).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The stack has no authentication of its own, so it serves this machine only.
    #[error("{address} is not a loopback address; listen on 127.0.0.1 or [::1]")]
    NotLoopback {
        /// What was asked for.
        address: SocketAddr,
    },
    /// A port cannot be had.
    #[error("cannot listen on {address}; choose another port, or 0 for any")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another stack holds the folder.
    #[error("{} is in use by another running stack; stop it or choose another folder", path.display())]
    AlreadyRunning {
        /// The data folder.
        path: PathBuf,
    },
    /// The data folder cannot be used.
    #[error("cannot use {}; check that the folder exists and is writable", path.display())]
    Data {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file of an earlier run does not hold what it should.
    #[error("{} is damaged; restore it or choose another data folder", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The template cannot be run here.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The template refers to a secret that it does not declare.
    #[error("function {function} resolves a secret that the template does not declare")]
    UnknownSecret {
        /// The function's logical id.
        function: String,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
    /// The embedded database refuses.
    #[error("the database cannot {action}")]
    Database {
        /// What it was asked to do.
        action: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A table exists with another key schema or other indexes.
    #[error(
        "table {table} in this data folder has other keys or indexes than the template; \
         choose another folder"
    )]
    TableChanged {
        /// The table.
        table: String,
    },
    /// The embedded queues refuse.
    #[error("the queue {queue} cannot be made")]
    Queue {
        /// The queue.
        queue: String,
        /// Why not.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A function's executable does not exist.
    #[error("function {function} has no executable at {}", path.display())]
    NoProgram {
        /// The function's binary.
        function: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A function's executable cannot be executed.
    #[error("function {function} cannot be executed; check that its file is executable")]
    NotExecutable {
        /// The function's binary.
        function: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A function's process did not ask for its first invocation.
    #[error("function {function} did not start {reason}; its output is in {}", log.display())]
    FunctionSilent {
        /// The function's binary.
        function: String,
        /// Within what time, or after how many tries.
        reason: String,
        /// Where its output went.
        log: PathBuf,
    },
    /// A schedule's target could not be told of the restart, so what waits would not be woken.
    #[error("function {function} failed when told of the restart: {reason}; its output is in {}", log.display())]
    Restart {
        /// The function's binary.
        function: String,
        /// How it failed.
        reason: String,
        /// Where its output went.
        log: PathBuf,
    },
}

impl Error {
    pub(crate) fn data(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Data { path, source }
    }

    pub(crate) fn database<E>(action: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let action = action.into();
        move |source| Self::Database { action, source: source.into() }
    }
}
