//! Webhooks: who wants to hear of what, what was published, and how each delivery stands.
//!
//! This is the pure part. Two kinds of thing are delivered. What a client publishes is stored with
//! one [`Delivery`] for each subscription, which can be counted and replayed. What happens to an
//! intent is in the intent's own history already, so [`news`] only says who hears of it.

mod delivery;
mod event_type;
#[cfg(test)]
mod formats;
mod news;
mod owner;
mod published;
mod subscription;

pub use delivery::{Counts, Delivery, DeliveryDue, DeliveryState, RETRIES, retry_at};
pub use event_type::{
    EVENT_TYPE_CHARS_MAX, EVENT_TYPE_CHARS_MIN, EventPattern, EventType, InvalidEventType,
};
pub use news::{News, Parties, THREAD_CREATED, THREAD_UPDATED, news};
pub use owner::Owner;
pub use published::{EventId, Published};
pub use subscription::{Standing, Subscription, SubscriptionId};
