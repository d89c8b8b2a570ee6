//! `holdpoint tasks`: what waits for a person, and the decision.
//!
//! A decision is sent with the version and the digest of what was shown here, so it counts for
//! that and for nothing else.

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use shared::id::IntentId;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::terminal::{Paint, Terminal, block, field, instant, json_block, short_digest, table};

/// What can be done with tasks.
#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// List what waits for this reviewer (key: reviewer).
    List,
    /// Show the whole of what is asked (key: reviewer).
    Show {
        /// The task's ID.
        #[arg(value_name = "ID")]
        id: IntentId,
    },
    /// Say yes (key: reviewer).
    Approve(DecideArguments),
    /// Say no (key: reviewer).
    Reject(DecideArguments),
    /// Give any answer that the task takes, and fill in its form (key: reviewer).
    Answer(AnswerArguments),
}

/// An answer in a word, with what was filled in.
#[derive(Args, Debug)]
pub(crate) struct AnswerArguments {
    #[command(flatten)]
    decide: DecideArguments,
    /// One of the task's allowed outcomes, such as `submitted` or `changes_requested`.
    #[arg(value_name = "OUTCOME")]
    outcome: String,
    /// A field of the form; numbers and yes or no are read as the form wants them. May be repeated.
    #[arg(long = "data", value_name = "NAME=VALUE", value_parser = named_value)]
    data: Vec<(String, String)>,
    /// All fields as one JSON object.
    #[arg(long, value_name = "JSON", value_parser = json_object, conflicts_with = "data")]
    data_json: Option<Map<String, Value>>,
}

/// A decision.
#[derive(Args, Debug)]
pub(crate) struct DecideArguments {
    /// The task's ID.
    #[arg(value_name = "ID")]
    id: IntentId,
    /// In your own words; the agent reads it.
    #[arg(short, long, value_name = "TEXT")]
    comment: Option<String>,
}

/// A yes or a no.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Approve,
    Reject,
}

/// What waits for a decision, as it was shown.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Its intent.
    pub(crate) id: IntentId,
    /// The intent that waits for it, if it is a tool call's.
    pub(crate) parent: Option<IntentId>,
    /// Everything that a reviewer must see.
    pub(crate) action: Value,
    /// The digest that stands for `action`.
    pub(crate) digest: String,
    /// Where the reviewer can decide in a browser.
    pub(crate) approve_url: Option<String>,
    version: u64,
    /// The first instant at which nobody can decide any more.
    until: String,
    /// What an answer must have beside its word.
    needs: Vec<&'static str>,
}

/// Runs the command.
pub(crate) async fn run(
    command: TasksCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&deployment.target(Role::Reviewer)?)?;
    match command {
        TasksCommand::List => {
            let answer = client.get("/v1/me/tasks").await?;
            terminal.answer(&answer, || list(&answer))?;
        }
        TasksCommand::Show { id } => {
            let intent = intent(&client, id).await?;
            let task = Task::of_intent(&intent)?;
            terminal.answer(&intent, || task.show(terminal))?;
        }
        TasksCommand::Approve(arguments) => {
            decide(&client, arguments, Answer::Approve, terminal).await?;
        }
        TasksCommand::Reject(arguments) => {
            decide(&client, arguments, Answer::Reject, terminal).await?;
        }
        TasksCommand::Answer(arguments) => answer(&client, arguments, terminal).await?,
    }
    Ok(Verdict::Done)
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
        }
    }

    fn done(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Reject => "rejected",
        }
    }
}

impl Task {
    /// Reads a task of `GET /v1/me/tasks`.
    pub(crate) fn of_list(task: &Value) -> Option<Self> {
        let text = |name: &str| task.get(name).and_then(Value::as_str);
        Some(Self {
            id: text("intent_id")?.parse().ok()?,
            parent: text("parent_intent_id").and_then(|id| id.parse().ok()),
            action: task.get("action")?.clone(),
            digest: text("digest")?.to_owned(),
            version: task.get("version")?.as_u64()?,
            until: instant(task, "/due_at"),
            needs: needs(task),
            approve_url: text("approve_url").map(str::to_owned),
        })
    }

