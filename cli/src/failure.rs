//! Why a command could not do what was asked, and how commands end.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::Value;

/// The command was refused, or what it watched did not complete.
const REFUSED: u8 = 1;
/// The command could not be carried out.
const FAILED: u8 = 2;

/// How a command that ran to its end ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// As asked.
    Done,
    /// A person refused, or the intent did not complete.
    Refused,
}

impl Verdict {
    /// The process's exit code.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code())
    }

    fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => REFUSED,
        }
    }
}

/// What the service said instead of doing what was asked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The service's word for programs.
    pub(crate) code: Option<String>,
    /// The service's sentence, with the remedy.
    pub(crate) message: String,
}

impl Problem {
    /// Reads an answer, in each of the shapes that gateways and services use.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).map(str::to_owned);
        let message = text("/error/message")
            .or_else(|| text("/error"))
            .or_else(|| text("/detail"))
            .or_else(|| text("/message"));
        Self {
            status,
            code: text("/error/code"),
            message: message.unwrap_or_else(|| "the service gave no reason".to_owned()),
        }
    }
}

/// Why a command ended before its time.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("{}", sentence(.0))]
    Answered(Problem),
    #[error(
        "cannot reach {url}; check the address, and that the service runs (`holdpoint up` starts \
         one on this machine)"
    )]
    Unreachable {
        url: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{url} answered with something that is not Holdpoint's: {detail}")]
    Unreadable { url: String, detail: String },
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    NothingToDecide(String),
    #[error("cannot read {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} is not what it should be; {remedy}", path.display())]
    Malformed {
        path: PathBuf,
        remedy: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot write {}; check that its folder is writable", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("cannot write the output")]
    Output(#[source] io::Error),
    #[error("the system gives no threads or no signals")]
    Runtime(#[source] io::Error),
    #[error("cannot find this program's own file, which the local stack starts anew")]
    OwnExecutable(#[source] io::Error),
    #[error("cannot build an HTTP client")]
    HttpClient(#[source] reqwest::Error),
    #[error("the local stack cannot start: {0}")]
    Stack(#[from] local::Error),
    #[error("the function ended: {0}")]
    Function(lambda_runtime::Error),
}

impl Failure {
    /// The process's exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code())
    }

    /// Whether the reader of the output went away, which is no failure of ours.
    pub(crate) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Answered(problem) => problem.status == 429 || problem.status >= 500,
            Self::Unreachable { .. } | Self::Unreadable { .. } => true,
            Self::Usage(_)
            | Self::NothingToDecide(_)
            | Self::Read { .. }
            | Self::Malformed { .. }
            | Self::Write { .. }
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::OwnExecutable(_)
            | Self::HttpClient(_)
            | Self::Stack(_)
            | Self::Function(_) => false,
        }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Answered(problem) if (400..500).contains(&problem.status) => REFUSED,
            Self::NothingToDecide(_) => REFUSED,
            Self::Answered(_)
            | Self::Unreachable { .. }
            | Self::Unreadable { .. }
            | Self::Usage(_)
            | Self::Read { .. }
            | Self::Malformed { .. }
            | Self::Write { .. }
            | Self::Output(_)
            | Self::Runtime(_)
            | Self::OwnExecutable(_)
            | Self::HttpClient(_)
            | Self::Stack(_)
            | Self::Function(_) => FAILED,
        }
    }
}

fn sentence(problem: &Problem) -> String {
    let Problem { status, code, message } = problem;
    match code {
        Some(code) => format!("{message} ({code}, HTTP {status})"),
        None => format!("{message} (HTTP {status})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_code(status: u16, expected: u8) {
        let failure = Failure::Answered(Problem::read(status, b""));
        assert_eq!(failure.code(), expected, "{status}");
    }

    #[test]
    fn a_refusal_is_1_and_a_failure_is_2() {
        assert_eq!(Verdict::Done.code(), 0);
        assert_eq!(Verdict::Refused.code(), 1);
        for status in [400, 401, 403, 404, 409, 410, 413, 422, 429] {
            check_code(status, 1);
        }
        for status in [301, 500, 502, 503, 504] {
            check_code(status, 2);
        }
        assert_eq!(Failure::Usage(String::new()).code(), 2);
        assert_eq!(Failure::Output(io::ErrorKind::Other.into()).code(), 2);
    }

    #[track_caller]
    fn check_problem(body: &str, code: Option<&str>, message: &str) {
        let problem = Problem::read(409, body.as_bytes());
        assert_eq!((problem.code.as_deref(), problem.message.as_str()), (code, message), "{body}");
    }

    #[test]
    fn the_services_own_words_are_kept_in_every_shape_of_error() {
        check_problem(r#"{"error":{"code":"a","message":"b"},"detail":"c"}"#, Some("a"), "b");
        check_problem(r#"{"detail":"c"}"#, None, "c");
        check_problem(r#"{"message":"Not Found"}"#, None, "Not Found");
        check_problem(r#"{"error":"plain"}"#, None, "plain");
        check_problem("<html>", None, "the service gave no reason");
    }

    #[test]
    fn only_a_closed_pipe_is_forgiven() {
        assert!(Failure::Output(io::ErrorKind::BrokenPipe.into()).is_closed_output());
        assert!(!Failure::Output(io::ErrorKind::StorageFull.into()).is_closed_output());
    }
}
