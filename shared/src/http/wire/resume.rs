//! `POST …/resume` and `POST …/resolve`: one free-form body that means several things.

use serde_json::{Map, Value, json};

use super::check;
use crate::address::Address;
use crate::app::App;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::answer::Answer;
use crate::intent::command::Seen;
use crate::intent::human_task::{COMMENT_CHARS_MAX, Outcome};
use crate::intent::phase::Failure;
use crate::intent::record::Recorded;
use crate::intent::{Command, Intent};
use crate::principal::{Principal, Role};

/// The longest reason, in characters. The contract's limit.
pub(crate) const REASON_CHARS_MAX: usize = 2000;

/// What a resume asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Resume {
    /// Something that an agent does.
    Agents(Box<Command>),
    /// The agent hands the work on.
    Advance {
        /// Why.
        reason: Option<String>,
        /// Where to; nowhere named means that the same agent goes on.
        next_handler: Option<Address>,
    },
    /// A person's answer.
    Answer(Answered),
}

/// A person's answer, on any channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The answer.
    pub answer: Answer,
    /// What the reviewer had on the screen, if the channel says so.
    pub seen: Option<Seen>,
}

impl Resume {
    /// Does what is asked for, if the policy is still at the expected generation. People's answers
    /// take the way of every other channel.
    pub async fn perform(
        self,
        app: &App,
        by: &Principal,
        id: IntentId,
        expected_generation: Option<u64>,
    ) -> Result<Intent, Error> {
        let command = match self {
            Self::Agents(command) => *command,
            Self::Advance { reason, next_handler } => {
                let next = app.handed(next_handler.as_ref()).await?;
                Command::Advance { by: by.clone(), reason, next }
            }
            Self::Answer(Answered { answer, seen }) => {
                return app.answer_at(by, id, answer, seen, expected_generation).await;
            }
        };
        app.execute_at(id, &command, &[], expected_generation).await
    }
}

impl Answered {
    /// Answers the intent's hold point, or the one approval that it waits for.
    pub async fn perform(self, app: &App, by: &Principal, id: IntentId) -> Result<Intent, Error> {
        app.answer(by, id, self.answer, self.seen).await
    }
}

/// Takes the policy's generation that a resume was made for out of its body, of which what is left may
/// be a result.
pub fn take_generation(body: &mut Map<String, Value>) -> Result<Option<u64>, Error> {
    super::policy::generation(body.remove("expected_policy_generation").as_ref())
}

/// Reads the body of a resume. What it means follows from its fields:
/// `action: complete | fail`, then an outcome, then `approve_current_step`, else a result.
pub fn read(by: &Principal, body: Map<String, Value>) -> Result<Resume, Error> {
    let action = body.get("action").and_then(Value::as_str).map(str::to_owned);
    match action.as_deref() {
        Some("complete") => return Ok(complete(by, without_action(body))),
        Some("fail") => {
            let failure = failure("agent_failed", &body)?;
            return Ok(agents(Command::Fail { by: by.clone(), fence: None, failure }));
        }
        Some("approve") => return answer(&body, Some(true)).map(Resume::Answer),
        Some("reject") => return answer(&body, Some(false)).map(Resume::Answer),
        Some(_) | None => {}
    }
    let is_answer = body.contains_key("task_result")
        || body.contains_key("outcome")
        || by.role == Role::Reviewer;
    if is_answer {
        return answer(&body, None).map(Resume::Answer);
    }
    if body.contains_key("approve_current_step") {
        return advance(&body);
    }
    Ok(complete(by, without_action(body)))
}

/// Reads the body of a resolve.
pub fn read_resolve(by: &Principal, body: &Map<String, Value>) -> Result<Command, Error> {
    let by = by.clone();
    let reason = text(body, "reason", REASON_CHARS_MAX)?;
    match body.get("status").and_then(Value::as_str) {
        Some("COMPLETED") => {
            let result = object(body, "result").unwrap_or_default();
            Ok(Command::Complete { by, fence: None, result: Value::Object(result) })
        }
        Some("FAILED") => Ok(Command::Fail { by, fence: None, failure: failure("failed", body)? }),
        Some("CANCELED" | "CANCELLED") => {
            let reason = reason.unwrap_or_else(|| format!("canceled by {}", by.name));
            Ok(Command::Cancel { by, reason })
        }
        Some(other) => {
            let detail = format!("is `{other}`; send COMPLETED, FAILED or CANCELED");
            Err(Error::field("status", detail))
        }
        None => Err(Error::field("status", "is missing; send COMPLETED, FAILED or CANCELED")),
    }
}

/// The fields of an answer that say something by themselves; the others are what was filled in.
const SAID: [&str; 10] = [
    "outcome",
    "approved",
    "comment",
    "reason",
    "data",
    "task_result",
    "action",
    "decision",
    "version",
    "digest",
];

