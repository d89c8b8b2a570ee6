//! RUNBOOK.md, and what README.md tells operators, as they are written: every command is run. Those of
//! `holdpoint` against a running stack, those of `aws` against an emulator that holds what the template
//! deploys.

mod document;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use tests::binaries::{binary, checkout};
use tests::{Ended, Program, Python, Running};

use crate::api::{Api, until};
use crate::cli::{answer, run};
use crate::dead_letters::operator::Backdoor;
use document::{Block, blocks, sections};

/// The name that the runbook gives the deployment.
const STACK: &str = "holdpoint";
/// A region in which the command line asks for queues where it is told to. For others its version 1 has
/// addresses of its own.
const REGION: &str = "eu-central-2";
/// A proxy at which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:9";
/// Where the system has its own programs.
const SYSTEM: &str = "/usr/local/bin:/usr/bin:/bin";
/// Shells that ask AWS at the same time.
const SHELLS: usize = 3;
/// How long anything here may take that goes by queues and the table.
const COMES_WITHIN: Duration = Duration::from_mins(1);
/// What stands in README.md for others than this test to try, and where that is done.
const TRIED_ELSEWHERE: [(&str, &str); 4] = [
    ("cargo ", "by tests/it/cli.rs, with the command itself"),
    ("curl ", "by tests/it/webhooks.rs, with the same request"),
    ("pip ", "by nobody: it installs the tools that deploy"),
    ("sam ", "by tests/it/template.rs as far as that goes without an account"),
];
/// How an alarm may stand.
const STATES: [&str; 3] = ["OK", "ALARM", "INSUFFICIENT_DATA"];

/// A deployment and its operator's shell.
struct Stage {
    stack: Running,
    api: Api,
    aws: Program,
    endpoint: String,
    programs: PathBuf,
    /// What the runbook begins with, as it has set it.
    begun: String,
    folder: tempfile::TempDir,
}

impl Stage {
    fn set(python: &Python, preamble: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let stack = Running::start(&folder.path().join("stack"));
        let emulator = checkout().join("tests/python/runbook/emulator.py");
        let mut emulated = python.program("python");
        let aws =
            Program::start(emulated.arg(emulator).arg(checkout().join("template.yaml")).arg(STACK));
        let endpoint = aws.line("http://");
        let python = python.program("python");
        let programs = Path::new(python.get_program()).parent().expect("a folder").to_owned();
        let preamble = preamble
            .replace("https://….execute-api.….amazonaws.com", &stack.connection.base_url)
            .replace("hp_…", &stack.connection.admin_key);
        assert!(!preamble.contains('…'), "{preamble}");
        let api = Api::of(&stack);
        let begun = String::new();
        let mut stage = Self { stack, api, aws, endpoint, programs, begun, folder };
        let set =
            "declare -p HOLDPOINT_URL HOLDPOINT_API_KEY STACK NAMES; declare -f name log state";
        let ended = stage.shell(&format!("{preamble}\n{set}")).with_code(0);
        assert!(ended.err.is_empty() && ended.out.contains("RelayLagAlarm"), "{ended:?}");
        stage.begun = ended.out;
        stage
    }

    /// Runs commands in a shell that has begun as the runbook says.
    fn shell(&self, commands: &str) -> Ended {
        let own = binary("holdpoint");
        let own = own.parent().expect("a folder").display();
        let script = format!("set -euo pipefail\n{}\n{commands}\n", self.begun);
        let mut shell = Command::new("bash");
        shell
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", format!("{}:{own}:{SYSTEM}", self.programs.display()))
            .env("HOME", self.folder.path())
            .env("NO_COLOR", "1")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            // Whatever asks elsewhere than here is refused before it connects.
            .env("HTTPS_PROXY", NOWHERE)
            .env("HTTP_PROXY", NOWHERE)
            .env("NO_PROXY", "127.0.0.1");
        Program::run(&mut shell)
    }

    /// A dead letter that can be sent again.
    async fn dead_letter(&self) -> String {
        let question = json!({
            "intent_type": "t.v1", "to_agent": "agent://agent_core", "human_task": {"title": "?"},
        });
        let intent = self.api.create(&question).await;
        let notice = json!({
            "message": "notice", "tenant": "default", "intent": intent,
            "notice": {"kind": "assigned"},
        });
        let backdoor = Backdoor::of(&self.stack);
        backdoor.send("NOTICES_DEAD_LETTERS_URL", &notice.to_string()).await;
        until(COMES_WITHIN, "a dead letter", async || {
            let listed = answer(&self.stack, &["dead", "list"]);
            let letters = listed["dead_letters"].as_array().expect("a list").iter();
            let mut its = letters.filter(|letter| letter["intent_id"] == json!(intent));
            its.next().map(|letter| letter["dead_letter_id"].as_str().expect("a name").to_owned())
        })
        .await
    }

