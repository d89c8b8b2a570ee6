//! The moments that a model knows, and the clocks that functions read them from.

use jiff::Timestamp;

/// How far the clock of one function is ahead of the true time, or behind it, at most, in seconds.
/// The properties that speak of time are stated within this bound.
pub const SKEW_SECONDS_MAX: i64 = 1;

/// Where the seconds of a model begin.
const EPOCH_SECONDS: i64 = 1_000_000;

/// The moment `second` of a model.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(EPOCH_SECONDS.saturating_add(second)).unwrap_or(Timestamp::MAX)
}

/// The functions that read a clock each.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Function {
    /// `approve`: what people do.
    People,
    /// `send-intent`, `intents`, `agent-worker`: what agents do.
    Agents,
    /// `wake`: what happens by itself.
    Wake,
}

/// By how many seconds each function's clock is ahead of the true time, all through one life.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Clocks {
    /// Of `approve`.
    pub people: i64,
    /// Of the functions that agents talk to.
    pub agents: i64,
    /// Of `wake`.
    pub wake: i64,
}

impl Clocks {
    /// No two of them differ.
    pub const EXACT: Self = Self { people: 0, agents: 0, wake: 0 };
    /// Every pair of functions apart, each way, by as much as the bound allows from the true time.
    pub const APART: [Self; 7] = [
        Self::EXACT,
        Self::of([-SKEW_SECONDS_MAX, 0, SKEW_SECONDS_MAX]),
        Self::of([SKEW_SECONDS_MAX, 0, -SKEW_SECONDS_MAX]),
        Self::of([0, -SKEW_SECONDS_MAX, SKEW_SECONDS_MAX]),
        Self::of([0, SKEW_SECONDS_MAX, -SKEW_SECONDS_MAX]),
        Self::of([-SKEW_SECONDS_MAX, SKEW_SECONDS_MAX, 0]),
        Self::of([SKEW_SECONDS_MAX, -SKEW_SECONDS_MAX, 0]),
    ];

    const fn of([people, agents, wake]: [i64; 3]) -> Self {
        Self { people, agents, wake }
    }

    /// What `function` reads when it is truly `second`.
    pub fn read(self, function: Function, second: i64) -> Timestamp {
        let ahead = match function {
            Function::People => self.people,
            Function::Agents => self.agents,
            Function::Wake => self.wake,
        };
        at(second.saturating_add(ahead))
    }
}