/// Reads an answer from the fields that the channels of the contract use: in `task_result` or at the
/// top, with what was filled in beside them or under `data`. `given` is what the channel itself says, and what a word must not contradict.
pub fn answer(body: &Map<String, Value>, given: Option<bool>) -> Result<Answered, Error> {
    let inner = object(body, "task_result").unwrap_or_default();
    let word = |name: &str| words(name, inner.get(name).or_else(|| body.get(name)));
    let flag = inner.get("approved").or_else(|| body.get("approved")).and_then(truth);
    let outcome = word("outcome")?.map(|word| Outcome::parse(&word)).transpose();
    let outcome = outcome.map_err(|error| Error::field("outcome", error.to_string()))?;
    let comment = match word("comment")? {
        Some(comment) => Some(comment),
        None => word("reason")?,
    };
    let comment = check::optional_text("comment", comment.as_deref(), COMMENT_CHARS_MAX)?;
    let (approved, data) = (given.or(flag), filled_in(body, &inner));
    let answer = Answer { outcome, approved, channel: given, comment, data };
    Ok(Answered { answer, seen: seen(body)? })
}

fn filled_in(body: &Map<String, Value>, inner: &Map<String, Value>) -> Map<String, Value> {
    let beside = inner.iter().filter(|(name, _)| !SAID.contains(&name.as_str()));
    let mut data: Map<String, Value> =
        beside.map(|(name, value)| (name.clone(), value.clone())).collect();
    data.extend(object(body, "data").unwrap_or_default());
    data.extend(object(inner, "data").unwrap_or_default());
    data
}

/// Reads what the reviewer had on the screen: both fields or neither.
fn seen(body: &Map<String, Value>) -> Result<Option<Seen>, Error> {
    let version = body.get("version").filter(|value| !value.is_null());
    let digest = body.get("digest").and_then(Value::as_str);
    match (version, digest) {
        (None, None) => Ok(None),
        (Some(version), Some(digest)) => Ok(Some(Seen {
            version: check::whole("version", version)?,
            digest: Digest::try_from(digest.to_owned())
                .map_err(|error| Error::field("digest", error.to_string()))?,
        })),
        (_, _) => Err(Error::field("digest", "and version belong together; send both or neither")),
    }
}

fn complete(by: &Principal, result: Map<String, Value>) -> Resume {
    let result = Value::Object(result);
    agents(Command::Complete { by: by.clone(), fence: None, result })
}

fn advance(body: &Map<String, Value>) -> Result<Resume, Error> {
    let next_handler = words("next_handler", body.get("next_handler"))?;
    let next_handler = next_handler.as_deref().map(|text| check::address("next_handler", text));
    let reason = text(body, "reason", REASON_CHARS_MAX)?;
    Ok(Resume::Advance { reason, next_handler: next_handler.transpose()? })
}

fn failure(code: &str, body: &Map<String, Value>) -> Result<Failure, Error> {
    // Clients send a failure's facts under `error`, or under `result`.
    let error = object(body, "error").or_else(|| object(body, "result")).map(Value::Object);
    let said = text(body, "reason", REASON_CHARS_MAX)?;
    let reason = said.unwrap_or_else(|| "the agent gave no reason".to_owned());
    Ok(Failure { code: code.to_owned(), reason, error: error.unwrap_or(Value::Null) })
}

fn agents(command: Command) -> Resume {
    Resume::Agents(Box::new(command))
}

fn without_action(mut body: Map<String, Value>) -> Map<String, Value> {
    body.remove("action");
    body
}

fn object(body: &Map<String, Value>, name: &str) -> Option<Map<String, Value>> {
    body.get(name).and_then(Value::as_object).cloned()
}

fn text(body: &Map<String, Value>, name: &str, chars_max: usize) -> Result<Option<String>, Error> {
    check::optional_text(name, words(name, body.get(name))?.as_deref(), chars_max)
}

/// A text, if there is one. Anything else in its place would be lost without a word.
fn words(name: &str, value: Option<&Value>) -> Result<Option<String>, Error> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(Error::field(name, "is no text; send a string"))
        }
    }
}

/// Command-line clients send every value as text.
fn truth(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| match value.as_str() {
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) | None => None,
    })
}

/// Writes the answer to a resume.
pub fn present(intent: &Intent) -> Value {
    let mut answer = super::intent::envelope(intent);
    if let Value::Object(fields) = &mut answer {
        fields.insert("applied".to_owned(), Value::Bool(true));
    }
    answer
}

/// Writes the answer to a resolve, with the event that ended the intent. Whoever is to be told finds
/// the thread in its inbox, where the intent has stood since it was sent.
pub fn present_resolved(intent: &Intent, last: Option<&Recorded>) -> Value {
    let event = last.map(|record| super::event::present(intent.id, record));
    let delivery = match &intent.envelope.reply_to {
        Some(reply_to) if intent.is_ended() => json!({
            "delivered": true,
            "reply_to": reply_to.uri(),
            "thread_id": intent.id,
            "message_id": super::inbox::event_id(intent.id, intent.seq),
            "completion": super::inbox::completion(intent),
        }),
        Some(_) => json!({"delivered": false, "reason": "a person must sign off first"}),
        None => json!({"delivered": false, "reason": "the sender named no reply_to"}),
    };
    json!({
        "ok": true,
        "intent": super::intent::present(intent),
        "event": event,
        "completion_delivery": delivery,
    })
}
