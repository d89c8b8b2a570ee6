//! `holdpoint intents`: send, read, watch, cancel.

use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use shared::address::Address;
use shared::id::IntentId;
use shared::intent::Status;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::environment;
use crate::failure::{Failure, Verdict};
use crate::follow::Follow;
use crate::terminal::{Paint, Terminal, field, instant, json_block, table};

const INTENTS_SHOWN: u16 = 20;
/// The largest file that is read for a request; the contract's limit on a body.
const FILE_BYTES_MAX: u64 = 131_072;

/// What can be done with intents.
#[derive(Debug, Subcommand)]
pub(crate) enum IntentsCommand {
    /// Send an intent (key: agent).
    ///
    /// To ask a person and nobody else, send it to `agent://agent_core`.
    Send(SendArguments),
    /// Show an intent as it stands (key: agent).
    Get {
        /// The intent's ID.
        #[arg(value_name = "ID")]
        id: IntentId,
    },
    /// List intents, newest first (key: agent).
    List {
        /// Only intents that stand here.
        #[arg(long, value_parser = status())]
        status: Option<Status>,
        /// How many.
        #[arg(long, default_value_t = INTENTS_SHOWN, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
    },
    /// Print what happens to an intent until it ends (key: agent).
    ///
    /// Goes on through restarts of the service. Exits with 1 if the intent does not complete or a
    /// person says no.
    Watch {
        /// The intent's ID.
        #[arg(value_name = "ID")]
        id: IntentId,
        /// Only events with a number above this one.
        #[arg(long, default_value_t = 0)]
        since: u64,
    },
    /// Withdraw an intent that has not ended (key: agent, the sender's).
    Cancel {
        /// The intent's ID.
        #[arg(value_name = "ID")]
        id: IntentId,
        /// Why; kept with the intent.
        #[arg(long)]
        reason: Option<String>,
    },
}

/// An intent to send.
#[derive(Args, Debug)]
pub(crate) struct SendArguments {
    /// Who it is for.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    to: Address,
    /// Its type, such as deploy.request.v1.
    #[arg(long = "type", value_name = "TYPE")]
    intent_type: String,
    /// What it says, as a JSON object.
    #[arg(long, value_name = "JSON", value_parser = object)]
    payload: Option<JsonObject>,
    /// File with the payload.
    #[arg(long, value_name = "FILE", conflicts_with = "payload")]
    payload_file: Option<PathBuf>,
    /// Sending again under the same key sends once [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    /// Its time to live; after it the intent is `TIMED_OUT`.
    #[arg(long, value_name = "SECONDS")]
    ttl: Option<u32>,
    /// What a person is asked, such as '{"title": "Deploy?"}'.
    #[arg(long, value_name = "JSON", value_parser = object)]
    human_task: Option<JsonObject>,
    /// Then watch it to its end.
    #[arg(long)]
    watch: bool,
}

/// A JSON object that was given on the command line.
#[derive(Clone, Debug)]
pub(crate) struct JsonObject(pub(crate) Map<String, Value>);

/// Runs the command.
pub(crate) async fn run(
    command: IntentsCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&deployment.target(Role::Agent)?)?;
    match command {
        IntentsCommand::Send(arguments) => send(arguments, client, terminal).await,
        IntentsCommand::Get { id } => {
            let answer = client.get(&format!("/v1/intents/{id}")).await?;
            let intent = answer.get("intent").unwrap_or(&answer);
            terminal.answer(intent, || describe(intent, terminal))?;
            Ok(Verdict::Done)
        }
        IntentsCommand::List { status, limit } => {
            let status = status.map(|status| format!("&status={}", status.name()));
            let path = format!("/v1/intents?limit={limit}{}", status.unwrap_or_default());
            let answer = client.get(&path).await?;
            terminal.answer(&answer, || list(&answer))?;
            Ok(Verdict::Done)
        }
        IntentsCommand::Watch { id, since } => Follow::new(client, id, since).print(terminal).await,
        IntentsCommand::Cancel { id, reason } => {
            let body = json!({"status": "CANCELED", "reason": reason});
            let answer = client.post(&format!("/v1/intents/{id}/resolve"), &body).await?;
            terminal.answer(&answer, || format!("{id} is canceled"))?;
            Ok(Verdict::Done)
        }
    }
}

/// Reads an address argument.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    Address::parse(text).map_err(|error| error.to_string())
}

