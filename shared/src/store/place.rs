//! Where items stand in the table. Every partition key begins with the tenant.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::account::AccountId;
use crate::address::Address;
use crate::dead_letter::DeadLetterId;
use crate::digest::Digest;
use crate::id::IntentId;
use crate::webhook::{EventId, Owner, SubscriptionId};

/// A primary key.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Place {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

/// Prefix of the sort keys of commits, which `relay` looks for.
pub(crate) const COMMIT: &str = "C#";
/// Prefix of the sort keys of deliveries, which `relay` looks for too.
pub(crate) const DELIVERY: &str = "D#";
/// What follows the tenant in the partition of a published event.
pub(crate) const WEBHOOK: &str = "WEBHOOK#";
/// Hex digits of an owner's digest in the keys of its subscriptions.
const OWNER_DIGITS: usize = 32;

impl Place {
    pub(crate) fn snapshot(tenant: &str, id: IntentId) -> Self {
        Self { pk: intent(tenant, id), sk: "S".to_owned() }
    }

    /// A commit stands at the number of its last event, so that "events after n" is one range.
    pub(crate) fn commit(tenant: &str, id: IntentId, last_seq: u64) -> Self {
        Self { pk: intent(tenant, id), sk: format!("{COMMIT}{last_seq:020}") }
    }

    pub(crate) fn checkpoint(tenant: &str, id: IntentId) -> Self {
        Self { pk: intent(tenant, id), sk: "K".to_owned() }
    }

    pub(crate) fn call_output(tenant: &str, id: IntentId, call_id: &str) -> Self {
        Self { pk: intent(tenant, id), sk: format!("O#{call_id}") }
    }

    pub(crate) fn timer(tenant: &str, shard: u8, due_at: Timestamp, id: IntentId) -> Self {
        Self { pk: timers(tenant, shard), sk: format!("{:020}#{id}", due_millis(due_at).max(0)) }
    }

    pub(crate) fn offer(tenant: &str, agent: &Address, offer_seq: u64, id: IntentId) -> Self {
        Self { pk: agents_stream(tenant, agent), sk: format!("{offer_seq:020}#{id}") }
    }

    pub(crate) fn task(tenant: &str, opened_at: Timestamp, id: IntentId) -> Self {
        Self { pk: tasks(tenant), sk: format!("{}#{id}", millis(opened_at)) }
    }

    pub(crate) fn day(tenant: &str, created_at: Timestamp, id: IntentId) -> Self {
        Self { pk: day(tenant, created_at), sk: format!("{}#{id}", millis(created_at)) }
    }

    pub(crate) fn inbox(
        tenant: &str,
        owner: &Address,
        created_at: Timestamp,
        id: IntentId,
    ) -> Self {
        Self { pk: inbox(tenant, owner), sk: format!("{}#{id}", millis(created_at)) }
    }

    pub(crate) fn key(tenant: &str, key_id: &str) -> Self {
        Self { pk: format!("{tenant}#KEYS"), sk: key_id.to_owned() }
    }

    pub(crate) fn route(tenant: &str, address: &Address) -> Self {
        Self { pk: routes(tenant), sk: address.path().to_owned() }
    }

    pub(crate) fn account(tenant: &str, id: AccountId) -> Self {
        Self { pk: accounts(tenant), sk: id.to_string() }
    }

    pub(crate) fn slots(tenant: &str, agent: &Address) -> Self {
        Self { pk: format!("{tenant}#SLOTS#{}", agent.path()), sk: "S".to_owned() }
    }

    pub(crate) fn beat(tenant: &str, agent: &Address) -> Self {
        Self { pk: beats(tenant), sk: agent.path().to_owned() }
    }

    pub(crate) fn mesh_event(tenant: &str, at: Timestamp, event_id: &str) -> Self {
        Self { pk: mesh(tenant), sk: format!("{}#{event_id}", millis(at)) }
    }

    /// What a key asks of one endpoint in the minute that began at `minute_at`.
    pub(crate) fn rate(tenant: &str, key_id: &str, endpoint: &str, minute_at: Timestamp) -> Self {
        let pk = format!("{tenant}#RATE#{key_id}");
        Self { pk, sk: format!("{endpoint}#{:020}", minute_at.as_second().max(0)) }
    }