    fn drop_dead_letters(&self) {
        let listed = answer(&self.stack, &["dead", "list"]);
        for letter in listed["dead_letters"].as_array().expect("a list") {
            let id = letter["dead_letter_id"].as_str().expect("a name");
            run(&self.stack, &["dead", "drop", id]).with_code(0);
        }
    }

    /// The commands with something real in each place.
    async fn filled(&self, commands: &str) -> String {
        let mut filled = vec![];
        for line in commands.lines() {
            let mut line = line.to_owned();
            if line.contains("holdpoint doctor") {
                self.drop_dead_letters();
            }
            if document::has_word(&line, "ID") {
                let id = if line.starts_with("holdpoint dead") {
                    self.dead_letter().await
                } else if line.starts_with("holdpoint keys revoke") {
                    let made = ["keys", "create", "--role", "reviewer", "--name", "leaked"];
                    let made = answer(&self.stack, &made);
                    made["key"]["key_id"].as_str().expect("an id").to_owned()
                } else {
                    let sent = json!({"intent_type": "t.v1", "to_agent": "agent://a"});
                    self.api.create(&sent).await
                };
                line = document::replace_word(&line, "ID", &id);
            }
            if document::has_word(&line, "ADDRESS") {
                run(&self.stack, &["agents", "register", "wild"]).with_code(0);
                line = document::replace_word(&line, "ADDRESS", "agent://wild");
            }
            filled.push(line);
        }
        filled.join("\n")
    }

    /// Runs a block with something real in each place.
    async fn try_filled(&self, block: &Block) {
        let commands = self.filled(&block.text).await;
        self.try_block(block, &commands);
    }

    /// Runs blocks that neither change what others see nor have places to fill.
    fn try_side_by_side(&self, blocks: &[Block]) {
        std::thread::scope(|scope| {
            for lane in 0..SHELLS {
                let lane = blocks.iter().skip(lane).step_by(SHELLS);
                scope.spawn(|| lane.for_each(|block| self.try_block(block, &block.text)));
            }
        });
    }

    /// Runs a block; every command in it must do what it is meant to.
    fn try_block(&self, block: &Block, commands: &str) {
        let ended = self.shell(commands);
        let told = format!("{}\n{commands}\n{}\n{}", block.section, ended.out, ended.err);
        assert_eq!(ended.code, Some(0), "{told}");
        // A command in the arguments of another one fails without ending anything.
        assert!(ended.err.is_empty(), "{told}");
        // Blocks that ask how alarms stand end with it.
        let asked = block.text.lines().filter(|line| line.starts_with("state ")).count();
        let said: Vec<_> = ended.out.lines().rev().take(asked).collect();
        assert!(said.len() == asked && said.iter().all(|it| STATES.contains(it)), "{told}");
    }
}

