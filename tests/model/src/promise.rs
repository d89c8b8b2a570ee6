//! What must hold in every state that can be reached.

use std::fmt;

/// A property of the design.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Promise {
    /// An intent ends once, and nothing happens to it after that.
    OneEnd,
    /// Nothing is accepted at or after the deadline (of a hold: the end of its time) by the clock of
    /// the function that accepts it, and so nothing a skew or more after it by the true time.
    InTime,
    /// No intent is timed out before its deadline by more than the skew.
    NotEarly,
    /// A call is claimed only with a yes to exactly that call which is not too old, and which stands
    /// in the child intent too.
    Granted,
    /// A call runs once at most, whoever claimed it and crashed.
    RunsOnce,
    /// Versions, numbers of events and links of the chain have no gap and no fork.
    Unbroken,
    /// The stored state is the fold of its history, and its text reads back as itself.
    Replays,
    /// A decision is about the hold that was shown to whoever made it.
    Bound,
    /// Only a reviewer decides, and never the one who asked.
    PeopleDecide,
    /// A worker whose lease was taken over changes nothing.
    LeaseHolds,
    /// Every live intent has a timer, no later than its deadline.
    Awake,
    /// Whatever was lost, and whoever is silent: timers alone bring every intent to its end.
    Ends,
    /// News that were lost are asked for: no parent waits to its deadline for a child that ended
    /// long before it.
    NewsHeal,
    /// After a restart that lost the queues, what is owed still brings every parent up to date.
    Recovers,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::OneEnd,
        Self::InTime,
        Self::NotEarly,
        Self::Granted,
        Self::RunsOnce,
        Self::Unbroken,
        Self::Replays,
        Self::Bound,
        Self::PeopleDecide,
        Self::LeaseHolds,
        Self::Awake,
        Self::Ends,
        Self::NewsHeal,
        Self::Recovers,
    ];

    /// Its name in the table of results.
    pub fn name(self) -> &'static str {
        match self {
            Self::OneEnd => "an intent ends once",
            Self::InTime => "nothing is accepted after the deadline",
            Self::NotEarly => "nothing is timed out before its deadline",
            Self::Granted => "a claim has its grant",
            Self::RunsOnce => "a call runs once",
            Self::Unbroken => "the chain is unbroken",
            Self::Replays => "history replays to the state",
            Self::Bound => "a decision is about what was shown",
            Self::PeopleDecide => "only people decide",
            Self::LeaseHolds => "a lost lease changes nothing",
            Self::Awake => "every live intent has a timer",
            Self::Ends => "timers end every intent",
            Self::NewsHeal => "lost news are asked for",
            Self::Recovers => "a restart recovers what is owed",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
