//! Turns that are posted to their agents.
//!
//! A message says only that there may be something to post. Whether there is, and where it goes, is
//! read when the message comes: a turn that was taken, handed on or ended in the meantime is posted
//! no more.

use super::App;
use super::standing::Stopped;
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::envelope::Delivery;
use crate::intent::{Command, Intent};
use crate::principal::Principal;
use crate::registration::Standing;
use crate::route::{Push, Route};

/// A turn that is to be posted.
#[derive(Debug)]
pub struct PushedTurn {
    /// The intent.
    pub intent: Intent,
    /// Where to.
    pub to: Push,
}

impl App {
    /// The turn of an intent, if it waits to be posted and its agent has an address for that. A stopped
    /// agent gets nothing, and its turn is put off.
    pub async fn turn_to_push(&self, id: IntentId) -> Result<Option<PushedTurn>, Error> {
        let found = self.store().load(self.tenant(), id).await?;
        let waits = |intent: &Intent| intent.awaits_push() && self.now() < intent.deadline_at();
        let Some(intent) = found.map(|stored| stored.intent).filter(waits) else {
            return Ok(None);
        };
        let Some(agent) = self.agent_now_behind(intent.handler()).await? else { return Ok(None) };
        match agent.registration.standing() {
            Standing::Active => {
                let to = agent.push.filter(|_| agent.delivery == Delivery::Push);
                Ok(to.map(|to| PushedTurn { intent, to }))
            }
            Standing::Suspended | Standing::Killed | Standing::Deleted => {
                match self.put_off(&handler(&intent), None, id).await {
                    // It was taken, or ended, a moment ago.
                    Ok(_) | Err(Error::Rejected(_)) => Ok(None),
                    Err(error) => Err(error),
                }
            }
        }
    }

    /// Notes that its agent has the turn. An agent that was stopped while it was posted has it all the
    /// same, and one that has answered it already needs no note.
    pub async fn note_pushed(&self, turn: &PushedTurn) -> Result<(), Error> {
        let intent = &turn.intent;
        let acknowledge = Command::Acknowledge { by: handler(intent), turn: Some(intent.turn_seq) };
        match self.carry_out(intent.id, &acknowledge, &[], Stopped::Allowed).await {
            Ok(_) | Err(Error::Rejected(_) | Error::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The route of the agent behind `address`, as it is stored now: an address that was taken back a
    /// moment ago gets nothing more.
    async fn agent_now_behind(&self, address: &Address) -> Result<Option<Route>, Error> {
        let route = self.store().route(self.tenant(), address).await?;
        match route {
            Some(route) if !route.is_agent() => {
                Ok(self.store().route(self.tenant(), &route.to).await?)
            }
            route => Ok(route),
        }
    }
}

fn handler(intent: &Intent) -> Principal {
    Principal::agent(&intent.envelope.tenant, intent.handler())
}