    /// Reads the open task of an intent.
    fn of_intent(intent: &Value) -> Result<Self, Failure> {
        let read = || {
            let hold = intent.get("hold")?;
            let text = |value: &'_ Value, name: &str| value.get(name)?.as_str().map(str::to_owned);
            Some(Self {
                id: text(intent, "intent_id")?.parse().ok()?,
                parent: text(intent, "parent_intent_id").and_then(|id| id.parse().ok()),
                action: hold.get("action")?.clone(),
                digest: text(hold, "digest")?,
                version: hold.get("version")?.as_u64()?,
                until: instant(hold, "/decide_until"),
                needs: needs(intent),
                approve_url: None,
            })
        };
        read().ok_or_else(|| nothing_to_decide(intent))
    }

    /// One line: what is asked, and the digest that stands for it.
    pub(crate) fn headline(&self, terminal: &Terminal) -> String {
        let title = terminal.paint(Paint::Strong, &field(&self.action, "/title"));
        format!("{title}  [{}]", short_digest(&self.digest))
    }

    /// The whole of what is asked.
    pub(crate) fn show(&self, terminal: &Terminal) -> String {
        let action = |pointer: &str| field(&self.action, pointer);
        let mut lines = vec![
            terminal.paint(Paint::Strong, &action("/title")),
            format!("task      {}", self.id),
            format!("asked by  {}", action("/from")),
            format!("deadline  {}", self.until),
            format!(
                "digest    {}  (whole: {})",
                short_digest(&self.digest),
                field(&json!(self.digest), "")
            ),
        ];
        if let Some(description) = self.action.get("description").and_then(Value::as_str) {
            lines.push(block("  | ", description));
        }
        if self.action.get("tool").is_some() {
            lines.push(format!("tool      {}", action("/tool")));
        }
        let answers = self.action.get("allowed_outcomes").and_then(Value::as_array);
        let answers: Vec<_> =
            answers.into_iter().flatten().map(|answer| field(answer, "")).collect();
        if !answers.is_empty() {
            lines.push(format!("answers   {}", answers.join(", ")));
        }
        if !self.needs.is_empty() {
            lines.push(format!("needs     {}", self.needs.join(", ")));
        }
        let parts = [
            ("form", "/form_schema"),
            ("arguments", "/arguments"),
            ("proposal", "/proposal"),
            ("payload", "/payload"),
        ];
        for (name, pointer) in parts {
            let value = self.action.pointer(pointer).filter(|value| !value.is_null());
            // A tool call's payload is its tool and arguments once more.
            let repeated = name == "payload" && self.action.get("tool").is_some();
            let value = value.filter(|_| !repeated);
            lines.extend(value.map(|value| format!("{name}\n{}", json_block("  ", value))));
        }
        lines.join("\n")
    }

    /// Decides it.
    pub(crate) async fn decide(
        &self,
        client: &Client,
        answer: Answer,
        comment: Option<&str>,
    ) -> Result<Value, Failure> {
        let body = json!({
            "decision": answer.word(),
            "comment": comment,
            "version": self.version,
            "digest": self.digest,
        });
        client.post(&format!("/v1/approvals/{}/decision", self.id), &body).await
    }
}

/// Answers with a word of the task's own.
async fn answer(
    client: &Client,
    arguments: AnswerArguments,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let AnswerArguments { decide: DecideArguments { id, comment }, outcome, data, data_json } =
        arguments;
    let task = Task::of_intent(&intent(client, id).await?)?;
    terminal.say(&task.headline(terminal))?;
    let named = data.into_iter().map(|(name, value)| (name, Value::String(value)));
    let data = data_json.unwrap_or_else(|| named.collect());
    let body = json!({
        "task_result": {"outcome": outcome, "comment": comment, "data": data},
        "version": task.version,
        "digest": task.digest,
    });
    let answered = client.post(&format!("/v1/intents/{id}/resume"), &body).await?;
    terminal.answer(&answered, || {
        format!("answered {outcome}; the intent is {}", field(&answered, "/intent/status"))
    })
}

