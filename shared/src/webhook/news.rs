//! Who hears of what happened to an intent.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Owner, Subscription, SubscriptionId};
use crate::address::Address;
use crate::id::IntentId;
use crate::intent::record::Recorded;
use crate::intent::{EventKind, Intent};

/// The contract's name for a new intent in somebody's inbox.
pub const THREAD_CREATED: &str = "inbox.thread_created";
/// The contract's name for any later change of it.
pub const THREAD_UPDATED: &str = "inbox.thread_updated";

/// Whose business an intent is. It stands beside each commit, for readers who must not see the rest.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Parties {
    /// Name of the principal that sent it.
    pub from: String,
    /// Who handles it.
    pub handler: Address,
    /// Where the sender wants the completion.
    pub reply_to: Option<Address>,
}

/// One event of one intent for one subscription: what stands in the queue. It has no record of its
/// own, so it can be repeated only as the message that it is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct News {
    /// The account.
    pub tenant: String,
    /// Whose subscription it is.
    pub owner: Owner,
    /// Where it goes.
    pub subscription: SubscriptionId,
    /// The intent.
    pub intent: IntentId,
    /// The last event of the commit, which is where the commit stands.
    pub commit_seq: u64,
    /// The event.
    pub seq: u64,
    /// What it is called.
    pub event_type: String,
    /// Which attempt is to be made, from 1.
    pub attempt: u32,
    /// When; a message that arrives earlier is sent on.
    pub due_at: Timestamp,
}

impl Parties {
    /// Whose business the intent is now.
    pub fn of(intent: &Intent) -> Self {
        Self {
            from: intent.envelope.from.clone(),
            handler: intent.handler().clone(),
            reply_to: intent.envelope.reply_to.clone(),
        }
    }
}

/// What the commit with these records, on this intent, is to the subscriptions.
pub fn news(
    (tenant, intent): (&str, IntentId),
    parties: &Parties,
    records: &[Recorded],
    subscriptions: &[Subscription],
    now: Timestamp,
) -> Vec<News> {
    let Some(last) = records.last() else { return vec![] };
    let commit_seq = last.event.seq;
    let is_new = records.iter().any(|r| matches!(r.event.kind, EventKind::Created { .. }));
    let thread = if is_new { THREAD_CREATED } else { THREAD_UPDATED };
    let events = records.iter().map(|record| (record.event.seq, record.event.kind.wire_name()));
    let events: Vec<_> = events.chain([(commit_seq, thread)]).collect();
    let own = subscriptions.iter().filter(|subscription| subscription.is_of(parties));
    own.flat_map(|subscription| {
        let taken = events.iter().filter(|(_, event_type)| subscription.takes(event_type));
        taken.map(|(seq, event_type)| News {
            tenant: tenant.to_owned(),
            owner: subscription.owner.clone(),
            subscription: subscription.id,
            intent,
            commit_seq,
            seq: *seq,
            event_type: (*event_type).to_owned(),
            attempt: 1,
            due_at: now,
        })
    })
    .collect()
}
