//! Who ends processes, and now and then everything.

use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::mishap::{Mishap, Tally};
use super::weather::Weather;
use crate::Failure;
use crate::stage::{Stage, kill};

/// The pauses between two kills, in milliseconds: with a dozen functions each dies several times a
/// minute.
const PAUSE_MS: std::ops::Range<u64> = 400..1_600;
/// The time between two restarts of everything, in milliseconds.
const POWER_CUT_MS: std::ops::Range<u64> = 40_000..80_000;
/// How long one start may be spared, so that functions of a loaded machine come up at all.
const GRACE: Duration = Duration::from_secs(3);

/// Kills until it is told to stop, and gives the stack back.
pub(super) async fn kill_until(
    mut stage: Stage,
    weather: Weather,
    tally: Tally,
    mut stop: oneshot::Receiver<()>,
) -> Result<Stage, Failure> {
    let mut cut_at = Instant::now() + weather.ms(POWER_CUT_MS);
    loop {
        tokio::select! {
            _ = &mut stop => return Ok(stage),
            () = sleep(weather.ms(PAUSE_MS)) => {}
        }
        if Instant::now() >= cut_at {
            tally.count(Mishap::PowerCut);
            // A start that fails is a fault of the weather; the stack is to survive it, not to be born in it.
            weather.set_bad(false);
            stage = stage.power_cut().await?;
            weather.set_bad(true);
            cut_at = Instant::now() + weather.ms(POWER_CUT_MS);
            sleep(GRACE).await;
            continue;
        }
        let processes = stage.stack.processes();
        if let Some((_, pid)) = processes.get(weather.one_of(processes.len())) {
            kill(*pid).await;
            tally.count(Mishap::FunctionKilled);
        }
    }
}
