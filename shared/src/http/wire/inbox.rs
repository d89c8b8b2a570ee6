//! Inboxes and threads.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::resume::{Answered, answer};
use super::{check, page};
use crate::address::Address;
use crate::app::{
    Changed, Changes, HIDDEN_PER_REQUEST_MAX, Hiding, Inbox, Message, Page, Speaker, Thread,
    ThreadState,
};
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::event::EventKind;
use crate::intent::inbox::MESSAGE_CHARS_MAX;
use crate::intent::record::{Recorded, pending_with};
use crate::intent::{Intent, Phase};
use crate::store::ListPlace;

/// The most threads in one part of a list.
pub(crate) const THREADS_MAX: usize = 100;
/// How many threads it has if its reader names no number. The contract's default.
pub(crate) const THREADS_DEFAULT: usize = 50;
/// The longest note, in characters.
pub(crate) const NOTE_CHARS_MAX: usize = 2000;
/// The longest name of whoever a thread is passed on to, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 383;
/// The longest subject, in characters.
const SUBJECT_CHARS_MAX: usize = 255;
/// The most bytes of a thread's timeline, and the most of its messages, in one answer: together they
/// leave room for the rest of the 6 MB that a Lambda answers with, messages standing there twice.
const PART_BYTES_MAX: usize = 1024 * 1024;

/// Which part of an inbox is wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireInbox {
    status: Option<String>,
    limit: Option<u64>,
    cursor: Option<String>,
}

impl WireInbox {
    /// Reads where the threads must stand.
    pub fn state(&self) -> Result<Option<ThreadState>, Error> {
        match self.status.as_deref().filter(|status| !status.is_empty()) {
            None => Ok(None),
            Some("pending") => Ok(Some(ThreadState::Pending)),
            Some("active") => Ok(Some(ThreadState::Active)),
            Some("done") => Ok(Some(ThreadState::Done)),
            Some(other) => {
                let detail = format!("is `{other}`; send pending, active or done");
                Err(Error::field("status", detail))
            }
        }
    }

    /// How many threads are wanted.
    pub fn limit(&self) -> usize {
        page::limit(self.limit, THREADS_DEFAULT, THREADS_MAX)
    }

    /// Reads where a page of the list begins.
    pub fn from(&self) -> Result<Option<ListPlace>, Error> {
        page::from(self.cursor.as_deref())
    }

    /// Reads the change after which others are wanted.
    pub fn since(&self) -> Result<Option<Changed>, Error> {
        let Some(cursor) = self.cursor.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let read = || {
            let (at_us, id) = cursor.split_once(':')?;
            Some(Changed { at_us: at_us.parse().ok()?, id: id.parse().ok()? })
        };
        let detail = "is no cursor such as 1893456000000000:<uuid>; begin without one";
        read().map(Some).ok_or_else(|| Error::field("cursor", detail))
    }
}

/// `POST …/reply`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireReply {
    message: Option<String>,
}

impl WireReply {
    /// Reads the message.
    pub fn read(self) -> Result<String, Error> {
        check::text("message", self.message.as_deref().unwrap_or_default(), MESSAGE_CHARS_MAX)
    }
}

/// `POST …/delegate`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireDelegate {
    delegate_to: Option<String>,
    note: Option<String>,
}

impl WireDelegate {
    /// Reads who goes on with it, and why.
    pub fn read(self) -> Result<(String, Option<String>), Error> {
        let detail = "is missing; name the agent or the reviewer who goes on with it";
        let to = self.delegate_to.ok_or_else(|| Error::field("delegate_to", detail))?;
        let to = check::text("delegate_to", to.trim(), NAME_CHARS_MAX)?;
        Ok((to, check::optional_text("note", self.note.as_deref(), NOTE_CHARS_MAX)?))
    }
}

/// Reads `POST …/approve` or `…/reject`, which `approves` tells apart.
pub fn read_answer(body: &Map<String, Value>, approves: bool) -> Result<Answered, Error> {
    answer(body, Some(approves))
}

/// `POST …/messages/delete`, as it is sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireHiding {
    mode: Option<String>,
    message_ids: Option<Vec<Uuid>>,
    limit: Option<Value>,
}

