//! Commits: the only way an intent changes.

use std::collections::{BTreeMap, HashMap};

use aws_sdk_dynamodb::types::{
    Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::attachment::Attachment;
use super::item::{self, Item, body, corrupt, number, read_body, read_number, read_text, text};
use super::place::Place;
use super::timer::{TIMER_SHARDS, timer_item};
use super::{Store, StoreError, condition};
use crate::address::Address;
use crate::digest::Digest;
use crate::id::IntentId;
use crate::intent::record::{Recorded, record};
use crate::intent::{Event, Intent, react};
use crate::message::Message;
use crate::trace::{self, TRACEPARENT, Trace};
use crate::webhook::Parties;

/// The most commits that one read of history returns.
const COMMITS_PER_READ_MAX: i32 = 200;

/// An intent as the table has it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its state.
    pub intent: Intent,
    /// How many commits led there: the lock of the next one.
    pub version: u64,
    /// Digest of the newest commit, the head of the chain.
    pub head: Digest,
    /// Digest of the request that made it, if that request named an idempotency key.
    pub fingerprint: Option<Digest>,
    /// The trace that led to the newest commit.
    pub trace: Option<Trace>,
}

/// What one command did to one intent.
#[derive(Debug)]
pub struct Change<'a> {
    /// The state that the decision rests on; `None` for a creation.
    pub before: Option<&'a Stored>,
    /// The events; never empty.
    pub events: Vec<Event>,
    /// Digest of the request, for a creation under an idempotency key.
    pub fingerprint: Option<Digest>,
    /// What is stored with it.
    pub attachments: Vec<Attachment>,
    /// Whether the write itself must happen before the deadline.
    pub before_deadline_at: Option<Timestamp>,
}

/// A commit as history keeps it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Commit {
    /// Number of the commit, from 1.
    pub version: u64,
    /// Digest of the commit before.
    pub previous: Digest,
    /// What happened.
    pub records: Vec<Recorded>,
    /// What the world is owed for it.
    pub owed: Vec<Message>,
}

