//! What the two programs have in common.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::Failure;

/// A program: what it ran, and how it ends.
#[derive(Debug)]
pub struct Program;

impl Program {
    /// Runs `work` on a runtime of its own; the exit code is 0 only if it says that all is well.
    pub fn run(work: impl Future<Output = Result<bool, Failure>>) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let done = match runtime {
            Ok(runtime) => runtime.block_on(work),
            Err(error) => Err(Failure::system("start a runtime")(error)),
        };
        match done {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(failure) => {
                say(&format!("{failure}{}", causes(&failure)));
                ExitCode::from(2)
            }
        }
    }
}

/// Writes a line; whoever does not listen any more misses it.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The program that becomes the functions: the one that was named, or `holdpoint` beside this one.
pub fn holdpoint(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let exe = match named {
        Some(exe) => exe,
        None => std::env::current_exe()
            .map_err(Failure::system("find this program"))?
            .with_file_name("holdpoint"),
    };
    if exe.is_file() { Ok(exe) } else { Err(Failure::NoProgram(exe)) }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = String::new();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
