//! One message.

use std::time::Duration;

use shared::error::Error;
use shared::id::IntentId;
use shared::intent::ask::AskEnding;
use shared::intent::workflow::StepEnding;
use shared::intent::{Command, Intent, Rejection, react};
use shared::message::Message;
use shared::metric::{self, Metric};
use shared::store::{Timer, due_millis};

use super::{WakeError, Waker};

impl Waker {
    /// Does what a message asks for.
    pub(super) async fn work(&self, message: Message) -> Result<(), WakeError> {
        match message {
            Message::Wake { tenant, intent, due_at, put_back } => {
                self.wake(tenant, Timer { intent, due_at, put_back }).await
            }
            Message::Recover { intent, .. } => self.recover(intent).await,
            Message::RecoverAll { .. } => self.sweep(true).await.map(drop),
            Message::AskEnded { parent, child, .. } => self.end_ask(parent, child).await,
            Message::ParentEnded { child, .. } => self.execute(child, &Command::ParentEnded).await,
            Message::Turn { .. }
            | Message::Push { .. }
            | Message::Notice { .. }
            | Message::Delivery(_)
            | Message::News(_) => Err(WakeError::Misplaced),
        }
    }

    async fn wake(&self, tenant: String, timer: Timer) -> Result<(), WakeError> {
        let Timer { intent, due_at, put_back } = timer;
        // Clocks of functions differ a little, and a queue's delay reaches 15 minutes at most.
        let early = due_at.duration_since(self.app.now());
        match Duration::try_from(early) {
            Ok(early) if !early.is_zero() => {
                let again = Message::Wake { tenant, intent, due_at, put_back };
                Ok(self.queues.send(&again, early).await?)
            }
            Ok(_) | Err(_) => {
                let late_ms = u64::try_from(-early.as_millis()).unwrap_or_default();
                metric::count(&Metric::WakeLateness, late_ms, self.app.now());
                self.execute(intent, &Command::Wake).await?;
                self.drop_put_back(&timer).await
            }
        }
    }

    /// Removes a timer that was put back, unless its intent still waits for just that moment. The
    /// commit that woke the intent has removed it; without one, nobody else would.
    async fn drop_put_back(&self, timer: &Timer) -> Result<(), WakeError> {
        if timer.put_back == 0 {
            return Ok(());
        }
        let (store, tenant) = (self.app.store(), self.app.tenant());
        let stored = store.load(tenant, timer.intent).await.map_err(Error::from)?;
        let waits_for = stored.and_then(|stored| react::wake_at(&stored.intent));
        if waits_for.is_none_or(|at| due_millis(at) != due_millis(timer.due_at)) {
            store.drop_timer(tenant, timer).await.map_err(Error::from)?;
        }
        Ok(())
    }

    /// Sends once more whatever the intent still waits for, and ends it if nobody waits for it any more.
    async fn recover(&self, id: IntentId) -> Result<(), WakeError> {
        self.execute(id, &Command::Wake).await?;
        let stored = self.app.store().load(self.app.tenant(), id).await.map_err(Error::from)?;
        let Some(intent) = stored.map(|stored| stored.intent) else { return Ok(()) };
        if self.is_orphaned(&intent).await? {
            return self.execute(id, &Command::ParentEnded).await;
        }
        for message in react::owed_still(&intent) {
            self.queues.send(&message, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// Whether the intent that asked for this one, or has it as a step, has ended. The message that says so
    /// was sent once, and may have been lost.
    async fn is_orphaned(&self, intent: &Intent) -> Result<bool, WakeError> {
        let Some(parent) = &intent.envelope.parent else { return Ok(false) };
        let (store, tenant) = (self.app.store(), self.app.tenant());
        let found = store.load(tenant, parent.intent).await.map_err(Error::from)?;
        Ok(found.is_some_and(|parent| react::is_orphaned(intent, &parent.intent)))
    }

    async fn end_ask(&self, parent: IntentId, child: IntentId) -> Result<(), WakeError> {
        let found = self.app.store().load(self.app.tenant(), child).await.map_err(Error::from)?;
        let Some(stored) = found else { return Ok(()) };
        let of_step = stored.intent.envelope.parent.as_ref().is_some_and(|it| it.is_step);
        let step = || StepEnding::of(&stored.intent).map(Box::new);
        let command = if of_step {
            step().map(|ending| Command::EndStep { child, ending })
        } else {
            AskEnding::of(&stored.intent).map(|ending| Command::EndAsk { child, ending })
        };
        match command {
            Some(command) => self.execute(parent, &command).await,
            None => Ok(()),
        }
    }

    /// Executes what happens by itself. An intent that has left the table needs nothing any more.
    async fn execute(&self, id: IntentId, command: &Command) -> Result<(), WakeError> {
        match self.app.execute(id, command, &[]).await {
            Ok(_) | Err(Error::Rejected(Rejection::NotFound)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
