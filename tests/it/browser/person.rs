//! The demo in a process, and somebody who decides in Chromium.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tests::binaries::{binary, checkout, target};
use tests::{Ended, Program, Python};

/// The browser of the machine.
const CHROMIUM: &str = "/usr/bin/chromium";

/// `holdpoint demo`, which waits for a decision.
pub(super) struct Demo {
    program: Program,
    _folder: TempDir,
}

/// Somebody with a browser.
pub(super) struct Person {
    python: Python,
}

impl Demo {
    pub(super) fn start(further: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = Command::new(binary("holdpoint"));
        command.args(["demo", "--data"]).arg(folder.path().join("data")).args(further);
        // The script plays whatever the machine has; a real model would cost money and vary.
        for variable in ["OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"] {
            command.env_remove(variable);
        }
        Self { program: Program::start(&mut command), _folder: folder }
    }

    /// The link that it prints for the reviewer.
    #[track_caller]
    pub(super) fn approve_url(&self) -> String {
        let line = self.program.line("/approve/");
        let url = line.split_whitespace().find(|word| word.starts_with("http://"));
        url.unwrap_or_else(|| panic!("no link in `{line}`")).to_owned()
    }

    /// The first line that contains `wanted`, waited for.
    #[track_caller]
    pub(super) fn line(&self, wanted: &str) {
        self.program.line(wanted);
    }

    /// Waits for its end.
    #[track_caller]
    pub(super) fn end(self) -> Ended {
        self.program.end()
    }
}

impl Person {
    /// Somebody with a browser; nobody on a machine without one, which then says so. Where tests
    /// count, that is a failure.
    pub(super) fn with_a_browser() -> Option<Self> {
        if !Path::new(CHROMIUM).exists() {
            let missing = format!("{CHROMIUM} is not there; install Debian's package chromium");
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            eprintln!("NOT TESTED, nobody can open the review page: {missing}");
            return None;
        }
        let requirements = checkout().join("tests/python/browser/requirements.txt");
        Python::with(&requirements).map(|python| Self { python })
    }

    /// Opens the link in one browser for each button, presses them in turn, and tells what each
    /// browser showed. Pictures, where `further` asks for them, go to `target/screenshots`.
    #[track_caller]
    pub(super) fn decides(&self, url: &str, buttons: &[&str], further: &[&str]) -> Vec<Value> {
        let shots = target().join("screenshots");
        std::fs::create_dir_all(&shots).expect("the target folder takes folders");
        let mut command = self.python.program("python");
        command.arg(checkout().join("tests/python/browser/decide.py"));
        command.args([url, "--chromium", CHROMIUM]).current_dir(shots);
        command.args(buttons.iter().flat_map(|button| ["--press", *button])).args(further);
        let told = Program::run(&mut command).with_code(0);
        serde_json::from_str(told.last_line()).expect("its last line is JSON")
    }
}
