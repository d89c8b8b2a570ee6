//! How many turns of an agent run at once.

use jiff::Timestamp;
use tracing::warn;

use super::App;
use crate::address::Address;
use crate::error::Error;

/// Whether a turn may run now.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Slot {
    /// The agent has no limit.
    Unlimited,
    /// It may, until it is given back or its time is over.
    Held {
        /// The agent.
        agent: Address,
        /// Who holds it, and nobody else.
        holder: String,
    },
    /// As many run as may.
    Full,
}

impl App {
    /// Takes a slot for a turn of the agent at `address`, which does not outlast `until`. An agent
    /// without a limit costs nothing.
    pub async fn take_slot(&self, address: &Address, until: Timestamp) -> Result<Slot, Error> {
        let route = self.agent_behind(address).await?;
        let Some(slots) = route.max_concurrent_turns else { return Ok(Slot::Unlimited) };
        let (agent, holder) = (route.address, data_encoding::HEXLOWER.encode(&self.random::<16>()));
        let times = (self.now(), until);
        let is_held =
            self.store().take_slot(self.tenant(), &agent, &holder, slots.get(), times).await?;
        Ok(if is_held { Slot::Held { agent, holder } } else { Slot::Full })
    }

    /// Gives a slot back. Should that fail, its time ends.
    pub async fn give_slot_back(&self, slot: &Slot) {
        let Slot::Held { agent, holder } = slot else { return };
        if let Err(error) = self.store().give_slot_back(self.tenant(), agent, holder).await {
            warn!(cause = %error, "a slot could not be given back");
        }
    }
}
