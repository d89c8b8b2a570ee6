//! Why a run could not be done; what a run found is no failure of it.

use std::path::PathBuf;

/// A run that could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The stack did not start.
    #[error("the stack did not start")]
    Stack(#[from] local::Error),
    /// The system refused something.
    #[error("cannot {action}")]
    System {
        /// What was tried.
        action: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// There is no client for HTTP.
    #[error("cannot make an HTTP client")]
    Client(#[from] reqwest::Error),
    /// Something that must work before the run begins did not.
    #[error("{what} was answered with {status}")]
    Refused {
        /// What was asked for.
        what: String,
        /// The status; 0 if there was no answer.
        status: u16,
    },
    /// The table on the disk cannot be read.
    #[error("the table in {} cannot be read: {detail}", path.display())]
    Table {
        /// The data folder.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The program that becomes the functions is not there.
    #[error("there is no {}; build it with `cargo build -p cli`", .0.display())]
    NoProgram(PathBuf),
}

impl Failure {
    /// The same for a refusal of the system.
    pub(crate) fn system(action: &'static str) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::System { action, source }
    }
}