/// A part of an intent's history.
#[derive(Clone, Debug)]
pub struct History {
    /// The commits, oldest first.
    pub commits: Vec<Commit>,
    /// How large they are as they are stored.
    pub bytes: usize,
    /// Whether there may be later ones.
    pub has_more: bool,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum CommitError {
    /// Somebody else was first; the state that stands there now, where the table returned it.
    #[error("another change came first")]
    Conflict(Option<Box<Stored>>),
    /// The table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The head of the chain before the first commit.
pub fn genesis(id: IntentId) -> Digest {
    Digest::of_bytes(format!("holdpoint/chain/1/{id}").as_bytes())
}

impl Commit {
    /// Digest of a commit's stored text, which names the commit before it: a link of the chain.
    pub fn digest(text: &str) -> Digest {
        Digest::of_bytes(text.as_bytes())
    }

    /// Reads a commit out of the attributes of a stream record or an item.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Stored {
    pub(super) fn read(item: &Item) -> Result<Self, StoreError> {
        let digest =
            |name| read_text(item, name).and_then(|hex| Digest::try_from(hex.to_owned()).ok());
        Ok(Self {
            intent: read_body(item)?,
            version: read_number(item, "version").ok_or_else(|| corrupt(item))?,
            head: digest("head").ok_or_else(|| corrupt(item))?,
            fingerprint: digest("fingerprint"),
            trace: read_text(item, TRACEPARENT).and_then(Trace::parse),
        })
    }
}

impl Store {
    /// The intent, if there is one.
    pub async fn load(&self, tenant: &str, id: IntentId) -> Result<Option<Stored>, StoreError> {
        let item = self.get(Place::snapshot(tenant, id)).await?;
        item.map(|item| Stored::read(&item)).transpose()
    }

    /// Writes all `changes` or none, and returns the states they lead to.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] if any of the intents changed since it was read.
    pub async fn commit(&self, changes: &[Change<'_>]) -> Result<Vec<Intent>, CommitError> {
        let mut writes = Vec::new();
        let mut after = Vec::with_capacity(changes.len());
        for change in changes {
            after.push(self.writes_of(change, &mut writes)?);
        }
        let request = self.client.transact_write_items().set_transact_items(Some(writes));
        item::sent(request.send()).await.map_err(condition::read)?;
        Ok(after)
    }

    /// The commit whose last event is number `seq`.
    pub async fn commit_at(
        &self,
        tenant: &str,
        id: IntentId,
        seq: u64,
    ) -> Result<Option<Commit>, StoreError> {
        let found = self.get(Place::commit(tenant, id, seq)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// Commits with events after `since`, oldest first, as many as one read returns.
    pub async fn history(
        &self,
        tenant: &str,
        id: IntentId,
        since: u64,
    ) -> Result<History, StoreError> {
        let after = Place::commit(tenant, id, since);
        let last = Place::commit(tenant, id, u64::MAX).sk;
        let page = self.page(after.pk, &after.sk, &last, COMMITS_PER_READ_MAX, false).await?;
        let bytes = page.items.iter().filter_map(|item| read_text(item, "body")).map(str::len);
        let bytes = bytes.sum();
        let commits = page.items.iter().map(read_body).collect::<Result<_, _>>()?;
        Ok(History { commits, bytes, has_more: page.has_more })
    }

    fn writes_of(
        &self,
        change: &Change<'_>,
        writes: &mut Vec<TransactWriteItem>,
    ) -> Result<Intent, StoreError> {
        let before = change.before.map(|stored| &stored.intent);
        let (after, records) = record(before, &change.events);
        let after =
            after.ok_or_else(|| StoreError::Corrupt("history without creation".into(), None))?;
        let last_state = &after;
        let owed = change.events.iter().flat_map(|event| react::owed(last_state, event)).collect();
        let version = change.before.map_or(0, |stored| stored.version) + 1;
        let previous =
            change.before.map_or_else(|| genesis(after.id), |stored| stored.head.clone());
        let commit_text = body(&Commit { version, previous, records, owed })?;
        let head = Commit::digest(&commit_text);

        writes.push(self.put_write(self.snapshot(change, &after, version, &head)?, guard(change)));
        writes.push(self.put_write(self.commit_item(&after, version, commit_text)?, Guard::Absent));
        self.move_pointers(before, &after, writes);
        for attachment in &change.attachments {
            let mut item = attachment.item(&after.envelope.tenant, after.id)?;
            self.retire(&mut item, after.deadline_at());
            writes.push(self.put_write(item, Guard::None));
        }
        Ok(after)
    }

    fn snapshot(
        &self,
        change: &Change<'_>,
        after: &Intent,
        version: u64,
        head: &Digest,
    ) -> Result<Item, StoreError> {
        let mut item = item::item(Place::snapshot(&after.envelope.tenant, after.id));
        item.insert("version".to_owned(), number(version));
        item.insert("head".to_owned(), text(head.hex()));
        item.insert("status".to_owned(), text(after.status().name()));
        let deadline_ms = after.deadline_at().as_millisecond();
        item.insert("deadline_ms".to_owned(), number(deadline_ms));
        item.insert("body".to_owned(), text(body(after)?));
        let kept = change.before.and_then(|stored| stored.fingerprint.as_ref());
        if let Some(fingerprint) = change.fingerprint.as_ref().or(kept) {
            item.insert("fingerprint".to_owned(), text(fingerprint.hex()));
        }
        carry_trace(&mut item);
        self.retire(&mut item, after.deadline_at());
        Ok(item)
    }

    fn commit_item(
        &self,
        after: &Intent,
        version: u64,
        commit_text: String,
    ) -> Result<Item, StoreError> {
        let mut item = item::item(Place::commit(&after.envelope.tenant, after.id, after.seq));
        item.insert("version".to_owned(), number(version));
        item.insert("body".to_owned(), text(commit_text));
        // Beside the body and not part of the chain: whoever relays the commit reads no snapshot.
        item.insert("parties".to_owned(), text(body(&Parties::of(after))?));
        carry_trace(&mut item);
        self.retire(&mut item, after.deadline_at());
        Ok(item)
    }

    /// Moves the items that merely point at the intent to where its new state wants them.
    fn move_pointers(
        &self,
        before: Option<&Intent>,
        after: &Intent,
        writes: &mut Vec<TransactWriteItem>,
    ) {
        let old = before.map(pointers).unwrap_or_default();
        let new = pointers(after);
        for place in old.keys().filter(|place| !new.contains_key(place)) {
            writes.push(self.delete_write(place.clone()));
        }
        for (place, kind) in new.into_iter().filter(|(place, _)| !old.contains_key(place)) {
            let pointer = self.pointer(kind, place, after);
            writes.push(self.put_write(pointer, Guard::None));
        }
    }

    fn pointer(&self, kind: Pointer, place: Place, after: &Intent) -> Item {
        if kind == Pointer::Timer {
            return timer_item(place, after.id, react::wake_at(after));
        }
        let mut item = item::item(place);
        item.insert("intent".to_owned(), text(after.id.to_string()));
        item.insert("status".to_owned(), text(after.status().name()));
        self.retire(&mut item, after.deadline_at());
        item
    }

    pub(super) fn put_write(&self, item: Item, guard: Guard) -> TransactWriteItem {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if let Some((condition, values)) = guard.condition() {
            put = put
                .condition_expression(condition)
                .set_expression_attribute_values(values)
                .return_values_on_condition_check_failure(
                    ReturnValuesOnConditionCheckFailure::AllOld,
                );
        }
        TransactWriteItem::builder().set_put(put.build().ok()).build()
    }

    fn delete_write(&self, place: Place) -> TransactWriteItem {
        let delete =
            Delete::builder().table_name(&self.table).set_key(Some(item::primary_key(place)));
        TransactWriteItem::builder().set_delete(delete.build().ok()).build()
    }
}

/// Names the trace that leads to a write: in commits and deliveries for whoever relays them, in the
/// snapshot for whoever goes on with the intent in another trace.
pub(super) fn carry_trace(item: &mut Item) {
    if let Some(trace) = trace::current() {
        item.insert(TRACEPARENT.to_owned(), text(trace.to_string()));
    }
}

/// What must be true of the item that a write replaces.
pub(super) enum Guard {
    None,
    Absent,
    At { version: u64, before_ms: Option<i64> },
}

fn guard(change: &Change<'_>) -> Guard {
    let before_ms = change.before_deadline_at.map(Timestamp::as_millisecond);
    match change.before {
        None => Guard::Absent,
        Some(stored) => Guard::At { version: stored.version, before_ms },
    }
}

type Condition = (&'static str, Option<HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>);

impl Guard {
    fn condition(self) -> Option<Condition> {
        match self {
            Self::None => None,
            Self::Absent => Some(("attribute_not_exists(pk)", None)),
            Self::At { version, before_ms: None } => {
                let values = HashMap::from([(":version".to_owned(), number(version))]);
                Some(("version = :version", Some(values)))
            }
            Self::At { version, before_ms: Some(now_ms) } => {
                let values = HashMap::from([
                    (":version".to_owned(), number(version)),
                    (":now".to_owned(), number(now_ms)),
                ]);
                Some(("version = :version AND deadline_ms > :now", Some(values)))
            }
        }
    }
}

/// The kinds of pointer that an intent has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Pointer {
    /// When it is woken.
    Timer,
    /// Its place in a list.
    Entry,
}

/// Where pointers stand: its timer, its place on its agent's stream, on the reviewers' list, in the
/// list of its day, and in the inboxes of those whose thread it is. By place, since two reasons may
/// lead to one: a transaction takes no item twice.
fn pointers(intent: &Intent) -> BTreeMap<Place, Pointer> {
    let tenant = &intent.envelope.tenant;
    let id = intent.id;
    let timer = react::wake_at(intent)
        .map(|due_at| Place::timer(tenant, id.shard(TIMER_SHARDS), due_at, id));
    let offer =
        intent.offered().map(|offer_seq| Place::offer(tenant, intent.handler(), offer_seq, id));
    let task = intent.open_hold().map(|hold| Place::task(tenant, hold.opened_at, id));
    let day = Place::day(tenant, intent.created_at, id);
    let inboxes = owners(intent).map(|owner| Place::inbox(tenant, owner, intent.created_at, id));
    let entries = offer.into_iter().chain(task).chain([day]).chain(inboxes);
    let timer = timer.map(|place| (place, Pointer::Timer));
    timer.into_iter().chain(entries.map(|place| (place, Pointer::Entry))).collect()
}

/// Whose thread it is: the agent's that has it, and whoever is to get the completion.
pub fn owners(intent: &Intent) -> impl Iterator<Item = &Address> {
    let handler = Some(intent.handler()).filter(|handler| !handler.is_agent_core());
    handler.into_iter().chain(&intent.envelope.reply_to)
}
