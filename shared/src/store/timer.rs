//! Timers: one small item for each live intent, removed by TTL if nothing else wakes it first.

use jiff::Timestamp;

use super::item::{Item, item, number, read_number, read_text, remove_at, text};
use super::place::{self, Place};
use super::{Store, StoreError};
use crate::id::IntentId;

/// Partitions over which timers are spread. A timer's partition follows from its intent's id, so
/// the number must not change while timers are pending.
pub const TIMER_SHARDS: u8 = 8;
/// The most timers that one look at one shard returns.
pub const TIMERS_PER_READ_MAX: u16 = 1000;

/// A pending wake-up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timer {
    /// The intent to wake.
    pub intent: IntentId,
    /// When.
    pub due_at: Timestamp,
}

impl Timer {
    /// Reads a timer from the attributes that a stream record carries.
    pub fn of(intent: &str, due_ms: i64) -> Option<Self> {
        let due_at = Timestamp::from_millisecond(due_ms).ok()?;
        Some(Self { intent: intent.parse().ok()?, due_at })
    }
}

pub(super) fn timer_item(place: Place, intent: IntentId, due_at: Option<Timestamp>) -> Item {
    let mut timer = item(place);
    timer.insert("intent".to_owned(), text(intent.to_string()));
    if let Some(due_at) = due_at {
        timer.insert("due_ms".to_owned(), number(place::due_millis(due_at)));
        remove_at(&mut timer, due_at);
    }
    timer
}

impl Store {
    /// Timers of one shard that are due at or before `until`, soonest first.
    pub async fn timers_due(
        &self,
        tenant: &str,
        shard: u8,
        after: Option<Timer>,
        until: Timestamp,
    ) -> Result<Vec<Timer>, StoreError> {
        let from = after.map_or_else(String::new, |timer| {
            Place::timer(tenant, shard, timer.due_at, timer.intent).sk
        });
        // "~" sorts behind every character of an id, so the whole millisecond is included.
        let to = format!("{}#~", place::millis(until));
        let pk = place::timers(tenant, shard);
        let items = self.range(pk, &from, &to, TIMERS_PER_READ_MAX.into(), false).await?;
        Ok(items.iter().filter_map(read).collect())
    }
}

fn read(item: &Item) -> Option<Timer> {
    let due_ms = i64::try_from(read_number(item, "due_ms")?).ok()?;
    Timer::of(read_text(item, "intent")?, due_ms)
}
