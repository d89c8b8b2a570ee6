//! The agents, and what their processes try.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::address::Address;
use shared::digest::Digest;
use shared::intent::command::WaitsFor;
use shared::intent::phase::Failure;
use shared::intent::{Command, Handed, Intent};
use shared::principal::{Assurance, Principal, Role};

use crate::shape::{LEASE_SECONDS, Shape, TENANT, address};
use crate::time::at;

/// An agent.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Agent {
    /// The one that intents are sent to.
    Deployer,
    /// The one that it may hand them on to.
    Releaser,
}

impl Agent {
    /// Its address.
    pub fn address(self) -> Address {
        address(match self {
            Self::Deployer => "deployer",
            Self::Releaser => "releaser",
        })
    }

    /// Its key.
    pub fn principal(self) -> Principal {
        let name = match self {
            Self::Deployer => "deployer-key",
            Self::Releaser => "releaser-key",
        };
        Principal {
            tenant: TENANT.to_owned(),
            name: name.to_owned(),
            role: Role::Agent,
            address: Some(self.address()),
            assurance: Assurance::Key,
        }
    }

    /// The one with this address.
    pub fn at(address: &Address) -> Option<Self> {
        [Self::Deployer, Self::Releaser].into_iter().find(|agent| agent.address() == *address)
    }

    fn other(self) -> Self {
        match self {
            Self::Deployer => Self::Releaser,
            Self::Releaser => Self::Deployer,
        }
    }
}

/// What an agent's process tries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Act {
    /// Takes a lease.
    Start,
    /// Stores a step of its run, under its lease.
    Step,
    /// Says that it has it.
    Acknowledge,
    /// Asks people, and stops until they have answered.
    Suspend,
    /// Stops until a tool has run that runs elsewhere.
    AwaitTool,
    /// Stops until this second.
    AwaitTime(i64),
    /// A worker finds that the turn cannot be run now, and puts it off to this second.
    PutOff(i64),
    /// Claims the call that was asked about in this place.
    Claim(usize),
    /// Reports what that call gave.
    Finish(usize),
    /// Hands the intent on to the other agent.
    HandOn,
    /// Has a result.
    Complete,
    /// Gives up.
    Fail,
}

/// The secret of one life of a process: whoever begins anew has another.
pub fn token(process: u8, fence: Option<u64>) -> String {
    format!("{process} under {fence:?}")
}

impl Act {
    /// Whether a worker does it from a message, without a lease.
    pub fn is_unleased(self) -> bool {
        matches!(self, Self::Start | Self::PutOff(_))
    }

    /// Whether it may be done again and again, and each time is something new.
    pub fn repeats(self) -> bool {
        match self {
            Self::Step | Self::AwaitTool | Self::AwaitTime(_) | Self::PutOff(_) | Self::HandOn => {
                true
            }
            Self::Start
            | Self::Acknowledge
            | Self::Suspend
            | Self::Claim(_)
            | Self::Finish(_)
            | Self::Complete
            | Self::Fail => false,
        }
    }

    /// Whether it takes the lease that a worker has.
    pub fn takes_lease(self) -> bool {
        match self {
            Self::Step
            | Self::Suspend
            | Self::AwaitTool
            | Self::AwaitTime(_)
            | Self::Claim(_)
            | Self::Complete
            | Self::Fail => true,
            // A report carries the secret of its claim, and no lease; the others come from outside.
            Self::Start | Self::Acknowledge | Self::PutOff(_) | Self::Finish(_) | Self::HandOn => {
                false
            }
        }
    }

    /// The command of `process`, under the lease that it believes to hold.
    pub(crate) fn command(
        self,
        shape: &Shape,
        (process, fence): (u8, Option<u64>),
        base: &Intent,
        now: Timestamp,
    ) -> Option<Command> {
        let agent = shape.agent_of(process);
        let by = agent.principal();
        let token_digest = Digest::of_bytes(token(process, fence).as_bytes());
        let waits = |fence, waits_for| Command::Suspend {
            by: agent.principal(),
            fence,
            // Whoever may stop goes on from what is stored; the lease is what tells two of them apart.
            expected_checkpoint: base.checkpoint.clone(),
            checkpoint: None,
            waits_for,
        };
        Some(match self {
            Self::Start => Command::Start { by, lease_until: lease_from(now)? },
            Self::Step => Command::Step {
                by,
                fence: fence?,
                lease_until: lease_from(now)?,
                checkpoint: Digest::of_bytes(token(process, fence).as_bytes()),
                note: "asked the model".to_owned(),
            },
            Self::Acknowledge => Command::Acknowledge { by, turn: None },
            Self::Suspend => waits(fence, WaitsFor::People(shape.asks.clone())),
            Self::AwaitTool => waits(fence, WaitsFor::Tool),
            Self::AwaitTime(second) => waits(fence, WaitsFor::Time(at(second))),
            Self::PutOff(second) => waits(None, WaitsFor::Time(at(second))),
            Self::Claim(place) => {
                let ask = shape.asks.get(place)?;
                Command::Claim {
                    by,
                    fence,
                    call_id: ask.call_id.clone(),
                    call_digest: ask.call_digest(),
                    needs_grant: true,
                    token_digest,
                }
            }
            Self::Finish(place) => Command::FinishCall {
                by,
                call_id: shape.asks.get(place)?.call_id.clone(),
                token_digest,
                output_digest: Digest::of_bytes(b"output"),
                is_error: false,
            },
            Self::HandOn => {
                let next = Handed { to: agent.other().address(), delivery: shape.hands_on? };
                Command::Advance { by, reason: None, next: Some(next) }
            }
            Self::Complete => Command::Complete { by, fence, result: Shape::result(process) },
            Self::Fail => Command::Fail {
                by,
                fence,
                failure: Failure {
                    code: "no_disk".to_owned(),
                    reason: "the disk is full".to_owned(),
                    error: Value::Null,
                },
            },
        })
    }
}

fn lease_from(now: Timestamp) -> Option<Timestamp> {
    now.checked_add(Duration::from_secs(LEASE_SECONDS.unsigned_abs())).ok()
}
