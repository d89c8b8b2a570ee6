//! The mesh: which agents are alive, what they report, and what happened to them.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::address::Address;

/// An agent that was heard within this time is healthy.
pub const HEALTHY_WITHIN: Duration = Duration::from_secs(90);
/// An agent that was heard within this time is degraded at worst.
pub const DEGRADED_WITHIN: Duration = Duration::from_mins(5);

/// Whether an agent is alive, by what was heard of it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Heard a moment ago.
    Healthy,
    /// Some heartbeats are missing.
    Degraded,
    /// Not heard for minutes, or never.
    Unreachable,
    /// Killed by an administrator, whatever is heard of it.
    Killed,
}

/// What an agent reports with its heartbeats: sums over all of them, but for the latency.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Metrics {
    /// Intents that it worked on.
    pub intents_total: u64,
    /// Those that went well.
    pub intents_succeeded: u64,
    /// Those that did not.
    pub intents_failed: u64,
    /// What they cost, in millionths of a dollar: sums of these are exact.
    pub cost_micro_usd: u64,
    /// The average latency that was reported last, in microseconds.
    pub avg_latency_us: Option<u64>,
}

/// The newest heartbeat of an agent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Beat {
    /// The agent.
    pub agent: Address,
    /// When it was heard.
    pub heard_at: Timestamp,
    /// What it has reported so far.
    pub metrics: Metrics,
}

/// Something that happened to an agent.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct MeshEvent {
    /// Its own name.
    pub id: String,
    /// What happened.
    pub kind: MeshEventKind,
    /// To whom.
    pub agent: Address,
    /// Whose doing it was.
    pub actor: String,
    /// When.
    pub at: Timestamp,
}

/// The kinds of what happens to agents.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeshEventKind {
    /// Its address was registered.
    Registered,
    /// An administrator killed it.
    Killed,
    /// An administrator let it go on.
    Resumed,
    /// Its service account was suspended.
    Suspended,
    /// Its service account is active again.
    Activated,
    /// Its service account was deleted.
    Deleted,
    /// It was heard again after some silence.
    Recovered {
        /// What it was in between.
        was: Health,
    },
}

impl Health {
    /// By the last heartbeat, at `now`.
    pub fn of(heard_at: Option<Timestamp>, now: Timestamp) -> Self {
        let silence = heard_at.map(|at| Duration::try_from(now.duration_since(at)));
        match silence {
            // A heartbeat from the future is one of another clock, and fresh.
            Some(Err(_)) => Self::Healthy,
            Some(Ok(silence)) if silence <= HEALTHY_WITHIN => Self::Healthy,
            Some(Ok(silence)) if silence <= DEGRADED_WITHIN => Self::Degraded,
            Some(Ok(_)) | None => Self::Unreachable,
        }
    }

    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unreachable => "unreachable",
            Self::Killed => "killed",
        }
    }
}

impl MeshEventKind {
    /// Its name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Registered => "agent.registered",
            Self::Killed => "agent.killed",
            Self::Resumed => "agent.resumed",
            Self::Suspended => "agent.suspended",
            Self::Activated => "agent.activated",
            Self::Deleted => "agent.deleted",
            Self::Recovered { .. } => "agent.recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(silence_s: Option<i64>, expected: Health) {
        let now = Timestamp::from_second(1_000_000).unwrap();
        let heard_at = silence_s.map(|s| Timestamp::from_second(1_000_000 - s).unwrap());
        assert_eq!(Health::of(heard_at, now), expected);
    }

    #[test]
    fn health_follows_from_the_silence() {
        check(None, Health::Unreachable);
        check(Some(-1), Health::Healthy);
        check(Some(0), Health::Healthy);
        check(Some(90), Health::Healthy);
        check(Some(91), Health::Degraded);
        check(Some(300), Health::Degraded);
        check(Some(301), Health::Unreachable);
    }
}
