//! Decisions of people. Every channel comes through here.

use super::App;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::command::Seen;
use crate::intent::human_task::Outcome;
use crate::intent::{Command, Intent, Phase, Waiting};
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
        let target = self.question_of(id).await?;
        let command = Command::Decide { by: by.clone(), outcome, comment, seen };
        self.execute(target, &command, &[]).await
    }

    /// People know the intent that they started; the question may stand on its only open child.
    async fn question_of(&self, id: IntentId) -> Result<IntentId, Error> {
        let stored = self.load(id).await?;
        let mut open = stored.intent.open_asks();
        let waits = matches!(stored.intent.phase, Phase::Waiting(Waiting::Children));
        Ok(match (open.next(), open.next()) {
            (Some(only), None) if waits => only.child,
            (_, _) => id,
        })
    }
}
