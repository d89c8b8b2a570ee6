//! What came of a run.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use tests::check::{Ledger, Violation};

use super::mishap::Tally;

/// Violations that a report shows whole.
const SHOWN_MAX: usize = 10;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    /// Where chance began.
    pub seed: u64,
    /// By how much each function's clock was wrong, in milliseconds.
    pub skew_ms: BTreeMap<String, i64>,
    /// Errands that were sent, acknowledged or not.
    pub sent: usize,
    /// Intents that came of them, children included.
    pub intents: usize,
    /// Events in their histories.
    pub events: usize,
    /// Decisions that reviewers were told are taken.
    pub decisions: usize,
    /// How often agents ran a tool that may run once.
    pub runs: usize,
    /// How the intents ended, or stand.
    pub ends: BTreeMap<String, usize>,
    /// What callers were answered in the end, by status; 0 is no answer at all.
    pub answers: BTreeMap<u16, u64>,
    /// What went wrong, and how often.
    pub faults: Tally,
    /// Intents that ended only after a restart, since a queue had lost what they waited for: how many
    /// there were of each kind, with their status and what they waited for.
    pub waited_for_news: BTreeMap<String, usize>,
    /// Errands that never ended.
    pub never_ended: usize,
    /// How long everything took to end once nothing went wrong any more.
    pub drained_in: Duration,
    /// What must not be.
    pub findings: Vec<Finding>,
}

/// Something that must not be, and how it came to that.
#[derive(Debug)]
pub struct Finding {
    /// What is wrong.
    pub violation: Violation,
    /// What happened to the intent that it is about, if it is about one.
    pub history: Vec<String>,
}

impl Finding {
    pub(super) fn of(violation: Violation, ledger: &Ledger) -> Self {
        let history = ledger.story(&violation.subject);
        Self { violation, history }
    }
}

impl Outcome {
    /// Whether everything is as it must be.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty() && self.never_ended == 0
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, sent, intents, events, decisions, runs, .. } = self;
        writeln!(f, "seed {seed}")?;
        writeln!(
            f,
            "{sent} errands, {intents} intents, {events} events, {decisions} decisions, {runs} tool \
             runs"
        )?;
        writeln!(f, "ends: {}", listed(&self.ends))?;
        writeln!(f, "answers: {}", listed(&self.answers))?;
        writeln!(f, "faults: {}", self.faults)?;
        if self.skew_ms.is_empty() {
            writeln!(f, "clocks: right, since libfaketime is not installed")?;
        } else {
            writeln!(f, "clocks, in ms: {}", listed(&self.skew_ms))?;
        }
        writeln!(
            f,
            "drained in {} s; {} waited for news that a queue had lost ({}); {} never ended",
            self.drained_in.as_secs(),
            self.waited_for_news.values().sum::<usize>(),
            listed(&self.waited_for_news),
            self.never_ended
        )?;
        write!(f, "violations: {}", self.findings.len())?;
        for Finding { violation, history } in self.findings.iter().take(SHOWN_MAX) {
            write!(f, "\n{violation}")?;
            for line in history {
                write!(f, "\n  {line}")?;
            }
        }
        Ok(())
    }
}

fn listed<K: fmt::Display, V: fmt::Display>(counts: &BTreeMap<K, V>) -> String {
    let each: Vec<_> = counts.iter().map(|(key, count)| format!("{key} {count}")).collect();
    each.join(", ")
}
