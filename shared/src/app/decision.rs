//! Decisions of people. Every channel comes through here.

use super::App;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::command::Seen;
use crate::intent::human_task::Outcome;
use crate::intent::{Command, Intent, Rejection};
use crate::principal::Principal;

impl App {
    /// Answers the hold point of an intent, or of the one approval that its agent waits for.
    pub async fn answer(
        &self,
        by: &Principal,
        id: IntentId,
        outcome: Outcome,
        comment: Option<String>,
        seen: Option<Seen>,
    ) -> Result<Intent, Error> {
        let command = Command::Decide { by: by.clone(), outcome, comment, seen };
        let answered = self.execute(id, &command, &[]).await;
        if !matches!(answered, Err(Error::Rejected(Rejection::NothingToDecide(_)))) {
            return answered;
        }
        // People know the intent that they started; the question may stand on its only open child.
        match self.only_open_child(id).await? {
            Some(child) => self.execute(child, &command, &[]).await,
            None => answered,
        }
    }

    async fn only_open_child(&self, id: IntentId) -> Result<Option<IntentId>, Error> {
        let stored = self.load(id).await?;
        let mut open = stored.intent.open_asks().map(|ask| ask.child);
        Ok(open.next().filter(|_| open.next().is_none()))
    }
}
