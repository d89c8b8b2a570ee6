//! The core is pure, so it is asked once; what came of it is remembered by what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::deed::Deed;
use crate::model::Check;
use crate::promise::Promise;
use crate::state::{Stored, Table, print_of};
use crate::transaction::{Written, write};

/// What a model remembers.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// What came of a deed on a state at a time.
    outcomes: Mutex<HashMap<u64, Arc<Outcome>>>,
    /// What came of states in which everybody fell silent.
    drained: Mutex<HashMap<u64, Option<Promise>>>,
}

/// What comes of a deed.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is refused.
    Refused,
    /// There is nothing to do.
    Nothing,
    /// It is to be written.
    Writes(Written),
}

impl Check {
    /// What the core makes of `deed` on `base` at `now`.
    pub(crate) fn outcome(
        &self,
        table: &Table,
        deed: &Deed,
        base: &Stored,
        now: Timestamp,
    ) -> Arc<Outcome> {
        let child = if let Deed::News { child, .. } = deed { table.get(child) } else { None };
        let print = print_of(&(deed, base, now, child));
        let outcomes = || self.memory.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        let known = outcomes().get(&print).cloned();
        known.unwrap_or_else(|| {
            let outcome = Arc::new(self.ask_core(table, deed, base, now));
            outcomes().insert(print, outcome.clone());
            outcome
        })
    }

    fn ask_core(&self, table: &Table, deed: &Deed, base: &Stored, now: Timestamp) -> Outcome {
        let Some(command) = deed.command(&self.shape, table, now) else { return Outcome::Nothing };
        match self.rules.decide(&base.intent, &command, now) {
            Err(_) => Outcome::Refused,
            Ok(events) if events.is_empty() => Outcome::Nothing,
            Ok(events) => write(self.rules, Some(base), &command, events)
                .map_or(Outcome::Refused, Outcome::Writes),
        }
    }

    /// What is known under `print`, or what `drain` finds out.
    pub(crate) fn drained(
        &self,
        print: u64,
        drain: impl FnOnce() -> Option<Promise>,
    ) -> Option<Promise> {
        let drained = || self.memory.drained.lock().unwrap_or_else(PoisonError::into_inner);
        let known = drained().get(&print).copied();
        known.unwrap_or_else(|| {
            let broken = drain();
            drained().insert(print, broken);
            broken
        })
    }
}
