//! Lists of intents, page by page.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::App;
use super::access::may_see;
use crate::address::Address;
use crate::error::Error;
use crate::intent::{Intent, Status};
use crate::principal::Principal;
use crate::store::{List, ListPlace};

/// How far back a list of what was sent goes if its reader names no moment, in hours: 31 days.
const BACK_HOURS: i64 = 31 * 24;

/// A part of a list.
#[derive(Debug)]
pub struct Page {
    /// What is in it, each with its place.
    pub entries: Vec<(ListPlace, Intent)>,
    /// Where the next page begins; `None` at the list's end. A page may be short, or empty, and have
    /// a next one: what one look at the table found was not what its reader wants.
    pub next: Option<ListPlace>,
}

/// Which intents are wanted; what names nothing wants all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In one of these statuses.
    pub statuses: Option<BTreeSet<Status>>,
    /// Of this type.
    pub intent_type: Option<String>,
    /// Sent to this address.
    pub to: Option<Address>,
    /// Sent by the principal of this name, or from this address.
    pub from: Option<String>,
    /// Of this correlation.
    pub correlation_id: Option<Uuid>,
    /// Sent after this moment.
    pub created_after: Option<Timestamp>,
    /// Sent before this moment.
    pub created_before: Option<Timestamp>,
}

impl Filter {
    /// Whether `intent` is wanted.
    pub fn admits(&self, intent: &Intent) -> bool {
        let sent = &intent.envelope;
        let is_from = |from: &String| {
            let address = Address::parse(from).is_ok_and(|address| address.uri() == sent.from);
            *from == sent.from || address
        };
        self.statuses.as_ref().is_none_or(|statuses| statuses.contains(&intent.status()))
            && self.intent_type.as_ref().is_none_or(|wanted| *wanted == sent.intent_type)
            && self.to.as_ref().is_none_or(|to| *to == sent.to)
            && self.from.as_ref().is_none_or(is_from)
            && self.correlation_id.is_none_or(|wanted| wanted == sent.correlation_id)
            && self.created_after.is_none_or(|after| intent.created_at > after)
            && self.created_before.is_none_or(|before| intent.created_at < before)
    }
}

impl App {
    /// Intents that were sent lately and that `by` may see, newest first. What is sent meanwhile
    /// stands before the first page, so no later one repeats or misses anything.
    pub async fn sent(
        &self,
        by: &Principal,
        filter: &Filter,
        from: Option<ListPlace>,
        limit: usize,
    ) -> Result<Page, Error> {
        let now = self.now();
        // Another function's clock may be ahead of this one by a little.
        let newest = filter.created_before.unwrap_or(now.checked_add(1.minute()).unwrap_or(now));
        let oldest = now.checked_sub(BACK_HOURS.hours()).unwrap_or(Timestamp::UNIX_EPOCH);
        let list = List::SentSince(filter.created_after.unwrap_or(oldest));
        let from = from.unwrap_or_else(|| ListPlace::up_to(newest));
        self.page(list, from, limit, |intent| may_see(by, intent) && filter.admits(intent)).await
    }

    /// The first `limit` intents of a list behind `from` that are `wanted`.
    pub(super) async fn page(
        &self,
        list: List<'_>,
        from: ListPlace,
        limit: usize,
        wanted: impl Fn(&Intent) -> bool + Send + Sync,
    ) -> Result<Page, Error> {
        let mut entries: Vec<(ListPlace, Intent)> = Vec::new();
        let visit = |place, stored: crate::store::Stored| {
            if !wanted(&stored.intent) {
                return ControlFlow::Continue(());
            }
            // One more than fits is the sign that there is a next page.
            if entries.len() == limit {
                return ControlFlow::Break(());
            }
            entries.push((place, stored.intent));
            ControlFlow::Continue(())
        };
        let reached = self.store().visit(self.tenant(), list, from, visit).await?;
        // Behind the last entry of a full page, which is not as far as was looked.
        let full = entries.last().map(|(place, _)| *place).filter(|_| entries.len() == limit);
        let next = reached.map(|reached| full.unwrap_or(reached));
        Ok(Page { entries, next })
    }
}
