//! Decisions of people. Every channel comes through here.

use super::App;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::answer::Answer;
use crate::intent::command::Seen;
use crate::intent::{Command, Intent, Rejection};
use crate::principal::Principal;

/// How far a question may stand below the intent that people know: the child that has a step of its
/// workflow, and the approval that the step's agent asked for.
const QUESTIONS_BELOW_MAX: usize = 2;

impl App {
    /// Answers the hold point of an intent, or of the one approval that its agent waits for.
    pub async fn answer(
        &self,
        by: &Principal,
        id: IntentId,
        answer: Answer,
        seen: Option<Seen>,
    ) -> Result<Intent, Error> {
        self.answer_at(by, id, answer, seen, None).await
    }

    /// The same, if the policy of the intent that the caller names is still at this generation.
    pub async fn answer_at(
        &self,
        by: &Principal,
        id: IntentId,
        answer: Answer,
        seen: Option<Seen>,
        expected_generation: Option<u64>,
    ) -> Result<Intent, Error> {
        let is_bare = seen.is_none();
        let command = Command::Decide { by: by.clone(), answer, seen };
        let answered = self.execute_at(id, &command, &[], expected_generation).await;
        if !nothing_to_decide(&answered) {
            return answered;
        }
        // People know the intent that they started; the question may stand on its only open child.
        let mut asker = id;
        for _ in 0..QUESTIONS_BELOW_MAX {
            let intent = self.load(asker).await?.intent;
            let Some(child) = only_open_child(&intent) else { break };
            if is_bare && intent.was_just_answered(by, self.now()) {
                return Err(Rejection::StaleView.into());
            }
            let answered = self.execute(child, &command, &[]).await;
            if !nothing_to_decide(&answered) {
                return answered;
            }
            asker = child;
        }
        answered
    }
}

fn nothing_to_decide(answered: &Result<Intent, Error>) -> bool {
    matches!(answered, Err(Error::Rejected(Rejection::NothingToDecide(_))))
}

fn only_open_child(intent: &Intent) -> Option<IntentId> {
    let of_step = intent.run.as_ref().and_then(|run| run.child);
    let mut open = intent.open_asks().map(|ask| ask.child).chain(of_step);
    open.next().filter(|_| open.next().is_none())
}
