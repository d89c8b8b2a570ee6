//! Holdpoint's own part of the API: suspending with a run state, and claiming tool calls.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{check, human_task, working_hours};
use crate::app::{ClaimedCall, ToolCall};
use crate::digest::Digest;
use crate::error::Error;
use crate::intent::ask::{ASKS_PER_SUSPENSION_MAX, AskRequest};
use crate::intent::call::OUTPUT_BYTES_MAX;
use crate::intent::command::WaitsFor;
use crate::intent::envelope::{REMINDERS_MAX, Reminders, TTL_SECONDS_MAX, TTL_SECONDS_MIN};
use crate::intent::human_task::{DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX};
use crate::intent::working_hours::SpelledHours;
use crate::intent::{Command, Intent, Rejection};
use crate::principal::Principal;
use crate::store::{Attachment, CallOutput, Checkpoint};

/// The largest run state, in bytes.
pub const CHECKPOINT_BYTES_MAX: usize = 300_000;
/// The longest name of a tool or of a format, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 200;
/// The longest claim token that a client may choose, in characters.
pub(crate) const CLAIM_TOKEN_CHARS_MAX: usize = 100;
/// The shortest claim token that a client may choose, in characters: it must not be guessed.
pub(crate) const CLAIM_TOKEN_CHARS_MIN: usize = 16;

