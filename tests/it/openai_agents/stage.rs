//! A stack, and the example's processes against it.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use tests::binaries::checkout;
use tests::{Connection, Ended, Program, Python, Running};

/// How long an agent looks for work that is there.
const AGENT_SECONDS: f64 = 30.0;
/// The exit code of a rehearsed crash.
const KILLED: i32 = 9;

/// Where the example is.
pub(super) fn example() -> PathBuf {
    checkout().join("examples/openai-agents")
}

/// One stack for each test, with the example's own environment.
pub(super) struct Stage {
    stack: Running,
    python: Python,
    folder: TempDir,
    stories: Cell<usize>,
}

/// One release request at an address of its own.
pub(super) struct Story<'a> {
    stage: &'a Stage,
    address: String,
    deploy_log: PathBuf,
    initiator: RefCell<Option<Program>>,
}

/// What the reviewer says about one call.
pub(super) struct Decision<'a> {
    call_id: &'a str,
    word: &'a str,
    comment: Option<&'a str>,
}

impl<'a> Decision<'a> {
    pub(super) fn approve(call_id: &'a str) -> Self {
        Self { call_id, word: "approve", comment: None }
    }

    pub(super) fn reject(call_id: &'a str, comment: &'a str) -> Self {
        Self { call_id, word: "reject", comment: Some(comment) }
    }
}

impl Stage {
    pub(super) fn new() -> Option<Self> {
        let python = Python::with(&example().join("requirements.txt"))?;
        let folder = tempfile::tempdir().expect("a folder");
        let stack = Running::start(&folder.path().join("data"));
        Some(Self { stack, python, folder, stories: Cell::new(0) })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.stack.connection
    }

    /// Sends a release request; it has been taken when this returns.
    pub(super) fn story(&self) -> Story<'_> {
        let number = self.stories.get();
        self.stories.set(number + 1);
        let address = format!("agent://release-desk-{number}");
        let deploy_log = self.folder.path().join(format!("deployments-{number}.log"));
        let mut command = self.script("initiator.py", &deploy_log);
        let initiator = Program::start(command.args(["--to-agent", &address, "--seconds", "300"]));
        initiator.line("initiator: intent ");
        Story { stage: self, address, deploy_log, initiator: RefCell::new(Some(initiator)) }
    }

    fn script(&self, name: &str, deploy_log: &Path) -> Command {
        let mut command = self.python.program("python");
        command
            .arg(example().join(name))
            .env("HOLDPOINT_CONNECTION", self.stack.data().join("connection.json"))
            .env("DEPLOY_LOG", deploy_log);
        // The script plays whatever the machine has; a real model would cost money and vary.
        for variable in ["OPENAI_API_KEY", "HOLDPOINT_URL", "HOLDPOINT_API_KEY"] {
            command.env_remove(variable);
        }
        command
    }
}

impl Story<'_> {
    /// Starts the agent for one step, which ends well and says `wanted`.
    #[track_caller]
    pub(super) fn step(&self, wanted: &str) {
        let agent = self.agent_for(AGENT_SECONDS).with_code(0);
        assert!(agent.out.contains(wanted), "{}", agent.out);
    }

    /// Starts the agent and waits until its process has ended.
    pub(super) fn agent_for(&self, seconds: f64) -> Ended {
        Program::run(&mut self.agent(seconds))
    }

    /// Starts the agent for one step against another address of the same stack.
    pub(super) fn agent_at(&self, base_url: &str) -> Ended {
        let key = &self.stage.connection().agent_key;
        let mut agent = self.agent(AGENT_SECONDS);
        Program::run(agent.env("HOLDPOINT_URL", base_url).env("HOLDPOINT_API_KEY", key))
    }

    /// Starts the agent, which dies at `place`.
    #[track_caller]
    pub(super) fn killed_at(&self, place: &str) {
        let mut agent = self.agent(AGENT_SECONDS);
        Program::run(agent.env("HOLDPOINT_EXAMPLE_CRASH_AT", place)).with_code(KILLED);
    }

    /// The reviewer decides about what waits for the sake of this story, which is one question.
    #[track_caller]
    pub(super) fn decide(&self, decision: &Decision<'_>) {
        let listed = Program::run(&mut self.script("reviewer.py")).with_code(0).out;
        let waiting: Vec<Value> =
            listed.lines().map(|line| serde_json::from_str(line).expect("JSON lines")).collect();
        assert_eq!(waiting.len(), 1, "one question waits: {listed}");
        let id = waiting[0]["approval_id"].as_str().expect("an id");
        let asks_for_outcome = listed.contains("Did it happen?");
        assert_eq!(asks_for_outcome, decision.call_id.ends_with(":outcome"), "{listed}");
        let mut reviewer = self.script("reviewer.py");
        reviewer.args([decision.word, id]);
        if let Some(comment) = decision.comment {
            reviewer.args(["--comment", comment]);
        }
        Program::run(&mut reviewer).with_code(0);
    }

    /// How many deployments there were.
    pub(super) fn deployments(&self) -> usize {
        let log = std::fs::read_to_string(&self.deploy_log);
        log.map_or(0, |log| log.lines().count())
    }

    /// What the initiator, which followed the intent all the time, saw in the end.
    #[track_caller]
    pub(super) fn outcome(&self) -> Value {
        let initiator = self.initiator.take().expect("the outcome is asked for once");
        let initiator = initiator.end().with_code(0);
        serde_json::from_str(initiator.last_line()).expect("its last line is JSON")
    }

    fn agent(&self, seconds: f64) -> Command {
        let mut command = self.script("agent.py");
        command.args(["--address", &self.address, "--seconds", &seconds.to_string()]);
        command
    }

    fn script(&self, name: &str) -> Command {
        self.stage.script(name, &self.deploy_log)
    }
}
