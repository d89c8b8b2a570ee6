//! Posting what clients published.
//!
//! The stored delivery says which attempt is to be made. A message names one, and one that names
//! another is old: so a message that comes twice changes nothing the second time.

use shared::callback::{Reply, SignedPost};
use shared::error::Error;
use shared::http::wire::webhook;
use shared::message::Message;
use shared::store::{CommitError, KeptSubscription, Locked};
use shared::webhook::{Delivery, DeliveryDue, Owner, Published, SubscriptionId};
use tracing::info;

use super::{Notifier, NotifyError};

impl Notifier {
    /// Makes one attempt, and stores what came of it. The next one, if there is one, is owed by what
    /// is stored, and comes by the stream.
    pub(super) async fn deliver(&self, due: DeliveryDue) -> Result<(), NotifyError> {
        if let Some(early) = self.early(due.due_at) {
            return Ok(self.queues.send(&Message::Delivery(due), early).await?);
        }
        let (store, tenant) = (self.app.store(), self.app.tenant());
        let found = store.delivery(tenant, due.event, due.subscription).await;
        let found = found.map_err(Error::from)?.filter(|it| awaits(&it.value, &due));
        let event = store.published(tenant, due.event).await.map_err(Error::from)?;
        let (Some(Locked { value: delivery, version }), Some(published)) = (found, event) else {
            return Ok(());
        };
        let after = match self.receiver(&published.owner, due.subscription).await? {
            Some(to) => self.attempt(&delivery, &published, &to).await?,
            None => delivery.given_up(self.app.now()),
        };
        match store.put_delivery(tenant, &after, version, self.app.now()).await {
            // Another copy of the message was quicker, or a replay has begun a new round.
            Ok(()) | Err(CommitError::Conflict(_)) => Ok(()),
            Err(CommitError::Store(error)) => Err(Error::from(error).into()),
        }
    }

    /// The subscription, if it is active.
    pub(super) async fn receiver(
        &self,
        owner: &Owner,
        id: SubscriptionId,
    ) -> Result<Option<KeptSubscription>, NotifyError> {
        let found = self.app.store().subscription(self.app.tenant(), owner, id).await;
        Ok(found.map_err(Error::from)?.filter(|kept| kept.subscription.is_active()))
    }

    /// Posts to a subscription. One whose receiver is gone is not posted to again.
    pub(super) async fn post(
        &self,
        to: &KeptSubscription,
        id: String,
        body: String,
    ) -> Result<Reply, NotifyError> {
        let (url, secret) = (to.subscription.callback_url.clone(), to.secret.clone());
        let post = SignedPost { url, secret, id, body };
        let reply = self.courier.post(&post, self.app.now()).await?;
        let subscription_id = to.subscription.id;
        info!(%subscription_id, ?reply, "posted to a webhook");
        if reply.is_gone() {
            self.app.receiver_gone(&to.subscription.owner, subscription_id).await?;
        }
        Ok(reply)
    }

    async fn attempt(
        &self,
        delivery: &Delivery,
        published: &Published,
        to: &KeptSubscription,
    ) -> Result<Delivery, NotifyError> {
        let body = webhook::post_of_published(published).to_string();
        let reply = self.post(to, published.id.to_string(), body).await?;
        let [jitter] = self.app.random::<1>();
        Ok(delivery.after(reply, self.app.now(), jitter))
    }
}

fn awaits(delivery: &Delivery, named: &DeliveryDue) -> bool {
    let due = delivery.due(&named.tenant);
    due.is_some_and(|due| (due.round, due.attempt) == (named.round, named.attempt))
}