/// Reads a file that holds a JSON object.
pub(crate) fn read_object(path: &Path) -> Result<Map<String, Value>, Failure> {
    let failed = |source| Failure::Read { path: path.to_owned(), source };
    let bytes = fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(Failure::Usage(format!(
            "{} has {bytes} bytes; a request may have {FILE_BYTES_MAX}",
            path.display()
        )));
    }
    let text = fs::read(path).map_err(failed)?;
    let remedy = "write a JSON object into it";
    serde_json::from_slice(&text).map_err(|source| Failure::Malformed {
        path: path.to_owned(),
        remedy,
        source,
    })
}

/// The id of an intent that an answer names.
pub(crate) fn intent_id(answer: &Value, client: &Client) -> Result<IntentId, Failure> {
    let id = answer.get("intent_id").and_then(Value::as_str).and_then(|text| text.parse().ok());
    id.ok_or_else(|| client.unreadable("it names no intent_id"))
}

async fn send(
    arguments: SendArguments,
    client: Client,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let payload = match (arguments.payload, &arguments.payload_file) {
        (Some(JsonObject(payload)), _) => payload,
        (None, Some(path)) => read_object(path)?,
        (None, None) => Map::new(),
    };
    let mut body = json!({
        "intent_type": arguments.intent_type,
        "to_agent": arguments.to.uri(),
        "payload": payload,
    });
    if let Value::Object(fields) = &mut body {
        fields.extend(arguments.ttl.map(|ttl| ("ttl_seconds".to_owned(), json!(ttl))));
        let task = arguments.human_task.map(|JsonObject(task)| Value::Object(task));
        fields.extend(task.map(|task| ("human_task".to_owned(), task)));
    }
    let key = arguments.idempotency_key.unwrap_or_else(environment::new_idempotency_key);
    let answer = client.post_idempotent("/v1/intents", &body, &key).await?;
    terminal.line(&answer, || sent(&answer))?;
    if !arguments.watch {
        return Ok(Verdict::Done);
    }
    let id = intent_id(&answer, &client)?;
    Follow::new(client, id, 0).print(terminal).await
}

/// Says that something was sent.
pub(crate) fn sent(answer: &Value) -> String {
    let (id, status) = (field(answer, "/intent_id"), field(answer, "/status"));
    format!("{id}  {status}  until {}", instant(answer, "/deadline_at"))
}

fn describe(intent: &Value, terminal: &Terminal) -> String {
    let strong = |text: &str| terminal.paint(Paint::Strong, text);
    let status = match field(intent, "/waiting_reason").as_str() {
        "-" => field(intent, "/status"),
        reason => format!("{} ({reason})", field(intent, "/status")),
    };
    let mut lines = vec![
        format!("{}  {}", strong(&field(intent, "/intent_id")), strong(&status)),
        format!("type          {}", field(intent, "/intent_type")),
        format!("from          {}", field(intent, "/from_agent")),
        format!("to            {}", field(intent, "/to_agent")),
        format!("pending with  {}", field(intent, "/pending_with/ref")),
        format!("created       {}", instant(intent, "/created_at")),
        format!("deadline      {}", instant(intent, "/deadline_at")),
    ];
    if let Some(asks) = intent.get("approvals").and_then(Value::as_array) {
        for ask in asks {
            lines.push(format!(
                "approval      {}  {}  {}",
                field(ask, "/approval_id"),
                field(ask, "/status"),
                field(ask, "/tool")
            ));
        }
    }
    for (name, pointer) in [("payload", "/payload"), ("result", "/result"), ("error", "/error")] {
        let value = intent.pointer(pointer).filter(|value| !value.is_null());
        lines.extend(value.map(|value| format!("{name}\n{}", json_block("  ", value))));
    }
    lines.join("\n")
}

fn list(answer: &Value) -> String {
    let intents = answer.get("intents").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if intents.is_empty() {
        return "no intents".to_owned();
    }
    let pointers = ["/intent_id", "/status", "/intent_type", "/to_agent"];
    let row = |intent: &Value| {
        let cells = pointers.map(|pointer| field(intent, pointer)).into_iter();
        cells.chain([instant(intent, "/created_at")]).collect()
    };
    let rows: Vec<_> = intents.iter().map(row).collect();
    table(&["ID", "STATUS", "TYPE", "TO", "CREATED"], &rows)
}

/// Reads an argument that is a JSON object.
pub(crate) fn object(text: &str) -> Result<JsonObject, String> {
    serde_json::from_str(text)
        .map(JsonObject)
        .map_err(|error| format!("not a JSON object: {error}"))
}

fn status() -> impl clap::builder::TypedValueParser<Value = Status> {
    PossibleValuesParser::new(Status::ALL.map(Status::name)).try_map(|name| name.parse::<Status>())
}
