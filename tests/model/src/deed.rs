//! What those around an intent try to do to it.

use std::sync::Arc;

use jiff::Timestamp;
use shared::id::IntentId;
use shared::intent::ask::AskEnding;
use shared::intent::command::Seen;
use shared::intent::workflow::StepEnding;
use shared::intent::{Command, Intent};

use crate::agent::Act;
use crate::other::Other;
use crate::person::Person;
use crate::shape::Shape;
use crate::state::{Posted, Shown, Table};
use crate::time::Function;

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
    /// The answer to a post is read: the agent has the turn.
    Taken(Arc<Posted>),
    /// Something else is done to the intent.
    Other {
        /// The intent.
        on: IntentId,
        /// What.
        what: Other,
    },
}

impl Deed {
    /// The intent that it is done to.
    pub fn on(&self) -> IntentId {
        match self {
            Self::Wake(on)
            | Self::ParentEnded(on)
            | Self::Agent { on, .. }
            | Self::Other { on, .. }
            | Self::Cancel { on, .. } => *on,
            Self::News { parent, .. } => *parent,
            Self::Decide { shown, .. } => shown.intent,
            Self::Taken(posted) => posted.intent,
        }
    }

    /// The function that does it, whose clock counts.
    pub fn function(&self) -> Function {
        match self {
            Self::Wake(_) | Self::News { .. } | Self::ParentEnded(_) | Self::Taken(_) => {
                Function::Wake
            }
            Self::Agent { .. } | Self::Cancel { .. } => Function::Agents,
            Self::Decide { .. } => Function::People,
            Self::Other { what, .. } => what.function(),
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
            | Self::Taken(_)
            | Self::Other { .. } => true,
        }
    }

    /// Whether it may be done again and again, and each time is something new. How often that is tried
    /// is a bound of the shape.
    pub fn repeats(&self) -> bool {
        match self {
            Self::Agent { act, .. } => act.repeats(),
            Self::Other { what, .. } => what.repeats(),
            Self::Wake(_)
            | Self::News { .. }
            | Self::ParentEnded(_)
            | Self::Decide { .. }
            | Self::Cancel { .. }
            | Self::Taken(_) => false,
        }
    }

    /// Whether the answer to it tells more than the table does: a lease, or that a tool may run.
    pub fn answer_matters(&self) -> bool {
        matches!(self, Self::Agent { act: Act::Start | Act::Claim(_), .. })
    }

    /// The command that is executed for it on `base` at `now`; none if there is nothing to be done.
    pub(crate) fn command(
        &self,
        shape: &Shape,
        table: &Table,
        base: &Intent,
        now: Timestamp,
    ) -> Option<Command> {
        Some(match self {
            Self::Wake(_) => Command::Wake,
            Self::News { child, .. } => news(&table.get(child)?.intent)?,
            Self::ParentEnded(_) => Command::ParentEnded,
            Self::Agent { process, fence, act, .. } => {
                act.command(shape, (*process, *fence), base, now)?
            }
            Self::Decide { by, shown } => Command::Decide {
                by: by.principal(),
                answer: by.answer(),
                seen: Some(Seen { version: shown.version, digest: shown.digest.clone() }),
            },
            Self::Cancel { by, .. } => {
                Command::Cancel { by: by.principal(), reason: "not needed".to_owned() }
            }
            Self::Taken(posted) => {
                Command::Acknowledge { by: posted.to.principal(), turn: Some(posted.turn) }
            }
            Self::Other { what, .. } => what.command(),
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
