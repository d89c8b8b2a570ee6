//! How what failed comes again: after a pause that grows, or not at all.

use std::time::Duration;

/// The most attempts at one message, and what each queue has as its `maxReceiveCount`.
pub const ATTEMPTS_MAX: u32 = 8;

/// When a failed attempt is worth another one. The error decides it, nobody else does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Again {
    /// In a moment: somebody else was quicker.
    Soon,
    /// In a while: something that is needed does not answer.
    Later,
    /// Never: it would fail in the same way.
    Never,
}

impl Again {
    /// How long to wait after attempt number `attempt`, from 1: whole seconds, drawn evenly from none
    /// up to [`Self::pause_max`], so that what failed together does not return together. `None`: no
    /// attempt follows. `draw` is any number.
    pub fn pause(self, attempt: u32, draw: u64) -> Option<Duration> {
        let longest = self.pause_max(attempt)?;
        Some(Duration::from_secs(draw % (longest.as_secs() + 1)))
    }

    /// The longest pause after attempt number `attempt`: it doubles with each, up to a bound.
    pub fn pause_max(self, attempt: u32) -> Option<Duration> {
        let (first, longest) = match self {
            Self::Soon => (Duration::from_secs(1), Duration::from_secs(30)),
            Self::Later => (Duration::from_secs(15), Duration::from_mins(15)),
            Self::Never => return None,
        };
        let doublings = attempt.saturating_sub(1);
        let grown = 2_u32.checked_pow(doublings).and_then(|factor| first.checked_mul(factor));
        (attempt < ATTEMPTS_MAX).then(|| grown.unwrap_or(longest).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn classes() -> impl Strategy<Value = Again> {
        prop_oneof![Just(Again::Soon), Just(Again::Later)]
    }

    proptest! {
        #[test]
        fn a_pause_is_never_longer_than_its_bound_and_any_draw_is_taken(
            again in classes(), attempt in 0..ATTEMPTS_MAX, draw: u64,
        ) {
            let longest = again.pause_max(attempt).unwrap();
            prop_assert!(again.pause(attempt, draw).unwrap() <= longest);
            prop_assert_eq!(again.pause(attempt, longest.as_secs()), Some(longest));
            prop_assert_eq!(again.pause(attempt, 0), Some(Duration::ZERO));
        }

        #[test]
        fn the_bound_doubles_until_it_is_reached(again in classes(), attempt in 1..ATTEMPTS_MAX - 1) {
            let [now, next] = [attempt, attempt + 1].map(|n| again.pause_max(n).unwrap());
            let last = again.pause_max(ATTEMPTS_MAX - 1).unwrap();
            prop_assert!(next == now * 2 || (next == last && now * 2 > last));
        }

        #[test]
        fn nothing_follows_the_last_attempt(again in classes(), attempt in ATTEMPTS_MAX.., draw: u64) {
            prop_assert_eq!(again.pause(attempt, draw), None);
        }

        #[test]
        fn what_can_never_succeed_is_never_tried_again(attempt: u32, draw: u64) {
            prop_assert_eq!(Again::Never.pause(attempt, draw), None);
        }
    }

    #[test]
    fn draws_reach_every_second_of_a_pause_alike() {
        let pauses: Vec<_> = (0..160).map(|draw| Again::Later.pause(1, draw).unwrap()).collect();
        for second in 0..=15 {
            let pause = Duration::from_secs(second);
            assert_eq!(pauses.iter().filter(|found| **found == pause).count(), 10, "{second} s");
        }
    }

    #[test]
    fn somebody_elses_haste_is_waited_for_less_than_an_outage() {
        let all = |again: Again| {
            let pauses = (1..ATTEMPTS_MAX).filter_map(|attempt| again.pause_max(attempt));
            pauses.sum::<Duration>()
        };
        assert_eq!(all(Again::Soon), Duration::from_secs(91));
        assert_eq!(all(Again::Later), Duration::from_secs(1_845));
    }
}
