//! Webhook subscriptions.

use std::sync::Arc;

use super::App;
use super::execute::CONFLICTS_MAX;
use crate::address::Address;
use crate::callback::{CallbackUrl, SECRET_BYTES, SigningSecret};
use crate::error::Error;
use crate::principal::{Principal, Role};
use crate::store::{CommitError, KeptSubscription};
use crate::webhook::{EventPattern, Owner, Standing, Subscription, SubscriptionId};

/// The most subscriptions in force that one owner may have. Two requests at the same moment may get
/// past it by one; it bounds a transaction that takes twice as many.
pub const SUBSCRIPTIONS_PER_OWNER_MAX: usize = 50;

/// For whom a caller acts.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Standpoint {
    /// The owner.
    pub owner: Owner,
    /// The name under which the owner sends intents.
    pub sends_as: String,
}

/// A subscription to make or to change.
#[derive(Clone, Debug)]
pub struct NewSubscription {
    /// Where events are posted. An owner has one subscription for an address.
    pub callback_url: CallbackUrl,
    /// Which events.
    pub event_types: Vec<EventPattern>,
    /// The caller's own secret.
    pub secret: Option<SigningSecret>,
    /// Whether events are posted from now on.
    pub active: bool,
    /// What it is for.
    pub description: Option<String>,
}

/// The answer to a subscription.
#[derive(Debug)]
pub struct Subscribed {
    /// The subscription.
    pub subscription: Subscription,
    /// The secret, if Holdpoint made it just now: nobody can read it later.
    pub made: Option<SigningSecret>,
}

impl App {
    /// For whom `by` acts: the owner that it names, or else itself. An agent with an address acts for
    /// that address only, and reviewers for nobody.
    pub fn standpoint(&self, by: &Principal, named: Option<&str>) -> Result<Standpoint, Error> {
        self.require(by, &[Role::Agent, Role::Admin])?;
        let own = Standpoint { owner: Owner::of(by), sends_as: by.name.clone() };
        let Some(named) = named.filter(|named| *named != by.name) else { return Ok(own) };
        let address = Address::parse(named);
        let address = address.map_err(|error| Error::field("owner_agent", error.to_string()))?;
        let owner = Owner::at(&address);
        if owner == own.owner {
            return Ok(own);
        }
        if by.role == Role::Agent && !by.speaks_for(&address) {
            let detail =
                format!("this key speaks for another agent than {address}; use that agent's key");
            return Err(Error::Forbidden(detail));
        }
        Ok(Standpoint { sends_as: owner.text().to_owned(), owner })
    }

