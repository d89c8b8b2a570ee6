//! `holdpoint up` as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::binaries::binary;

/// How long a stack may take to answer, on a machine that does other things too.
const START_MAX: Duration = Duration::from_secs(90);
/// The pause between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A stack in a process of its own. It is killed when this is dropped.
#[derive(Debug)]
pub struct Running {
    process: Child,
    data: PathBuf,
    /// Where it answers, and the keys.
    pub connection: Connection,
}

/// What `connection.json` says.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Where the stack answers.
    pub base_url: String,
    /// An agent's key.
    pub agent_key: String,
    /// A reviewer's key.
    pub reviewer_key: String,
    /// An administrator's key.
    pub admin_key: String,
}

impl Running {
    /// Starts a stack on `data`, at any free port.
    pub fn start(data: &Path) -> Self {
        Self::start_at(data, "127.0.0.1:0")
    }

    /// Starts a stack on `data` at `listen`.
    pub fn start_at(data: &Path, listen: &str) -> Self {
        Self::start_with(data, listen, &[])
    }

    /// Starts a stack on `data` at `listen`, with further arguments of `holdpoint up`.
    pub fn start_with(data: &Path, listen: &str, arguments: &[&str]) -> Self {
        let file = data.join("connection.json");
        let before = std::fs::metadata(&file).and_then(|meta| meta.modified()).ok();
        let log = std::fs::File::create(data.with_extension("up.log")).expect("a log file");
        let process = Command::new(binary("holdpoint"))
            .args(["up", "--listen", listen, "--data"])
            .arg(data)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("one more handle"))
            .stderr(log)
            .spawn()
            .expect("holdpoint runs");
        let mut running = Self { process, data: data.to_owned(), connection: Connection::none() };
        // The file is written only when the stack answers, so a new one says that it does.
        running.wait_until(START_MAX, "the stack did not start", || {
            let now = std::fs::metadata(&file).and_then(|meta| meta.modified()).ok();
            now.is_some() && now != before
        });
        running.connection = Connection::read(&file);
        running
    }

    /// Kills the stack, as `kill -9` does, and waits until it is gone.
    pub fn kill(mut self) {
        self.process.kill().expect("the stack was running");
        self.process.wait().expect("the stack was ours");
    }

    /// The process's number; the functions' processes are its children.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The folder that the stack keeps everything in.
    pub fn data(&self) -> &Path {
        &self.data
    }

    fn wait_until(&mut self, at_most: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
        let end = Instant::now() + at_most;
        while !is_so() {
            let ended = self.process.try_wait().expect("the stack is ours");
            let log = std::fs::read_to_string(self.data.with_extension("up.log"));
            assert!(ended.is_none(), "the stack ended: {ended:?}\n{}", log.unwrap_or_default());
            assert!(Instant::now() < end, "{what} within {at_most:?}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have been killed by the test already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Connection {
    fn none() -> Self {
        let empty = String::new;
        Self { base_url: empty(), agent_key: empty(), reviewer_key: empty(), admin_key: empty() }
    }

    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).expect("the file is there");
        let json: Value = serde_json::from_str(&text).expect("the file is JSON");
        let field = |name: &str| json[name].as_str().expect("a whole connection").to_owned();
        Self {
            base_url: field("base_url"),
            agent_key: field("agent_key"),
            reviewer_key: field("reviewer_key"),
            admin_key: field("admin_key"),
        }
    }
}
