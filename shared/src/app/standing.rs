//! The kill switch: a stopped agent neither sends nor receives.
//!
//! Everything that agents do goes through [`App::create`] and [`App::execute`], and what they are
//! shown through their stream. All three ask here. What is asked for is the agent's route, which is
//! remembered for [`super::REMEMBERED`], so a stop holds everywhere after that time.

use std::time::Duration;

use jiff::Timestamp;

use super::App;
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::command::WaitsFor;
use crate::intent::{Command, Intent};
use crate::principal::{Principal, Role};
use crate::registration::Standing;
use crate::route::Route;

/// The shortest pause before a stopped agent's turn is tried again.
const STOPPED_PAUSE_MIN: Duration = Duration::from_secs(15);
/// The longest: how long an agent that goes on may leave its turns alone.
const STOPPED_PAUSE_MAX: Duration = Duration::from_mins(10);
/// In between, a pause is this part of the time since the intent was sent.
const STOPPED_PAUSE_PARTS: u32 = 10;

/// Whether a stopped agent may do something all the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stopped {
    /// It may: this is Holdpoint's own doing in the agent's name.
    Allowed,
    /// It may not.
    Refused,
}

impl App {
    /// The agent as whom a caller is heard: the address of its key, or else its name read as one.
    pub(super) fn own_address(by: &Principal) -> Option<Address> {
        match by.role {
            Role::Agent => by.address.clone().or_else(|| Address::parse(&by.name).ok()),
            Role::Reviewer | Role::Admin => None,
        }
    }

    /// The route of the agent behind `address`, up to a few seconds old.
    pub(super) async fn agent_behind(&self, address: &Address) -> Result<Route, Error> {
        let route = self.recalled(address).await?;
        if route.is_agent() { Ok(route) } else { self.recalled(&route.to).await }
    }

    /// Refuses what a stopped agent would get.
    pub(super) async fn refuse_stopped(&self, agent: &Address) -> Result<(), Error> {
        let agent = self.agent_behind(agent).await?;
        match agent.registration.standing() {
            Standing::Active => Ok(()),
            standing @ (Standing::Suspended | Standing::Killed | Standing::Deleted) => {
                Err(Error::AgentStopped { agent: agent.address, standing })
            }
        }
    }

    /// Refuses what a stopped agent sends.
    pub(super) async fn refuse_stopped_sender(&self, by: &Principal) -> Result<(), Error> {
        match Self::own_address(by) {
            Some(own) => self.refuse_stopped(&own).await,
            None => Ok(()),
        }
    }

    /// Refuses what a stopped agent does to an intent.
    pub(super) async fn refuse_stopped_actor(
        &self,
        command: &Command,
        intent: &Intent,
    ) -> Result<(), Error> {
        let Some(by) = command.by().filter(|by| by.role == Role::Agent) else { return Ok(()) };
        self.refuse_stopped_sender(by).await?;
        match command {
            // A key that speaks for every agent speaks for the one that handles the intent.
            Command::Start { .. }
            | Command::Step { .. }
            | Command::Suspend { .. }
            | Command::Claim { .. }
            | Command::FinishCall { .. }
            | Command::Complete { .. }
            | Command::Fail { .. }
            | Command::Advance { .. }
            | Command::Acknowledge { .. }
                if by.address.is_none() =>
            {
                self.refuse_stopped(intent.handler()).await
            }
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
            | Command::Decide { .. }
            | Command::Reassign { .. }
            | Command::Say { .. }
            | Command::Hide { .. }
            | Command::ChangePolicy { .. }
            | Command::Cancel { .. }
            | Command::EndAsk { .. }
            | Command::EndStep { .. }
            | Command::GiveUp { .. }
            | Command::ParentEnded
            | Command::Wake => Ok(()),
        }
    }

    /// Puts the turn of a stopped agent off: it is offered again by itself later, until its agent goes
    /// on or the intent's deadline passes. No delivery attempt is used up, so that nothing is lost
    /// however long the agent is stopped.
    pub async fn put_off(
        &self,
        by: &Principal,
        fence: Option<u64>,
        id: IntentId,
    ) -> Result<Intent, Error> {
        let intent = self.load(id).await?.intent;
        let until = tried_again_at(&intent, self.now());
        self.put_off_until(by, fence, &intent, until).await
    }

    /// Puts off a turn that cannot be run now: it is offered again at `until`.
    pub async fn put_off_until(
        &self,
        by: &Principal,
        fence: Option<u64>,
        intent: &Intent,
        until: Timestamp,
    ) -> Result<Intent, Error> {
        let suspend = Command::Suspend {
            by: by.clone(),
            fence,
            expected_checkpoint: intent.checkpoint.clone(),
            checkpoint: None,
            waits_for: WaitsFor::Time(until),
        };
        self.carry_out(intent.id, &suspend, &[], Stopped::Allowed).await
    }

    /// The route of `address` itself. That there is none is remembered as well.
    async fn recalled(&self, address: &Address) -> Result<Route, Error> {
        let found = match self.remembered(&self.inner.routes, address.path()) {
            Some(found) => found,
            None => self.look_up(address).await?,
        };
        Ok(found.unwrap_or_else(|| Route::direct(address.clone())))
    }

    /// Reads the route of `address` and remembers what it read.
    pub(super) async fn look_up(&self, address: &Address) -> Result<Option<Route>, Error> {
        let found = self.store().route(self.tenant(), address).await?;
        self.remember(&self.inner.routes, address.path(), found.clone());
        Ok(found)
    }
}

/// When a stopped agent's turn is tried again: the later, the older the intent is.
fn tried_again_at(intent: &Intent, now: Timestamp) -> Timestamp {
    let age = Duration::try_from(now.duration_since(intent.created_at)).unwrap_or_default();
    let pause = (age / STOPPED_PAUSE_PARTS).clamp(STOPPED_PAUSE_MIN, STOPPED_PAUSE_MAX);
    now.checked_add(pause).unwrap_or(Timestamp::MAX)
}
