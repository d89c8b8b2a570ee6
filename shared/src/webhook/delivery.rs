//! How the delivery of one event to one subscription stands.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{EventId, SubscriptionId};
use crate::callback::Reply;

/// The pauses after failed attempts; there is one attempt more than pauses.
pub const RETRIES: [Duration; 5] = [
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_hours(1),
];
/// A pause grows by up to this part of itself, so that what failed together does not return together.
const JITTER_PART: u32 = 5;

/// One event on its way to one subscription.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Delivery {
    /// The event.
    pub event: EventId,
    /// Where it goes.
    pub subscription: SubscriptionId,
    /// How often it was set going: 1, and one more for each replay.
    pub round: u32,
    /// Where it stands.
    pub state: DeliveryState,
    /// What came of the last attempt.
    pub last: Option<Reply>,
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum DeliveryState {
    /// An attempt is to be made.
    Pending {
        /// Which one, from 1.
        attempt: u32,
        /// When.
        due_at: Timestamp,
    },
    /// The receiver has taken it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// No more attempts are made, unless it is replayed.
    DeadLettered {
        /// Since when.
        at: Timestamp,
    },
}

/// An attempt that is to be made: what stands in the queue for a pending delivery.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct DeliveryDue {
    /// The account.
    pub tenant: String,
    /// The event.
    pub event: EventId,
    /// Where it goes.
    pub subscription: SubscriptionId,
    /// The delivery's round.
    pub round: u32,
    /// Which attempt.
    pub attempt: u32,
    /// When; a message that arrives earlier is sent on.
    pub due_at: Timestamp,
}

/// How the deliveries of an event stand.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// All of them.
    pub queued: usize,
    /// Those that the receiver has taken.
    pub delivered: usize,
    /// Those to which an attempt is to be made.
    pub pending: usize,
    /// Those that were given up.
    pub dead_lettered: usize,
}

/// When the attempt after number `attempt` is due; `None` if that was the last. `jitter` is any byte.
pub fn retry_at(attempt: u32, failed_at: Timestamp, jitter: u8) -> Option<Timestamp> {
    let pause = RETRIES.get(usize::try_from(attempt.checked_sub(1)?).ok()?)?;
    let longer = *pause * u32::from(jitter) / u32::from(u8::MAX) / JITTER_PART;
    failed_at.checked_add(*pause + longer).ok()
}

impl Delivery {
    /// A delivery that begins.
    pub fn new(event: EventId, subscription: SubscriptionId, now: Timestamp) -> Self {
        let state = DeliveryState::Pending { attempt: 1, due_at: now };
        Self { event, subscription, round: 1, state, last: None }
    }

    /// The same delivery from its beginning. Whatever is on its way for the round before is ignored.
    #[must_use]
    pub fn again(&self, now: Timestamp) -> Self {
        let fresh = Self::new(self.event, self.subscription, now);
        Self { round: self.round.saturating_add(1), last: self.last, ..fresh }
    }

    /// The delivery after an attempt.
    #[must_use]
    pub fn after(&self, reply: Reply, now: Timestamp, jitter: u8) -> Self {
        let given_up = DeliveryState::DeadLettered { at: now };
        let state = match self.state {
            DeliveryState::Pending { .. } if reply.is_taken() => {
                DeliveryState::Delivered { at: now }
            }
            DeliveryState::Pending { .. } if reply.is_gone() => given_up,
            DeliveryState::Pending { attempt, .. } => {
                let again = |due_at| DeliveryState::Pending { attempt: attempt + 1, due_at };
                retry_at(attempt, now, jitter).map_or(given_up, again)
            }
            ended @ (DeliveryState::Delivered { .. } | DeliveryState::DeadLettered { .. }) => ended,
        };
        Self { state, last: Some(reply), ..self.clone() }
    }

    /// The delivery, given up because nobody is there to take it.
    #[must_use]
    pub fn given_up(&self, now: Timestamp) -> Self {
        Self { state: DeliveryState::DeadLettered { at: now }, ..self.clone() }
    }

    /// The attempt that is to be made.
    pub fn due(&self, tenant: &str) -> Option<DeliveryDue> {
        match self.state {
            DeliveryState::Pending { attempt, due_at } => Some(DeliveryDue {
                tenant: tenant.to_owned(),
                event: self.event,
                subscription: self.subscription,
                round: self.round,
                attempt,
                due_at,
            }),
            DeliveryState::Delivered { .. } | DeliveryState::DeadLettered { .. } => None,
        }
    }
}

impl Counts {
    /// Counts deliveries.
    pub fn of<'a>(deliveries: impl IntoIterator<Item = &'a Delivery>) -> Self {
        let mut counts = Self::default();
        for delivery in deliveries {
            counts.queued += 1;
            match delivery.state {
                DeliveryState::Pending { .. } => counts.pending += 1,
                DeliveryState::Delivered { .. } => counts.delivered += 1,
                DeliveryState::DeadLettered { .. } => counts.dead_lettered += 1,
            }
        }
        counts
    }

    /// Those that have come to an end.
    pub fn processed(&self) -> usize {
        self.delivered + self.dead_lettered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::IntentId;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn delivery() -> Delivery {
        let uuid = IntentId::derived(&["x"]).uuid();
        let subscription = SubscriptionId::parse(&uuid.to_string()).unwrap();
        Delivery::new(EventId::new(uuid), subscription, at(0))
    }

    #[test]
    fn a_failing_receiver_is_tried_six_times_at_growing_distances() {
        let (mut delivery, mut pauses, mut now) = (delivery(), vec![], at(0));
        while let DeliveryState::Pending { due_at, .. } = delivery.state {
            pauses.push(due_at.duration_since(now).as_secs());
            now = due_at;
            delivery = delivery.after(Reply::Status(500), now, 0);
        }
        assert_eq!(pauses, [0, 5, 30, 120, 600, 3600]);
        assert_eq!(delivery.state, DeliveryState::DeadLettered { at: now });
        assert_eq!(delivery.last, Some(Reply::Status(500)));
    }

    #[test]
    fn a_pause_grows_by_a_fifth_at_most() {
        assert_eq!(retry_at(1, at(0), 0), Some(at(5)));
        assert_eq!(retry_at(1, at(0), u8::MAX), Some(at(6)));
        assert_eq!(retry_at(5, at(0), u8::MAX), Some(at(4320)));
        assert_eq!(retry_at(6, at(0), 0), None);
        assert_eq!(retry_at(0, at(0), 0), None);
    }

    #[test]
    fn a_receiver_that_is_gone_is_not_tried_again_and_one_that_took_it_neither() {
        let gone = delivery().after(Reply::Status(410), at(1), 0);
        assert_eq!(gone.state, DeliveryState::DeadLettered { at: at(1) });
        let taken = delivery().after(Reply::Status(204), at(1), 0);
        assert_eq!(taken.state, DeliveryState::Delivered { at: at(1) });
        assert_eq!(taken.after(Reply::Status(500), at(2), 0).state, taken.state);
    }

    #[test]
    fn a_replay_begins_a_round_of_its_own() {
        let replayed = delivery().after(Reply::Blocked, at(1), 0).again(at(9));
        let due = replayed.due("default").unwrap();
        assert_eq!((due.round, due.attempt, due.due_at), (2, 1, at(9)));
    }
}
