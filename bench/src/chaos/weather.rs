//! Which request meets which fault: some at any time, and many while a storm lasts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep};

use super::mishap::{Mishap, Tally};

/// What a request is to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Target {
    /// The table, which is to write several items or none.
    Transaction,
    /// The table, otherwise.
    Table,
    /// A queue, which is to take messages.
    Send,
}

/// In how many of 10,000 requests each fault happens in good weather.
const TABLE: [(Mishap, u32); 5] = [
    (Mishap::TableThrottled, 60),
    (Mishap::TableFailed, 40),
    (Mishap::TableUnheard, 40),
    (Mishap::TableUnanswered, 40),
    (Mishap::TableSlow, 150),
];
const TRANSACTION: [(Mishap, u32); 6] = [
    (Mishap::TableThrottled, 60),
    (Mishap::TableFailed, 60),
    (Mishap::TableConflict, 150),
    (Mishap::TableUnheard, 60),
    (Mishap::TableUnanswered, 200),
    (Mishap::TableSlow, 150),
];
const SEND: [(Mishap, u32); 6] = [
    (Mishap::QueueDropped, 100),
    (Mishap::QueueDoubled, 300),
    (Mishap::QueueHeld, 300),
    (Mishap::QueueFailed, 150),
    (Mishap::QueueUnanswered, 150),
    (Mishap::QueueSlow, 150),
];
/// In how many of 10,000 requests the storm's own fault happens.
const STORM: u32 = 7_000;
/// What storms are made of. No storm drops messages: what heals that is counted in hours.
const STORMS: [Mishap; 8] = [
    Mishap::TableThrottled,
    Mishap::TableFailed,
    Mishap::TableConflict,
    Mishap::TableUnheard,
    Mishap::TableUnanswered,
    Mishap::QueueDoubled,
    Mishap::QueueHeld,
    Mishap::QueueFailed,
];
/// The pauses between storms, and how long one lasts, in milliseconds.
const PAUSE_MS: std::ops::Range<u64> = 8_000..20_000;
const STORM_MS: std::ops::Range<u64> = 500..3_000;

/// The weather of one run. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Weather(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Rng,
    /// Nothing goes wrong while this is off.
    bad: bool,
    storm: Option<(Mishap, Instant)>,
    tally: Tally,
}

impl Weather {
    pub(super) fn new(seed: u64, tally: Tally) -> Self {
        let random = Rng::with_seed(seed);
        Self(Arc::new(Mutex::new(State { random, bad: false, storm: None, tally })))
    }

    /// From now on things go wrong, or no longer.
    pub(super) fn set_bad(&self, bad: bool) {
        self.state().bad = bad;
    }

    /// What goes wrong with the next request, counted.
    pub(super) fn next(&self, target: Target) -> Option<Mishap> {
        let mut state = self.state();
        if !state.bad {
            return None;
        }
        let usual: &[(Mishap, u32)] = match target {
            Target::Transaction => &TRANSACTION,
            Target::Table => &TABLE,
            Target::Send => &SEND,
        };
        let storm = state.storm.filter(|(_, until)| Instant::now() < *until);
        let storm = storm.filter(|(mishap, _)| usual.iter().any(|(known, _)| known == mishap));
        let mut draw = state.random.u32(0..10_000);
        let found = match storm {
            Some((mishap, _)) if draw < STORM => Some(mishap),
            Some(_) => None,
            None => usual.iter().find_map(|(mishap, share)| {
                let hit = draw < *share;
                draw = draw.saturating_sub(*share);
                hit.then_some(*mishap)
            }),
        }?;
        state.tally.count(found);
        Some(found)
    }

    /// Some time in this range.
    pub(super) fn ms(&self, range: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.state().random.u64(range))
    }

    /// One of so many.
    pub(super) fn one_of(&self, count: usize) -> usize {
        self.state().random.usize(0..count.max(1))
    }

    /// Lets storms come and go until it is dropped.
    pub(super) async fn turn(self) {
        loop {
            sleep(self.ms(PAUSE_MS)).await;
            let lasts = self.ms(STORM_MS);
            let which = self.one_of(STORMS.len());
            self.state().storm = STORMS.get(which).map(|mishap| (*mishap, Instant::now() + lasts));
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
