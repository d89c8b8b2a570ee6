//! Webhook subscriptions: one partition of their own, with an owner's side by side.

use aws_sdk_dynamodb::types::Select;
use tracing::warn;

use super::commit::CommitError;
use super::item::{Item, body, corrupt, item, read_body, read_text, text};
use super::locked::Locked;
use super::place::{self, Place};
use super::{Store, StoreError, unavailable};
use crate::callback::SigningSecret;
use crate::webhook::{Owner, Subscription, SubscriptionId};

/// The most subscriptions of one owner that a read returns: those that are in force and those that
/// were ended lately.
const SUBSCRIPTIONS_PER_OWNER_READ_MAX: i32 = 500;
/// The most subscriptions of all owners together that are told what happens to intents.
const SUBSCRIPTIONS_READ_MAX: usize = 10_000;
/// What a reader of all subscriptions gets of each: not the secret.
const WITHOUT_SECRET: &str = "pk, sk, body";

/// A subscription with what only its sender may know.
#[derive(Clone, Debug)]
pub struct KeptSubscription {
    /// The subscription.
    pub subscription: Subscription,
    /// Its secret.
    pub secret: SigningSecret,
    /// Its lock.
    pub version: u64,
}

impl Store {
    /// One subscription, ended ones included.
    pub async fn subscription(
        &self,
        tenant: &str,
        owner: &Owner,
        id: SubscriptionId,
    ) -> Result<Option<KeptSubscription>, StoreError> {
        let found = self.get(Place::subscription(tenant, owner, id)).await?;
        found.map(|item| kept(&item)).transpose()
    }

    /// An owner's subscriptions, ended ones included.
    pub async fn subscriptions_of(
        &self,
        tenant: &str,
        owner: &Owner,
    ) -> Result<Vec<Subscription>, StoreError> {
        let (pk, part) = (place::subscriptions(tenant), place::owners_part(owner));
        let end = format!("{part}~");
        let items = self.range(pk, &part, &end, SUBSCRIPTIONS_PER_OWNER_READ_MAX, false).await?;
        items.iter().map(read_body).collect()
    }

    /// The active subscriptions of all owners, without their secrets and perhaps a moment old. One
    /// that cannot be read is left out: it must not hold up what others are owed.
    pub async fn active_subscriptions(
        &self,
        tenant: &str,
    ) -> Result<Vec<Subscription>, StoreError> {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let query = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(place::subscriptions(tenant)))
                .select(Select::SpecificAttributes)
                .projection_expression(WITHOUT_SECRET)
                .set_exclusive_start_key(from);
            let page = query.send().await.map_err(unavailable)?;
            for item in page.items.unwrap_or_default() {
                match read_body::<Subscription>(&item) {
                    Ok(subscription) if subscription.is_active() => found.push(subscription),
                    Ok(_) => {}
                    Err(error) => warn!(cause = %error, "a subscription is left out"),
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(found);
            }
            if found.len() >= SUBSCRIPTIONS_READ_MAX {
                warn!(limit = SUBSCRIPTIONS_READ_MAX, "some subscriptions hear nothing of intents");
                return Ok(found);
            }
        }
    }

    /// Makes or changes a subscription that is as `before` says: absent, or at that version. An ended
    /// one leaves the table a retention later.
    ///
    /// # Errors
    ///
    /// [`CommitError::Conflict`] if it changed since it was read.
    pub async fn put_subscription(
        &self,
        tenant: &str,
        subscription: &Subscription,
        secret: &SigningSecret,
        before: Option<u64>,
    ) -> Result<(), CommitError> {
        let place = Place::subscription(tenant, &subscription.owner, subscription.id);
        let mut item = item(place);
        item.insert("body".to_owned(), text(body(subscription)?));
        item.insert("secret".to_owned(), text(secret.reveal()));
        if let Some(revoked_at) = subscription.revoked_at() {
            self.retire(&mut item, revoked_at);
        }
        self.put_locked(item, before).await
    }
}

fn kept(item: &Item) -> Result<KeptSubscription, StoreError> {
    let secret = read_text(item, "secret").ok_or_else(|| corrupt(item))?;
    let Locked { value, version } = Locked::read(item)?;
    Ok(KeptSubscription { subscription: value, secret: SigningSecret::stored(secret), version })
}
