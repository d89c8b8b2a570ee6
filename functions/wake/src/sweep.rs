//! The schedule's look at the timers.

use std::time::Duration;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde::Serialize;
use shared::error::Error;
use shared::message::Message;
use shared::metric::{self, Metric};
use shared::queue::{DELAY_SECONDS_MAX, Failure};
use shared::store::{TIMER_SHARDS, Timer, Underway};
use shared::trace::Kind;
use tracing::info;

use super::{WakeError, Waker};

/// How far ahead a sweep looks: to the next one, and half as far again for one that comes late.
const SWEEP_AHEAD: Duration = Duration::from_secs(90);
/// The most timers that one sweep of one shard hands over; the rest waits for the next sweep.
const TIMERS_PER_SHARD_MAX: usize = 20_000;

/// What a sweep found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Swept {
    /// Timers handed to the queue.
    pub timers: usize,
}

impl Waker {
    /// Looks at the timers, as a unit of work. What it sends begins traces
    /// of its own: the timers have nothing in common but the moment.
    pub(super) async fn sweep_traced(&self, restart: bool) -> Result<Swept, WakeError> {
        let unit = self.app.begin(None);
        let swept = self.sweep(restart).await;
        let failure = swept.as_ref().err().map(Failure::reason);
        let span = unit.end(self.app.now(), |span| {
            span.named(Kind::Internal, "sweep".to_owned())
                .with("faas.trigger", "timer")
                .failed(failure.map(|reason| reason.code()))
        });
        self.app.export(span.into_iter().collect()).await;
        swept
    }

    /// Hands timers that fall due before the next sweep to the queue, with the exact delay. After a
    /// restart it goes through every live intent, since each has a timer.
    pub(super) async fn sweep(&self, restart: bool) -> Result<Swept, WakeError> {
        let now = self.app.now();
        let ahead = now.checked_add(SWEEP_AHEAD).unwrap_or(Timestamp::MAX);
        let until = if restart { Timestamp::MAX } else { ahead };
        let shards = (0..TIMER_SHARDS).map(|shard| self.sweep_shard(shard, until, now, restart));
        // Each goes as far as it can, so that what ails one does not keep the others' timers back.
        let handed: Result<Vec<usize>, _> = join_all(shards).await.into_iter().collect();
        let timers = handed?.into_iter().sum();
        if restart {
            self.recover_deliveries().await?;
        }
        let tenant = self.app.tenant();
        self.app.store().note_sweep(tenant, self.app.now()).await.map_err(Error::from)?;
        metric::count(&Metric::Sweeps, 1, self.app.now());
        info!(timers, restart, "timers handed over");
        Ok(Swept { timers })
    }

    async fn sweep_shard(
        &self,
        shard: u8,
        until: Timestamp,
        now: Timestamp,
        restart: bool,
    ) -> Result<usize, WakeError> {
        let tenant = self.app.tenant();
        let mut handed = 0;
        let mut after: Option<Timer> = None;
        while handed < TIMERS_PER_SHARD_MAX {
            let timers = self.app.store().timers_due(tenant, shard, after, until).await;
            let timers = timers.map_err(Error::from)?;
            let Some(last) = timers.last() else { break };
            after = Some(*last);
            let owed: Vec<_> =
                timers.iter().flat_map(|timer| self.owed(timer, now, restart)).collect();
            self.queues.send_all(&owed).await?;
            handed += timers.len();
        }
        Ok(handed)
    }

    /// What is sent for a timer, each message with its delay.
    fn owed(&self, timer: &Timer, now: Timestamp, restart: bool) -> Vec<(Message, Duration)> {
        let (tenant, intent) = (self.app.tenant().to_owned(), timer.intent);
        let mut owed = vec![];
        if restart {
            owed.push((Message::Recover { tenant: tenant.clone(), intent }, Duration::ZERO));
        }
        let delay = Duration::try_from(timer.due_at.duration_since(now)).unwrap_or(Duration::ZERO);
        if delay <= SWEEP_AHEAD || (restart && delay <= Duration::from_secs(DELAY_SECONDS_MAX)) {
            let Timer { due_at, put_back, .. } = *timer;
            owed.push((Message::Wake { tenant, intent, due_at, put_back }, delay));
        }
        owed
    }

    /// Sends once more what published events of late still wait for. Attempts that are due later are
    /// sent on by their consumer.
    async fn recover_deliveries(&self) -> Result<(), WakeError> {
        let (store, tenant) = (self.app.store(), self.app.tenant());
        let mut after: Option<Underway> = None;
        loop {
            let found = store.underway(tenant, after).await.map_err(Error::from)?;
            let Some(last) = found.last() else { return Ok(()) };
            after = Some(*last);
            for underway in &found {
                let deliveries = store.deliveries(tenant, underway.event).await;
                let owed: Vec<_> = deliveries
                    .map_err(Error::from)?
                    .iter()
                    .filter_map(|delivery| delivery.value.due(tenant))
                    .map(|due| (Message::Delivery(due), Duration::ZERO))
                    .collect();
                self.queues.send_all(&owed).await?;
            }
        }
    }
}
