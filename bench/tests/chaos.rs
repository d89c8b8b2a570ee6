//! The real processes, while everything goes wrong at once: a bounded share of what `bench/chaos` does.

use std::time::Duration;

use bench::chaos::{Mishap, Settings, run};
use tests::binaries::binary;

/// Another number makes other faults; `bench/chaos --seed N` repeats what a number draws.
const SEED: u64 = 20_301_122;
/// How long things go wrong; what has not ended by then is waited for.
const LASTS: Duration = Duration::from_secs(45);
/// What a machine that runs other tests too can take.
const PER_SECOND: f64 = 4.0;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_doubled_while_everything_goes_wrong() {
    let exe = tokio::task::spawn_blocking(|| binary("holdpoint")).await.expect("it builds");
    let settings = Settings { exe, lasts: LASTS, seed: SEED, per_second: PER_SECOND };
    let outcome = run(&settings).await.expect("a run");
    eprintln!("{outcome}");
    assert!(outcome.is_clean(), "{outcome}");
    assert!(outcome.decisions > 10 && outcome.runs > 0, "hardly anything happened: {outcome}");
    let met = |mishap| outcome.faults.of(mishap) > 0;
    for mishap in [
        Mishap::FunctionKilled,
        Mishap::TableThrottled,
        Mishap::TableConflict,
        Mishap::TableUnheard,
        Mishap::TableUnanswered,
    ] {
        assert!(met(mishap), "nothing was {}: {outcome}", mishap.name());
    }
}
