//! What those around an intent try to do to it.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;
use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::answer::Answer;
use shared::intent::ask::AskEnding;
use shared::intent::command::{Seen, WaitsFor};
use shared::intent::human_task::Outcome;
use shared::intent::phase::Failure;
use shared::intent::policy::{Patch, Right};
use shared::intent::workflow::StepEnding;
use shared::intent::{Command, Intent};
use shared::principal::{Assurance, Principal, Role};

use crate::shape::{LEASE_SECONDS, SENDER, Shape, TENANT, handler};
use crate::state::{Shown, Table};
use crate::time::{Function, at};

/// The second to which the sender shortens the life of its intent.
const SHORTENED_SECONDS: i64 = 80;

/// One attempt at one intent. It says everything but what is read from the table and the clock.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Deed {
    /// A wake-up, from whichever of the queue, the sweep and TTL.
    Wake(IntentId),
    /// The message that a child may have ended reaches its parent.
    News {
        /// The parent.
        parent: IntentId,
        /// The child.
        child: IntentId,
    },
    /// The message that its parent has ended reaches a child.
    ParentEnded(IntentId),
    /// A process of the agent acts.
    Agent {
        /// Which one.
        process: u8,
        /// The lease that it believes to hold, if it needs one.
        fence: Option<u64>,
        /// The intent.
        on: IntentId,
        /// What it does.
        act: Act,
    },
    /// Somebody answers what was once shown.
    Decide {
        /// Who.
        by: Person,
        /// What that was.
        shown: Arc<Shown>,
    },
    /// Somebody withdraws the intent.
    Cancel {
        /// Who.
        by: Person,
        /// The intent.
        on: IntentId,
    },
    /// The sender shortens its life, once.
    Shorten(IntentId),
}

/// What an agent's process tries.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Act {
    /// Takes a lease.
    Start,
    /// Asks people, and stops until they have answered.
    Suspend,
    /// Claims the call that was asked about in this place.
    Claim(usize),
    /// Reports what that call gave.
    Finish(usize),
    /// Has a result.
    Complete,
    /// Gives up.
    Fail,
}

/// People, and those who only pass for people.
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
        let (name, role) = match self {
            Self::Rita => ("rita", Role::Reviewer),
            Self::Otto => ("otto", Role::Reviewer),
            Self::Asker => (SENDER, Role::Reviewer),
            Self::Agent => return agent(),
            Self::Sender => (SENDER, Role::Agent),
            Self::Admin => ("root", Role::Admin),
        };
        principal(name, role)
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

    fn answer(self) -> Answer {
        Answer::of(match self {
            Self::Otto => Outcome::REJECTED,
            Self::Rita | Self::Asker | Self::Agent | Self::Sender | Self::Admin => {
                Outcome::APPROVED
            }
        })
    }
}

fn principal(name: &str, role: Role) -> Principal {
    let tenant = TENANT.to_owned();
    Principal { tenant, name: name.to_owned(), role, address: None, assurance: Assurance::Key }
}

/// The key of the agent that handles the intents.
pub fn agent() -> Principal {
    Principal { address: Some(handler()), ..principal("deployer-key", Role::Agent) }
}

/// The secret of one life of a process: whoever begins anew has another.
pub fn token(process: u8, fence: Option<u64>) -> String {
    format!("{process} under {fence:?}")
}

impl Deed {
    /// The intent that it is done to.
    pub fn on(&self) -> IntentId {
        match self {
            Self::Wake(on)
            | Self::ParentEnded(on)
            | Self::Shorten(on)
            | Self::Agent { on, .. }
            | Self::Cancel { on, .. } => *on,
            Self::News { parent, .. } => *parent,
            Self::Decide { shown, .. } => shown.intent,
        }
    }

    /// The function that does it, whose clock counts.
    pub fn function(&self) -> Function {
        match self {
            Self::Wake(_) | Self::News { .. } | Self::ParentEnded(_) => Function::Wake,
            Self::Agent { .. } | Self::Shorten(_) | Self::Cancel { .. } => Function::Agents,
            Self::Decide { .. } => Function::People,
        }
    }

    /// Whether it is worth standing between load and commit. What is refused in any state stands
    /// between nothing.
    pub fn may_change(&self) -> bool {
        match self {
            Self::Decide { by, .. } => by.is_reviewer(),
            Self::Wake(_)
            | Self::News { .. }
            | Self::ParentEnded(_)
            | Self::Agent { .. }
            | Self::Cancel { .. }
            | Self::Shorten(_) => true,
        }
    }

    /// Whether the answer to it tells more than the table does: a lease, or that a tool may run.
    pub fn answer_matters(&self) -> bool {
        matches!(self, Self::Agent { act: Act::Start | Act::Claim(_), .. })
    }

    /// The command that is executed for it at `now`; none if there is nothing to be done.
    pub fn command(&self, shape: &Shape, table: &Table, now: Timestamp) -> Option<Command> {
        Some(match self {
            Self::Wake(_) => Command::Wake,
            Self::News { child, .. } => news(&table.get(child)?.intent)?,
            Self::ParentEnded(_) => Command::ParentEnded,
            Self::Agent { process, fence, act, .. } => {
                act.command(shape, (*process, *fence), now)?
            }
            Self::Decide { by, shown } => Command::Decide {
                by: by.principal(),
                answer: by.answer(),
                seen: Some(Seen { version: shown.version, digest: shown.digest.clone() }),
            },
            Self::Cancel { by, .. } => {
                Command::Cancel { by: by.principal(), reason: "not needed".to_owned() }
            }
            Self::Shorten(_) => Command::ChangePolicy {
                by: Person::Sender.principal(),
                patch: Box::new(Patch {
                    deadline_at: Some(at(SHORTENED_SECONDS)),
                    ..Patch::default()
                }),
                right: Right::UpdatePolicy,
                expected_generation: Some(0),
                reason: None,
            },
        })
    }
}

/// What `wake` makes of the message that `child` may have ended.
fn news(child: &Intent) -> Option<Command> {
    let of_step = child.envelope.parent.as_ref().is_some_and(|parent| parent.is_step);
    let id = child.id;
    if of_step {
        let ending = Box::new(StepEnding::of(child)?);
        return Some(Command::EndStep { child: id, ending });
    }
    Some(Command::EndAsk { child: id, ending: AskEnding::of(child)? })
}

impl Act {
    fn command(
        self,
        shape: &Shape,
        (process, fence): (u8, Option<u64>),
        now: Timestamp,
    ) -> Option<Command> {
        let by = agent();
        let token_digest = Digest::of_bytes(token(process, fence).as_bytes());
        Some(match self {
            Self::Start => {
                let lease = std::time::Duration::from_secs(LEASE_SECONDS.unsigned_abs());
                Command::Start { by, lease_until: now.checked_add(lease).ok()? }
            }
            Self::Suspend => Command::Suspend {
                by,
                fence,
                expected_checkpoint: None,
                checkpoint: None,
                waits_for: WaitsFor::People(shape.asks.clone()),
            },
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