/// What the task of an intent or of the list refuses an answer without.
fn needs(task: &Value) -> Vec<&'static str> {
    let wanted = |flag: &str| task.pointer(flag).and_then(Value::as_bool) == Some(true);
    let parts = [
        ("/human_task/required_comment", "a comment"),
        ("/human_task/evidence_required", "evidence to say yes (--data evidence=TEXT)"),
    ];
    parts.into_iter().filter(|(flag, _)| wanted(flag)).map(|(_, part)| part).collect()
}

/// Reads `NAME=VALUE`.
fn named_value(text: &str) -> Result<(String, String), String> {
    let named = text.split_once('=').filter(|(name, _)| !name.is_empty());
    let named = named.map(|(name, value)| (name.to_owned(), value.to_owned()));
    named.ok_or_else(|| "is not of the form NAME=VALUE".to_owned())
}

fn json_object(text: &str) -> Result<Map<String, Value>, String> {
    serde_json::from_str(text).map_err(|error| format!("is no JSON object: {error}"))
}

/// The intent or, where a step of its workflow asks instead, the child that has the step.
async fn intent(client: &Client, id: IntentId) -> Result<Value, Failure> {
    let mut answer = client.get(&format!("/v1/intents/{id}")).await?;
    let intent = answer.get_mut("intent").map(Value::take).unwrap_or(answer);
    match step_child(&intent) {
        Some(child) => {
            let mut answer = client.get(&format!("/v1/intents/{child}")).await?;
            Ok(answer.get_mut("intent").map(Value::take).unwrap_or(answer))
        }
        None => Ok(intent),
    }
}

/// The child that has the present step of an intent's workflow.
fn step_child(intent: &Value) -> Option<IntentId> {
    let steps = intent.pointer("/workflow/steps")?.as_array()?;
    let waits = |step: &&Value| step.get("state").and_then(Value::as_str) == Some("waiting");
    let child = steps.iter().find(waits)?.get("child_intent_id")?.as_str()?;
    child.parse().ok()
}

async fn decide(
    client: &Client,
    arguments: DecideArguments,
    answer: Answer,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let task = Task::of_intent(&intent(client, arguments.id).await?)?;
    terminal.say(&task.headline(terminal))?;
    let decided = task.decide(client, answer, arguments.comment.as_deref()).await?;
    terminal.answer(&decided, || {
        let by = field(&decided, "/approval/decided_by");
        format!("{} by {by}; the intent is {}", answer.done(), field(&decided, "/status"))
    })
}

fn list(answer: &Value) -> String {
    let tasks = answer.get("tasks").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if tasks.is_empty() {
        return "nothing waits for you".to_owned();
    }
    let row = |task: &Value| {
        let digest = task.get("digest").and_then(Value::as_str).unwrap_or("");
        vec![
            field(task, "/intent_id"),
            short_digest(digest),
            field(task, "/from_agent"),
            instant(task, "/due_at"),
            field(task, "/human_task/title"),
        ]
    };
    table(&["ID", "DIGEST", "FROM", "UNTIL", "TITLE"], &tasks.iter().map(row).collect::<Vec<_>>())
}

