//! Publishing events to webhooks, and sending them once more.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::App;
use super::execute::CONFLICTS_MAX;
use crate::digest::Digest;
use crate::error::Error;
use crate::principal::Principal;
use crate::store::{CommitError, Departure, Replay};
use crate::webhook::{Counts, Delivery, EventId, EventType, Owner, Published, SubscriptionId};

/// An event to publish.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened.
    pub event_type: EventType,
    /// Where, in the publisher's words.
    pub source: String,
    /// The facts.
    pub payload: Map<String, Value>,
}

/// An event and how its deliveries stand.
#[derive(Debug)]
pub struct Publication {
    /// The event.
    pub published: Published,
    /// Its deliveries.
    pub counts: Counts,
}

impl App {
    /// Stores an event with one delivery for each of its owner's subscriptions that want it. Under an
    /// idempotency key the same request finds its first answer and another one is refused.
    pub async fn publish(
        &self,
        by: &Principal,
        owner: &Owner,
        new: NewEvent,
        idempotency_key: Option<&str>,
        fingerprint: Digest,
    ) -> Result<Publication, Error> {
        let (tenant, now) = (self.tenant(), self.now());
        let id = match idempotency_key {
            Some(key) => EventId::derived(&["webhook-event", tenant, &by.name, key]),
            None => EventId::new(self.random_uuid()),
        };
        let published = Published {
            id,
            owner: owner.clone(),
            event_type: new.event_type,
            source: new.source,
            payload: new.payload,
            accepted_at: now,
            fingerprint: idempotency_key.map(|_| fingerprint),
        };
        let wanted = self.wanting(&published).await?;
        let deliveries = wanted.into_iter().map(|to| (Delivery::new(id, to, now), None)).collect();
        let departure = Departure { event: id, deliveries, at: now };
        match self.store().publish(tenant, &published, &departure).await {
            Ok(()) => {
                let counts = Counts::of(departure.deliveries.iter().map(|(delivery, _)| delivery));
                Ok(Publication { published, counts })
            }
            Err(CommitError::Conflict(_)) => self.published_before(&published).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Sends an event once more: every delivery of it whose subscription is active, and one to each
    /// subscription that has come to want it since. The same call under an idempotency key does so
    /// once.
    pub async fn replay(
        &self,
        by: &Principal,
        owner: &Owner,
        event: EventId,
        idempotency_key: Option<&str>,
    ) -> Result<(Publication, Timestamp), Error> {
        let tenant = self.tenant();
        let found = self.store().published(tenant, event).await?;
        let published = found.filter(|published| published.owner == *owner);
        let published = published.ok_or(Error::NotFound("event"))?;
        let id = match idempotency_key {
            Some(key) => EventId::derived(&["webhook-replay", &event.to_string(), &by.name, key]),
            None => EventId::new(self.random_uuid()),
        };
        for conflicts in 1..=CONFLICTS_MAX {
            if let Some(Replay { at, .. }) = self.store().replayed(tenant, event, id).await? {
                return Ok((self.publication(published).await?, at));
            }
            let at = self.now();
            let departure = self.departure(&published, at).await?;
            match self.store().replay(tenant, Replay { id, at }, &departure).await {
                Ok(()) => return Ok((self.publication(published).await?, at)),
                Err(CommitError::Conflict(_)) => {
                    tokio::time::sleep(self.pause_after(conflicts)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    /// The deliveries of a replay at `at`.
    async fn departure(&self, published: &Published, at: Timestamp) -> Result<Departure, Error> {
        let stored = self.store().deliveries(self.tenant(), published.id).await?;
        let active = self.subscriptions(&published.owner, false).await?;
        let deliveries = active.iter().filter_map(|subscription| {
            let before = stored.iter().find(|it| it.value.subscription == subscription.id);
            match before {
                Some(before) => Some((before.value.again(at), Some(before.version))),
                None if subscription.takes(published.event_type.text()) => {
                    Some((Delivery::new(published.id, subscription.id, at), None))
                }
                None => None,
            }
        });
        Ok(Departure { event: published.id, deliveries: deliveries.collect(), at })
    }

    async fn wanting(&self, published: &Published) -> Result<Vec<SubscriptionId>, Error> {
        let active = self.subscriptions(&published.owner, false).await?;
        let wanting = active.iter().filter(|it| it.takes(published.event_type.text()));
        Ok(wanting.map(|subscription| subscription.id).collect())
    }

    /// The answer to a repeated request.
    async fn published_before(&self, repeated: &Published) -> Result<Publication, Error> {
        let first = self.store().published(self.tenant(), repeated.id).await?;
        let first = first.ok_or(Error::Busy)?;
        if first.fingerprint != repeated.fingerprint {
            return Err(Error::KeyReused);
        }
        self.publication(first).await
    }

    async fn publication(&self, published: Published) -> Result<Publication, Error> {
        let stored = self.store().deliveries(self.tenant(), published.id).await?;
        let counts = Counts::of(stored.iter().map(|delivery| &delivery.value));
        Ok(Publication { published, counts })
    }
}
