//! A stack, and the scripts and commands that a story runs against it.

use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tests::binaries::{binary, checkout};
use tests::{Connection, Program, Python, Running};

/// One stack of its own for each story.
pub(super) struct Stage {
    stack: Running,
    python: Python,
    folder: TempDir,
}

impl Stage {
    pub(super) fn new() -> Option<Self> {
        let python = Python::with(&checkout().join("tests/python/seed/requirements.txt"))?;
        let folder = tempfile::tempdir().expect("a folder");
        Some(Self { stack: Running::start(&folder.path().join("data")), python, folder })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.stack.connection
    }

    /// The seed's agent, which takes one intent of `address` and ends.
    pub(super) fn agent(&self, address: &str) -> Program {
        Program::start(self.script("agent.py").args(["--address", address]))
    }

    /// The seed's initiator, which sends one task to `address` and follows it.
    pub(super) fn initiator(&self, address: &str) -> Program {
        Program::start(self.script("initiator.py").args(["--to-agent", address]))
    }

    /// Runs the command line against the stack; it must succeed. What it printed.
    #[track_caller]
    pub(super) fn holdpoint(&self, arguments: &[&str]) -> String {
        let connection = self.stack.data().join("connection.json");
        let mut command = Command::new(binary("holdpoint"));
        Program::run(command.args(arguments).arg("--connection").arg(connection)).with_code(0).out
    }

    /// Leads `from` to `to`, with a person who signs off on the result.
    pub(super) fn hold_point_on(&self, from: &str, to: &str, task: &Value) {
        self.hold_point_when(from, to, task, "on-result");
    }

    /// Leads `from` to `to`, with a person who is asked at the time that `when` names.
    pub(super) fn hold_point_when(&self, from: &str, to: &str, task: &Value, when: &str) {
        let file = self.folder.path().join("task.json");
        std::fs::write(&file, task.to_string()).expect("the folder takes a file");
        let file = file.to_str().expect("a path of text");
        let asked = ["--human-task", file, "--human-task-when", when];
        self.holdpoint(&[&["agents", "alias", from, to][..], &asked].concat());
    }

    fn script(&self, name: &str) -> Command {
        let mut command = self.python.program("python");
        let connection = self.connection();
        command
            .arg(checkout().join("tests/python/seed").join(name))
            .env("HOLDPOINT_URL", &connection.base_url)
            .env("HOLDPOINT_API_KEY", &connection.agent_key);
        command
    }
}
