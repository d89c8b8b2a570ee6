//! Lists of intents: an agent's stream, the reviewers' tasks, what was sent lately.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::{Timestamp, ToSpan as _};

use super::commit::Stored;
use super::item::{Item, number, primary_key, read_number, read_text};
use super::place::{self, Place};
use super::{Store, StoreError, unavailable};
use crate::address::Address;
use crate::id::IntentId;

/// The most entries that one read of a list returns.
const ENTRIES_PER_READ_MAX: i32 = 100;
/// How far back a reader of an agent's stream looks for offers that became visible late, in
/// microseconds: an offer takes its place from the clock before it is written.
const LATE_OFFERS_US: u64 = 60_000_000;
/// The most days that a list of recent intents goes back.
const DAYS_BACK_MAX: i32 = 31;

/// An intent that waits for its agent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Its place on the agent's stream.
    pub seq: u64,
    /// The intent.
    pub intent: IntentId,
    /// Whether a listener has been shown it.
    shown: bool,
}

impl Store {
    /// Offers for `agent` after place `since`, together with earlier ones that became visible late.
    pub async fn offers(
        &self,
        tenant: &str,
        agent: &Address,
        since: u64,
    ) -> Result<Vec<Offer>, StoreError> {
        let pk = place::agents_stream(tenant, agent);
        let new = |offer: &Offer| offer.seq > since || !offer.shown;
        let mut from = format!("{:020}", since.saturating_sub(LATE_OFFERS_US));
        let mut found = Vec::new();
        // What was shown already must not crowd out what is new, however much of it there is.
        while found.is_empty() {
            let items = self.range(pk.clone(), &from, "~", ENTRIES_PER_READ_MAX, false).await?;
            let Some(last) = items.last().and_then(|item| read_text(item, "sk")) else { break };
            last.clone_into(&mut from);
            found.extend(items.iter().filter_map(offer).filter(new));
        }
        Ok(found)
    }

    /// Notes that a listener was shown these offers, so that they are not late ones.
    pub async fn mark_shown(
        &self,
        tenant: &str,
        agent: &Address,
        offers: &[Offer],
    ) -> Result<(), StoreError> {
        for offer in offers.iter().filter(|offer| !offer.shown) {
            let place = Place::offer(tenant, agent, offer.seq, offer.intent);
            let marked = self
                .client
                .update_item()
                .table_name(&self.table)
                .set_key(Some(primary_key(place)))
                .condition_expression("attribute_exists(pk)")
                .update_expression("SET shown = :yes")
                .expression_attribute_values(":yes", number(1))
                .send()
                .await;
            match marked {
                Ok(_) => {}
                // The agent was quicker than this note: the offer is gone already.
                Err(error)
                    if error
                        .as_service_error()
                        .is_some_and(UpdateItemError::is_conditional_check_failed_exception) => {}
                Err(error) => return Err(unavailable(error)),
            }
        }
        Ok(())
    }

    /// Intents that wait for a person and are `wanted`, oldest first, at most `limit`.
    pub async fn tasks(
        &self,
        tenant: &str,
        limit: usize,
        wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::new();
        let mut from = String::new();
        while found.len() < limit {
            let pk = place::tasks(tenant);
            let items = self.range(pk, &from, "~", ENTRIES_PER_READ_MAX, false).await?;
            let Some(last) = items.last().and_then(|item| read_text(item, "sk")) else { break };
            last.clone_into(&mut from);
            let loaded = self.load_each(tenant, &items).await?;
            found.extend(loaded.into_iter().filter(|stored| wanted(stored)));
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Intents that were sent lately and are `wanted`, newest first, at most `limit`.
    pub async fn recent(
        &self,
        tenant: &str,
        now: Timestamp,
        limit: usize,
        wanted: impl Fn(&Stored) -> bool,
    ) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::new();
        for days in 0..DAYS_BACK_MAX {
            let Ok(day) = now.checked_sub((24 * i64::from(days)).hours()) else { break };
            let pk = place::day(tenant, day);
            let mut before = "~".to_owned();
            loop {
                let items = self.range(pk.clone(), "", &before, ENTRIES_PER_READ_MAX, true).await?;
                let Some(oldest) = items.last().and_then(|item| read_text(item, "sk")) else {
                    break;
                };
                before = just_before(oldest);
                let loaded = self.load_each(tenant, &items).await?;
                found.extend(loaded.into_iter().filter(|stored| wanted(stored)));
                if found.len() >= limit {
                    found.truncate(limit);
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    async fn load_each(&self, tenant: &str, items: &[Item]) -> Result<Vec<Stored>, StoreError> {
        let mut found = Vec::with_capacity(items.len());
        for id in items.iter().filter_map(id) {
            found.extend(self.load(tenant, id).await?);
        }
        Ok(found)
    }
}

/// A sort key that excludes `sk` and all behind it from a range that includes its end. Sort keys end
/// in an id, so one that is cut short sorts before the whole.
pub(super) fn just_before(sk: &str) -> String {
    let mut cut = sk.to_owned();
    cut.pop();
    cut
}

fn id(item: &Item) -> Option<IntentId> {
    read_text(item, "intent")?.parse().ok()
}

fn offer(item: &Item) -> Option<Offer> {
    let (seq, _) = read_text(item, "sk")?.split_once('#')?;
    let shown = read_number(item, "shown").is_some();
    Some(Offer { seq: seq.parse().ok()?, intent: id(item)?, shown })
}
