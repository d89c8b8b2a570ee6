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
    /// What an intent has asked for, or has sent to an agent, ends with it: at once where no message is
    /// lost, and after a restart that lost them.
    OrphansEnd,
    /// A turn that no agent takes fails long before the deadline of its intent.
    GivesUp,
    /// A turn that its agent has taken is posted no more.
    PostedUntilTaken,
    /// Only its agent takes a posted turn, and the answer to a post takes the turn that was posted.
    TakesItsTurn,
    /// Only the agent that has an intent works on it, and only whoever was granted that resumes it.
    ItsAgentOnly,
    /// Whoever has passed a task on decides it no more, and nobody does who was never named.
    PassedOn,
    /// What waits for a moment goes on at that moment, and no sooner.
    WaitsOut,
    /// Nobody is reminded before it is due, and before the hours for it begin.
    RemindedInHours,
    /// What is said about an intent changes nothing else of it.
    OnlyTalk,
    /// Nothing is given up that its agent has taken up.
    UntakenOnly,
}

impl Promise {
    /// All of them.
    pub const ALL: [Self; 24] = [
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
        Self::OrphansEnd,
        Self::GivesUp,
        Self::PostedUntilTaken,
        Self::TakesItsTurn,
        Self::ItsAgentOnly,
        Self::PassedOn,
        Self::WaitsOut,
        Self::RemindedInHours,
        Self::OnlyTalk,
        Self::UntakenOnly,
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
            Self::OrphansEnd => "what was asked for ends with its parent",
            Self::GivesUp => "a turn that nobody takes fails soon",
            Self::PostedUntilTaken => "a turn that was taken is posted no more",
            Self::TakesItsTurn => "only its agent takes a posted turn",
            Self::ItsAgentOnly => "only the agent that has it works on it",
            Self::PassedOn => "who has passed a task on decides it no more",
            Self::WaitsOut => "what waits for a moment waits it out",
            Self::RemindedInHours => "nobody is reminded early",
            Self::OnlyTalk => "what is said changes nothing else",
            Self::UntakenOnly => "what was taken up is not given up",
        }
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
