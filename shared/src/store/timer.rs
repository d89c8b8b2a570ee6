//! Timers: one small item for each live intent, removed by TTL if nothing else wakes it first.

use std::time::Duration;

use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use jiff::Timestamp;

use super::item::{Item, item, number, primary_key, read_number, read_text, remove_at, sent, text};
use super::place::{self, Place};
use super::{Store, StoreError, unavailable};
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
    /// How often TTL has removed it before anything woke the intent, and it was put back.
    pub put_back: u8,
}

/// How often a timer is put back: for at least this many times [`PUT_BACK_SECONDS`] something goes on
/// looking at an intent that cannot be woken.
pub const PUT_BACK_MAX: u8 = 20;
/// After how many seconds TTL may remove a timer that was put back.
const PUT_BACK_SECONDS: u64 = 300;

impl Timer {
    /// Reads a timer from the attributes that a stream record carries.
    pub fn of(intent: &str, due_ms: i64, put_back: u8) -> Option<Self> {
        let due_at = Timestamp::from_millisecond(due_ms).ok()?;
        Some(Self { intent: intent.parse().ok()?, due_at, put_back })
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

    /// Puts back a timer that TTL has removed, since the intent was not woken yet. It is there until the
    /// intent's next commit, or until a wake-up sees that nothing is due any more.
    pub async fn put_timer_back(
        &self,
        tenant: &str,
        timer: &Timer,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let place = placed(tenant, timer);
        let mut item = timer_item(place, timer.intent, Some(timer.due_at));
        item.insert(PUT_BACK.to_owned(), number(timer.put_back.saturating_add(1)));
        let seconds = Duration::from_secs(PUT_BACK_SECONDS);
        remove_at(&mut item, now.checked_add(seconds).unwrap_or(Timestamp::MAX));
        self.put(item).await
    }

    /// Removes a timer that was put back and has nothing to wake any more. One that a commit has set
    /// for the same moment since then stays.
    pub async fn drop_timer(&self, tenant: &str, timer: &Timer) -> Result<(), StoreError> {
        let key = primary_key(placed(tenant, timer));
        let dropped = self.client.delete_item().table_name(&self.table).set_key(Some(key));
        let dropped = dropped.condition_expression(format!("attribute_exists({PUT_BACK})"));
        match sent(dropped.send()).await {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(DeleteItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    }
}

/// Says how often a timer was put back.
pub(super) const PUT_BACK: &str = "put_back";

fn placed(tenant: &str, timer: &Timer) -> Place {
    Place::timer(tenant, timer.intent.shard(TIMER_SHARDS), timer.due_at, timer.intent)
}

fn read(item: &Item) -> Option<Timer> {
    let due_ms = i64::try_from(read_number(item, "due_ms")?).ok()?;
    let put_back = read_number(item, PUT_BACK).and_then(|count| u8::try_from(count).ok());
    Timer::of(read_text(item, "intent")?, due_ms, put_back.unwrap_or_default())
}
