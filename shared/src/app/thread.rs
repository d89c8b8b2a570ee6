//! One thread: what was said on an intent, and what its readers do there.

use std::collections::BTreeSet;

use jiff::Timestamp;
use uuid::Uuid;

use super::{App, Inbox};
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::answer::Answer;
use crate::intent::command::Seen;
use crate::intent::record::Recorded;
use crate::intent::{Command, EventKind, Intent, Status};
use crate::principal::{Principal, Role};

/// The most messages that one request hides.
pub const HIDDEN_PER_REQUEST_MAX: usize = 100;

/// A thread, as one reader sees it.
#[derive(Clone, Debug)]
pub struct Thread {
    /// The intent.
    pub intent: Intent,
    /// What happened, oldest first; the newest part of it, if there is very much.
    pub records: Vec<Recorded>,
    /// Whether nothing older was left out.
    pub is_whole: bool,
    /// Whose inbox it is read in.
    pub owner: String,
    reader: String,
}

/// A message on a thread.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Its name.
    pub id: Uuid,
    /// Who left it.
    pub actor: &'a str,
    /// What whoever left it is to the thread.
    pub speaker: Speaker,
    /// Its text, untrusted.
    pub text: &'a str,
    /// When.
    pub at: Timestamp,
}

/// What somebody is to a thread. It is read off what they did there, since history has names only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Speaker {
    /// Sent the intent.
    Sender,
    /// Worked on it.
    Agent,
    /// Decided on it, or passed it on.
    Reviewer,
    /// Has only spoken.
    Participant,
}

/// A reader of a thread.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// Who.
    pub by: &'a Principal,
    /// The agent whose inbox it is, if the request names one.
    pub named: Option<&'a Address>,
}

/// What is hidden.
#[derive(Clone, Debug)]
pub struct Hiding {
    /// Which messages; the newest ones, if none is named.
    pub message_ids: Option<Vec<Uuid>>,
    /// Whether from everybody. Only one's own can be.
    pub from_all: bool,
    /// How many at most.
    pub limit: usize,
}

impl Thread {
    /// The messages that the reader sees, oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = Message<'_>> {
        let hidden = self.hidden();
        self.records.iter().filter_map(move |record| {
            let EventKind::Said { message_id, text } = &record.event.kind else { return None };
            (!hidden.contains(message_id)).then(|| Message {
                id: *message_id,
                actor: &record.event.actor,
                speaker: self.speaker(&record.event.actor),
                text,
                at: record.event.at,
            })
        })
    }

    /// The messages that the reader does not see.
    pub fn hidden(&self) -> BTreeSet<Uuid> {
        let mut hidden = BTreeSet::new();
        for record in &self.records {
            if let EventKind::Hidden { message_ids, from_all } = &record.event.kind
                && (*from_all || record.event.actor == self.reader)
            {
                hidden.extend(message_ids);
            }
        }
        hidden
    }

    fn speaker(&self, name: &str) -> Speaker {
        if name == self.intent.envelope.from {
            return Speaker::Sender;
        }
        let did = |role: fn(&EventKind) -> bool| {
            self.records.iter().any(|it| it.event.actor == name && role(&it.event.kind))
        };
        if did(is_of_people) {
            Speaker::Reviewer
        } else if did(is_of_agents) {
            Speaker::Agent
        } else {
            Speaker::Participant
        }
    }
}

fn is_of_people(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Approved { .. }
            | EventKind::Refused { .. }
            | EventKind::Reassigned { .. }
            | EventKind::Failed { decision: Some(_), .. }
    )
}

fn is_of_agents(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Acknowledged
            | EventKind::Started { .. }
            | EventKind::Stepped { .. }
            | EventKind::Suspended { .. }
            | EventKind::HandedOn { .. }
            | EventKind::CallClaimed { .. }
    )
}

impl App {
    /// The thread.
    pub async fn thread(&self, reader: Reader<'_>, id: IntentId) -> Result<Thread, Error> {
        let intent = self.thread_state(reader.by, reader.named, id).await?;
        self.read_thread(reader, intent).await
    }

    /// Leaves a message. Under an idempotency key the same message is left once.
    pub async fn reply(
        &self,
        reader: Reader<'_>,
        id: IntentId,
        text: String,
        idempotency_key: Option<&str>,
    ) -> Result<Thread, Error> {
        let by = reader.by;
        let message_id = match idempotency_key {
            Some(key) => {
                let thread = id.to_string();
                IntentId::derived(&["message", self.tenant(), &by.name, &thread, key]).uuid()
            }
            None => self.random_uuid(),
        };
        let before = self.thread(reader, id).await?;
        if let Some(first) = before.said(message_id) {
            return if first == text { Ok(before) } else { Err(Error::KeyReused) };
        }
        let command = Command::Say { by: by.clone(), message_id, text: text.clone() };
        let intent = self.execute(id, &command, &[]).await?;
        let after = self.read_thread(reader, intent).await?;
        // Of two different messages at once under one key the first one counts.
        match after.said(message_id) {
            Some(first) if first != text => Err(Error::KeyReused),
            Some(_) | None => Ok(after),
        }
    }

