//! The published clients, against the stack in its own processes.

use std::process::Command;

use serde_json::{Value, json};
use tests::binaries::{binary, checkout};
use tests::{Program, Python, Running};

/// A stack, and the clients' programs.
struct Stage {
    stack: Running,
    python: Python,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Option<Self> {
        let python = Python::with(&checkout().join("tests/python/mcp/requirements.txt"))?;
        let folder = tempfile::tempdir().expect("a folder");
        let stack = Running::start(&folder.path().join("data"));
        Some(Self { stack, python, _folder: folder })
    }

    /// A client that asks, waits for the decision and tells on its last line what it saw.
    fn client(&self, script: &str, arguments: &[&str]) -> Program {
        let connection = &self.stack.connection;
        let mut command = self.python.program("python");
        command
            .arg(checkout().join("tests/python/mcp").join(script))
            .args(arguments)
            .env("HOLDPOINT_URL", &connection.base_url)
            .env("HOLDPOINT_API_KEY", &connection.agent_key);
        Program::start(&mut command)
    }

    /// Decides, as the reviewer does on the command line.
    fn decide(&self, decision: &str, id: &str) {
        let connection = self.stack.data().join("connection.json");
        let mut command = Command::new(binary("holdpoint"));
        command.args(["tasks", decision, id, "--comment", "Seen.", "--connection"]);
        Program::run(command.arg(connection)).with_code(0);
    }

    /// Lets a client ask and a person decide while it waits; what the client saw.
    fn story(&self, script: &str, arguments: &[&str], decision: &str) -> Value {
        let client = self.client(script, arguments);
        let waiting = client.line("client: waits for ");
        self.decide(decision, waiting.trim_start_matches("client: waits for "));
        let ended = client.end().with_code(0);
        serde_json::from_str(ended.last_line()).expect("its last line is JSON")
    }
}

#[track_caller]
fn check(seen: &Value, version: &str, status: &str) {
    assert_eq!(seen["protocol_version"], version, "{seen}");
    let tools = ["get_approval", "list_approvals", "request_approval", "wait_for_approval"];
    assert_eq!(seen["tools"], json!(tools), "{seen}");
    assert_eq!(seen["asked_twice_is_one"], true, "{seen}");
    assert_eq!(seen["open"], 1, "{seen}");
    let refusal = seen["refusal"].as_str().unwrap_or_default();
    assert!(refusal.contains("wait_seconds: is 99; send a number from 1 to 25"), "{seen}");
    assert_eq!(seen["decided"]["status"], status, "{seen}");
    assert_eq!(seen["decided"]["approved"], status == "approved", "{seen}");
    assert_eq!(seen["decided"]["comment"], "Seen.", "{seen}");
}

#[test]
fn the_contract_s_client_asks_and_waits() {
    let Some(stage) = Stage::new() else { return };
    check(&stage.story("contract_client.py", &[], "approve"), "2024-11-05", "approved");
    check(&stage.story("contract_client.py", &[], "reject"), "2024-11-05", "rejected");
}

#[test]
fn the_protocol_s_own_client_asks_and_waits_with_and_without_a_handshake() {
    let Some(stage) = Stage::new() else { return };
    let (handshake, none) = (["--mode", "legacy"], ["--mode", "auto"]);
    check(&stage.story("official_client.py", &handshake, "approve"), "2025-11-25", "approved");
    check(&stage.story("official_client.py", &none, "reject"), "2026-07-28", "rejected");
}
