//! What the registry knows of an agent beside where its intents go.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::account::AccountId;

/// Facts of a registered agent that no change of its route touches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Registration {
    /// When the address was registered first.
    pub created_at: Option<Timestamp>,
    /// The service account that it belongs to, if it belongs to one.
    pub owner: Option<Owner>,
    /// When an administrator killed it; nothing if it was never killed, or resumed since.
    pub killed_at: Option<Timestamp>,
    /// When its service account was suspended; nothing if it is active.
    pub suspended_at: Option<Timestamp>,
    /// When its service account was deleted, unless it was registered anew since.
    pub deleted_at: Option<Timestamp>,
}

/// What a registered agent knows of its service account, so that lists need not look it up.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Owner {
    /// The account.
    pub id: AccountId,
    /// Its name, as it was given.
    pub name: String,
    /// The organization that it was made for.
    pub org_id: Option<String>,
    /// The workspace that it was made for.
    pub workspace_id: Option<String>,
}

/// Whether an agent takes part. Only an active one sends and receives.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// It sends and receives.
    #[default]
    Active,
    /// Its service account was suspended.
    Suspended,
    /// An administrator pulled the kill switch.
    Killed,
    /// Its service account was deleted.
    Deleted,
}

impl Registration {
    /// Whether the agent takes part. What is harder to undo is said first.
    pub fn standing(&self) -> Standing {
        if self.deleted_at.is_some() {
            Standing::Deleted
        } else if self.killed_at.is_some() {
            Standing::Killed
        } else if self.suspended_at.is_some() {
            Standing::Suspended
        } else {
            Standing::Active
        }
    }
}

impl Standing {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Killed => "killed",
            Self::Deleted => "deleted",
        }
    }

    /// What helps an agent that does not take part.
    pub fn remedy(self) -> &'static str {
        match self {
            Self::Active => "nothing stands in its way",
            Self::Suspended => {
                "an administrator lets it go on with PATCH /v1/service-accounts/{id} and the status \
                 active"
            }
            Self::Killed => {
                "an administrator lets it go on with POST /v1/mesh/agents/{address}/resume"
            }
            Self::Deleted => "an administrator may register the address anew",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_agent_takes_part_until_it_is_stopped_and_the_hardest_stop_is_named() {
        let at = Some(Timestamp::UNIX_EPOCH);
        let mut registration = Registration { created_at: at, ..Registration::default() };
        assert_eq!(registration.standing(), Standing::Active);
        registration.suspended_at = at;
        assert_eq!(registration.standing(), Standing::Suspended);
        registration.killed_at = at;
        assert_eq!(registration.standing(), Standing::Killed);
        registration.deleted_at = at;
        assert_eq!(registration.standing(), Standing::Deleted);
    }
}
