//! Approvals, as whoever asked for them follows them.

use super::App;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::Intent;
use crate::principal::Principal;
use crate::store::Stored;

impl App {
    /// The approval, if `by` asked for it; otherwise as if it did not exist.
    pub async fn asked(&self, by: &Principal, id: IntentId) -> Result<Intent, Error> {
        let found = self.store().load(self.tenant(), id).await?;
        let own = found.filter(|stored| asked_by(by, &stored.intent));
        own.map(|stored| stored.intent).ok_or(Error::NotFound("approval"))
    }

    /// Approvals that `by` asked for and that wait for a person, oldest first, at most `limit`.
    pub async fn open_asked(&self, by: &Principal, limit: usize) -> Result<Vec<Intent>, Error> {
        let wanted = |stored: &Stored| asked_by(by, &stored.intent);
        let found = self.store().tasks(self.tenant(), limit, wanted).await?;
        Ok(found.into_iter().map(|stored| stored.intent).collect())
    }
}

/// Narrower than what a key may see: what others asked is nobody's to follow, whatever their address.
fn asked_by(by: &Principal, intent: &Intent) -> bool {
    let sent = &intent.envelope;
    let asker = sent.parent.as_ref().map_or(&sent.from, |parent| &parent.asker);
    sent.only_asks() && *asker == by.name
}
