//! Executing a command on an intent that exists.

use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

use super::App;
use super::standing::Stopped;
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::envelope::Envelope;
use crate::intent::{Command, Event, Handed, Intent, Rejection, decide, react, record};
use crate::principal::Principal;
use crate::store::{Attachment, Change, CommitError, Stored};
use crate::trace;

/// How often a command is decided anew because another change came first.
pub(super) const CONFLICTS_MAX: u32 = 12;
/// The longest pause after the first conflict; it grows with each.
const CONFLICT_PAUSE_MAX: Duration = Duration::from_millis(8);

impl App {
    /// Decides and commits `command`, with `attachments` in the same transaction, and returns the
    /// state that it led to. A repeated command changes nothing and returns the state as it is. To
    /// somebody who may not see the intent it does not exist, and a stopped agent does nothing.
    pub async fn execute(
        &self,
        id: IntentId,
        command: &Command,
        attachments: &[Attachment],
    ) -> Result<Intent, Error> {
        // Without its type, since whoever awaits this would carry all of it in a future of its own.
        let executed: Pin<Box<dyn Future<Output = Result<Intent, Error>> + Send + '_>> =
            Box::pin(self.execute_at(id, command, attachments, None));
        executed.await
    }

    /// The same, if the policy is still at this generation. The write is conditional on the state that
    /// this is read from, so it holds when the change is made.
    pub async fn execute_at(
        &self,
        id: IntentId,
        command: &Command,
        attachments: &[Attachment],
        expected_generation: Option<u64>,
    ) -> Result<Intent, Error> {
        let refused = (Stopped::Refused, expected_generation);
        // On the heap, since whoever awaits this would carry all of it in a future of its own.
        Box::pin(self.attempt(id, command, attachments, refused)).await
    }

    pub(super) async fn carry_out(
        &self,
        id: IntentId,
        command: &Command,
        attachments: &[Attachment],
        stopped: Stopped,
    ) -> Result<Intent, Error> {
        Box::pin(self.attempt(id, command, attachments, (stopped, None))).await
    }

    async fn attempt(
        &self,
        id: IntentId,
        command: &Command,
        attachments: &[Attachment],
        (stopped, expected_generation): (Stopped, Option<u64>),
    ) -> Result<Intent, Error> {
        for conflicts in 1..=CONFLICTS_MAX {
            let stored = match command.by() {
                Some(by) => self.visible(by, id).await?,
                None => self.load(id).await?,
            };
            trace::follows(stored.trace);
            if stopped == Stopped::Refused {
                // Boxed, so that every command's future does not carry the rare look at a route.
                Box::pin(self.refuse_stopped_actor(command, &stored.intent)).await?;
            }
            let generation = stored.intent.policy.generation;
            if expected_generation.is_some_and(|expected| expected != generation) {
                return Err(Rejection::StalePolicy { generation }.into());
            }
            let now = self.now();
            let events = decide(Some(&stored.intent), command, now)?;
            if events.is_empty() {
                return Ok(stored.intent);
            }
            match Box::pin(self.commit(&stored, command, events, attachments, now)).await {
                Ok(intent) => return Ok(intent),
                Err(CommitError::Conflict(_)) => {
                    tokio::time::sleep(self.pause_after(conflicts)).await;
                }
                Err(CommitError::Store(error)) => return Err(error.into()),
            }
        }
        Err(Error::Busy)
    }

    /// Hands an intent on, to the agent that routes lead to from `next_handler`, if one is named.
    pub async fn advance(
        &self,
        by: &Principal,
        id: IntentId,
        reason: Option<String>,
        next_handler: Option<&Address>,
    ) -> Result<Intent, Error> {
        let next = self.handed(next_handler).await?;
        let command = Command::Advance { by: by.clone(), reason, next };
        self.execute(id, &command, &[]).await
    }

    /// The agent that routes lead to from `next_handler`, and how it gets its intents.
    pub async fn handed(&self, next_handler: Option<&Address>) -> Result<Option<Handed>, Error> {
        let Some(address) = next_handler else { return Ok(None) };
        let route = self.resolve(address).await?;
        Ok(Some(Handed { to: route.to, delivery: route.delivery }))
    }

    /// A pause that differs from that of whoever was in the way.
    pub(super) fn pause_after(&self, conflicts: u32) -> Duration {
        let [part] = self.random::<1>();
        CONFLICT_PAUSE_MAX * conflicts * u32::from(part) / u32::from(u8::MAX)
    }

    /// The intent as it is stored.
    pub async fn load(&self, id: IntentId) -> Result<Stored, Error> {
        trace::about(id);
        let found = self.store().load(self.tenant(), id).await?;
        found.ok_or(Error::Rejected(Rejection::NotFound))
    }

    async fn commit(
        &self,
        stored: &Stored,
        command: &Command,
        events: Vec<Event>,
        attachments: &[Attachment],
        now: Timestamp,
    ) -> Result<Intent, CommitError> {
        let mut changes = vec![Change {
            before: Some(stored),
            events,
            fingerprint: None,
            attachments: attachments.to_vec(),
            before_deadline_at: is_bound(command).then_some(now),
        }];
        let events = changes.first().map(|change| change.events.as_slice()).unwrap_or_default();
        changes.extend(births(Some(&stored.intent), command, events, now));
        let after = self.store().commit(&changes).await?;
        after.into_iter().next().ok_or(CommitError::Conflict(None))
    }
}

/// Whether the write must happen before the deadline. What happens by itself must not: ending an
/// intent at its deadline is its whole purpose.
fn is_bound(command: &Command) -> bool {
    match command {
        Command::EndAsk { .. }
        | Command::EndStep { .. }
        | Command::GiveUp { .. }
        | Command::ParentEnded
        | Command::Wake => false,
        Command::Create { .. }
        | Command::Start { .. }
        | Command::Step { .. }
        | Command::Suspend { .. }
        | Command::Claim { .. }
        | Command::FinishCall { .. }
        | Command::Complete { .. }
        | Command::Fail { .. }
        | Command::Advance { .. }
        | Command::Acknowledge { .. }
        | Command::Reassign { .. }
        | Command::Say { .. }
        | Command::Hide { .. }
        | Command::ChangePolicy { .. }
        | Command::Decide { .. }
        | Command::Cancel { .. } => true,
    }
}

/// The intents that are born with `events`.
pub(super) fn births(
    before: Option<&Intent>,
    command: &Command,
    events: &[Event],
    now: Timestamp,
) -> Vec<Change<'static>> {
    let (after, _) = record::record(before, events);
    let born = after.map(|after| react::births(&after, command, events)).unwrap_or_default();
    born.into_iter().filter_map(|(child, envelope)| birth(child, envelope, now)).collect()
}

fn birth(id: IntentId, envelope: Envelope, now: Timestamp) -> Option<Change<'static>> {
    let command = Command::Create { id, envelope: Box::new(envelope) };
    // A child whose time is over before it begins is not asked; its parent's deadline is due as well.
    let events = decide(None, &command, now).ok()?;
    Some(Change {
        before: None,
        events,
        fingerprint: None,
        attachments: vec![],
        before_deadline_at: None,
    })
}