    /// Passes the thread on: a reviewer the task, to another reviewer; the agent the work, to another
    /// agent.
    pub async fn delegate(
        &self,
        reader: Reader<'_>,
        id: IntentId,
        to: &str,
        note: Option<String>,
    ) -> Result<Thread, Error> {
        let before = self.thread_state(reader.by, reader.named, id).await?;
        let by = reader.by;
        let intent = match by.role {
            Role::Reviewer => {
                // People are named as tasks name them; the contract's addresses have a scheme.
                let to = to.split_once("://").map_or(to, |(_, name)| name).to_owned();
                let command = Command::Reassign { by: by.clone(), to, note };
                self.execute(id, &command, &[]).await?
            }
            Role::Agent | Role::Admin => {
                let to = Address::parse(to)
                    .map_err(|error| Error::field("delegate_to", error.to_string()))?;
                let next = self.resolve(&to).await?.to;
                // Asked again after the answer was lost: whoever is named has it.
                if by.role == Role::Agent && next == *before.handler() {
                    return self.read_thread(reader, before).await;
                }
                self.advance(by, id, note, Some(&to)).await?
            }
        };
        self.read_thread(reader, intent).await
    }

    /// Answers what the thread asks.
    pub async fn answer_thread(
        &self,
        reader: Reader<'_>,
        id: IntentId,
        answer: Answer,
        seen: Option<Seen>,
    ) -> Result<Thread, Error> {
        self.thread_state(reader.by, reader.named, id).await?;
        self.answer(reader.by, id, answer, seen).await?;
        // The question may have stood on another intent, which the thread waits for.
        let intent = self.load(id).await?.intent;
        self.read_thread(reader, intent).await
    }

    /// Hides messages, and says which.
    pub async fn hide(
        &self,
        reader: Reader<'_>,
        id: IntentId,
        hiding: &Hiding,
    ) -> Result<(Thread, Vec<Uuid>), Error> {
        let before = self.thread(reader, id).await?;
        let message_ids = before.to_hide(hiding)?;
        let command = Command::Hide {
            by: reader.by.clone(),
            message_ids: message_ids.clone(),
            from_all: hiding.from_all,
        };
        let intent = self.execute(id, &command, &[]).await?;
        Ok((self.read_thread(reader, intent).await?, message_ids))
    }

    /// Notes that the agent whose turn it is has seen the thread. To anybody else it notes nothing.
    pub async fn mark_read(&self, reader: Reader<'_>, id: IntentId) -> Result<Thread, Error> {
        let mut intent = self.thread_state(reader.by, reader.named, id).await?;
        let is_turn = reader.by.speaks_for(intent.handler());
        if is_turn && intent.status() == Status::Delivered {
            let command = Command::Acknowledge { by: reader.by.clone(), turn: None };
            intent = self.execute(id, &command, &[]).await?;
        }
        self.read_thread(reader, intent).await
    }

    async fn read_thread(&self, reader: Reader<'_>, intent: Intent) -> Result<Thread, Error> {
        let latest = self.store().latest(self.tenant(), intent.id).await?;
        // What was committed after the state was read belongs to a later state.
        let records = latest.commits.into_iter().flat_map(|commit| commit.records);
        let records = records.filter(|record| record.event.seq <= intent.seq).collect();
        Ok(Thread {
            records,
            is_whole: latest.is_whole,
            owner: owner(reader, &intent),
            reader: reader.by.name.clone(),
            intent,
        })
    }
}

impl Thread {
    /// The text of a message, hidden or not.
    fn said(&self, id: Uuid) -> Option<&str> {
        self.records.iter().find_map(|record| {
            let EventKind::Said { message_id, text } = &record.event.kind else { return None };
            (*message_id == id).then_some(text.as_str())
        })
    }

    fn to_hide(&self, hiding: &Hiding) -> Result<Vec<Uuid>, Error> {
        let is_own = |message: &Message<'_>| message.actor == self.reader;
        let wanted = |message: &Message<'_>| match &hiding.message_ids {
            Some(ids) => ids.contains(&message.id),
            None => !hiding.from_all || is_own(message),
        };
        let wanted: Vec<_> = self.messages().rev().filter(wanted).take(hiding.limit).collect();
        if hiding.from_all && !wanted.iter().all(is_own) {
            let detail = "only whoever left a message may hide it from everybody; send mode self";
            return Err(Error::Forbidden(detail.to_owned()));
        }
        Ok(wanted.into_iter().rev().map(|message| message.id).collect())
    }
}

/// Whose inbox the thread is read in, where no request says so: the agent's that has it.
fn owner(reader: Reader<'_>, intent: &Intent) -> String {
    match (reader.named, reader.by.role) {
        (Some(named), _) => named.uri(),
        (None, Role::Reviewer) => Inbox::Tasks(reader.by.name.clone()).owner(),
        (None, Role::Agent | Role::Admin) => {
            reader.by.address.as_ref().unwrap_or(intent.handler()).uri()
        }
    }
}
