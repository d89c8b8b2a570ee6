//! What goes wrong, and how often it did.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// One kind of fault.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Mishap {
    /// A function's process was killed.
    FunctionKilled,
    /// Everything was killed, queues were lost, and everything started again.
    PowerCut,
    /// The table said that it was asked too often.
    TableThrottled,
    /// The table said that it failed.
    TableFailed,
    /// The table said that another transaction was under way.
    TableConflict,
    /// The connection was closed before the table heard of the request.
    TableUnheard,
    /// The table did what it was asked, and the connection was closed before it could say so.
    TableUnanswered,
    /// The table answered late.
    TableSlow,
    /// A queue said that it has a message, and lost it.
    QueueDropped,
    /// A queue took a message twice.
    QueueDoubled,
    /// A queue said that it has a message, and let later ones go first.
    QueueHeld,
    /// A queue said that it failed.
    QueueFailed,
    /// A queue took a message, and the connection was closed before it could say so.
    QueueUnanswered,
    /// A queue answered late.
    QueueSlow,
}

/// Counts faults. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Mutex<BTreeMap<Mishap, u64>>>);

impl Mishap {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::FunctionKilled => "functions killed",
            Self::PowerCut => "restarts of everything",
            Self::TableThrottled => "table throttled",
            Self::TableFailed => "table failed",
            Self::TableConflict => "table in conflict",
            Self::TableUnheard => "table never heard",
            Self::TableUnanswered => "table never answered",
            Self::TableSlow => "table slow",
            Self::QueueDropped => "messages dropped",
            Self::QueueDoubled => "messages doubled",
            Self::QueueHeld => "messages held back",
            Self::QueueFailed => "queue failed",
            Self::QueueUnanswered => "queue never answered",
            Self::QueueSlow => "queue slow",
        }
    }
}

impl Tally {
    /// One more.
    pub fn count(&self, mishap: Mishap) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(mishap).or_default() += 1;
    }

    /// How often it happened.
    pub fn of(&self, mishap: Mishap) -> u64 {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&mishap).copied().unwrap_or_default()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let each: Vec<_> =
            counts.iter().map(|(mishap, count)| format!("{} {count}", mishap.name())).collect();
        f.write_str(&each.join(", "))
    }
}
