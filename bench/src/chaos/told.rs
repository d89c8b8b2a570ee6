//! What callers were told, and what they did on the strength of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use shared::digest::Digest;
use shared::id::IntentId;

use super::errand::Kind;

/// Everything that somebody was answered with success.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    /// The names of errands that were ever sent, answered or not.
    pub(super) tried: BTreeSet<String>,
    /// The intents that they were said to be.
    pub(super) sent: BTreeMap<String, (Kind, IntentId)>,
    pub(super) decided: Vec<Decided>,
    pub(super) canceled: Vec<IntentId>,
    pub(super) completed: Vec<(IntentId, Value)>,
    /// Each time that a tool ran: for which intent's call, under which claim.
    pub(super) ran: Vec<(IntentId, String, Digest)>,
    /// What no caller may ever be answered.
    pub(super) absurd: Vec<String>,
    /// Answers by status; 0 is none at all.
    pub(super) statuses: BTreeMap<u16, u64>,
}

/// A decision that a reviewer was told is taken.
#[derive(Clone, Debug)]
pub(super) struct Decided {
    pub(super) intent: IntentId,
    pub(super) by: String,
    pub(super) yes: bool,
    pub(super) digest: Digest,
}

/// What everybody writes down in. Clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Journal(Arc<Mutex<Told>>);

impl Journal {
    /// Writes something down.
    pub(super) fn note(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
