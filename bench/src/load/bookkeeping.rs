//! What was promised, so that it can be looked for in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::id::IntentId;
use shared::intent::Status;
use tests::check::Ledger;

/// The promises of one run.
#[derive(Debug, Default)]
pub(super) struct Books(Mutex<Promises>);

/// What callers were told with success.
#[derive(Debug, Default)]
pub(super) struct Promises {
    pub(super) made: BTreeSet<IntentId>,
    pub(super) decided: BTreeSet<IntentId>,
    /// Decisions that were asked for and not confirmed: they may stand.
    pub(super) unsure: BTreeSet<IntentId>,
}

impl Books {
    pub(super) fn note(&self) -> MutexGuard<'_, Promises> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Promises that the table does not keep.
    pub(super) fn losses(&self, ledger: &Ledger) -> Vec<String> {
        let promises = self.note();
        let stored: BTreeMap<_, _> = ledger.states().collect();
        let mut lost = Vec::new();
        for id in &promises.made {
            let Some(state) = stored.get(id) else {
                lost.push(format!("{id} was taken and is not there"));
                continue;
            };
            let status = state.status();
            let expected = if promises.decided.contains(id) {
                status == Status::Completed
            } else {
                status == Status::Waiting || promises.unsure.contains(id)
            };
            if !expected {
                lost.push(format!("{id} is {}", status.name()));
            }
        }
        let (made, there) = (promises.made.len(), stored.len());
        if there < made {
            lost.push(format!("{made} intents were taken, {there} are there"));
        }
        lost
    }
}