impl WireHiding {
    /// Reads what is to be hidden.
    pub fn read(self) -> Result<Hiding, Error> {
        let from_all = match self.mode.as_deref() {
            Some("self") => false,
            Some("both") => true,
            Some(_) | None => return Err(Error::field("mode", "send self or both")),
        };
        let max = u64::try_from(HIDDEN_PER_REQUEST_MAX).unwrap_or(u64::MAX);
        let limit = self.limit.as_ref().filter(|limit| !limit.is_null());
        let limit = limit.map(|limit| check::whole("limit", limit)).transpose()?.unwrap_or(max);
        let limit = check::number("limit", limit, 1, max)?;
        let named = self.message_ids.as_ref().map_or(0, Vec::len);
        if named > HIDDEN_PER_REQUEST_MAX {
            let detail = format!("names {named} messages; send at most {max}");
            return Err(Error::field("message_ids", detail));
        }
        let limit = usize::try_from(limit).unwrap_or(HIDDEN_PER_REQUEST_MAX);
        Ok(Hiding { message_ids: self.message_ids, from_all, limit })
    }
}

/// Writes `{ok, threads}`.
pub fn present_list(inbox: &Inbox, page: &Page) -> Value {
    let entries = page.entries.iter().map(|(place, it)| (*place, summary(&inbox.owner(), it)));
    let (threads, next_cursor) = page::fitting(entries, page.next);
    json!({"ok": true, "threads": threads, "next_cursor": next_cursor})
}

/// Writes `{ok, changes}`. Where nothing changed, the reader goes on from where it was.
pub fn present_changes(inbox: &Inbox, since: Option<Changed>, changes: &Changes) -> Value {
    let owner = inbox.owner();
    let change = |(changed, intent): &(Changed, Intent)| json!({"cursor": cursor(*changed), "thread": summary(&owner, intent)});
    let last = changes.threads.last().map(|(changed, _)| *changed).or(since);
    json!({
        "ok": true,
        "changes": changes.threads.iter().map(change).collect::<Vec<_>>(),
        "next_cursor": last.map(cursor),
        "has_more": changes.has_more,
    })
}

fn cursor(changed: Changed) -> String {
    format!("{}:{}", changed.at_us, changed.id)
}

/// Writes `{ok, thread}`, with the messages at the top as well, where some clients look.
pub fn present(thread: &Thread) -> Value {
    let mut body = summary(&thread.owner, &thread.intent);
    let (messages, left_out) = newest(thread.messages().map(|it| message(&it)));
    if let Value::Object(fields) = &mut body {
        let hidden = thread.hidden();
        let timeline = thread.records.iter().map(|record| {
            let is_hidden = matches!(&record.event.kind,
                EventKind::Said { message_id, .. } if hidden.contains(message_id));
            entry(thread.intent.id, record, is_hidden)
        });
        let (timeline, cut) = newest(timeline);
        fields.insert("timeline".to_owned(), json!(timeline));
        fields.insert("timeline_is_whole".to_owned(), json!(thread.is_whole && !cut));
        fields.insert("messages".to_owned(), json!(messages));
        fields.insert("messages_are_whole".to_owned(), json!(thread.is_whole && !left_out));
    }
    json!({"ok": true, "thread": body, "messages": messages})
}

/// Writes what was hidden.
pub fn present_hidden(thread: &Thread, hiding: &Hiding, message_ids: &[Uuid]) -> Value {
    let mut body = present(thread);
    if let Value::Object(fields) = &mut body {
        let mode = if hiding.from_all { "both" } else { "self" };
        fields.insert("mode".to_owned(), json!(mode));
        fields.insert("deleted_count".to_owned(), json!(message_ids.len()));
        fields.insert("message_ids".to_owned(), json!(message_ids));
    }
    body
}

/// The name of an event, which follows from the intent and the event's number.
pub(super) fn event_id(intent: IntentId, seq: u64) -> Uuid {
    IntentId::derived(&["event", &intent.to_string(), &seq.to_string()]).uuid()
}

