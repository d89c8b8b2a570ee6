//! People, and those who only pass for people.

use shared::intent::answer::Answer;
use shared::intent::human_task::Outcome;
use shared::principal::{Assurance, Principal, Role};

use crate::agent::Agent;
use crate::shape::{SENDER, TENANT, address};

/// Somebody who tries to decide, to withdraw, to pass on or to say something.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Person {
    /// A reviewer who says yes.
    Rita,
    /// A reviewer who says no.
    Otto,
    /// A reviewer who bears the name of whoever asks.
    Asker,
    /// The agent's key, which says yes.
    Agent,
    /// The sender's key, which says yes, and may withdraw.
    Sender,
    /// An administrator's key, which says yes, and may withdraw.
    Admin,
}

impl Person {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Rita, Self::Otto, Self::Asker, Self::Agent, Self::Sender, Self::Admin];

    /// The principal that the functions see.
    pub fn principal(self) -> Principal {
        let role = match self {
            Self::Rita | Self::Otto | Self::Asker => Role::Reviewer,
            Self::Agent => return Agent::Deployer.principal(),
            Self::Sender => Role::Agent,
            Self::Admin => Role::Admin,
        };
        Principal {
            tenant: TENANT.to_owned(),
            name: self.name().to_owned(),
            role,
            address: matches!(self, Self::Sender).then(|| address(SENDER)),
            assurance: Assurance::Key,
        }
    }

    /// The name that reviewers are named by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rita => "rita",
            Self::Otto => "otto",
            Self::Asker | Self::Sender => SENDER,
            Self::Agent => "deployer-key",
            Self::Admin => "root",
        }
    }

    /// Whether it is a person who is free to decide.
    pub fn is_reviewer(self) -> bool {
        match self {
            Self::Rita | Self::Otto => true,
            Self::Asker | Self::Agent | Self::Sender | Self::Admin => false,
        }
    }

    /// Whether it may withdraw what the sender has sent.
    pub fn cancels(self) -> bool {
        match self {
            Self::Sender | Self::Admin => true,
            Self::Rita | Self::Otto | Self::Asker | Self::Agent => false,
        }
    }

    /// What it answers.
    pub fn answer(self) -> Answer {
        Answer::of(match self {
            Self::Otto => Outcome::REJECTED,
            Self::Rita | Self::Asker | Self::Agent | Self::Sender | Self::Admin => {
                Outcome::APPROVED
            }
        })
    }
}
