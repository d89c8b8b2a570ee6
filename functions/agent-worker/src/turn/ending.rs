//! The ends of a turn: people are asked, the run ends, or the next invocation goes on.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::agent::{ApprovalRequest, Finish};
use shared::app::App;
use shared::error::Error;
use shared::id::IntentId;
use shared::intent::ask::ASKS_PER_SUSPENSION_MAX;
use shared::intent::command::WaitsFor;
use shared::intent::phase::Failure;
use shared::intent::{Command, Intent, Rejection};
use shared::registration::Standing;

use super::{Outcome, Turn, TurnError, agent_of};
use crate::model::ModelError;
use crate::{checkpoint, question};

/// The shortest pause before a turn that cannot go on is tried again.
const PAUSE_MIN: Duration = Duration::from_secs(15);
/// The longest pause before an unreachable model is asked again.
const PAUSE_MAX: Duration = Duration::from_hours(1);
/// The longest pause before a turn that found no slot is tried again: about how long a slot may be left
/// free while turns wait for one.
const SLOT_PAUSE_MAX: Duration = Duration::from_mins(2);
/// In between, a pause is this part of the time since the intent was sent.
const PAUSE_PARTS: u32 = 10;

/// The failure of a run whose question cannot be put to people.
const CANNOT_ASK: &str = "cannot_ask";
/// The failure of a run whose answer cannot be signed off.
const CANNOT_SIGN_OFF: &str = "cannot_sign_off";

impl Turn<'_> {
    /// Stores the run together with the questions that it waits for, and stops.
    pub(super) async fn ask_people(
        &mut self,
        requests: &[ApprovalRequest],
    ) -> Result<Outcome, TurnError> {
        let now = self.app().now();
        let mut unasked = question::unasked(requests, &self.intent, now);
        // The rest is asked when these are answered.
        unasked.truncate(ASKS_PER_SUSPENSION_MAX);
        if unasked.is_empty() {
            // Every question was put before and none of the answers fits its call, so that nobody
            // will ever give another one.
            let reason = "the model used the name of another call, so nobody can be asked about it";
            return self.fail(CANNOT_ASK, reason.to_owned()).await;
        }
        let questions = unasked.len();
        let (attachment, digest) = checkpoint::write(&self.state, now)?;
        let suspend = Command::Suspend {
            by: self.by.clone(),
            fence: Some(self.fence),
            expected_checkpoint: self.stored.clone(),
            checkpoint: Some(digest),
            waits_for: WaitsFor::People(unasked),
        };
        match self.app().execute(self.intent.id, &suspend, &[attachment]).await {
            Ok(_) => Ok(Outcome::Asked(questions)),
            Err(Error::Rejected(
                refusal @ (Rejection::AskConflict(_)
                | Rejection::AsksOutOfBounds
                | Rejection::InexactNumber),
            )) => self.fail(CANNOT_ASK, refusal.to_string()).await,
            Err(error) => Err(error.into()),
        }
    }

    /// Ends the intent as the run ended. The run's own end is stored first.
    pub(super) async fn finish(&mut self, finish: Finish) -> Result<Outcome, TurnError> {
        let (_, digest) = checkpoint::write(&self.state, self.app().now())?;
        if self.stored.as_ref() != Some(&digest) {
            self.store(self.state.clone(), "ended the run".to_owned()).await?;
        }
        let output = match finish {
            Finish::Done { output } => output,
            Finish::Failed { code, message } => return self.fail(code.as_str(), message).await,
        };
        let (by, fence) = (self.by.clone(), Some(self.fence));
        let complete = Command::Complete { by, fence, result: output };
        match self.app().execute(self.intent.id, &complete, &[]).await {
            Ok(intent) => Ok(Outcome::Finished(intent.status())),
            Err(Error::Rejected(refusal @ Rejection::InexactNumber)) => {
                self.fail(CANNOT_SIGN_OFF, refusal.to_string()).await
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for a model that does not answer now: the longer, the older the intent is.
    ///
    /// Letting the lease run out would come to a retry too, but use up one of the few attempts that
    /// are there for workers that die.
    pub(super) async fn pause(&self, unavailable: ModelError) -> Result<Outcome, TurnError> {
        let until = after_a_pause(&self.intent, self.app().now(), PAUSE_MAX);
        self.go_on_at(until, Outcome::Pauses(unavailable)).await
    }

    /// Gives the lease back and asks to be woken at `until`.
    pub(super) async fn go_on_at(
        &self,
        until: Timestamp,
        outcome: Outcome,
    ) -> Result<Outcome, TurnError> {
        let suspend = Command::Suspend {
            by: self.by.clone(),
            fence: Some(self.fence),
            expected_checkpoint: self.stored.clone(),
            checkpoint: None,
            waits_for: WaitsFor::Time(until),
        };
        self.app().execute(self.intent.id, &suspend, &[]).await?;
        Ok(outcome)
    }

    async fn fail(&self, code: &str, reason: String) -> Result<Outcome, TurnError> {
        let failure = Failure { code: code.to_owned(), reason, error: Value::Null };
        let fail = Command::Fail { by: self.by.clone(), fence: Some(self.fence), failure };
        let intent = self.app().execute(self.intent.id, &fail, &[]).await?;
        Ok(Outcome::Finished(intent.status()))
    }
}

/// Puts the turn of a stopped agent off: it is tried again later, until its agent goes on or the
/// intent's deadline passes.
pub(super) async fn put_off(
    app: &App,
    id: IntentId,
    fence: Option<u64>,
    standing: Standing,
) -> Result<Outcome, TurnError> {
    let intent = app.load(id).await?.intent;
    app.put_off(&agent_of(&intent), fence, id).await?;
    Ok(Outcome::PutOff(standing))
}

/// Puts off the turn of an agent of which as many turns run as may. That is a wait like any other: it
/// uses up neither an attempt at the message nor one at the delivery, and nothing loses it.
pub(super) async fn wait_for_slot(app: &App, id: IntentId) -> Result<Outcome, TurnError> {
    let intent = app.load(id).await?.intent;
    let longest = after_a_pause(&intent, app.now(), SLOT_PAUSE_MAX).duration_since(app.now());
    // What found no slot together must not come back together.
    let range_ms = u64::try_from(longest.as_millis()).unwrap_or(0) / 2;
    let drawn_ms = u64::from_be_bytes(app.random()) % (range_ms + 1);
    let pause = Duration::from_millis(range_ms + drawn_ms);
    let until = app.now().checked_add(pause).unwrap_or(Timestamp::MAX);
    app.put_off_until(&agent_of(&intent), None, &intent, until).await?;
    Ok(Outcome::Crowded)
}

/// The end of a pause that is the longer, the older the intent is.
fn after_a_pause(intent: &Intent, now: Timestamp, longest: Duration) -> Timestamp {
    let age = Duration::try_from(now.duration_since(intent.created_at));
    let pause = (age.unwrap_or_default() / PAUSE_PARTS).clamp(PAUSE_MIN, longest);
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}
