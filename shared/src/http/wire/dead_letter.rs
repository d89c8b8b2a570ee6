//! Dead letters.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use crate::app::{DeadLetterFilter, DeadLetterPage};
use crate::dead_letter::{Content, DeadLetter, DeadLetterId, Origin};
use crate::error::Error;

/// How many are listed, unless the caller says otherwise.
pub(crate) const LETTERS_DEFAULT: usize = 50;
/// The most that are listed.
pub(crate) const LETTERS_MAX: usize = 200;

/// Which dead letters to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireDeadLetters {
    queue: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    include_redriven: bool,
}

impl WireDeadLetters {
    /// Which ones, behind which one, and how many.
    pub fn read(&self) -> Result<(DeadLetterFilter, Option<DeadLetterId>, usize), Error> {
        let named = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let origin = named(&self.queue).map(|name| origin(&name)).transpose()?;
        let after = named(&self.cursor).map(|cursor| {
            let detail = "is none that a list gave; begin without one";
            cursor.parse().map_err(|_| Error::field("cursor", detail))
        });
        let limit = check::limit(self.limit, LETTERS_DEFAULT, LETTERS_MAX)?;
        let filter = DeadLetterFilter { origin, include_redriven: self.include_redriven };
        Ok((filter, after.transpose()?, limit))
    }
}

fn origin(name: &str) -> Result<Origin, Error> {
    let names = Origin::ALL.map(Origin::name).join(", ");
    let detail = || format!("is `{name}`; send one of {names}");
    Origin::parse(name).ok_or_else(|| Error::field("queue", detail()))
}

/// Writes `{ok, dead_letters, next_cursor}`. What was to be done is shown with each by itself.
pub fn list(page: &DeadLetterPage) -> Value {
    let letters: Vec<_> = page.letters.iter().map(body).collect();
    let next = page.next.as_ref().map(DeadLetterId::to_string);
    json!({"ok": true, "dead_letters": letters, "next_cursor": next})
}

/// Writes `{ok, dead_letter}`, with what was to be done. A text that cannot be read is shown here and
/// nowhere else.
pub fn present(letter: &DeadLetter) -> Value {
    let mut body = body(letter);
    if let Value::Object(fields) = &mut body {
        fields.insert("content".to_owned(), json!(letter.content));
    }
    json!({"ok": true, "dead_letter": body})
}

/// Writes `{ok, dead_letter_id, dropped}`.
pub fn present_dropped(id: &DeadLetterId) -> Value {
    json!({"ok": true, "dead_letter_id": id, "dropped": true})
}

fn body(letter: &DeadLetter) -> Value {
    json!({
        "dead_letter_id": letter.id,
        "queue": letter.origin.map(Origin::name),
        "kind": kind(&letter.content),
        "intent_id": letter.intent(),
        "reason": {"code": letter.reason.code(), "message": letter.reason.text()},
        "attempts": letter.attempts,
        "sent_at": letter.sent_at,
        "first_tried_at": letter.first_tried_at,
        "last_failed_at": letter.last_failed_at,
        "redriven_at": letter.redriven_at,
    })
}

/// What it is, in a word.
fn kind(content: &Content) -> &'static str {
    match content {
        Content::Message(message) => message.kind(),
        Content::Text { .. } => "unreadable",
        Content::Commit { .. } => "commit",
        Content::Timer { .. } => "timer",
        Content::Record { .. } => "record",
        Content::Batch { .. } => "batch",
    }
}
