//! Every sample event through the deployable binaries, under AWS's own Lambda runtime emulator,
//! beside a running stack whose table and queues they use.

mod emulated;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;

use serde_json::{Value, json};
use tests::Running;
use tests::binaries::{binary, checkout};

use crate::api::Api;
use crate::processes;
use emulated::{Emulator, program};

/// The events of one function in the order in which they follow from one another.
const ORDER: [&str; 5] = ["page.json", "tasks.json", "decide.json", "list.json", "redrive.json"];

/// A stack, and what the events are about.
struct Stage {
    api: Api,
    running: Running,
    logs: tempfile::TempDir,
    /// The stack's own worker, once it is halted.
    halted: OnceLock<Halted>,
}

/// A process that does nothing any more. It would not even notice the end of its stack.
struct Halted(u32);

impl Halted {
    fn of(process: u32) -> Self {
        assert!(signal(process, "-STOP").success());
        Self(process)
    }
}

impl Drop for Halted {
    fn drop(&mut self) {
        signal(self.0, "-KILL");
    }
}

fn signal(process: u32, signal: &str) -> ExitStatus {
    let sent = Command::new("kill").args([signal, &process.to_string()]).status();
    sent.expect("there is a kill")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_sample_event_is_taken_by_the_binary_that_is_deployed() {
    let Some(program) = program() else { return };
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(&data.path().join("stack"));
    let api = Api::of(&running);
    let worker = json!({"delivery_mode": "worker"});
    api.put("/v1/routes/openai-agent-demo", &worker).await;
    let logs = tempfile::tempdir().expect("a folder");
    let stage = Stage { api, running, logs, halted: OnceLock::new() };
    let folders = std::fs::read_dir(checkout().join("functions")).expect("there are functions");
    let mut replayed = 0;
    for folder in folders {
        let function = folder.expect("a folder").file_name().into_string().expect("a name");
        let emulator = stage.emulate(&program, &function).await;
        let id = stage.subject(&function).await;
        let first = stage.fill(&events(&function)[0], &id).await;
        for file in events(&function) {
            let event = stage.fill(&file, &id).await;
            let answer = emulator.invoke(&event).await;
            let answer = answer.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            check(&file, &event, &answer);
            replayed += 1;
        }
        stage.check_effect(&function, &id).await;
        // What it cannot read fails one invocation and no other.
        let failed = emulator.invoke("[]").await.expect_err("no event at all");
        assert!(failed.contains("errorType"), "{function}: {failed}");
        assert!(emulator.invoke(&first).await.is_ok(), "{function} does not go on");
    }
    eprintln!("{replayed} events replayed");
    assert!(replayed >= 16, "{replayed} events only");
}

/// The sample events of a function.
fn events(function: &str) -> Vec<PathBuf> {
    let folder = checkout().join("events").join(function);
    let entries = std::fs::read_dir(&folder).expect("every function has sample events");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
    let place = |file: &PathBuf| ORDER.iter().position(|name| file.ends_with(name));
    files.sort_by_key(|file| (place(file), file.clone()));
    // Canceling comes last, since it ends what the others look at.
    files.sort_by_key(|file| file.ends_with("cancel.json"));
    assert!(!files.is_empty(), "{} is empty", folder.display());
    files
}

/// What Lambda would be told: an answer of a route, or that no record comes again.
#[track_caller]
fn check(file: &Path, event: &str, answer: &Value) {
    let event: Value = serde_json::from_str(event).expect("an event is JSON");
    if event.get("requestContext").is_some() {
        assert_eq!(answer["statusCode"], 200, "{}: {answer}", file.display());
    } else if event.get("Records").is_some() {
        assert_eq!(answer["batchItemFailures"], json!([]), "{}: {answer}", file.display());
    } else {
        assert!(answer["timers"].is_u64(), "{}: {answer}", file.display());
    }
}

impl Stage {
    /// The function's own binary, with the variables that the template gives it.
    async fn emulate(&self, program: &Path, function: &str) -> Emulator {
        let functions = processes::functions(self.running.id());
        let process = functions.get(function).unwrap_or_else(|| panic!("{function} runs not"));
        let environment = processes::environment(*process).expect("the function runs");
        if function == "agent-worker" {
            // The stack's own worker must not be quicker.
            self.halted.get_or_init(|| Halted::of(*process));
        }
        let log = self.logs.path().join(function);
        Emulator::start(program, &binary(function), &environment, &log).await
    }

    /// An intent for a function's events to be about.
    async fn subject(&self, function: &str) -> String {
        let body = match function {
            "agent-worker" => json!({
                "intent_type": "t.v1", "to_agent": "agent://openai-agent-demo",
                "payload": {"task": "Analyze Q1 sales data and generate insights"},
            }),
            "intents" => json!({"intent_type": "t.v1", "to_agent": "agent://somebody"}),
            _ => json!({
                "intent_type": "t.v1", "to_agent": "agent://agent_core",
                "human_task": {"title": function},
            }),
        };
        self.api.create(&body).await
    }

    /// An event with its placeholders filled in.
    async fn fill(&self, file: &Path, id: &str) -> String {
        let text = std::fs::read_to_string(file).expect("the event is there");
        let connection = &self.api.connection;
        let mut filled = text
            .replace("{{agent_key}}", &connection.agent_key)
            .replace("{{reviewer_key}}", &connection.reviewer_key)
            .replace("{{admin_key}}", &connection.admin_key)
            .replace("{{intent_id}}", id)
            // Nobody has subscribed: there is nobody to tell, and nothing to try again.
            .replace("{{subscription_id}}", "00000000-0000-4000-8000-000000000000")
            .replace("{{commit_seq}}", "6");
        if filled.contains("{{link}}") {
            filled = filled.replace("{{link}}", &self.link(id).await);
        }
        assert!(!filled.contains("{{"), "{} has an unknown placeholder", file.display());
        filled
    }

    /// The last part of the review link of a task.
    async fn link(&self, id: &str) -> String {
        let tasks = self.api.tasks().await;
        let task = tasks.iter().find(|task| task["intent_id"] == id).expect("it waits");
        let url = task["approve_url"].as_str().expect("a link");
        url.rsplit('/').next().expect("a last part").to_owned()
    }

    /// What the events of a function did to the table.
    async fn check_effect(&self, function: &str, id: &str) {
        let expected = match function {
            "agent-worker" => "WAITING",
            "approve" => "COMPLETED",
            "intents" => "CANCELED",
            _ => return,
        };
        assert_eq!(self.api.intent(id).await["status"], expected, "{function}");
    }
}
