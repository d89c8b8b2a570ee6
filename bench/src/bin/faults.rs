//! `faults`: tells one story after another in which everything goes wrong, until the time is over.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bench::say;
use clap::Parser;
use tests::sim::{Plan, Report, Tally, simulate};

/// Between two lines that say how far it is.
const NEWS: Duration = Duration::from_secs(30);

/// Simulates whole deployments with faults, one seed after another, and checks their histories.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long to go on, in minutes; 0 for the one seed alone.
    #[arg(long, default_value_t = 1)]
    minutes: u64,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many stories at a time.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Where the trace of the one seed, or of the first that fails, is written.
    #[arg(long)]
    trace: Option<PathBuf>,
}

/// What all threads have found.
#[derive(Debug, Default)]
struct Found {
    seeds: u64,
    tally: Tally,
    failed: BTreeSet<u64>,
    said_at: Option<Instant>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (next, found) = (AtomicU64::new(arguments.seed), Mutex::new(Found::default()));
    let has_failed = AtomicBool::new(false);
    let begun = Instant::now();
    let over = || {
        let time_is_over = begun.elapsed() >= Duration::from_mins(arguments.minutes);
        time_is_over || has_failed.load(Ordering::SeqCst)
    };
    let threads = if arguments.minutes == 0 { 1 } else { arguments.threads.max(1) };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let report = simulate(Plan::of(next.fetch_add(1, Ordering::SeqCst)));
                    if !report.violations.is_empty() {
                        has_failed.store(true, Ordering::SeqCst);
                    }
                    note(&arguments, &found, &report);
                    if over() {
                        return;
                    }
                }
            });
        }
    });
    let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&format!("{} seeds in {} s\n{}", found.seeds, begun.elapsed().as_secs(), found.tally));
    if found.failed.is_empty() {
        say("violations: none");
        return ExitCode::SUCCESS;
    }
    for seed in &found.failed {
        say(&format!("violations with seed {seed}: bench/faults --minutes 0 --seed {seed}"));
    }
    ExitCode::FAILURE
}

/// Adds a report to what was found, and says what nobody may miss.
fn note(arguments: &Arguments, found: &Mutex<Found>, report: &Report) {
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    found.seeds += 1;
    found.tally += &report.tally;
    let now = Instant::now();
    if found.said_at.is_none_or(|at| now.duration_since(at) >= NEWS) {
        found.said_at = Some(now);
        say(&format!("seed {}: {} intents so far", report.seed, found.tally.intents));
    }
    let is_first = found.failed.is_empty();
    if !report.violations.is_empty() {
        found.failed.insert(report.seed);
        say(&format!("seed {}, trace {}", report.seed, report.digest));
        for violation in &report.violations {
            say(&format!("  {violation}"));
        }
    }
    let is_wanted = arguments.minutes == 0 || (is_first && !report.violations.is_empty());
    if let Some(path) = arguments.trace.as_ref().filter(|_| is_wanted)
        && let Err(error) = std::fs::write(path, &report.trace)
    {
        say(&format!("the trace cannot be written: {error}"));
    }
}
