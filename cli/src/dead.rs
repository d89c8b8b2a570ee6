//! `holdpoint dead`: what was given up, why, and sending it again.

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};
use shared::dead_letter::{DeadLetterId, Origin};
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::terminal::{Terminal, field, instant, json_block, table};

/// The most parts of a list that one command reads.
const PARTS_MAX: usize = 1000;

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List what was given up, the oldest first (key: admin).
    List {
        /// Only what was taken from here.
        #[arg(long, value_enum)]
        queue: Option<Queue>,
        /// Also what was sent again.
        #[arg(long)]
        include_redriven: bool,
    },
    /// Show a dead letter, with what was to be done (key: admin).
    Show {
        /// Its ID.
        #[arg(value_name = "ID")]
        id: DeadLetterId,
    },
    /// Send dead letters again, the oldest first (key: admin).
    ///
    /// Each is sent once, however often this is run. Find out first why it failed: what failed for a
    /// defect fails again.
    Redrive(RedriveArguments),
    /// Forget dead letters for good: nobody waits for them any more (key: admin).
    Drop {
        /// Their IDs.
        #[arg(value_name = "ID", required = true)]
        ids: Vec<DeadLetterId>,
    },
}

/// Which dead letters to send again.
#[derive(Args, Debug)]
pub(crate) struct RedriveArguments {
    /// Their IDs.
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<DeadLetterId>,
    /// All that were not sent again yet.
    #[arg(long)]
    all: bool,
    /// Only what was taken from here.
    #[arg(long, value_enum, requires = "all")]
    queue: Option<Queue>,
}

/// Where messages are taken from.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Queue {
    /// Turns of agents.
    Turns,
    /// Wake-ups.
    Wakes,
    /// Notices to reviewers.
    Notices,
    /// Posts to webhooks.
    Deliveries,
    /// The table's stream.
    Stream,
}

/// Runs the command.
pub(crate) async fn run(
    command: DeadCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&deployment.target(Role::Admin)?)?;
    match command {
        DeadCommand::List { queue, include_redriven } => {
            let letters = letters(&client, queue, include_redriven).await?;
            let answer = json!({"dead_letters": letters});
            terminal.answer(&answer, || list(&letters))?;
        }
        DeadCommand::Show { id } => {
            let answer = client.get(&path(&id.to_string())).await?;
            terminal.answer(&answer, || show(&answer))?;
        }
        DeadCommand::Redrive(arguments) => return redrive(&client, arguments, terminal).await,
        DeadCommand::Drop { ids } => {
            for id in ids {
                let answer = client.delete(&path(&id.to_string())).await?;
                terminal.line(&answer, || format!("{id} is dropped"))?;
            }
        }
    }
    Ok(Verdict::Done)
}

async fn redrive(
    client: &Client,
    arguments: RedriveArguments,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let ids: Vec<_> = if arguments.all {
        let found = letters(client, arguments.queue, false).await?;
        found.iter().map(|letter| field(letter, "/dead_letter_id")).collect()
    } else {
        arguments.ids.iter().map(ToString::to_string).collect()
    };
    let all = ids.len();
    let mut verdict = Verdict::Done;
    for id in ids {
        match client.post(&format!("{}/redrive", path(&id)), &json!({})).await {
            Ok(answer) => {
                let at = instant(&answer, "/dead_letter/redriven_at");
                terminal.line(&answer, || format!("{id} was sent again at {at}"))?;
            }
            // The others are sent all the same.
            Err(refused @ Failure::Answered(_)) if arguments.all => {
                terminal.complain(&refused);
                verdict = Verdict::Refused;
            }
            Err(failure) => return Err(failure),
        }
    }
    if all == 0 && !terminal.is_json() {
        terminal.say("no dead letters")?;
    }
    Ok(verdict)
}

/// The dead letters, part by part.
async fn letters(
    client: &Client,
    queue: Option<Queue>,
    include_redriven: bool,
) -> Result<Vec<Value>, Failure> {
    let queue = queue.map(|queue| queue.origin().name()).unwrap_or_default();
    let (mut found, mut cursor) = (Vec::new(), String::new());
    for _ in 0..PARTS_MAX {
        let path = format!(
            "/v1/dead-letters?queue={queue}&include_redriven={include_redriven}&cursor={cursor}"
        );
        let part = client.get(&path).await?;
        let letters = part.get("dead_letters").and_then(Value::as_array);
        found.extend(letters.into_iter().flatten().cloned());
        match part.get("next_cursor").and_then(Value::as_str) {
            Some(next) => next.clone_into(&mut cursor),
            None => break,
        }
    }
    Ok(found)
}

fn path(id: &str) -> String {
    format!("/v1/dead-letters/{id}")
}

fn list(letters: &[Value]) -> String {
    if letters.is_empty() {
        return "no dead letters".to_owned();
    }
    let row = |letter: &Value| {
        let cell = |pointer: &str| field(letter, pointer);
        vec![
            cell("/dead_letter_id"),
            cell("/queue"),
            cell("/kind"),
            cell("/intent_id"),
            cell("/attempts"),
            instant(letter, "/last_failed_at"),
            cell("/reason/message"),
        ]
    };
    let rows: Vec<_> = letters.iter().map(row).collect();
    table(&["ID", "QUEUE", "WHAT", "INTENT", "ATTEMPTS", "FAILED LAST", "REASON"], &rows)
}

fn show(answer: &Value) -> String {
    let letter = |pointer: &str| field(answer, &format!("/dead_letter{pointer}"));
    let at = |name: &str| instant(answer, &format!("/dead_letter/{name}"));
    let content = answer.pointer("/dead_letter/content").cloned().unwrap_or_default();
    [
        format!("dead letter  {}", letter("/dead_letter_id")),
        format!("queue        {}", letter("/queue")),
        format!("intent       {}", letter("/intent_id")),
        format!("reason       {}: {}", letter("/reason/code"), letter("/reason/message")),
        format!("attempts     {}", letter("/attempts")),
        format!("sent         {}", at("sent_at")),
        format!("tried first  {}", at("first_tried_at")),
        format!("failed last  {}", at("last_failed_at")),
        format!("sent again   {}", at("redriven_at")),
        "content".to_owned(),
        json_block("  ", &content),
    ]
    .join("\n")
}

impl Queue {
    fn origin(self) -> Origin {
        match self {
            Self::Turns => Origin::Turns,
            Self::Wakes => Origin::Wakes,
            Self::Notices => Origin::Notices,
            Self::Deliveries => Origin::Deliveries,
            Self::Stream => Origin::Stream,
        }
    }
}
