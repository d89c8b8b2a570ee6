//! Signs of life of what nobody calls: without one nobody would see that it rests.

use jiff::Timestamp;

use super::item::{item, read_text, text};
use super::place::Place;
use super::{Store, StoreError};

impl Store {
    /// Notes that the schedule has looked at the timers.
    pub async fn note_sweep(&self, tenant: &str, now: Timestamp) -> Result<(), StoreError> {
        let mut item = item(Place::sweep(tenant));
        item.insert("at".to_owned(), text(now.to_string()));
        self.put(item).await
    }

    /// When the schedule looked at the timers last.
    pub async fn swept_at(&self, tenant: &str) -> Result<Option<Timestamp>, StoreError> {
        let item = self.get(Place::sweep(tenant)).await?;
        Ok(item.and_then(|item| read_text(&item, "at")?.parse().ok()))
    }
}