/// How it ended, for whoever is to be told; null while it has not.
pub(super) fn completion(intent: &Intent) -> Value {
    let (error, reason) = match &intent.phase {
        Phase::Failed { failure, .. } => (Some(failure), Some(&failure.reason)),
        Phase::Canceled { reason, .. } => (None, Some(reason)),
        Phase::Completed { .. } | Phase::TimedOut { .. } => (None, None),
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_) => return Value::Null,
    };
    json!({
        "message_id": event_id(intent.id, intent.seq),
        "status": intent.status().name(),
        "result": super::intent::result(intent),
        "error": error,
        "reason": reason,
        "at": intent.updated_at,
    })
}

/// A thread as a list shows it. Its timeline has the beginning only, which the state knows by itself:
/// reading every thread's history would make one list a hundred reads.
fn summary(owner: &str, intent: &Intent) -> Value {
    let sent = &intent.envelope;
    let received = json!({
        "event_id": event_id(intent.id, crate::intent::EVENT_SEQ_STEP),
        "event_type": RECEIVED,
        "seq": crate::intent::EVENT_SEQ_STEP,
        "actor": sent.from,
        "at": intent.created_at,
        "details": {"intent_type": sent.intent_type},
    });
    json!({
        "thread_id": intent.id,
        "intent_id": intent.id,
        "status": state(ThreadState::of(intent)),
        "intent_status": intent.status().name(),
        "waiting_reason": intent.phase.waiting_reason(),
        "pending_with": pending_with(intent),
        "owner_agent": owner,
        "from_agent": sent.from,
        "to_agent": sent.to.uri(),
        "reply_to": sent.reply_to.as_ref().map(Address::uri),
        "subject": subject(intent),
        "intent_type": sent.intent_type,
        "created_at": intent.created_at,
        "updated_at": intent.updated_at,
        "deadline_at": intent.deadline_at(),
        "message_count": intent.messages.count,
        "completion": completion(intent),
        "timeline": [received],
    })
}

/// The contract's name for the first event of a thread.
const RECEIVED: &str = "intent_received";

fn entry(id: IntentId, record: &Recorded, is_hidden: bool) -> Value {
    let event = super::event::present(id, record);
    let part = |name: &str| event.get(name).cloned().unwrap_or(Value::Null);
    let is_first = matches!(record.event.kind, EventKind::Created { .. });
    let wire_name = record.event.kind.wire_name();
    let event_type = if is_first { RECEIVED.to_owned() } else { wire_name.replace('.', "_") };
    let mut details = part("details");
    if let (true, Value::Object(fields)) = (is_hidden, &mut details) {
        fields.remove("message");
        fields.insert("hidden".to_owned(), json!(true));
    }
    json!({
        "event_id": event_id(id, record.event.seq),
        "event_type": event_type,
        "seq": record.event.seq,
        "status": record.status.name(),
        "actor": record.event.actor,
        "at": record.event.at,
        "details": details,
    })
}

fn message(message: &Message<'_>) -> Value {
    json!({
        "message_id": message.id,
        "role": match message.speaker {
            Speaker::Sender => "sender",
            Speaker::Agent => "agent",
            Speaker::Reviewer => "reviewer",
            Speaker::Participant => "participant",
        },
        "content": message.text,
        "text": message.text,
        "actor": message.actor,
        "at": message.at,
    })
}

/// As many of the newest as fit, oldest first, the newest always; and whether any was left out.
fn newest(bodies: impl DoubleEndedIterator<Item = Value>) -> (Vec<Value>, bool) {
    let mut bytes = 0;
    let mut kept = Vec::new();
    let mut is_cut = false;
    for body in bodies.rev() {
        bytes += body.to_string().len();
        if !kept.is_empty() && bytes > PART_BYTES_MAX {
            is_cut = true;
            break;
        }
        kept.push(body);
    }
    kept.reverse();
    (kept, is_cut)
}

fn state(state: ThreadState) -> &'static str {
    match state {
        ThreadState::Pending => "pending",
        ThreadState::Active => "active",
        ThreadState::Done => "done",
    }
}

/// One line about it, in the sender's words.
fn subject(intent: &Intent) -> String {
    let said = |name: &str| intent.envelope.payload.get(name).and_then(Value::as_str);
    let title = intent.human_task().map(|task| task.title.as_str());
    let named = ["subject", "title", "task", "summary"].into_iter().find_map(said);
    let text = title.or(named).unwrap_or(&intent.envelope.intent_type);
    text.chars().take(SUBJECT_CHARS_MAX).collect()
}
