//! Posting what happened to intents.
//!
//! Nothing is stored for it but the intent's own history. The next attempt is a message that takes
//! the place of this one, and after the last the message becomes a dead letter: to send it once more
//! is to send that again.

use shared::digest::Digest;
use shared::error::Error;
use shared::http::wire::webhook;
use shared::message::Message;
use shared::webhook::{News, retry_at};

use super::{Notifier, NotifyError};

/// Hex digits of a post's id.
const ID_DIGITS: usize = 32;

impl Notifier {
    /// Makes one attempt.
    pub(super) async fn report(&self, news: News) -> Result<(), NotifyError> {
        if let Some(early) = self.early(news.due_at) {
            return Ok(self.queues.send(&Message::News(news), early).await?);
        }
        let to = self.receiver(&news.owner, news.subscription).await?;
        let Some(to) = to.filter(|kept| kept.subscription.takes(&news.event_type)) else {
            return Ok(());
        };
        let (store, tenant) = (self.app.store(), self.app.tenant());
        let commit = store.commit_at(tenant, news.intent, news.commit_seq).await;
        let commit = commit.map_err(Error::from)?;
        let body = commit.and_then(|commit| webhook::post_of_news(&news, &commit.records));
        // An intent that has left the table has nothing more to say.
        let Some(body) = body else { return Ok(()) };
        let reply = self.post(&to, id(&news), body.to_string()).await?;
        if reply.is_taken() || reply.is_gone() {
            return Ok(());
        }
        let (now, [jitter]) = (self.app.now(), self.app.random::<1>());
        let Some(due_at) = retry_at(news.attempt, now, jitter) else {
            return Err(NotifyError::Untaken(reply));
        };
        let next = News { attempt: news.attempt + 1, due_at, ..news };
        let pause = self.early(due_at).unwrap_or_default();
        Ok(self.queues.send(&Message::News(next), pause).await?)
    }
}

/// The same for the same event, however often it is posted.
fn id(news: &News) -> String {
    let name = format!("{}/{}/{}", news.event_type, news.intent, news.seq);
    let digest = Digest::of_bytes(name.as_bytes());
    format!("msg_{}", digest.hex().get(..ID_DIGITS).unwrap_or_default())
}
