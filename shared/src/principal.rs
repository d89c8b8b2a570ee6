//! Who is asking.

use serde::{Deserialize, Serialize};

use crate::address::Address;

/// What a key may do. The three never overlap where it matters: only a reviewer decides.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sends intents, reads its own, and resumes with results. Never decides.
    Agent,
    /// Reads what waits for people, and decides.
    Reviewer,
    /// Keeps keys, agents and routes, reads everything, cancels. Never decides.
    Admin,
}

impl Role {
    /// The role's name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Reviewer => "reviewer",
            Self::Admin => "admin",
        }
    }
}

/// How well a reviewer's identity is established when a decision is made.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// An API key of the reviewer's own.
    Key,
    /// Possession of a signed link that was issued to the reviewer.
    Link,
}

impl Assurance {
    /// The name that is kept with a decision.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Link => "link",
        }
    }
}

/// Somebody who acts: the holder of a key, or of a review link.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Principal {
    /// Tenant that the principal belongs to.
    pub tenant: String,
    /// The name that events and decisions carry, such as `alice` or `agent://deployer`.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// For agents: the one address that it speaks for; `None` speaks for every address.
    pub address: Option<Address>,
    /// How its identity was established.
    pub assurance: Assurance,
}

impl Principal {
    /// The agent at `address`, as whoever acts in its name.
    pub fn agent(tenant: &str, address: &Address) -> Self {
        Self {
            tenant: tenant.to_owned(),
            name: address.uri(),
            role: Role::Agent,
            address: Some(address.clone()),
            assurance: Assurance::Key,
        }
    }

    /// Whether this principal speaks for the agent at `address`.
    pub fn speaks_for(&self, address: &Address) -> bool {
        match self.role {
            Role::Agent => self.address.as_ref().is_none_or(|own| own == address),
            Role::Admin | Role::Reviewer => false,
        }
    }
}