    /// Makes a subscription, or changes the one that its owner has for this address.
    pub async fn subscribe(
        &self,
        standpoint: &Standpoint,
        new: NewSubscription,
    ) -> Result<Subscribed, Error> {
        let id = SubscriptionId::derived(self.tenant(), &standpoint.owner, &new.callback_url);
        for conflicts in 1..=CONFLICTS_MAX {
            let kept = self.store().subscription(self.tenant(), &standpoint.owner, id).await?;
            let version = kept.as_ref().map(|kept| kept.version);
            let in_force = kept.filter(|kept| kept.subscription.revoked_at().is_none());
            if in_force.is_none() {
                self.has_room(&standpoint.owner).await?;
            }
            let (secret, made) = self.secret_of(&new, in_force.as_ref());
            let subscription = self.subscription(standpoint, id, &new, &secret, in_force);
            match self
                .store()
                .put_subscription(self.tenant(), &subscription, &secret, version)
                .await
            {
                Ok(()) => return Ok(Subscribed { subscription, made }),
                Err(CommitError::Conflict(_)) => {
                    tokio::time::sleep(self.pause_after(conflicts)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    /// An owner's subscriptions, oldest first: the active ones, or all that are kept.
    pub async fn subscriptions(
        &self,
        owner: &Owner,
        include_inactive: bool,
    ) -> Result<Vec<Subscription>, Error> {
        let mut found = self.store().subscriptions_of(self.tenant(), owner).await?;
        found.retain(|subscription| include_inactive || subscription.is_active());
        found.sort_by_key(|subscription| subscription.created_at);
        Ok(found)
    }

    /// Ends a subscription for good. One that has ended stays as it is.
    pub async fn unsubscribe(
        &self,
        owner: &Owner,
        id: SubscriptionId,
    ) -> Result<Subscription, Error> {
        let at = self.now();
        let change = |kept: &Subscription| match kept.standing {
            Standing::Revoked { .. } => None,
            Standing::Active | Standing::Paused | Standing::Gone => Some(Standing::Revoked { at }),
        };
        self.set_standing(owner, id, change).await?.ok_or(Error::NotFound("subscription"))
    }

    /// Notes that a receiver wants nothing more.
    pub async fn receiver_gone(&self, owner: &Owner, id: SubscriptionId) -> Result<(), Error> {
        let change = |kept: &Subscription| kept.is_active().then_some(Standing::Gone);
        self.set_standing(owner, id, change).await.map(|_| ())
    }

    /// The active subscriptions of all owners, as they were up to a few seconds ago.
    pub async fn active_subscriptions(&self) -> Result<Arc<[Subscription]>, Error> {
        let tenant = self.tenant();
        if let Some(known) = self.remembered(&self.inner.subscriptions, tenant) {
            return Ok(known);
        }
        let found: Arc<[_]> = self.store().active_subscriptions(tenant).await?.into();
        self.remember(&self.inner.subscriptions, tenant, Arc::clone(&found));
        Ok(found)
    }

    async fn has_room(&self, owner: &Owner) -> Result<(), Error> {
        let found = self.store().subscriptions_of(self.tenant(), owner).await?;
        let in_force = found.iter().filter(|it| it.revoked_at().is_none()).count();
        if in_force < SUBSCRIPTIONS_PER_OWNER_MAX {
            return Ok(());
        }
        let detail = format!(
            "has {in_force} subscriptions and may have {SUBSCRIPTIONS_PER_OWNER_MAX}; delete one first"
        );
        Err(Error::field("owner_agent", detail))
    }

    /// The secret from now on, and whether it was made for that.
    fn secret_of(
        &self,
        new: &NewSubscription,
        in_force: Option<&KeptSubscription>,
    ) -> (SigningSecret, Option<SigningSecret>) {
        let known = new.secret.as_ref().or(in_force.map(|kept| &kept.secret));
        if let Some(known) = known {
            return (known.clone(), None);
        }
        let made = SigningSecret::new(self.random::<SECRET_BYTES>());
        (made.clone(), Some(made))
    }

    fn subscription(
        &self,
        standpoint: &Standpoint,
        id: SubscriptionId,
        new: &NewSubscription,
        secret: &SigningSecret,
        in_force: Option<KeptSubscription>,
    ) -> Subscription {
        let now = self.now();
        Subscription {
            id,
            owner: standpoint.owner.clone(),
            sends_as: standpoint.sends_as.clone(),
            callback_url: new.callback_url.clone(),
            event_types: new.event_types.clone(),
            description: new.description.clone(),
            standing: if new.active { Standing::Active } else { Standing::Paused },
            secret_hint: secret.hint(),
            created_at: in_force.map_or(now, |kept| kept.subscription.created_at),
            updated_at: now,
        }
    }

    /// Changes a subscription's standing as `change` says; `None` if there is no such subscription.
    async fn set_standing(
        &self,
        owner: &Owner,
        id: SubscriptionId,
        change: impl Fn(&Subscription) -> Option<Standing>,
    ) -> Result<Option<Subscription>, Error> {
        for conflicts in 1..=CONFLICTS_MAX {
            let kept = self.store().subscription(self.tenant(), owner, id).await?;
            let Some(KeptSubscription { subscription, secret, version }) = kept else {
                return Ok(None);
            };
            let Some(standing) = change(&subscription) else { return Ok(Some(subscription)) };
            let changed = Subscription { standing, updated_at: self.now(), ..subscription };
            let (tenant, before) = (self.tenant(), Some(version));
            match self.store().put_subscription(tenant, &changed, &secret, before).await {
                Ok(()) => return Ok(Some(changed)),
                Err(CommitError::Conflict(_)) => {
                    tokio::time::sleep(self.pause_after(conflicts)).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }
}
