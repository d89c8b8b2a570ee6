//! Whole stories.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use tests::sim::{Plan, Report, Tally, simulate};

#[track_caller]
fn told(seed: u64) -> Report {
    let report = simulate(Plan::of(seed));
    let violations: Vec<_> = report.violations.iter().map(ToString::to_string).collect();
    let (seed, digest) = (report.seed, &report.digest);
    assert!(violations.is_empty(), "seed {seed}, trace {digest}:\n{}", violations.join("\n"));
    report
}

#[test]
fn one_seed_is_one_story_to_the_last_byte_of_its_trace() {
    let (one, other) = (told(7), told(7));
    let differing = one.trace.lines().zip(other.trace.lines()).find(|(one, other)| one != other);
    assert_eq!(differing, None);
    assert_eq!((one.trace, one.digest), (other.trace, other.digest));
}

/// The first seed of those that every change is tried with.
const FIRST: u64 = 1;
/// How many there are: about a minute of two cores. `bench/faults` has time for more.
const COUNT: u64 = 6;
const LAST: u64 = FIRST + COUNT;
/// So many kinds of mishap happen in them at least; the others are rare.
const KINDS_MIN: usize = 8;

#[test]
fn whatever_goes_wrong_every_intent_ends_once_and_as_its_people_were_told() {
    let next = AtomicU64::new(FIRST);
    let sum = Mutex::new(Tally::default());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let seed @ ..LAST = next.fetch_add(1, Ordering::SeqCst) {
                    *sum.lock().unwrap() += &told(seed).tally;
                }
            });
        }
    });
    let sum = sum.into_inner().unwrap();
    eprintln!("{sum}");
    // Otherwise it would not have been tried.
    assert!(sum.mishaps.len() > KINDS_MIN, "{sum}");
    for status in ["COMPLETED", "FAILED", "CANCELED", "TIMED_OUT"] {
        assert!(sum.ends.contains_key(status), "nothing ended as {status}: {:?}", sum.ends);
    }
    assert!(sum.runs > 0 && sum.decisions > 0, "{sum}");
}
