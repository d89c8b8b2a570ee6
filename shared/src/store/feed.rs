//! Lists of intents: the reviewers' tasks, what was sent lately.

use jiff::{Timestamp, ToSpan as _};

use super::commit::Stored;
use super::item::{Item, read_text};
use super::{Store, StoreError, place};
use crate::id::IntentId;

/// The most entries that one read of a list returns.
const ENTRIES_PER_READ_MAX: i32 = 100;
/// The most days that a list of recent intents goes back.
const DAYS_BACK_MAX: i32 = 31;

impl Store {
    /// Intents that wait for a person and are `wanted`, oldest first, at most `limit`.
    pub async fn tasks(
        &self,
        tenant: &str,
        limit: usize,
        wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::new();
        let mut from = String::new();
        while found.len() < limit {
            let pk = place::tasks(tenant);
            let items = self.range(pk, &from, "~", ENTRIES_PER_READ_MAX, false).await?;
            let Some(last) = items.last().and_then(|item| read_text(item, "sk")) else { break };
            last.clone_into(&mut from);
            let loaded = self.load_each(tenant, &items).await?;
            found.extend(loaded.into_iter().filter(|stored| wanted(stored)));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Intents that were sent lately and are `wanted`, newest first, at most `limit`.
    pub async fn recent(
        &self,
        tenant: &str,
        now: Timestamp,
        limit: usize,
        wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::new();
        for days in 0..DAYS_BACK_MAX {
            let Ok(day) = now.checked_sub((24 * i64::from(days)).hours()) else { break };
            let pk = place::day(tenant, day);
            let mut before = "~".to_owned();
            loop {
                let items = self.range(pk.clone(), "", &before, ENTRIES_PER_READ_MAX, true).await?;
                let Some(oldest) = items.last().and_then(|item| read_text(item, "sk")) else {
                    break;
                };
                before = just_before(oldest);
                let loaded = self.load_each(tenant, &items).await?;
                found.extend(loaded.into_iter().filter(|stored| wanted(stored)));
                if found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    async fn load_each(&self, tenant: &str, items: &[Item]) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::with_capacity(items.len());
        for id in items.iter().filter_map(id) {
            found.extend(self.load(tenant, id).await?);
        }
        Ok(found)
    }
}

/// A sort key that excludes `sk` and all behind it from a range that includes its end. Sort keys end
/// in an id, so one that is cut short sorts before the whole.
pub(super) fn just_before(sk: &str) -> String {
    let mut cut = sk.to_owned();
    cut.pop();
    cut
}

fn id(item: &Item) -> Option<IntentId> {
    read_text(item, "intent")?.parse().ok()
}
