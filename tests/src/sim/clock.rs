//! The world's time: the runtime's own, which moves only when everybody waits.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

/// When every story begins: 2030-01-01T00:00:00Z.
const BEGINNING_MS: i64 = 1_893_456_000_000;

/// The world's clock. It reads only inside the world's runtime.
#[derive(Clone, Copy, Debug)]
pub(super) struct WorldClock {
    began: Instant,
}

impl WorldClock {
    pub(super) fn new() -> Self {
        Self { began: Instant::now() }
    }

    /// The time since the beginning.
    pub(super) fn passed(self) -> Duration {
        self.began.elapsed()
    }

    /// The time, by a clock that is this far from the world's.
    pub(super) fn now(self, skew_ms: i64) -> Timestamp {
        let passed_ms = i64::try_from(self.passed().as_millis()).expect("a short story");
        Timestamp::from_millisecond(BEGINNING_MS + passed_ms + skew_ms).expect("a time")
    }
}
