//! What waits for reviewers, oldest first.

use super::commit::Stored;
use super::item::{Item, read_text};
use super::{Store, StoreError, place};
use crate::id::IntentId;

/// The most entries that one read of a list returns.
const ENTRIES_PER_READ_MAX: i32 = 100;

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
            let ids: Vec<_> = items.iter().filter_map(id).collect();
            let mut loaded = self.load_many(tenant, &ids).await?;
            let stored = ids.iter().filter_map(|id| loaded.remove(id));
            found.extend(stored.filter(|stored| wanted(stored)));
        }
        found.truncate(limit);
        Ok(found)
    }
}

fn id(item: &Item) -> Option<IntentId> {
    read_text(item, "intent")?.parse().ok()
}
