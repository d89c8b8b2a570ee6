//! The facts from which a deployment is diagnosed.

use jiff::Timestamp;

use super::{App, DeadLetterFilter};
use crate::diagnosis::{Facts, Settings, WAKE_LATE_MAX, Waiting};
use crate::error::Error;
use crate::mesh::Health;
use crate::principal::{Principal, Role};
use crate::store::{TIMER_SHARDS, TIMERS_PER_READ_MAX};

/// The most dead letters that are counted.
const DEAD_LETTERS_MAX: usize = 100;

impl App {
    /// What is known of this deployment. `settings` come from whoever started the function.
    pub async fn facts(&self, by: &Principal, settings: Settings) -> Result<Facts, Error> {
        self.require(by, &[Role::Admin])?;
        let (mut silent_agents, mut killed_agents) = (vec![], vec![]);
        for agent in self.mesh_agents().await? {
            let address = agent.route.address.uri();
            match agent.health {
                Health::Killed => killed_agents.push(address),
                // Whoever was never heard may be one that reports nothing.
                Health::Unreachable if agent.beat.is_some() => silent_agents.push(address),
                Health::Healthy | Health::Degraded | Health::Unreachable => {}
            }
        }
        Ok(Facts {
            now: self.now(),
            swept_at: self.store().swept_at(self.tenant()).await?,
            late_wakes: self.late_wakes().await?,
            dead_letters: self.waiting_dead_letters(by).await?,
            silent_agents,
            killed_agents,
            settings,
        })
    }

    async fn late_wakes(&self) -> Result<Waiting, Error> {
        let late = self.now().checked_sub(WAKE_LATE_MAX).unwrap_or(Timestamp::MIN);
        let mut waiting = Waiting::default();
        for shard in 0..TIMER_SHARDS {
            let timers = self.store().timers_due(self.tenant(), shard, None, late).await?;
            waiting.count += timers.len();
            // What one read returns is enough to know that something is wrong.
            waiting.or_more |= timers.len() >= usize::from(TIMERS_PER_READ_MAX);
            let oldest = timers.first().map(|timer| timer.due_at);
            waiting.since = [waiting.since, oldest].into_iter().flatten().min();
        }
        Ok(waiting)
    }

    async fn waiting_dead_letters(&self, by: &Principal) -> Result<Waiting, Error> {
        let all = DeadLetterFilter::default();
        let page = self.dead_letters(by, all, None, DEAD_LETTERS_MAX).await?;
        Ok(Waiting {
            count: page.letters.len(),
            or_more: page.next.is_some(),
            since: page.letters.first().map(|letter| letter.sent_at),
        })
    }
}