/// Says what else the intent is doing, and which approvals it waits for, if it does.
fn nothing_to_decide(intent: &Value) -> Failure {
    let (id, status) = (field(intent, "/intent_id"), field(intent, "/status"));
    let asks = intent.get("approvals").and_then(Value::as_array);
    let open = asks.into_iter().flatten().filter(|ask| field(ask, "/status") == "WAITING");
    let open: Vec<_> = open.map(|ask| field(ask, "/approval_id")).collect();
    if open.is_empty() {
        let decided = match field(intent, "/decision/outcome").as_str() {
            "-" => String::new(),
            outcome => format!(": {outcome} by {}", field(intent, "/decision/by")),
        };
        Failure::NothingToDecide(format!("{id} is {status} and waits for no decision{decided}"))
    } else {
        Failure::NothingToDecide(format!(
            "{id} itself waits for {}; decide that",
            open.join(" and ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0190a1b2-0000-7000-8000-000000000001";
    const CHILD: &str = "0190a1b2-0000-7000-8000-000000000002";

    fn action() -> Value {
        json!({
            "title": "Publish\u{202e}?\nApproved by alice", "from": "agent://a",
            "deadline_at": "2030-01-31T17:00:00Z", "description": "one\ntwo\u{1b}[2J",
            "tool": "publish", "arguments": {"to": "all"}, "payload": {"tool": "publish"},
        })
    }

    fn task() -> Task {
        let intent = json!({
            "intent_id": ID,
            "human_task": {"required_comment": true, "evidence_required": true},
            "hold": {
                "version": 8, "digest": "3f9a21c4ffee", "action": action(),
                "decide_until": "2030-01-30T17:00:00Z",
            },
        });
        Task::of_intent(&intent).unwrap()
    }

    #[test]
    fn the_whole_action_is_shown_and_no_text_of_it_stands_at_the_margin() {
        let shown = task().show(&Terminal::new(false, true));
        for part in [
            "Publish⟨U+202E⟩?",
            "asked by  agent://a",
            "3f9a 21c4",
            "3f9a21c4ffee",
            "deadline  2030-01-30 17:00:00Z",
            "needs     a comment, evidence to say yes",
        ] {
            assert!(shown.contains(part), "{part} in {shown}");
        }
        assert!(shown.contains("\"to\": \"all\""), "{shown}");
        assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown:?}");
        assert!(!shown.lines().any(|line| line.starts_with("Approved by")), "{shown}");
        assert!(!shown.lines().any(|line| line.starts_with("two")), "{shown}");
    }

    #[test]
    fn both_ways_to_read_a_task_agree() {
        let listed = json!({
            "intent_id": CHILD, "parent_intent_id": ID, "version": 8, "digest": "3f9a21c4ffee",
            "action": action(), "approve_url": "http://127.0.0.1/approve/x",
            "due_at": "2030-01-30T17:00:00Z",
            "human_task": {"required_comment": true, "evidence_required": true},
        });
        let listed = Task::of_list(&listed).unwrap();
        assert_eq!(listed.parent.map(|id| id.to_string()).as_deref(), Some(ID));
        let read = task();
        assert_eq!((listed.until, listed.needs), (read.until, read.needs));
        assert_eq!(
            (listed.version, listed.digest, listed.action),
            (read.version, read.digest, read.action)
        );
    }

    #[test]
    fn an_intent_that_waits_for_approvals_names_them() {
        let intent = json!({
            "intent_id": ID, "status": "WAITING",
            "approvals": [
                {"approval_id": CHILD, "status": "WAITING"},
                {"approval_id": ID, "status": "APPROVED"},
            ],
        });
        let message = Task::of_intent(&intent).unwrap_err().to_string();
        assert!(message.contains(&format!("waits for {CHILD};")), "{message}");
        let ended = json!({"intent_id": ID, "status": "CANCELED"});
        let message = Task::of_intent(&ended).unwrap_err().to_string();
        assert!(message.ends_with("is CANCELED and waits for no decision"), "{message}");
    }

    #[test]
    fn a_decided_task_names_the_decision() {
        let decision = json!({"outcome": "approved", "by": "alice"});
        let decided = json!({"intent_id": ID, "status": "COMPLETED", "decision": decision});
        let message = Task::of_intent(&decided).unwrap_err().to_string();
        assert!(message.ends_with("no decision: approved by alice"), "{message}");
    }
}
