//! The core is pure, so it is asked once; what came of it is remembered by what it was asked.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use shared::intent::Command;

use crate::coverage::{self, Name};
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
    /// What was ever written, by its names: commands, events and messages.
    covered: Mutex<BTreeSet<Name>>,
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
        let command = deed.command(&self.shape, table, &base.intent, now);
        let Some(command) = command else { return Outcome::Nothing };
        match self.rules.decide(&base.intent, &command, now) {
            Err(_) => Outcome::Refused,
            Ok(events) if events.is_empty() => Outcome::Nothing,
            Ok(events) => {
                let written = write(self.rules, Some(base), &command, events);
                if let Some(written) = &written {
                    self.cover(&command, written);
                }
                written.map_or(Outcome::Refused, Outcome::Writes)
            }
        }
    }

    /// Notes what `command` has led to.
    pub(crate) fn cover(&self, command: &Command, written: &Written) {
        let mut covered = self.memory.covered.lock().unwrap_or_else(PoisonError::into_inner);
        covered.insert(coverage::of_command(command));
        let births = written.born.iter().flat_map(|child| child.history.iter());
        let events = births.flat_map(|link| &link.events).chain(&written.events);
        covered.extend(events.map(|event| coverage::of_event(&event.kind)));
        covered.extend(written.owed.iter().map(|mail| mail.name()));
    }

    /// The names of all commands that have led to something, of the events that they led to, and of
    /// the messages that these owed.
    pub fn covered(&self) -> BTreeSet<Name> {
        self.memory.covered.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
