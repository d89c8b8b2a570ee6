//! Taking new intents.

use super::App;
use super::execute::births;
use crate::address::Address;
use crate::digest::Digest;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::envelope::Envelope;
use crate::intent::{Command, Intent, decide};
use crate::principal::Principal;
use crate::route::Route;
use crate::store::{Change, CommitError};
use crate::trace;

/// The answer to a creation.
#[derive(Debug)]
pub struct Created {
    /// The intent: the new one, or the one that the same request made before.
    pub intent: Intent,
    /// Whether it was there before.
    pub repeated: bool,
}

impl App {
    /// Stores a new intent. Under an idempotency key the same request finds its first answer and
    /// another one is refused. A stopped agent sends nothing and gets nothing.
    pub async fn create(
        &self,
        by: &Principal,
        endpoint: &str,
        idempotency_key: Option<&str>,
        fingerprint: Digest,
        envelope: Envelope,
    ) -> Result<Created, Error> {
        self.refuse_stopped_sender(by).await?;
        self.refuse_stopped(&envelope.handler).await?;
        let id = match idempotency_key {
            Some(key) => IntentId::derived(&["key", self.tenant(), &by.name, endpoint, key]),
            None => self.new_intent_id(),
        };
        trace::about(id);
        let command = Command::Create { id, envelope: Box::new(envelope) };
        let now = self.now();
        let events = decide(None, &command, now)?;
        let born = births(None, &command, &events, now);
        let change = Change {
            before: None,
            events,
            fingerprint: idempotency_key.map(|_| fingerprint.clone()),
            attachments: vec![],
            before_deadline_at: None,
        };
        let changes: Vec<_> = std::iter::once(change).chain(born).collect();
        match self.store().commit(&changes).await {
            Ok(intents) => {
                let intent = intents.into_iter().next().ok_or(Error::Busy)?;
                Ok(Created { intent, repeated: false })
            }
            Err(CommitError::Conflict(Some(first))) if first.fingerprint == Some(fingerprint) => {
                Ok(Created { intent: first.intent, repeated: true })
            }
            Err(CommitError::Conflict(Some(_))) => Err(Error::KeyReused),
            Err(error) => Err(error.into()),
        }
    }

    /// Where intents for `address` go. The answer may be up to a few seconds old.
    pub async fn resolve(&self, address: &Address) -> Result<Route, Error> {
        // That there was no route is not gone by: one that was just made counts at once.
        if let Some(Some(route)) = self.remembered(&self.inner.routes, address.path()) {
            return Ok(route);
        }
        let found = self.look_up(address).await?;
        Ok(found.unwrap_or_else(|| Route::direct(address.clone())))
    }

    fn new_intent_id(&self) -> IntentId {
        let millis = u64::try_from(self.now().as_millisecond()).unwrap_or(0);
        let random = self.random::<10>();
        IntentId::new(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}
