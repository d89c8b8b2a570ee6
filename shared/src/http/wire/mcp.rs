//! The MCP tools: the arguments that they take, and what they answer.

pub mod schema;

use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{check, human_task};
use crate::error::Error;
use crate::http::IDEMPOTENCY_KEY_CHARS_MAX;
use crate::http::body::of_kind;
use crate::http::sse::{WAIT_SECONDS_MAX, WAIT_SECONDS_MIN};
use crate::id::IntentId;
use crate::intent::ask::ASK_INTENT_TYPE;
use crate::intent::envelope::{TTL_SECONDS_MAX, TTL_SECONDS_MIN};
use crate::intent::human_task::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX};
use crate::intent::{Intent, Status, record};

/// The longest name of a tool, in characters.
const TOOL_CHARS_MAX: usize = 200;
/// How long `wait_for_approval` waits if it is told nothing, in seconds: less than the 15 after
/// which clients of the contract give a request up.
const WAIT_SECONDS_DEFAULT: u64 = 10;
/// The most approvals that `list_approvals` shows.
pub const LISTED_MAX: usize = 50;
/// What the contract's client adds to a call by itself. The key says who calls.
const OWNER_AGENT: &str = "owner_agent";

/// `request_approval`, as it is called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    title: Option<String>,
    description: Option<String>,
    tool: Option<String>,
    arguments: Option<Map<String, Value>>,
    assignees: Option<Vec<String>>,
    timeout_seconds: Option<Value>,
    idempotency_key: Option<String>,
}

/// A request for an approval.
#[derive(Debug)]
pub struct Requested {
    /// The same request as `POST /v1/intents` takes it.
    pub body: Value,
    /// The key under which a repeated request is one.
    pub idempotency_key: Option<String>,
}

/// `get_approval`, as it is called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Look {
    approval_id: Option<String>,
}

/// `wait_for_approval`, as it is called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wait {
    approval_id: Option<String>,
    wait_seconds: Option<Value>,
}

/// `list_approvals`, as it is called.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {}

/// Reads the arguments of `request_approval`.
pub fn read_request(arguments: Map<String, Value>) -> Result<Requested, Error> {
    let sent: Request = read(arguments)?;
    let title = sent.title.as_deref().unwrap_or_default();
    let optional = check::optional_text;
    let tool = optional("tool", sent.tool.as_deref(), TOOL_CHARS_MAX)?;
    let arguments = sent.arguments.unwrap_or_default();
    check::exact("arguments", &arguments)?;
    let mut payload = Map::new();
    if let Some(tool) = tool {
        payload.insert("tool".to_owned(), json!(tool));
    }
    if !arguments.is_empty() {
        payload.insert("arguments".to_owned(), Value::Object(arguments));
    }
    let description = sent.description.as_deref();
    let (least, most) = (TTL_SECONDS_MIN.into(), TTL_SECONDS_MAX.into());
    let timeout = number("timeout_seconds", sent.timeout_seconds.as_ref(), least, most)?;
    let body = json!({
        "intent_type": ASK_INTENT_TYPE,
        "to_agent": "agent://agent_core",
        "payload": payload,
        "ttl_seconds": timeout,
        "human_task": {
            "title": check::text("title", title, TITLE_CHARS_MAX)?,
            "description": optional("description", description, DESCRIPTION_CHARS_MAX)?,
            "assignees": human_task::assignees("assignees", sent.assignees.as_deref())?,
        },
    });
    let key = sent.idempotency_key.as_deref();
    let idempotency_key = optional("idempotency_key", key, IDEMPOTENCY_KEY_CHARS_MAX)?;
    Ok(Requested { body, idempotency_key })
}

/// Reads the arguments of `get_approval`.
pub fn read_look(arguments: Map<String, Value>) -> Result<IntentId, Error> {
    approval_id(read::<Look>(arguments)?.approval_id.as_deref())
}

/// Reads the arguments of `wait_for_approval`.
pub fn read_wait(arguments: Map<String, Value>) -> Result<(IntentId, Duration), Error> {
    let sent: Wait = read(arguments)?;
    let (least, most) = (WAIT_SECONDS_MIN, WAIT_SECONDS_MAX);
    let seconds = number("wait_seconds", sent.wait_seconds.as_ref(), least, most)?;
    let wait = Duration::from_secs(seconds.map_or(WAIT_SECONDS_DEFAULT, u64::from));
    Ok((approval_id(sent.approval_id.as_deref())?, wait))
}

