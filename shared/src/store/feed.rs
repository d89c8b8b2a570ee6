//! What waits for somebody, oldest first: an agent's stream, the reviewers' tasks.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

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
            let ids: Vec<_> = items.iter().filter_map(id).collect();
            let mut loaded = self.load_many(tenant, &ids).await?;
            let stored = ids.iter().filter_map(|id| loaded.remove(id));
            found.extend(stored.filter(|stored| wanted(stored)));
        }
        found.truncate(limit);
        Ok(found)
    }
}

fn id(item: &Item) -> Option<IntentId> {
    read_text(item, "intent")?.parse().ok()
}

fn offer(item: &Item) -> Option<Offer> {
    let (seq, _) = read_text(item, "sk")?.split_once('#')?;
    let shown = read_number(item, "shown").is_some();
    Some(Offer { seq: seq.parse().ok()?, intent: id(item)?, shown })
}
