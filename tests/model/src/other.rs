//! What is done to an intent beside working on it, deciding it and withdrawing it.

use std::collections::{BTreeMap, BTreeSet};

use shared::intent::Command;
use shared::intent::policy::{Patch, Right};
use uuid::Uuid;

use crate::agent::Agent;
use crate::person::Person;
use crate::time::{Function, at};

/// The second to which the sender shortens the life of its intent.
pub const SHORTENED_SECONDS: i64 = 80;
/// The second to which an administrator prolongs it.
pub const PROLONGED_SECONDS: i64 = 150;
/// Seconds before a turn is offered again, once the sender has said so.
const BACKOFF_SECONDS: u32 = 10;
/// How often an agent was shown what is given up.
const SHOWN_TIMES: u32 = 2;

/// One such thing.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Other {
    /// The sender shortens its life, as the first change.
    Shorten,
    /// An administrator prolongs it, as the second change.
    Prolong,
    /// The sender says after how long turns are offered again, as the first change.
    HurryOffers,
    /// The sender lets the other agent resume it, as the first change.
    Grant,
    /// The sender moves it on, without a result, to whoever has it.
    MoveOn,
    /// A reviewer passes the task on.
    Reassign {
        /// Who.
        by: Person,
        /// To whom.
        to: Person,
    },
    /// Somebody leaves a message.
    Say(Person),
    /// Somebody hides it.
    Hide(Person),
    /// The agent's stream has shown it often enough.
    GiveUp,
}

impl Other {
    /// The function that does it.
    pub fn function(self) -> Function {
        match self {
            Self::Reassign { .. } | Self::Say(_) | Self::Hide(_) => Function::People,
            Self::Shorten
            | Self::Prolong
            | Self::HurryOffers
            | Self::Grant
            | Self::MoveOn
            | Self::GiveUp => Function::Agents,
        }
    }

    /// Whether it may be done again and again, and each time is something new.
    pub fn repeats(self) -> bool {
        match self {
            Self::MoveOn | Self::Reassign { .. } | Self::Hide(_) => true,
            Self::Shorten
            | Self::Prolong
            | Self::HurryOffers
            | Self::Grant
            | Self::Say(_)
            | Self::GiveUp => false,
        }
    }

    /// Whether it only says something about the intent.
    pub fn is_talk(self) -> bool {
        matches!(self, Self::Say(_) | Self::Hide(_))
    }

    /// The command that it is.
    pub(crate) fn command(self) -> Command {
        let change = |by: Person, generation, patch| Command::ChangePolicy {
            by: by.principal(),
            patch: Box::new(patch),
            right: Right::UpdatePolicy,
            expected_generation: Some(generation),
            reason: None,
        };
        let until = |second| Patch { deadline_at: Some(at(second)), ..Patch::default() };
        match self {
            Self::Shorten => change(Person::Sender, 0, until(SHORTENED_SECONDS)),
            Self::Prolong => change(Person::Admin, 1, until(PROLONGED_SECONDS)),
            Self::HurryOffers => {
                let patch = Patch { retry_backoff_s: Some(BACKOFF_SECONDS), ..Patch::default() };
                change(Person::Sender, 0, patch)
            }
            Self::Grant => {
                let resume = BTreeSet::from([Right::Resume]);
                let grants = BTreeMap::from([(Agent::Releaser.address().uri(), resume)]);
                change(Person::Sender, 0, Patch { grants, ..Patch::default() })
            }
            Self::MoveOn => {
                Command::Advance { by: Person::Sender.principal(), reason: None, next: None }
            }
            Self::Reassign { by, to } => {
                Command::Reassign { by: by.principal(), to: to.name().to_owned(), note: None }
            }
            Self::Say(by) => Command::Say {
                by: by.principal(),
                message_id: message_of(by),
                text: "Is it urgent?".to_owned(),
            },
            Self::Hide(by) => Command::Hide {
                by: by.principal(),
                message_ids: vec![message_of(by)],
                from_all: true,
            },
            Self::GiveUp => Command::GiveUp { attempts: SHOWN_TIMES },
        }
    }
}

/// Everybody has one thing to say.
fn message_of(by: Person) -> Uuid {
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(by.name().bytes()).for_each(|(byte, letter)| *byte = letter);
    Uuid::new_v8(bytes)
}