/// Reads the arguments of `list_approvals`, which has none.
pub fn read_list(arguments: Map<String, Value>) -> Result<(), Error> {
    read::<List>(arguments).map(|List {}| ())
}

/// Writes an approval. What is not known yet is left out.
pub fn present(intent: &Intent) -> Value {
    let status = status(intent);
    let approved = record::approved(intent).filter(|_| intent.is_ended());
    let mut answer = Map::new();
    let mut say = |name: &str, value: Value| answer.insert(name.to_owned(), value);
    say("approval_id", json!(intent.id));
    say("status", json!(status.word()));
    say("approved", json!(approved.unwrap_or(false)));
    say("next", json!(status.next()));
    say("asked_at", json!(intent.created_at));
    say("deadline_at", json!(intent.envelope.deadline_at));
    if let Some(task) = intent.human_task() {
        say("title", json!(task.title));
    }
    if let Some(tool) = intent.envelope.payload.get("tool").filter(|tool| tool.is_string()) {
        say("tool", tool.clone());
    }
    if let Some(decided) = intent.decided() {
        say("decided_by", json!(decided.decision.by));
        say("decided_at", json!(decided.decision.decided_at));
        say("digest", json!(decided.decision.digest));
        if let Some(comment) = &decided.decision.comment {
            say("comment", json!(comment));
        }
    }
    Value::Object(answer)
}

/// Writes the approvals that wait: at most [`LISTED_MAX`] of those that were found.
pub fn present_list(found: &[Intent]) -> Value {
    let shown: Vec<_> = found.iter().take(LISTED_MAX).map(present).collect();
    json!({"approvals": shown, "has_more": found.len() > LISTED_MAX})
}

/// Where an approval stands, in the words that a model reads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Standing {
    Waiting,
    Approved,
    Rejected,
    TimedOut,
    Canceled,
    Failed,
}

impl Standing {
    const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Approved,
        Self::Rejected,
        Self::TimedOut,
        Self::Canceled,
        Self::Failed,
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Canceled => "canceled",
            Self::Failed => "failed",
        }
    }

    /// What whoever asked should do now.
    fn next(self) -> &'static str {
        match self {
            Self::Waiting => {
                "Nobody has decided yet. Do not go ahead. Call wait_for_approval with this \
                 approval_id, or do something else and call get_approval later."
            }
            Self::Approved => {
                "A person approved exactly what was asked. Do that, once. Anything else needs an \
                 approval of its own."
            }
            Self::Rejected => {
                "A person rejected it, and that is final. Do not do it, do not ask for the same \
                 again, and do not look for another way to the same effect. Say so to the user, \
                 with the comment if there is one."
            }
            Self::TimedOut => {
                "Nobody decided in time, and that is not a yes. Do not do it. Ask again only if it \
                 is still wanted."
            }
            Self::Canceled => "The request was withdrawn. Do not do it.",
            Self::Failed => "The request ended without a decision. Do not do it.",
        }
    }
}

fn status(intent: &Intent) -> Standing {
    match intent.status() {
        Status::Created
        | Status::Submitted
        | Status::Delivered
        | Status::Acknowledged
        | Status::InProgress
        | Status::Waiting => Standing::Waiting,
        Status::Completed | Status::Failed => match record::approved(intent) {
            Some(true) => Standing::Approved,
            Some(false) => Standing::Rejected,
            None => Standing::Failed,
        },
        Status::Canceled => Standing::Canceled,
        Status::TimedOut => Standing::TimedOut,
    }
}

fn read<T: DeserializeOwned>(mut arguments: Map<String, Value>) -> Result<T, Error> {
    arguments.remove(OWNER_AGENT);
    of_kind(Value::Object(arguments))
}

fn approval_id(text: Option<&str>) -> Result<IntentId, Error> {
    let detail = "is missing or no UUID; send the approval_id that request_approval answered";
    let id = text.and_then(|text| text.trim().parse().ok());
    id.ok_or_else(|| Error::field("approval_id", detail))
}

fn number(field: &str, value: Option<&Value>, least: u64, most: u64) -> Result<Option<u32>, Error> {
    let given = value.filter(|value| !value.is_null());
    let whole = given.map(|value| check::whole(field, value)).transpose()?;
    whole.map(|whole| check::number(field, whole, least, most)).transpose()
}