fn read(name: &str) -> String {
    std::fs::read_to_string(checkout().join(name)).expect("the document is there")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_command_for_operators_does_what_it_says() {
    let requirements = checkout().join("tests/python/runbook/requirements.txt");
    let Some(python) = Python::with(&requirements) else { return };
    let runbook = read("RUNBOOK.md");
    let mut all = blocks(&runbook).into_iter();
    let preamble = all.next().expect("it begins with what to begin with");
    let stage = Stage::set(&python, &preamble.text);
    let (ours, theirs): (Vec<_>, Vec<_>) = all.partition(|block| block.text.contains("holdpoint "));
    let mut tried = ours.len() + theirs.len();
    tokio::task::block_in_place(|| stage.try_side_by_side(&theirs));
    for block in ours {
        stage.try_filled(&block).await;
    }
    for block in blocks(&read("README.md")) {
        for line in block.text.lines().filter(|line| line.starts_with("holdpoint ")) {
            if let Some((command, note)) = line.split_once('#')
                && let Some(task) =
                    note.trim().strip_prefix('{').filter(|_| command.contains("signoff"))
            {
                let file = stage.folder.path().join("signoff.json");
                std::fs::write(file, format!("{{{task}")).expect("a file");
            }
            stage
                .try_filled(&Block { section: block.section.clone(), text: line.to_owned() })
                .await;
            tried += 1;
        }
    }
    eprintln!("{tried} blocks of commands tried");
    assert!(tried > 25, "{tried} blocks only");
    drop(stage.aws);
}

#[test]
fn commands_stand_in_blocks_where_they_are_tried() {
    for line in blocks(&read("README.md")).iter().flat_map(|block| block.text.lines()) {
        let continued = line.starts_with(' ') || line.starts_with('-') || line.is_empty();
        let is_tried = line.starts_with("holdpoint ")
            || TRIED_ELSEWHERE.iter().any(|(begins, _)| line.starts_with(begins));
        assert!(is_tried || continued, "nobody tries `{line}`");
    }
    for (name, text) in [("RUNBOOK.md", read("RUNBOOK.md")), ("README.md", read("README.md"))] {
        for code in document::inline_code(&text) {
            assert!(!code.starts_with("aws "), "{name}: `{code}` stands where nobody tries it");
        }
    }
}

#[test]
fn commands_in_sentences_are_there() {
    let all = read("RUNBOOK.md") + &read("README.md");
    let mut tried = BTreeSet::new();
    for code in document::inline_code(&all) {
        let Some(words) = code.strip_prefix("holdpoint ") else { continue };
        let is_name =
            |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase()) && !word.contains('|');
        let words: Vec<_> = words.split_whitespace().take_while(is_name).take(2).collect();
        // What follows a command without commands of its own is an argument.
        let words = if words.first() == Some(&"up") { &words[..1] } else { &words[..] };
        if words.is_empty() || !tried.insert(words.join(" ")) {
            continue;
        }
        let mut help = Command::new(binary("holdpoint"));
        let told = Program::run(help.args(words).arg("--help")).with_code(0);
        for option in code.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(told.out.contains(option), "`{code}`: {option} is not there\n{}", told.out);
        }
    }
    assert!(tried.len() > 3, "{tried:?}");
}

#[test]
fn each_alarm_says_who_is_hit_which_intents_what_to_do_and_when_it_is_over() {
    let sections = sections(&read("RUNBOOK.md"));
    // Of keys no alarm rings.
    let about: Vec<_> = sections.iter().filter(|(title, _)| title != "Keys").collect();
    assert!(about.len() > 6, "{about:?}");
    for (title, text) in about {
        for part in ["**For users:**", "**Which intents:**", "\n1. ", "**Over when**"] {
            assert!(text.contains(part), "{title} has no `{part}`");
        }
    }
}

#[test]
fn what_wake_is_invoked_with_is_what_it_takes() {
    let runbook = read("RUNBOOK.md");
    let calls: Vec<_> = runbook
        .lines()
        .filter_map(|line| {
            let text = line.trim().strip_prefix("echo '")?;
            Some(text.split_once('\'')?.0.to_owned())
        })
        .collect();
    let read = |text: &String| -> wake::Call { serde_json::from_str(text).expect("a call") };
    let restarts = calls.iter().map(|text| match read(text) {
        wake::Call::Schedule(schedule) => (schedule.sweep, schedule.restart),
        wake::Call::Messages(messages) => panic!("{text} is {messages:?}"),
    });
    assert_eq!(restarts.collect::<Vec<_>>(), [(true, false), (true, true)]);
}

/// Members that a query of the logs names stand in the lines of a function.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_logs_have_what_the_runbook_asks_them_for() {
    let runbook = read("RUNBOOK.md");
    let query = runbook.split("--query-string 'fields ").nth(1).expect("a query");
    let (fields, _) = query.split_once('|').expect("fields");
    let wanted: Vec<_> =
        fields.split(',').map(str::trim).filter(|field| !field.starts_with('@')).collect();
    assert!(wanted.contains(&"span.trace_id"), "{wanted:?}");
    let data = tempfile::tempdir().expect("a folder");
    let stack = Running::start(&data.path().join("stack"));
    Backdoor::of(&stack)
        .send(
            "WAKES_QUEUE_URL",
            &json!({
                "message": "turn", "tenant": "default", "intent": crate::harness::nobody(),
            })
            .to_string(),
        )
        .await;
    let log = stack.data().join("logs/wake.log");
    let line = until(COMES_WITHIN, "the line of a failure", async || {
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        let lines = text.lines().filter_map(|line| serde_json::from_str(line).ok());
        let mut failed = lines.filter(|line: &serde_json::Value| line["level"] == "WARN");
        failed.find(|line| line["fields"]["message"] == "message failed")
    })
    .await;
    for field in wanted {
        let pointer = format!("/{}", field.replace('.', "/"));
        assert!(line.pointer(&pointer).is_some(), "{field} is not in {line}");
    }
}
