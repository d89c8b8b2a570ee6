//! Messages between the functions. They name what to look at and carry no decision, so each may
//! come late, twice or in any order.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::id::IntentId;
use crate::webhook::{DeliveryDue, News};

/// A message, as it stands in a queue. Versions are new variants; old ones stay readable for as long
/// as a queue may hold them (14 days).
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "message")]
pub enum Message {
    /// An agent's turn may be run.
    Turn {
        /// The account.
        tenant: String,
        /// The intent.
        intent: IntentId,
    },
    /// An agent's turn may be posted to the agent.
    Push {
        /// The account.
        tenant: String,
        /// The intent.
        intent: IntentId,
    },
    /// Something may be due.
    Wake {
        /// The account.
        tenant: String,
        /// The intent.
        intent: IntentId,
        /// When; a message that arrives earlier is sent on.
        due_at: Timestamp,
        /// How often its timer was put back. One that was put back is removed by whoever sees that
        /// nothing is due.
        #[serde(default, skip_serializing_if = "is_zero")]
        put_back: u8,
    },
    /// Messages about this intent may have been lost.
    Recover {
        /// The account.
        tenant: String,
        /// The intent.
        intent: IntentId,
    },
    /// Messages about any intent may have been lost.
    RecoverAll {
        /// The account.
        tenant: String,
    },
    /// An approval may have ended.
    AskEnded {
        /// The account.
        tenant: String,
        /// The intent that asked for it.
        parent: IntentId,
        /// The approval.
        child: IntentId,
    },
    /// The intent that asked for an approval has ended.
    ParentEnded {
        /// The account.
        tenant: String,
        /// The approval.
        child: IntentId,
    },
    /// Somebody is to be told.
    Notice {
        /// The account.
        tenant: String,
        /// The intent.
        intent: IntentId,
        /// What.
        notice: Notice,
    },
    /// A published event is to be posted to a subscription.
    Delivery(DeliveryDue),
    /// What happened to an intent is to be posted to a subscription.
    News(News),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(count: &u8) -> bool {
    *count == 0
}

/// What reviewers are told.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Notice {
    /// A decision is wanted.
    Assigned,
    /// It is still wanted.
    Reminder {
        /// Which reminder this is, from 1.
        count: u32,
    },
    /// Somebody passed the task on.
    Reassigned {
        /// Who is to answer now.
        to: String,
    },
    /// A workflow has something to say.
    Step {
        /// The step, by its place.
        step: usize,
    },
    /// Nobody answered the reminders.
    Escalation {
        /// Who is told now.
        to: Address,
    },
}

/// The queues, each with a consumer of its own.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Queue {
    /// Consumed by `agent-worker`.
    Turns,
    /// Consumed by `wake`.
    Wakes,
    /// Consumed by `notify`.
    Notices,
    /// Consumed by `notify` too; apart from notices, which must not wait for slow receivers.
    Deliveries,
}

impl Message {
    /// The queue that it belongs in.
    pub fn queue(&self) -> Queue {
        match self {
            Self::Turn { .. } => Queue::Turns,
            Self::Wake { .. }
            | Self::Recover { .. }
            | Self::RecoverAll { .. }
            | Self::AskEnded { .. }
            | Self::ParentEnded { .. } => Queue::Wakes,
            Self::Notice { .. } => Queue::Notices,
            Self::Push { .. } | Self::Delivery(_) | Self::News(_) => Queue::Deliveries,
        }
    }

    /// What it is, in a word: the same word as in the queue.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Turn { .. } => "turn",
            Self::Push { .. } => "push",
            Self::Wake { .. } => "wake",
            Self::Recover { .. } => "recover",
            Self::RecoverAll { .. } => "recover_all",
            Self::AskEnded { .. } => "ask_ended",
            Self::ParentEnded { .. } => "parent_ended",
            Self::Notice { .. } => "notice",
            Self::Delivery(_) => "delivery",
            Self::News(_) => "news",
        }
    }

    /// The intent that waits for it, if it is about one.
    pub fn intent(&self) -> Option<IntentId> {
        match self {
            Self::Turn { intent, .. }
            | Self::Push { intent, .. }
            | Self::Wake { intent, .. }
            | Self::Recover { intent, .. }
            | Self::Notice { intent, .. }
            | Self::AskEnded { parent: intent, .. }
            | Self::ParentEnded { child: intent, .. } => Some(*intent),
            Self::News(news) => Some(news.intent),
            Self::Delivery(_) | Self::RecoverAll { .. } => None,
        }
    }
}
