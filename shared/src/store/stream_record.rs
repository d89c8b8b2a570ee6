//! What the table's stream says, told in the store's words.

use serde::Deserialize;

use super::commit::Commit;
use super::place::COMMIT;
use super::timer::Timer;

/// The attributes of a stream record's item that anybody looks at.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Row {
    pk: String,
    sk: String,
    body: Option<String>,
    intent: Option<String>,
    due_ms: Option<i64>,
}

/// What happened to the item.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Happened {
    /// It was written and had not been there.
    Inserted,
    /// It was removed by TTL.
    Expired,
    /// Anything else.
    Otherwise,
}

/// What a stream record is about.
#[derive(Debug)]
pub enum StreamRecord {
    /// An intent changed.
    Committed(Box<Commit>),
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
    /// Nothing that anybody waits for.
    Other,
}

/// A record that should say something and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the stream record of {0} cannot be read")]
pub struct Unreadable(String);

impl StreamRecord {
    /// Reads a record: the new item of an insertion, the old one of a removal.
    pub fn read(happened: Happened, row: &Row) -> Result<Self, Unreadable> {
        let unreadable = || Unreadable(format!("{} {}", row.pk, row.sk));
        let (tenant, rest) = row.pk.split_once('#').ok_or_else(unreadable)?;
        let tenant = tenant.to_owned();
        let timer = || {
            let timer = Timer::of(row.intent.as_deref().unwrap_or(""), row.due_ms.unwrap_or(-1));
            timer.ok_or_else(unreadable)
        };
        match happened {
            Happened::Inserted if row.sk.starts_with(COMMIT) && rest.starts_with("INTENT#") => {
                let commit = Commit::parse(row.body.as_deref().unwrap_or(""));
                commit.map(|commit| Self::Committed(Box::new(commit))).map_err(|_| unreadable())
            }
            Happened::Inserted if rest.starts_with("TIMER#") => {
                Ok(Self::TimerSet { tenant, timer: timer()? })
            }
            Happened::Expired if rest.starts_with("TIMER#") => {
                Ok(Self::TimerExpired { tenant, timer: timer()? })
            }
            Happened::Inserted | Happened::Expired | Happened::Otherwise => Ok(Self::Other),
        }
    }
}
