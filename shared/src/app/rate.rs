//! How often a key may call: so many times a minute at each endpoint.
//!
//! An instance counts by itself, and for nothing, while a key is below a quarter of its limit. Above
//! that it takes allowances from a counter that all instances share. What each of them admits
//! without telling is all that can come on top: with n instances at most n − 1 quarters.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::MutexGuard;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::App;

/// The length of the time in which requests are counted, in seconds.
const WINDOW_SECONDS: i64 = 60;
/// An instance admits this part of a limit before it asks the shared counter.
const FREE_PART: u32 = 4;
/// How many requests an instance takes from the shared counter at a time.
const ALLOWANCE: u32 = 10;
/// How many keys and endpoints one instance counts in one minute; it does not count what is beyond.
const COUNTED_MAX: usize = 10_000;
/// How long the shared counter may take before a request goes on without it.
const COUNTER_ANSWER_MAX: Duration = Duration::from_millis(250);

/// How much of its limit a key has used at an endpoint in the present minute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Usage {
    /// Requests a minute.
    pub limit: u32,
    /// How many are left, as far as this instance knows.
    pub remaining: u32,
    /// When the minute ends.
    pub reset_at: Timestamp,
    /// Whole seconds until then, at least one.
    pub reset_after_s: u64,
    /// Whether this request is one too many.
    pub is_over: bool,
}

/// What one instance has counted in the present minute.
#[derive(Debug, Default)]
pub(super) struct Minute {
    began_s: i64,
    counts: HashMap<String, Count>,
}

/// Requests of one key at one endpoint.
#[derive(Clone, Copy, Debug)]
struct Count {
    /// Those that this instance has admitted.
    admitted: u32,
    /// Those that it may admit.
    granted: u32,
    /// Those that it admitted for free and has not told the shared counter of.
    untold: u32,
    /// Those that other instances are known to have taken.
    elsewhere: u32,
    /// Whether the shared counter has nothing left.
    exhausted: bool,
}

impl App {
    /// Counts a request; `None` where there is no limit. An over-long wait for the shared counter, or
    /// none at all, admits the request.
    pub async fn count_request(&self, key_id: &str, endpoint: &str) -> Option<Usage> {
        let limit = self.config().rate_limit_per_minute;
        if limit == 0 {
            return None;
        }
        let began_s = self.now().as_second().div_euclid(WINDOW_SECONDS) * WINDOW_SECONDS;
        let name = format!("{key_id} {endpoint}");
        let untold = match self.minute(began_s)?.start(&name, limit)? {
            Start::Known(count, is_over) => return Some(self.usage(began_s, count, is_over)),
            Start::Ask { untold } => untold,
        };
        let sum = self.take(key_id, endpoint, began_s, untold + ALLOWANCE).await;
        let mut minute = self.minute(began_s)?;
        let count = minute.counts.get_mut(&name)?;
        match sum {
            Some(sum) => count.grant(limit, sum),
            None => count.granted = count.granted.saturating_add(ALLOWANCE),
        }
        let is_over = !count.admit();
        let count = *count;
        drop(minute);
        Some(self.usage(began_s, count, is_over))
    }

    /// What was taken in all, if the shared counter says so in time.
    async fn take(&self, key_id: &str, endpoint: &str, began_s: i64, requests: u32) -> Option<u32> {
        let minute_at = Timestamp::from_second(began_s).ok()?;
        let store = self.store();
        let counting = store.count_requests(self.tenant(), key_id, endpoint, minute_at, requests);
        match tokio::time::timeout(COUNTER_ANSWER_MAX, counting).await {
            Ok(Ok(sum)) => Some(sum),
            Ok(Err(error)) => {
                warn!(%error, "requests go on uncounted");
                None
            }
            Err(_) => {
                warn!("requests go on uncounted, since the counter is slow");
                None
            }
        }
    }

    /// The counts of the minute that began at `began_s`, unless a later one has begun. Those of the
    /// minute before are forgotten.
    fn minute(&self, began_s: i64) -> Option<MutexGuard<'_, Minute>> {
        let mut minute = self.inner.minute.lock().ok()?;
        if minute.began_s < began_s {
            *minute = Minute { began_s, counts: HashMap::new() };
        }
        (minute.began_s == began_s).then_some(minute)
    }

    fn usage(&self, began_s: i64, count: Count, is_over: bool) -> Usage {
        let limit = self.config().rate_limit_per_minute;
        let reset_s = began_s.saturating_add(WINDOW_SECONDS);
        let left_s = reset_s.saturating_sub(self.now().as_second());
        let used = count.admitted.saturating_add(count.elsewhere);
        Usage {
            limit,
            remaining: if is_over { 0 } else { limit.saturating_sub(used) },
            reset_at: Timestamp::from_second(reset_s).unwrap_or(Timestamp::MAX),
            reset_after_s: u64::try_from(left_s).unwrap_or(1).max(1),
            is_over,
        }
    }
}

/// What an instance knows of a request before it asks anybody.
enum Start {
    /// Whether it is one too many.
    Known(Count, bool),
    /// Only the shared counter knows.
    Ask { untold: u32 },
}

impl Minute {
    /// Counts a request as far as this instance can; `None` if it counts too many others already.
    fn start(&mut self, name: &str, limit: u32) -> Option<Start> {
        let has_room = self.counts.len() < COUNTED_MAX;
        let count = match self.counts.entry(name.to_owned()) {
            Entry::Occupied(count) => count.into_mut(),
            Entry::Vacant(_) if !has_room => return None,
            Entry::Vacant(place) => place.insert(Count::new(limit)),
        };
        if count.admit() {
            return Some(Start::Known(*count, false));
        }
        if count.exhausted {
            return Some(Start::Known(*count, true));
        }
        Some(Start::Ask { untold: std::mem::take(&mut count.untold) })
    }
}

impl Count {
    fn new(limit: u32) -> Self {
        let free = limit / FREE_PART;
        Self { admitted: 0, granted: free, untold: free, elsewhere: 0, exhausted: false }
    }

    /// Admits one more if it may.
    fn admit(&mut self) -> bool {
        let may = self.admitted < self.granted;
        self.admitted += u32::from(may);
        may
    }

    /// Takes what the shared counter left of an allowance that made its sum `sum`.
    fn grant(&mut self, limit: u32, sum: u32) {
        let room = limit.saturating_sub(sum.saturating_sub(ALLOWANCE)).min(ALLOWANCE);
        self.granted = self.granted.saturating_add(room);
        self.elsewhere = sum.saturating_sub(ALLOWANCE - room).saturating_sub(self.granted);
        self.exhausted = room < ALLOWANCE;
    }
}
