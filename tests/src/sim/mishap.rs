//! What goes wrong.

/// One way in which something goes wrong.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mishap {
    /// A call is refused, for there are too many.
    Throttled,
    /// A write is refused, for another one is under way.
    Conflicted,
    /// A call is answered with 500, and nothing was done.
    Failed,
    /// A call is answered with 500, and was carried out.
    FailedAfterwards,
    /// A call gets lost; its caller waits until it times out.
    Unsent,
    /// A call is carried out and its answer gets lost.
    Unanswered,
    /// A call takes seconds, while others overtake it.
    Slow,
    /// The function dies before its call is carried out.
    KilledBefore,
    /// The function dies after its call was carried out.
    KilledAfter,
    /// A message gets lost while its intent has a timer.
    Dropped,
    /// A message or a batch of stream records comes twice.
    Doubled,
    /// A message or a batch of stream records comes late.
    Delayed,
    /// The schedule does not sweep.
    Unswept,
    /// TTL removes a timer.
    Expired,
    /// A message was received too often.
    DeadLettered,
    /// Nobody answers the door that a post is for.
    PostRefused,
    /// A post is answered with 5xx by something before its receiver.
    PostFailed,
    /// A post is taken, and its answer gets lost.
    PostUnheard,
    /// A post takes seconds, perhaps longer than anybody waits for its answer.
    PostSlow,
    /// A receiver is not there for a while.
    ReceiverAway,
    /// A receiver takes nothing, ever.
    ReceiverBroken,
    /// A receiver wants nothing more.
    ReceiverGone,
}

impl Mishap {
    /// Every kind.
    pub const ALL: [Self; 22] = [
        Self::Throttled,
        Self::Conflicted,
        Self::Failed,
        Self::FailedAfterwards,
        Self::Unsent,
        Self::Unanswered,
        Self::Slow,
        Self::KilledBefore,
        Self::KilledAfter,
        Self::Dropped,
        Self::Doubled,
        Self::Delayed,
        Self::Unswept,
        Self::Expired,
        Self::DeadLettered,
        Self::PostRefused,
        Self::PostFailed,
        Self::PostUnheard,
        Self::PostSlow,
        Self::ReceiverAway,
        Self::ReceiverBroken,
        Self::ReceiverGone,
    ];

    /// Its name, in a trace and in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Throttled => "throttled",
            Self::Conflicted => "conflicted",
            Self::Failed => "failed",
            Self::FailedAfterwards => "failed afterwards",
            Self::Unsent => "unsent",
            Self::Unanswered => "unanswered",
            Self::Slow => "slow",
            Self::KilledBefore => "killed before",
            Self::KilledAfter => "killed after",
            Self::Dropped => "dropped",
            Self::Doubled => "doubled",
            Self::Delayed => "delayed",
            Self::Unswept => "unswept",
            Self::Expired => "expired",
            Self::DeadLettered => "dead-lettered",
            Self::PostRefused => "post refused",
            Self::PostFailed => "post failed",
            Self::PostUnheard => "post unheard",
            Self::PostSlow => "post slow",
            Self::ReceiverAway => "receiver away",
            Self::ReceiverBroken => "receiver broken",
            Self::ReceiverGone => "receiver gone",
        }
    }
}
