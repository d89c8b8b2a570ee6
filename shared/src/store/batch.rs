//! Reading many intents at once.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use aws_sdk_dynamodb::types::KeysAndAttributes;

use super::commit::Stored;
use super::item::{primary_key, sent};
use super::place::Place;
use super::{Store, StoreError, Unanswered, unavailable};
use crate::id::IntentId;

/// The most keys that one `BatchGetItem` takes. `DynamoDB`'s limit.
const KEYS_PER_BATCH_MAX: usize = 100;
/// How often what a batch left out is asked for again before the table counts as unavailable. A batch
/// answers with 16 MB at most, so large intents are left out without anything being wrong.
const LEFT_OUT_MAX: u32 = 12;
/// The pause before the first repeat that got nothing; it doubles with each.
const LEFT_OUT_PAUSE: Duration = Duration::from_millis(10);

impl Store {
    /// The intents of these names that are there.
    pub async fn load_many(
        &self,
        tenant: &str,
        ids: &[IntentId],
    ) -> Result<HashMap<IntentId, Stored>, StoreError> {
        let mut found = HashMap::with_capacity(ids.len());
        // A batch that names one key twice is refused.
        let ids: Vec<IntentId> = ids.iter().copied().collect::<HashSet<_>>().into_iter().collect();
        for batch in ids.chunks(KEYS_PER_BATCH_MAX) {
            self.load_batch(tenant, batch, &mut found).await?;
        }
        Ok(found)
    }

    async fn load_batch(
        &self,
        tenant: &str,
        ids: &[IntentId],
        found: &mut HashMap<IntentId, Stored>,
    ) -> Result<(), StoreError> {
        let keys = ids.iter().map(|id| primary_key(Place::snapshot(tenant, *id))).collect();
        let mut wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
        let mut pause = LEFT_OUT_PAUSE;
        for _ in 0..LEFT_OUT_MAX {
            let request = wanted.build().map_err(|error| Unanswered(error.to_string()));
            let request = request.map_err(StoreError::Unavailable)?;
            let request = self.client.batch_get_item().request_items(&self.table, request);
            let answer = sent(request.send()).await.map_err(unavailable)?;
            let items = answer.responses.and_then(|mut tables| tables.remove(&self.table));
            let items = items.unwrap_or_default();
            for item in &items {
                let stored = Stored::read(item)?;
                found.insert(stored.intent.id, stored);
            }
            let left = answer.unprocessed_keys.and_then(|mut tables| tables.remove(&self.table));
            let left = left.map(|left| left.keys).unwrap_or_default();
            if left.is_empty() {
                return Ok(());
            }
            if items.is_empty() {
                tokio::time::sleep(pause).await;
                pause *= 2;
            }
            wanted = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true);
        }
        Err(StoreError::Unavailable(Unanswered("a batch was never answered in full".to_owned())))
    }
}
