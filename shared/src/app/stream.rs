//! Held streams: looking at the table until there is something to say, or the time is up.

use std::time::Duration;

use tokio::time::Instant;

use super::App;
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::Intent;
use crate::intent::record::Recorded;

/// The first pause between two looks; it grows up to the deployment's interval.
const POLL_FIRST: Duration = Duration::from_millis(2);

/// What a held stream found.
#[derive(Debug)]
pub struct Held<T> {
    /// What is new; empty if the time was up first.
    pub items: Vec<T>,
    /// Where to go on from.
    pub next_seq: u64,
}

impl App {
    /// Events of an intent after `since`.
    pub async fn events(&self, id: IntentId, since: u64) -> Result<Vec<Recorded>, Error> {
        let commits = self.store().history(self.tenant(), id, since).await?;
        let records = commits.into_iter().flat_map(|commit| commit.records);
        Ok(records.filter(|record| record.event.seq > since).collect())
    }

    /// All events of an intent up to number `last`.
    pub async fn events_until(&self, id: IntentId, last: u64) -> Result<Vec<Recorded>, Error> {
        let mut all: Vec<Recorded> = Vec::new();
        loop {
            let since = all.last().map_or(0, |record| record.event.seq);
            let more = self.events(id, since).await?;
            let is_done = more.is_empty() || more.iter().any(|record| record.event.seq >= last);
            all.extend(more.into_iter().filter(|record| record.event.seq <= last));
            if is_done {
                return Ok(all);
            }
        }
    }

    /// Waits up to `wait` for events of an intent after `since`.
    pub async fn hold_events(
        &self,
        id: IntentId,
        since: u64,
        wait: Duration,
    ) -> Result<Held<Recorded>, Error> {
        let mut patience = self.patience(wait);
        let mut items = self.events(id, since).await?;
        while items.is_empty() && patience.pause().await {
            items = self.events(id, since).await?;
        }
        let next_seq = items.last().map_or(since, |record| record.event.seq);
        Ok(Held { items, next_seq })
    }

    /// Waits up to `wait` for intents that are `agent`'s to do and have places after `since`.
    pub async fn hold_offers(
        &self,
        agent: &Address,
        since: u64,
        wait: Duration,
    ) -> Result<Held<(u64, Intent)>, Error> {
        let mut patience = self.patience(wait);
        let mut items = self.offers(agent, since).await?;
        while items.is_empty() && patience.pause().await {
            items = self.offers(agent, since).await?;
        }
        let next_seq = items.iter().map(|(seq, _)| *seq).fold(since, u64::max);
        Ok(Held { items, next_seq })
    }

    async fn offers(&self, agent: &Address, since: u64) -> Result<Vec<(u64, Intent)>, Error> {
        let offers = self.store().offers(self.tenant(), agent, since).await?;
        let mut found = Vec::with_capacity(offers.len());
        for offer in &offers {
            let stored = self.store().load(self.tenant(), offer.intent).await?;
            let live = stored.filter(|stored| stored.intent.offered() == Some(offer.seq));
            found.extend(live.map(|stored| (offer.seq, stored.intent)));
        }
        self.store().mark_shown(self.tenant(), agent, &offers).await?;
        Ok(found)
    }

    fn patience(&self, wait: Duration) -> Patience {
        let pause_max = self.config().stream_poll;
        let ends_at = Instant::now() + wait;
        Patience { ends_at, pause: POLL_FIRST.min(pause_max), pause_max }
    }
}

/// How much longer a stream is held, and how long until the next look.
struct Patience {
    ends_at: Instant,
    pause: Duration,
    pause_max: Duration,
}

impl Patience {
    /// Pauses, and says whether there is time for another look.
    async fn pause(&mut self) -> bool {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        tokio::time::sleep(self.pause.min(left)).await;
        self.pause = (self.pause * 3 / 2).min(self.pause_max);
        !left.is_zero()
    }
}
