//! What the table's stream says, told in the store's words.

use serde::Deserialize;

use super::commit::Commit;
use super::item::{read_body, read_text};
use super::place::{COMMIT, DELIVERY, Place, WEBHOOK};
use super::timer::Timer;
use super::{Store, StoreError};
use crate::dead_letter::Content;
use crate::id::IntentId;
use crate::trace::{TRACEPARENT, Trace};
use crate::webhook::{Delivery, DeliveryDue, Parties};

/// The attributes of a stream record's item that anybody looks at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    pk: String,
    sk: String,
    body: Option<String>,
    intent: Option<String>,
    due_ms: Option<i64>,
    put_back: Option<u8>,
    parties: Option<String>,
    traceparent: Option<String>,
}

/// What happened to the item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happened {
    /// It was written and had not been there.
    Inserted,
    /// It was there and was written again.
    Changed,
    /// It was removed by TTL.
    Expired,
    /// Anything else.
    Otherwise,
}

/// What a stream record is about.
#[derive(Debug)]
pub enum StreamRecord {
    /// An intent changed.
    Committed(Box<Committed>),
    /// A wake-up was set.
    TimerSet {
        /// The account.
        tenant: String,
        /// The wake-up.
        timer: Timer,
    },
    /// A wake-up was removed by TTL, so nothing else had woken the intent.
    TimerExpired {
        /// The account.
        tenant: String,
        /// The wake-up.
        timer: Timer,
    },
    /// An attempt at a delivery was set.
    DeliverySet {
        /// The attempt.
        due: DeliveryDue,
        /// The trace that led to it.
        trace: Option<Trace>,
    },
    /// Nothing that anybody waits for.
    Other,
}

/// A commit, with what a reader of the stream must know beside it.
#[derive(Debug)]
pub struct Committed {
    /// The account.
    pub tenant: String,
    /// The intent.
    pub intent: IntentId,
    /// Whose business the intent is; unknown for commits of an older version.
    pub parties: Option<Parties>,
    /// The trace that led to the commit.
    pub trace: Option<Trace>,
    /// The commit.
    pub commit: Commit,
}

/// A record that should say something and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stream record of {0} cannot be read")]
pub struct Unreadable(String);

impl Happened {
    /// Whether what happened to the item with this partition key can say something. Most items that
    /// are written again are large and say nothing, and need not be read.
    pub fn may_matter(self, pk: &str) -> bool {
        match self {
            Self::Inserted | Self::Expired => true,
            Self::Changed => pk.split_once('#').is_some_and(|(_, rest)| rest.starts_with(WEBHOOK)),
            Self::Otherwise => false,
        }
    }
}

impl Store {
    /// The commit whose last event is number `seq`, with what stands beside it.
    pub async fn committed_at(
        &self,
        tenant: &str,
        intent: IntentId,
        seq: u64,
    ) -> Result<Option<Committed>, StoreError> {
        let Some(item) = self.get(Place::commit(tenant, intent, seq)).await? else {
            return Ok(None);
        };
        let parties = read_text(&item, "parties").map(serde_json::from_str).transpose();
        let parties =
            parties.map_err(|error| StoreError::Corrupt(format!("{intent} {seq}"), Some(error)))?;
        let trace = read_text(&item, TRACEPARENT).and_then(Trace::parse);
        let (tenant, commit) = (tenant.to_owned(), read_body(&item)?);
        Ok(Some(Committed { tenant, intent, parties, trace, commit }))
    }
}

/// What was owed for the item with this key: all that a dead letter can say of a stream record that
/// cannot be worked through.
pub fn owed_for(pk: &str, sk: &str) -> Option<Content> {
    let (_, rest) = pk.split_once('#')?;
    if let (Some(id), Some(seq)) = (rest.strip_prefix("INTENT#"), sk.strip_prefix(COMMIT)) {
        return Some(Content::Commit { intent: id.parse().ok()?, seq: seq.parse().ok()? });
    }
    let (_, id) = rest.strip_prefix("TIMER#").and(sk.split_once('#'))?;
    Some(Content::Timer { intent: id.parse().ok()? })
}

impl Row {
    fn trace(&self) -> Option<Trace> {
        self.traceparent.as_deref().and_then(Trace::parse)
    }
}

impl Committed {
    fn read(tenant: String, rest: &str, row: &Row) -> Option<Self> {
        let intent = rest.split_once('#').and_then(|(_, id)| id.parse().ok())?;
        let parties = row.parties.as_deref().map(serde_json::from_str).transpose().ok()?;
        let commit = Commit::parse(row.body.as_deref().unwrap_or("")).ok()?;
        Some(Self { tenant, intent, parties, trace: row.trace(), commit })
    }
}

impl StreamRecord {
    /// Reads a record: the new item of an insertion, the old one of a removal.
    pub fn read(happened: Happened, row: &Row) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable(format!("{} {}", row.pk, row.sk));
        let (tenant, rest) = row.pk.split_once('#').ok_or_else(unreadable)?;
        let tenant = tenant.to_owned();
        let timer = || {
            let intent = row.intent.as_deref().unwrap_or("");
            let (due_ms, put_back) = (row.due_ms.unwrap_or(-1), row.put_back.unwrap_or(0));
            Timer::of(intent, due_ms, put_back).ok_or_else(unreadable)
        };
        let is_delivery = rest.starts_with(WEBHOOK) && row.sk.starts_with(DELIVERY);
        match happened {
            Happened::Inserted if row.sk.starts_with(COMMIT) && rest.starts_with("INTENT#") => {
                let committed = Committed::read(tenant, rest, row).ok_or_else(unreadable)?;
                Ok(Self::Committed(Box::new(committed)))
            }
            Happened::Inserted | Happened::Changed if is_delivery => {
                let delivery: Delivery = serde_json::from_str(row.body.as_deref().unwrap_or(""))
                    .map_err(|_| unreadable())?;
                let due = delivery.due(&tenant);
                Ok(due.map_or(Self::Other, |due| Self::DeliverySet { due, trace: row.trace() }))
            }
            Happened::Inserted if rest.starts_with("TIMER#") => {
                Ok(Self::TimerSet { tenant, timer: timer()? })
            }
            Happened::Expired if rest.starts_with("TIMER#") => {
                Ok(Self::TimerExpired { tenant, timer: timer()? })
            }
            Happened::Inserted | Happened::Changed | Happened::Expired | Happened::Otherwise => {
                Ok(Self::Other)
            }
        }
    }
}
