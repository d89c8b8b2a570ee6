//! Offers: an agent's stream, and how often each was shown.

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use jiff::Timestamp;

use super::item::{Item, number, primary_key, read_number, read_text};
use super::place::{self, Place};
use super::{Store, StoreError, unavailable};
use crate::address::Address;
use crate::id::IntentId;

/// The most offers that one read of a stream returns.
const OFFERS_PER_READ_MAX: i32 = 100;
/// The most offers that one look back returns. Its items are small and mostly read over.
const OFFERS_PER_LOOK_BACK_MAX: i32 = 1_000;

/// An intent that waits for its agent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer {
    /// Its place on the agent's stream.
    pub seq: u64,
    /// The intent.
    pub intent: IntentId,
    /// How a listener was shown it last, if one was.
    pub shown: Option<Shown>,
    /// Whether the agent is known to have taken it up, so that it need not be shown again.
    pub settled: bool,
}

/// How an offer was shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Shown {
    /// How often.
    pub count: u32,
    /// When, the last time.
    pub at: Timestamp,
    /// At which place, the last time: its own, or a later one.
    pub seq: u64,
}

/// Where reading a stream goes on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OfferCursor(String);

/// What one read of a stream returned.
#[derive(Clone, Debug)]
pub struct OfferPage {
    /// The offers, in the order of their places.
    pub offers: Vec<Offer>,
    /// Where the stream goes on, if it may.
    pub next: Option<OfferCursor>,
}

/// What became of a note that an offer is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Marked {
    /// It is noted.
    Noted,
    /// The offer is gone, or another listener was shown it since it was read.
    Overtaken,
}

impl OfferCursor {
    /// From `place` on.
    pub fn at(place: u64) -> Self {
        Self(format!("{place:020}"))
    }
}

impl Store {
    /// Offers for `agent` from a cursor on.
    pub async fn offers(
        &self,
        tenant: &str,
        agent: &Address,
        from: &OfferCursor,
    ) -> Result<OfferPage, StoreError> {
        self.offer_page(tenant, agent, from, "~", OFFERS_PER_READ_MAX).await
    }

    /// The same up to place `until`, in larger pages.
    pub async fn offers_until(
        &self,
        tenant: &str,
        agent: &Address,
        from: &OfferCursor,
        until: u64,
    ) -> Result<OfferPage, StoreError> {
        // "~" sorts behind every character of an id, so the whole place is included.
        let before = format!("{until:020}#~");
        self.offer_page(tenant, agent, from, &before, OFFERS_PER_LOOK_BACK_MAX).await
    }

    async fn offer_page(
        &self,
        tenant: &str,
        agent: &Address,
        from: &OfferCursor,
        before: &str,
        limit: i32,
    ) -> Result<OfferPage, StoreError> {
        let pk = place::agents_stream(tenant, agent);
        let page = self.page(pk, &from.0, before, limit, false).await?;
        let last = page.items.last().and_then(|item| read_text(item, "sk"));
        let next = last.filter(|_| page.has_more).map(|sk| OfferCursor(sk.to_owned()));
        Ok(OfferPage { offers: page.items.iter().filter_map(read).collect(), next })
    }

    /// Notes that a listener is shown this offer, as it was read, at place `seq`. It is one more
    /// showing, unless the offer is gone or was shown to somebody else meanwhile.
    pub async fn mark_shown(
        &self,
        tenant: &str,
        agent: &Address,
        offer: &Offer,
        seq: u64,
        at: Timestamp,
    ) -> Result<Marked, StoreError> {
        let before = offer.shown.map_or(0, |shown| shown.count);
        let condition = if before == 0 {
            "attribute_exists(pk) AND attribute_not_exists(shown)"
        } else {
            "shown = :before"
        };
        let place = Place::offer(tenant, agent, offer.seq, offer.intent);
        let mut update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(place)))
            .condition_expression(condition)
            .update_expression("SET shown = :count, shown_ms = :at, shown_seq = :seq")
            .expression_attribute_values(":count", number(before.saturating_add(1)))
            .expression_attribute_values(":at", number(at.as_millisecond().max(0)))
            .expression_attribute_values(":seq", number(seq));
        if before > 0 {
            update = update.expression_attribute_values(":before", number(before));
        }
        marked(update.send().await)
    }

    /// Notes that the agent has taken this offer up.
    pub async fn mark_settled(
        &self,
        tenant: &str,
        agent: &Address,
        offer: &Offer,
    ) -> Result<Marked, StoreError> {
        let place = Place::offer(tenant, agent, offer.seq, offer.intent);
        let update = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(primary_key(place)))
            .condition_expression("attribute_exists(pk)")
            .update_expression("SET settled = :yes")
            .expression_attribute_values(":yes", number(1));
        marked(update.send().await)
    }
}

fn marked<T>(
    answer: Result<T, aws_sdk_dynamodb::error::SdkError<UpdateItemError>>,
) -> Result<Marked, StoreError> {
    match answer {
        Ok(_) => Ok(Marked::Noted),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
        {
            Ok(Marked::Overtaken)
        }
        Err(error) => Err(unavailable(error)),
    }
}

fn read(item: &Item) -> Option<Offer> {
    let (seq, _) = read_text(item, "sk")?.split_once('#')?;
    let seq = seq.parse().ok()?;
    let intent = read_text(item, "intent")?.parse().ok()?;
    let settled = read_number(item, "settled").is_some();
    Some(Offer { seq, intent, shown: shown(item, seq), settled })
}

fn shown(item: &Item, seq: u64) -> Option<Shown> {
    let count = u32::try_from(read_number(item, "shown")?).unwrap_or(u32::MAX);
    // Older items say only that they were shown: at their own place, and soon after its moment.
    let at_ms = read_number(item, "shown_ms").unwrap_or(seq / 1_000);
    let at = i64::try_from(at_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())?;
    Some(Shown { count, at, seq: read_number(item, "shown_seq").unwrap_or(seq) })
}
