//! Routes: which agent takes what is sent to an address, and where a person signs off on the way.

use std::num::NonZeroU32;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::callback::{CallbackUrl, SigningSecret};
use crate::intent::envelope::Delivery;
use crate::intent::human_task::HoldPoint;
use crate::registration::Registration;

/// The highest limit on turns that run at once.
pub const CONCURRENT_TURNS_MAX: u32 = 1000;

/// What happens to intents that are sent to an address. An agent is registered by a route from its
/// address to itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Route {
    /// Where intents are sent.
    pub address: Address,
    /// The agent that takes them.
    pub to: Address,
    /// How that agent gets them.
    pub delivery: Delivery,
    /// The sign-off that each of them needs, if any.
    pub hold_point: Option<HoldPoint>,
    /// A name for people.
    pub display_name: Option<String>,
    /// How many of its turns Holdpoint's own worker runs at once; any number if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_turns: Option<NonZeroU32>,
    /// When it was made or changed last.
    pub updated_at: Timestamp,
    /// What the registry knows of the agent; it stands beside the route and is not changed with it.
    #[serde(skip)]
    pub registration: Registration,
    /// Where the agent's turns are posted, if they are; it stands beside the route as well, so that
    /// the secret is no part of what is stored as the route.
    #[serde(skip)]
    pub push: Option<Push>,
}

/// Where an agent's turns are posted.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The address.
    pub url: CallbackUrl,
    /// Signs what is posted.
    pub secret: SigningSecret,
}

impl Route {
    /// The route of an address that nobody registered: straight to the agent that listens there.
    pub fn direct(address: Address) -> Self {
        Self {
            to: address.clone(),
            address,
            delivery: Delivery::Stream,
            hold_point: None,
            display_name: None,
            max_concurrent_turns: None,
            updated_at: Timestamp::UNIX_EPOCH,
            registration: Registration::default(),
            push: None,
        }
    }

    /// Whether this registers an agent, rather than leading elsewhere.
    pub fn is_agent(&self) -> bool {
        self.address == self.to
    }
}
