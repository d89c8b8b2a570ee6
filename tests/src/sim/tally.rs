//! What was done, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use super::mishap::Mishap;

/// How much was done and how much went wrong.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// Intents, those that were born on the way included.
    pub intents: usize,
    /// Calls to the table and to queues.
    pub calls: usize,
    /// Invocations of functions.
    pub invocations: usize,
    /// Decisions that reviewers were told are taken.
    pub decisions: usize,
    /// Tools that agents ran.
    pub runs: usize,
    /// Posts that came to their receivers.
    pub posts: usize,
    /// Posts that those took.
    pub taken: usize,
    /// What went wrong, by kind.
    pub mishaps: BTreeMap<Mishap, usize>,
    /// How intents ended, by status.
    pub ends: BTreeMap<String, usize>,
}

impl Tally {
    pub(super) fn count(&mut self, mishap: Mishap) {
        *self.mishaps.entry(mishap).or_default() += 1;
    }
}

impl AddAssign<&Self> for Tally {
    fn add_assign(&mut self, other: &Self) {
        self.intents += other.intents;
        self.calls += other.calls;
        self.invocations += other.invocations;
        self.decisions += other.decisions;
        self.runs += other.runs;
        self.posts += other.posts;
        self.taken += other.taken;
        for (mishap, count) in &other.mishaps {
            *self.mishaps.entry(*mishap).or_default() += count;
        }
        for (status, count) in &other.ends {
            *self.ends.entry(status.clone()).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { intents, calls, invocations, decisions, runs, posts, taken, .. } = self;
        write!(f, "{intents} intents, {invocations} invocations, {calls} calls, ")?;
        write!(f, "{decisions} decisions acknowledged, {runs} tools run, ")?;
        writeln!(f, "{posts} posts, {taken} taken")?;
        write!(f, "ends:")?;
        for (status, count) in &self.ends {
            write!(f, " {status} {count}")?;
        }
        write!(f, "\nmishaps:")?;
        for mishap in Mishap::ALL {
            let count = self.mishaps.get(&mishap).copied().unwrap_or_default();
            write!(f, "\n  {:<18}{count}", mishap.name())?;
        }
        Ok(())
    }
}
