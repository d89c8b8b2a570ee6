//! Published events and their deliveries: one partition for each event.

use std::time::Duration;

use aws_sdk_dynamodb::types::TransactWriteItem;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::commit::{CommitError, Guard, carry_trace};
use super::item::{Item, body, item, read_body, read_text, remove_at, text};
use super::locked::Locked;
use super::place::{self, DELIVERY, Place};
use super::{Store, StoreError, condition};
use crate::webhook::{Delivery, EventId, Published, SubscriptionId};

/// The most deliveries of one event that a read returns.
const DELIVERIES_PER_READ_MAX: i32 = 1000;
/// The most events that one look for those under way returns.
const UNDERWAY_PER_READ_MAX: i32 = 1000;
/// How long an event counts as under way: longer than all attempts and the queue's own take.
const UNDERWAY_MAX: Duration = Duration::from_hours(24);

/// Deliveries that set off together, each with the version that it replaces.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The event.
    pub event: EventId,
    /// The deliveries.
    pub deliveries: Vec<(Delivery, Option<u64>)>,
    /// When.
    pub at: Timestamp,
}

/// An event that has set off of late.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Underway {
    /// The event.
    pub event: EventId,
    /// When.
    pub since: Timestamp,
}

/// One call that replayed an event.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Replay {
    /// Its name: the same call has the same one.
    pub id: EventId,
    /// When.
    pub at: Timestamp,
}

impl Store {
    /// The event, if there is one.
    pub async fn published(
        &self,
        tenant: &str,
        event: EventId,
    ) -> Result<Option<Published>, StoreError> {
        let found = self.get(Place::published(tenant, event)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// One delivery.
    pub async fn delivery(
        &self,
        tenant: &str,
        event: EventId,
        subscription: SubscriptionId,
    ) -> Result<Option<Locked<Delivery>>, StoreError> {
        let found = self.get(Place::delivery(tenant, event, subscription)).await?;
        found.map(|item| Locked::read(&item)).transpose()
    }

    /// Every delivery of an event.
    pub async fn deliveries(
        &self,
        tenant: &str,
        event: EventId,
    ) -> Result<Vec<Locked<Delivery>>, StoreError> {
        let (pk, end) = (place::webhook(tenant, event), format!("{DELIVERY}~"));
        let items = self.range(pk, DELIVERY, &end, DELIVERIES_PER_READ_MAX, false).await?;
        items.iter().map(Locked::read).collect()
    }

    /// The replay with this name, if it has happened.
    pub async fn replayed(
        &self,
        tenant: &str,
        event: EventId,
        replay: EventId,
    ) -> Result<Option<Replay>, StoreError> {
        let found = self.get(Place::replay(tenant, event, replay)).await?;
        found.map(|item| read_body(&item)).transpose()
    }

    /// Stores a new event and its deliveries, all or nothing. What they owe follows from the stored
    /// deliveries, which `relay` reads off the stream.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] if the event is there already.
    pub async fn publish(
        &self,
        tenant: &str,
        published: &Published,
        departure: &Departure,
    ) -> Result<(), CommitError> {
        let mut item = item(Place::published(tenant, published.id));
        item.insert("body".to_owned(), text(body(published)?));
        self.retire(&mut item, departure.at);
        self.depart(tenant, item, departure).await
    }

    /// Sets deliveries off once more, all or nothing.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] if the same call did so before, or a delivery has changed.
    pub async fn replay(
        &self,
        tenant: &str,
        replay: Replay,
        departure: &Departure,
    ) -> Result<(), CommitError> {
        let mut item = item(Place::replay(tenant, departure.event, replay.id));
        item.insert("body".to_owned(), text(body(&replay)?));
        self.retire(&mut item, departure.at);
        self.depart(tenant, item, departure).await
    }

    /// Stores what came of an attempt.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] if somebody else was first.
    pub async fn put_delivery(
        &self,
        tenant: &str,
        delivery: &Delivery,
        before: u64,
        now: Timestamp,
    ) -> Result<(), CommitError> {
        self.put_locked(self.delivery_item(tenant, delivery, now)?, Some(before)).await
    }

    /// Events that have set off of late, after `after`, in that order: for when queues may have lost
    /// what their deliveries are owed.
    pub async fn underway(
        &self,
        tenant: &str,
        after: Option<Underway>,
    ) -> Result<Vec<Underway>, StoreError> {
        let place = |it: Underway| Place::underway(tenant, it.since, it.event).sk;
        let from = after.map_or_else(String::new, place);
        let pk = place::underway(tenant);
        let items = self.range(pk, &from, "~", UNDERWAY_PER_READ_MAX, false).await?;
        Ok(items.iter().filter_map(underway).collect())
    }

    /// Writes `first`, which must be new, and the deliveries.
    async fn depart(
        &self,
        tenant: &str,
        first: Item,
        departure: &Departure,
    ) -> Result<(), CommitError> {
        let mut writes: Vec<TransactWriteItem> = vec![self.locked_write(first, None)];
        for (delivery, before) in &departure.deliveries {
            let item = self.delivery_item(tenant, delivery, departure.at)?;
            writes.push(self.locked_write(item, *before));
        }
        if !departure.deliveries.is_empty() {
            let mut underway = item(Place::underway(tenant, departure.at, departure.event));
            remove_at(
                &mut underway,
                departure.at.checked_add(UNDERWAY_MAX).unwrap_or(Timestamp::MAX),
            );
            writes.push(self.put_write(underway, Guard::None));
        }
        let sent = self.client.transact_write_items().set_transact_items(Some(writes)).send();
        sent.await.map_err(condition::read)?;
        Ok(())
    }

    fn delivery_item(
        &self,
        tenant: &str,
        delivery: &Delivery,
        now: Timestamp,
    ) -> Result<Item, StoreError> {
        let mut item = item(Place::delivery(tenant, delivery.event, delivery.subscription));
        item.insert("body".to_owned(), text(body(delivery)?));
        carry_trace(&mut item);
        self.retire(&mut item, now);
        Ok(item)
    }
}

fn underway(item: &Item) -> Option<Underway> {
    let (since_ms, event) = read_text(item, "sk")?.split_once('#')?;
    let since = Timestamp::from_millisecond(since_ms.parse().ok()?).ok()?;
    Some(Underway { event: EventId::parse(event)?, since })
}
