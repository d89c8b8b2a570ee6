//! What happens by the clock: the schedule's sweeps, and TTL.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use wake::{Call, Schedule};

use super::mishap::Mishap;
use super::stage::Stage;

/// Between two sweeps. The template's.
const MINUTE: Duration = Duration::from_mins(1);
/// Between two looks of TTL, in seconds.
const TTL_SECONDS: std::ops::Range<u64> = 10..90;
/// How early TTL may be, in seconds: the table's clock is ahead of the world's.
const TTL_EARLY_S: i64 = 2;

/// Sweeps every minute, but for outages. It never ends.
pub(super) async fn sweep(stage: Arc<Stage>, mut rng: Rng) {
    loop {
        tokio::time::sleep(MINUTE).await;
        let weather = stage.weather();
        if rng.u32(0..100) < weather.outages_percent {
            let minutes = rng.u32(1..=u32::try_from(weather.outage_minutes_max).unwrap_or(1));
            for _ in 0..minutes {
                stage.crossing.count(Mishap::Unswept);
            }
            tokio::time::sleep(MINUTE * minutes).await;
        }
        let waker = stage.functions(&mut rng).waker;
        let call = Call::Schedule(Schedule { sweep: true, restart: false });
        let swept = async move { wake::handle(&waker, call).await.is_ok() };
        stage.invoke("sweep", MINUTE, swept).await;
    }
}

/// Removes what is over, more or less late. It never ends.
pub(super) async fn expire(stage: Arc<Stage>, mut rng: Rng) {
    loop {
        tokio::time::sleep(Duration::from_secs(rng.u64(TTL_SECONDS))).await;
        let late_s_max = stage.weather().ttl_late_s_max;
        let late_s = rng.i64(-TTL_EARLY_S..=late_s_max);
        let until_s = stage.clock.now(0).as_second() - late_s;
        for _ in 0..stage.shelf.expire(until_s) {
            stage.crossing.count(Mishap::Expired);
        }
    }
}
