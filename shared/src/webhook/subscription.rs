//! Who wants to hear of what.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{EventPattern, Owner, Parties};
use crate::callback::CallbackUrl;
use crate::id::IntentId;

/// Names one subscription.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct SubscriptionId(Uuid);

/// A wish to be told. Its secret is kept beside it and is no part of it, so that no list can show it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Subscription {
    /// Its name.
    pub id: SubscriptionId,
    /// Whose it is.
    pub owner: Owner,
    /// The name under which the owner sends intents, where that is not its address.
    pub sends_as: String,
    /// Where events are posted.
    pub callback_url: CallbackUrl,
    /// Which events.
    pub event_types: Vec<EventPattern>,
    /// What it is for, in its owner's words.
    pub description: Option<String>,
    /// Whether events are posted.
    pub standing: Standing,
    /// The end of the secret.
    pub secret_hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// Whether events are posted.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// They are.
    Active,
    /// Its owner has stopped it for a while.
    Paused,
    /// Its receiver has said that it wants nothing more.
    Gone,
    /// Its owner has ended it.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

impl SubscriptionId {
    /// The one subscription that an owner has for an address.
    pub fn derived(tenant: &str, owner: &Owner, url: &CallbackUrl) -> Self {
        let parts = ["webhook-subscription", tenant, owner.text(), &url.normal()];
        Self(IntentId::derived(&parts).uuid())
    }

    /// Reads an id. Whatever is none names no subscription.
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Subscription {
    /// Whether events are posted.
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }

    /// When its owner ended it.
    pub fn revoked_at(&self) -> Option<Timestamp> {
        match self.standing {
            Standing::Revoked { at } => Some(at),
            Standing::Active | Standing::Paused | Standing::Gone => None,
        }
    }

    /// Whether events of this type are posted.
    pub fn takes(&self, event_type: &str) -> bool {
        self.is_active() && self.event_types.iter().any(|pattern| pattern.names(event_type))
    }

    /// Whether its owner is one of these: sent the intent, handles it, or is replied to.
    pub fn is_of(&self, parties: &Parties) -> bool {
        self.owner.is_at(&parties.handler)
            || parties.reply_to.as_ref().is_some_and(|address| self.owner.is_at(address))
            || parties.from == self.sends_as
            || parties.from == self.owner.to_string()
    }
}
