//! How much time a step may take.

use std::time::Duration;

use jiff::Timestamp;

use super::Turn;

/// A step that is not the turn's first begins only while the invocation has this much time left.
const STEP_ROOM: Duration = Duration::from_secs(30);
/// The model may take this much of the time; the rest is for storing what it said.
const MODEL_TENTHS: u32 = 9;

impl Turn<'_> {
    /// Whether the invocation is too near its end for another step.
    pub(super) fn is_late(&self) -> bool {
        left(self.app().now(), self.until) < STEP_ROOM
    }

    /// How long the model may take: it must not outlive the lease nor the invocation.
    pub(super) fn patience(&self) -> Duration {
        let left = left(self.app().now(), self.until).min(self.app().config().worker_lease);
        left / 10 * MODEL_TENTHS
    }
}

fn left(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_left_after_the_end() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(left(at(100), at(130)), STEP_ROOM);
        assert_eq!(left(at(130), at(100)), Duration::ZERO);
    }
}