/// `POST …/suspend`, as it is sent.
#[derive(Debug, Deserialize)]
pub struct WireSuspend {
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    checkpoint: Option<WireCheckpoint>,
    expected_checkpoint: Option<String>,
    #[serde(default)]
    approvals: Vec<WireAsk>,
    waits_for: Option<String>,
    until: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireCheckpoint {
    format: String,
    version: String,
    data: String,
}

#[derive(Debug, Deserialize)]
struct WireAsk {
    call_id: String,
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    title: Option<String>,
    description: Option<String>,
    assignees: Option<Vec<String>>,
    timeout_seconds: Option<Value>,
    remind_after_seconds: Option<Value>,
    max_reminders: Option<Value>,
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    working_hours: Option<SpelledHours>,
}

impl WireSuspend {
    /// Reads the command and what is stored with it.
    pub fn read(self, by: &Principal, now: Timestamp) -> Result<(Command, Vec<Attachment>), Error> {
        let checkpoint = self.checkpoint.map(|sent| sent.read(now)).transpose()?;
        let expected = self.expected_checkpoint.map(Digest::try_from).transpose();
        let expected_checkpoint =
            expected.map_err(|error| Error::field("expected_checkpoint", error.to_string()))?;
        if !self.approvals.is_empty() && !matches!(self.waits_for.as_deref(), None | Some("people"))
        {
            let detail = "stand beside waits_for, which is not people; send one of the two";
            return Err(Error::field("approvals", detail));
        }
        // A repeated suspension is taken before the core counts.
        if self.approvals.len() > ASKS_PER_SUSPENSION_MAX {
            return Err(Error::Rejected(Rejection::AsksOutOfBounds));
        }
        let waits_for = match self.waits_for.as_deref() {
            None | Some("people") => {
                let asks = self.approvals.into_iter().enumerate().map(|(n, ask)| ask.read(n));
                WaitsFor::People(asks.collect::<Result<_, _>>()?)
            }
            Some("tool") => WaitsFor::Tool,
            Some("time") => {
                let until = self.until.as_deref().and_then(|text| text.parse().ok());
                let detail = "is missing or no RFC 3339 time";
                WaitsFor::Time(until.ok_or_else(|| Error::field("until", detail))?)
            }
            Some(other) => {
                let detail = format!("is `{other}`; send people, tool or time");
                return Err(Error::field("waits_for", detail));
            }
        };
        let command = Command::Suspend {
            by: by.clone(),
            fence: None,
            expected_checkpoint,
            checkpoint: checkpoint.as_ref().map(|stored| Digest::of_bytes(stored.data.as_bytes())),
            waits_for,
        };
        Ok((command, checkpoint.map(Attachment::Checkpoint).into_iter().collect()))
    }
}

impl WireCheckpoint {
    fn read(self, stored_at: Timestamp) -> Result<Checkpoint, Error> {
        if self.data.len() > CHECKPOINT_BYTES_MAX {
            let bytes = self.data.len();
            let detail =
                format!("has {bytes} bytes; compress it, or keep it to {CHECKPOINT_BYTES_MAX}");
            return Err(Error::field("checkpoint.data", detail));
        }
        Ok(Checkpoint {
            format: check::text("checkpoint.format", &self.format, NAME_CHARS_MAX)?,
            version: check::text("checkpoint.version", &self.version, NAME_CHARS_MAX)?,
            data: self.data,
            stored_at,
        })
    }
}

impl WireAsk {
    fn read(self, n: usize) -> Result<AskRequest, Error> {
        let field = |name: &str| format!("approvals[{n}].{name}");
        let seconds = |name: &str, value: &Option<Value>| {
            let given = value.as_ref().filter(|value| !value.is_null());
            let whole = given.map(|value| check::whole(&field(name), value)).transpose()?;
            let (min, max) = (TTL_SECONDS_MIN.into(), TTL_SECONDS_MAX.into());
            whole.map(|seconds| check::number(&field(name), seconds, min, max)).transpose()
        };
        let tool = check::text(&field("tool"), &self.tool, NAME_CHARS_MAX)?;
        let title = self.title.unwrap_or_else(|| format!("Run {tool}?"));
        let after_s = seconds("remind_after_seconds", &self.remind_after_seconds)?;
        let max = self.max_reminders.as_ref().filter(|value| !value.is_null());
        let max = max.map(|value| check::whole(&field("max_reminders"), value)).transpose()?;
        check::exact(&field("arguments"), &self.arguments)?;
        Ok(AskRequest {
            call_id: check::call_id(&field("call_id"), &self.call_id)?,
            title: check::text(&field("title"), &title, TITLE_CHARS_MAX)?,
            description: check::optional_text(
                &field("description"),
                self.description.as_deref(),
                DESCRIPTION_CHARS_MAX,
            )?,
            assignees: human_task::assignees(&field("assignees"), self.assignees.as_deref())?,
            timeout_s: seconds("timeout_seconds", &self.timeout_seconds)?,
            reminders: Reminders {
                after_s,
                interval_s: after_s.unwrap_or(0),
                max: check::number(
                    &field("max_reminders"),
                    max.unwrap_or(1),
                    0,
                    REMINDERS_MAX.into(),
                )?,
            },
            working_hours: working_hours::read(
                &field("working_hours"),
                self.working_hours.as_ref(),
            )?,
            arguments: self.arguments,
            tool,
        })
    }
}

/// Writes the answer to a suspension.
pub fn present(intent: &Intent, children: &[Intent]) -> Value {
    json!({
        "ok": true,
        "intent": super::intent::present(intent),
        "checkpoint": intent.checkpoint.as_ref().map(|digest| json!({"sha256": digest})),
        "approvals": approvals(intent, children),
    })
}

/// Writes the answer to a look at the run state.
pub fn present_checkpoint(
    intent: &Intent,
    checkpoint: Option<&Checkpoint>,
    children: &[Intent],
) -> Value {
    let stored = checkpoint.map(|stored| {
        json!({
            "format": stored.format,
            "version": stored.version,
            "data": stored.data,
            "sha256": Digest::of_bytes(stored.data.as_bytes()),
            "stored_at": stored.stored_at,
        })
    });
    json!({"ok": true, "checkpoint": stored, "approvals": approvals(intent, children)})
}

/// Each approval with what was shown to the reviewer, so that the agent can check it before it acts.
fn approvals(intent: &Intent, children: &[Intent]) -> Vec<Value> {
    let one = |ask| {
        let mut body = super::intent::ask(ask);
        let child = children.iter().find(|child| child.id == ask.child);
        let hold = child.and_then(|child| {
            child.open_hold().or_else(|| child.decided().map(|decided| &decided.hold))
        });
        if let (Value::Object(fields), Some(child), Some(hold)) = (&mut body, child, hold) {
            fields.insert("digest".to_owned(), json!(hold.digest));
            fields.insert("action".to_owned(), json!(child.action(hold)));
        }
        body
    };
    intent.asks.iter().map(one).collect()
}

/// `POST …/tool-calls/{call_id}/claim`, as it is sent.
#[derive(Debug, Deserialize)]
pub struct WireClaim {
    tool: String,
    #[serde(default)]
    arguments: Map<String, Value>,
    approval_id: Option<String>,
    claim_token: Option<String>,
}

impl WireClaim {
    /// Reads the call.
    pub fn read(self, call_id: String) -> Result<ToolCall, Error> {
        let token = self.claim_token;
        let length = token.as_ref().map_or(CLAIM_TOKEN_CHARS_MIN, |token| token.chars().count());
        if !(CLAIM_TOKEN_CHARS_MIN..=CLAIM_TOKEN_CHARS_MAX).contains(&length) {
            let detail = format!(
                "has {length} characters; send {CLAIM_TOKEN_CHARS_MIN} to {CLAIM_TOKEN_CHARS_MAX} \
                 random ones, or none"
            );
            return Err(Error::field("claim_token", detail));
        }
        check::exact("arguments", &self.arguments)?;
        Ok(ToolCall {
            call_id: check::call_id("call_id", &call_id)?,
            tool: check::text("tool", &self.tool, NAME_CHARS_MAX)?,
            arguments: self.arguments,
            needs_grant: self.approval_id.is_some(),
            claim_token: token,
        })
    }
}

/// Writes the answer to a claim.
pub fn present_claim(claimed: &ClaimedCall) -> Value {
    let claim = match claimed {
        ClaimedCall::Run { claim_token } => {
            json!({"status": "claimed", "claim_token": claim_token})
        }
        ClaimedCall::Ran(output) => json!({
            "status": "completed",
            "output": output.output,
            "is_error": output.is_error,
        }),
    };
    json!({"ok": true, "claim": claim})
}

/// `POST …/tool-calls/{call_id}/complete`, as it is sent.
#[derive(Debug, Deserialize)]
pub struct WireFinish {
    /// The secret that came with the claim.
    pub claim_token: String,
    #[serde(default)]
    output: Value,
    #[serde(default)]
    is_error: bool,
}

impl WireFinish {
    /// Reads the output.
    pub fn read(self, call_id: String) -> Result<CallOutput, Error> {
        let bytes = self.output.to_string().len();
        if bytes > OUTPUT_BYTES_MAX {
            let detail = format!("has {bytes} bytes; shorten it to {OUTPUT_BYTES_MAX}");
            return Err(Error::field("output", detail));
        }
        let call_id = check::call_id("call_id", &call_id)?;
        Ok(CallOutput { call_id, output: self.output, is_error: self.is_error })
    }
}