    pub(crate) fn dead_letter(tenant: &str, id: &DeadLetterId) -> Self {
        let sk = format!("{:020}#{}", id.sent_ms(), id.digits());
        Self { pk: dead_letters(tenant), sk }
    }

    pub(crate) fn sweep(tenant: &str) -> Self {
        Self { pk: format!("{tenant}#PULSE"), sk: "sweep".to_owned() }
    }

    pub(crate) fn report(tenant: &str, report_id: &str) -> Self {
        Self { pk: reports(tenant), sk: report_id.to_owned() }
    }

    pub(crate) fn subscription(tenant: &str, owner: &Owner, id: SubscriptionId) -> Self {
        Self { pk: subscriptions(tenant), sk: format!("{}{id}", owners_part(owner)) }
    }

    pub(crate) fn published(tenant: &str, event: EventId) -> Self {
        Self { pk: webhook(tenant, event), sk: "E".to_owned() }
    }

    pub(crate) fn delivery(tenant: &str, event: EventId, id: SubscriptionId) -> Self {
        Self { pk: webhook(tenant, event), sk: format!("{DELIVERY}{id}") }
    }

    pub(crate) fn replay(tenant: &str, event: EventId, replay: EventId) -> Self {
        Self { pk: webhook(tenant, event), sk: format!("R#{replay}") }
    }

    pub(crate) fn underway(tenant: &str, since: Timestamp, event: EventId) -> Self {
        Self { pk: underway(tenant), sk: format!("{}#{event}", millis(since)) }
    }
}

pub(crate) fn intent(tenant: &str, id: IntentId) -> String {
    format!("{tenant}#INTENT#{id}")
}

pub(crate) fn timers(tenant: &str, shard: u8) -> String {
    format!("{tenant}#TIMER#{shard}")
}

pub(crate) fn agents_stream(tenant: &str, agent: &Address) -> String {
    format!("{tenant}#AGENT#{}", agent.path())
}

pub(crate) fn tasks(tenant: &str) -> String {
    format!("{tenant}#TASKS")
}

pub(crate) fn day(tenant: &str, at: Timestamp) -> String {
    format!("{tenant}#DAY#{}", at.to_zoned(TimeZone::UTC).date())
}

pub(crate) fn inbox(tenant: &str, owner: &Address) -> String {
    format!("{tenant}#INBOX#{}", owner.path())
}

pub(crate) fn routes(tenant: &str) -> String {
    format!("{tenant}#ROUTES")
}

pub(crate) fn accounts(tenant: &str) -> String {
    format!("{tenant}#ACCOUNTS")
}

pub(crate) fn beats(tenant: &str) -> String {
    format!("{tenant}#BEATS")
}

pub(crate) fn mesh(tenant: &str) -> String {
    format!("{tenant}#MESH")
}

pub(crate) fn dead_letters(tenant: &str) -> String {
    format!("{tenant}#DEAD")
}

pub(crate) fn reports(tenant: &str) -> String {
    format!("{tenant}#REPORTS")
}

pub(crate) fn subscriptions(tenant: &str) -> String {
    format!("{tenant}#SUBSCRIPTIONS")
}

/// What the sort keys of an owner's subscriptions begin with. A digest, since a name may have any
/// character in it.
pub(crate) fn owners_part(owner: &Owner) -> String {
    let digest = Digest::of_bytes(owner.text().as_bytes());
    format!("{}#", digest.hex().get(..OWNER_DIGITS).unwrap_or_default())
}

pub(crate) fn webhook(tenant: &str, event: EventId) -> String {
    format!("{tenant}#{WEBHOOK}{event}")
}

pub(crate) fn underway(tenant: &str) -> String {
    format!("{tenant}#UNDERWAY")
}

/// The millisecond at which something due at `at` is due for certain: rounded up, since a wake-up
/// that comes a fraction early finds nothing to do and does not come again.
pub fn due_millis(at: Timestamp) -> i64 {
    let whole = at.as_millisecond();
    match Timestamp::from_millisecond(whole) {
        Ok(floor) if floor < at => whole.saturating_add(1),
        Ok(_) | Err(_) => whole,
    }
}

/// Milliseconds in a form that sorts as text.
pub(crate) fn millis(at: Timestamp) -> String {
    format!("{:020}", at.as_millisecond().max(0))
}
