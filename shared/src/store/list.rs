//! Lists of intents, newest first, from any place on and a stretch at a time.

use std::ops::ControlFlow;

use jiff::Timestamp;

use super::commit::Stored;
use super::item::{Item, read_text};
use super::place;
use super::{Store, StoreError};
use crate::address::Address;
use crate::id::IntentId;

/// The most entries that one visit looks at. Each is an intent to read, so without a bound one
/// question about a busy account could cost more than the function has time for.
pub const ENTRIES_PER_VISIT_MAX: usize = 1000;
/// The most entries that one read returns; as many as one batch of intents takes.
const ENTRIES_PER_READ_MAX: usize = 100;
/// The most days of what was sent that one visit looks at: a month, and the parts of days at its ends.
const DAYS_PER_VISIT_MAX: usize = 33;
const DAY_MS: i64 = 86_400_000;

/// One of the lists.
#[derive(Clone, Copy, Debug)]
pub enum List<'a> {
    /// What was sent, back to this moment.
    SentSince(Timestamp),
    /// What waits for people.
    Tasks,
    /// The threads of an owner.
    Inbox(&'a Address),
}

/// A place in a list: right behind everything that is newer than this, and before the entry of this
/// moment and name itself or whatever is older.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct ListPlace {
    /// The entry's moment, in milliseconds.
    pub at_ms: i64,
    /// The entry's intent; nil stands before every other of its millisecond.
    pub id: IntentId,
}

impl ListPlace {
    /// The place at which everything up to and including the millisecond of `at` follows.
    pub fn up_to(at: Timestamp) -> Self {
        Self { at_ms: at.as_millisecond().saturating_add(1), id: IntentId::new(uuid::Uuid::nil()) }
    }

    /// The place at which everything follows.
    pub fn newest() -> Self {
        Self::up_to(Timestamp::MAX)
    }

    fn sk(self) -> String {
        format!("{:020}#{}", self.at_ms.max(0), self.id)
    }

    fn read(item: &Item) -> Option<Self> {
        let (at_ms, id) = read_text(item, "sk")?.split_once('#')?;
        Some(Self { at_ms: at_ms.parse().ok()?, id: id.parse().ok()? })
    }

    /// The start of the day in which the entries that follow lie.
    fn day_ms(self) -> i64 {
        let last_ms =
            if self.id.uuid().is_nil() { self.at_ms.saturating_sub(1) } else { self.at_ms };
        last_ms - last_ms.rem_euclid(DAY_MS)
    }
}

impl List<'_> {
    /// The partition in which the entries right after `from` lie.
    fn partition(self, tenant: &str, from: ListPlace) -> String {
        match self {
            Self::SentSince(_) => {
                let day = Timestamp::from_millisecond(from.day_ms()).unwrap_or_default();
                place::day(tenant, day)
            }
            Self::Tasks => place::tasks(tenant),
            Self::Inbox(owner) => place::inbox(tenant, owner),
        }
    }

    /// The place from which to go on once the partition after `from` is read.
    fn beyond(self, from: ListPlace) -> Option<ListPlace> {
        match self {
            Self::SentSince(oldest) => {
                let day_ms = from.day_ms();
                let more = day_ms > oldest.as_millisecond();
                more.then(|| ListPlace { at_ms: day_ms, id: IntentId::new(uuid::Uuid::nil()) })
            }
            Self::Tasks | Self::Inbox(_) => None,
        }
    }

    fn oldest_ms(self) -> i64 {
        match self {
            Self::SentSince(oldest) => oldest.as_millisecond(),
            Self::Tasks | Self::Inbox(_) => 0,
        }
    }
}

impl Store {
    /// Shows the intents of a list to `visit`, newest first from `from` on, until it breaks or has
    /// seen as many as one visit looks at. Returns the place to go on from; `None` at the list's end.
    pub async fn visit(
        &self,
        tenant: &str,
        list: List<'_>,
        from: ListPlace,
        mut visit: impl FnMut(ListPlace, Stored) -> ControlFlow<()> + Send,
    ) -> Result<Option<ListPlace>, StoreError> {
        let mut at = from;
        let mut left = ENTRIES_PER_VISIT_MAX;
        for _ in 0..DAYS_PER_VISIT_MAX {
            loop {
                let entries = self.older(tenant, list, at, left.min(ENTRIES_PER_READ_MAX)).await?;
                if entries.is_empty() {
                    break;
                }
                left = left.saturating_sub(entries.len());
                let ids: Vec<_> = entries.iter().map(|entry| entry.id).collect();
                let mut loaded = self.load_many(tenant, &ids).await?;
                for entry in entries {
                    at = entry;
                    let Some(stored) = loaded.remove(&entry.id) else { continue };
                    if visit(entry, stored).is_break() {
                        return Ok(Some(at));
                    }
                }
                if left == 0 {
                    return Ok(Some(at));
                }
            }
            match list.beyond(at) {
                Some(next) => at = next,
                None => return Ok(None),
            }
        }
        Ok(Some(at))
    }

    /// Up to `limit` entries behind `from` in its partition, newest first.
    async fn older(
        &self,
        tenant: &str,
        list: List<'_>,
        from: ListPlace,
        limit: usize,
    ) -> Result<Vec<ListPlace>, StoreError> {
        let pk = list.partition(tenant, from);
        let oldest = format!("{:020}", list.oldest_ms().max(0));
        // The range includes its end, which is `from` itself.
        let limit = i32::try_from(limit).unwrap_or(i32::MAX).saturating_add(1);
        let items = self.range(pk, &oldest, &from.sk(), limit, true).await?;
        Ok(items.iter().filter_map(ListPlace::read).filter(|entry| *entry < from).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(at_ms: i64, id: u128) -> ListPlace {
        ListPlace { at_ms, id: IntentId::new(uuid::Uuid::from_u128(id)) }
    }

    #[test]
    fn the_day_of_a_place_is_that_of_the_entries_behind_it() {
        assert_eq!(place(DAY_MS, 0).day_ms(), 0, "nothing of the new day is older");
        assert_eq!(place(DAY_MS, 1).day_ms(), DAY_MS, "an entry of the same moment may be");
        assert_eq!(place(DAY_MS + 1, 0).day_ms(), DAY_MS);
    }

    #[test]
    fn places_sort_like_their_keys() {
        let places = [place(5, 1), place(5, 2), place(17, 0), place(100, 7)];
        assert!(places.is_sorted());
        assert!(places.map(ListPlace::sk).is_sorted());
    }

    #[test]
    fn days_are_gone_back_to_the_oldest_one_that_is_wanted() {
        let since = |ms| List::SentSince(Timestamp::from_millisecond(ms).unwrap());
        assert_eq!(since(0).beyond(place(DAY_MS + 5, 1)), Some(place(DAY_MS, 0)));
        assert_eq!(since(DAY_MS).beyond(place(DAY_MS + 5, 1)), None, "the day begins with it");
        assert_eq!(List::Tasks.beyond(place(DAY_MS + 5, 1)), None);
    }
}
