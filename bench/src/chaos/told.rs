//! What callers were told, and what they did on the strength of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shared::id::IntentId;
use tests::check::Told;

use super::errand::Kind;
use super::wrapper::SKEW_MS_MAX;

/// Everything that somebody was answered.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// What is promised by it.
    pub(super) told: Told,
    /// The errands that were ever sent, answered or not.
    pub(super) tried: usize,
    /// The intents that errands were said to be.
    pub(super) sent: BTreeMap<IntentId, Kind>,
    /// What no caller may ever be answered.
    pub(super) absurd: Vec<String>,
    /// Answers by status; 0 is none at all.
    pub(super) statuses: BTreeMap<u16, u64>,
}

/// What everybody writes down in. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Answered>>);

impl Default for Answered {
    fn default() -> Self {
        Self {
            told: Told::within(SKEW_MS_MAX),
            tried: 0,
            sent: BTreeMap::new(),
            absurd: Vec::new(),
            statuses: BTreeMap::new(),
        }
    }
}

impl Answered {
    /// Somebody is about to send the errand of this name for the first time.
    pub(super) fn tries(&mut self, errand: &str) {
        self.tried += 1;
        self.told.tries(errand);
    }

    /// Somebody was told that the errand of this name is this intent.
    pub(super) fn sent(&mut self, errand: &str, (kind, id): (Kind, IntentId)) {
        self.told.sent(errand, id);
        self.sent.insert(id, kind);
    }
}

impl Journal {
    /// Writes something down.
    pub(super) fn note(&self) -> MutexGuard<'_, Answered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
