//! An agent's stream: what is the agent's to do, shown once and, if nothing comes of it, again.
//!
//! A look reads the offers after the listener's number. Once in a while it also looks back, at those
//! that were shown before and led to nothing.

use std::collections::{HashMap, HashSet};
use std::sync::MutexGuard;
use std::time::Duration;

use jiff::Timestamp;
use tracing::warn;

use super::{App, Listener, Source};
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::decide::ANSWER_WITHIN_SECONDS;
use crate::intent::{Command, Intent, Status};
use crate::principal::Principal;
use crate::store::{Marked, Offer, OfferCursor, OfferPage, Shown};

/// How far back a look reads for offers that became visible late, in microseconds: an offer takes its
/// place from the clock before it is written.
const LATE_OFFERS_US: u64 = 60_000_000;
/// The longest time between two looks back of one instance at one stream.
const LOOK_BACK_EVERY: Duration = Duration::from_secs(30);
/// The same where one read does not return everything.
const LOOK_BACK_ON_AFTER: Duration = Duration::from_secs(5);
/// The most intents that one look back reads; the next one reads on.
const LOOK_BACK_INTENTS_MAX: usize = 100;
/// How many streams one instance remembers having looked back at.
const LOOK_BACKS_MAX: usize = 1_000;
/// The longest that a note on one offer may take.
const NOTE_MAX: Duration = Duration::from_secs(1);

/// An intent that a listener is shown.
#[derive(Clone, Debug)]
pub struct Offered {
    /// The place at which it is shown.
    pub seq: u64,
    /// The intent.
    pub intent: Intent,
    offer: Offer,
    /// Whether this is one more showing, which is noted.
    counts: bool,
}

/// What is one agent's to do.
#[derive(Debug)]
pub struct OfferedTo {
    agent: Address,
    /// Only those that stand so; `None` for all.
    statuses: Option<Vec<Status>>,
    /// Offers that are not for this listener.
    passed: HashSet<(u64, IntentId)>,
}

/// When an instance looks back at a stream next, and where it goes on.
#[derive(Clone, Debug)]
pub(super) struct LookBack {
    due_at: Timestamp,
    from: OfferCursor,
}

impl App {
    /// Listens for up to `wait` to what is `agent`'s to do and has a place after `since`, or stands
    /// as `statuses` say.
    pub fn listen_for(
        &self,
        agent: Address,
        statuses: Option<Vec<Status>>,
        since: u64,
        wait: Duration,
    ) -> Listener<OfferedTo> {
        let source = OfferedTo { agent, statuses, passed: HashSet::new() };
        self.listener(source, since, wait)
    }

    /// Gives up an offer that was shown `attempts` times and led to nothing.
    async fn give_up(&self, agent: &Address, offer: &Offer, attempts: u32) {
        warn!(intent_id = %offer.intent, attempts, "an agent was shown this and never answered");
        let ended = self.execute(offer.intent, &Command::GiveUp { attempts }, &[]).await;
        match ended {
            Ok(_) => self.settle(agent, offer).await,
            Err(error) => warn!(%error, "an offer is given up at the next look"),
        }
    }

    /// Notes that an offer need not be shown again. Where that fails, the next look back notes it.
    async fn settle(&self, agent: &Address, offer: &Offer) {
        if let Err(error) = self.store().mark_settled(self.tenant(), agent, offer).await {
            warn!(%error, "an offer is looked back at once more");
        }
    }

    fn looks_back(&self) -> Option<MutexGuard<'_, HashMap<String, LookBack>>> {
        self.inner.looks_back.lock().ok()
    }

    /// Where the look back at `agent`'s stream that is due now begins.
    fn look_back_due(&self, agent: &Address) -> Option<OfferCursor> {
        let found = self.looks_back()?.get(agent.path()).cloned();
        let Some(look) = found else { return Some(OfferCursor::at(0)) };
        (look.due_at <= self.now()).then_some(look.from)
    }

    /// Looks back at `agent`'s stream no later than `due_at`.
    fn look_back_by(&self, agent: &Address, due_at: Timestamp) {
        let Some(mut looks) = self.looks_back() else { return };
        if let Some(look) = looks.get_mut(agent.path()) {
            look.due_at = look.due_at.min(due_at);
        }
    }

    fn looked_back(&self, agent: &Address, look: LookBack) {
        let Some(mut looks) = self.looks_back() else { return };
        if looks.len() >= LOOK_BACKS_MAX {
            looks.clear();
        }
        looks.insert(agent.path().to_owned(), look);
    }
}

impl Source for OfferedTo {
    type Item = Offered;

    async fn admits(&self, app: &App, by: &Principal) -> Result<(), Error> {
        app.may_listen(by, &self.agent)?;
        app.refuse_stopped(&self.agent).await
    }

    async fn look(&mut self, app: &App, since: u64) -> Result<Vec<Offered>, Error> {
        let (mut found, is_whole) = self.ahead(app, since).await?;
        // What is shown again has a place after everything else, which the reader must have seen; and
        // behind a new listener there is nothing.
        let may_look_back = is_whole && since > 0;
        if let Some(from) = app.look_back_due(&self.agent).filter(|_| may_look_back) {
            found.extend(self.behind(app, since, from).await?);
        }
        Ok(found)
    }

    async fn tell(&mut self, app: &App, since: u64, found: Vec<Offered>) -> Vec<Offered> {
        let mut told = Vec::with_capacity(found.len());
        for offered in found {
            if !offered.counts {
                told.push(offered);
                continue;
            }
            let count = offered.offer.shown.map_or(1, |shown| shown.count.saturating_add(1));
            app.look_back_by(&self.agent, answer_by(app.now(), count));
            let store = app.store();
            let noted =
                store.mark_shown(app.tenant(), &self.agent, &offered.offer, offered.seq, app.now());
            match tokio::time::timeout(NOTE_MAX, noted).await {
                Ok(Ok(Marked::Noted)) => told.push(offered),
                // Whoever overtook has it; but nobody misses what lies ahead.
                Ok(Ok(Marked::Overtaken)) if offered.offer.seq > since => told.push(offered),
                Ok(Ok(Marked::Overtaken)) => {}
                // It may be noted all the same, so it is told: twice is better than never.
                Ok(Err(_)) | Err(_) => {
                    told.push(offered);
                    break;
                }
            }
        }
        told
    }

    fn seq(offered: &Offered) -> u64 {
        offered.seq
    }
}

impl OfferedTo {
    /// Offers after `since`, with earlier ones that nobody was shown, and whether that is all.
    async fn ahead(&mut self, app: &App, since: u64) -> Result<(Vec<Offered>, bool), Error> {
        let mut from = OfferCursor::at(since.saturating_sub(LATE_OFFERS_US));
        loop {
            let page = app.store().offers(app.tenant(), &self.agent, &from).await?;
            let OfferPage { offers, next } = page;
            let mut found = Vec::new();
            for offer in offers.into_iter().filter(|o| o.seq > since || o.shown.is_none()) {
                found.extend(self.shown_ahead(app, offer).await?);
            }
            // What is not for this listener must not crowd out what is, however much of it there is.
            match next {
                Some(next) if found.is_empty() => from = next,
                Some(_) => return Ok((found, false)),
                None => return Ok((found, true)),
            }
        }
    }

    async fn shown_ahead(&mut self, app: &App, offer: Offer) -> Result<Option<Offered>, Error> {
        let name = (offer.seq, offer.intent);
        if self.passed.contains(&name) {
            return Ok(None);
        }
        let Some(intent) = self.wanted(app, &offer).await? else {
            self.passed.insert(name);
            return Ok(None);
        };
        let seq = offer.seq;
        Ok(match standing(&offer, &intent, app.now()) {
            Standing::New | Standing::Unanswered => {
                Some(Offered { seq, intent, offer, counts: true })
            }
            Standing::Quiet | Standing::TakenUp => {
                Some(Offered { seq, intent, offer, counts: false })
            }
            Standing::Exhausted { attempts } => {
                app.give_up(&self.agent, &offer, attempts).await;
                let left = self.wanted(app, &offer).await?;
                left.map(|intent| Offered { seq, intent, offer, counts: false })
            }
        })
    }

    /// Offers up to `since` that were shown and led to nothing, at new places.
    async fn behind(
        &mut self,
        app: &App,
        since: u64,
        from: OfferCursor,
    ) -> Result<Vec<Offered>, Error> {
        let now = app.now();
        let page = app.store().offers_until(app.tenant(), &self.agent, &from, since).await?;
        let rest = if page.next.is_some() { LOOK_BACK_ON_AFTER } else { LOOK_BACK_EVERY };
        let mut due_at = now.checked_add(rest).unwrap_or(Timestamp::MAX);
        let mut next = page.next.unwrap_or(OfferCursor::at(0));
        let (mut found, mut read, mut seq) = (Vec::new(), 0, place(now).max(since));
        for offer in page.offers {
            let Some(shown) = offer.shown.filter(|_| !offer.settled) else { continue };
            let missed = shown.seq > since;
            let until = answer_by(shown.at, shown.count);
            if now < until && !missed {
                due_at = due_at.min(until);
                continue;
            }
            if read >= LOOK_BACK_INTENTS_MAX {
                (due_at, next) = (now, OfferCursor::at(offer.seq.saturating_sub(1)));
                break;
            }
            read += 1;
            let Some(intent) = self.wanted(app, &offer).await? else { continue };
            match standing(&offer, &intent, now) {
                Standing::Unanswered => {
                    seq += 2;
                    found.push(Offered { seq, intent, offer, counts: true });
                }
                Standing::Quiet if missed => {
                    found.push(Offered { seq: shown.seq, intent, offer, counts: false });
                }
                Standing::TakenUp => app.settle(&self.agent, &offer).await,
                Standing::Exhausted { attempts } => {
                    app.give_up(&self.agent, &offer, attempts).await;
                }
                Standing::New | Standing::Quiet => {}
            }
        }
        app.looked_back(&self.agent, LookBack { due_at, from: next });
        found.sort_by_key(|offered: &Offered| offered.seq);
        Ok(found)
    }

    /// The intent behind an offer, if it still stands there and is for this listener.
    async fn wanted(&self, app: &App, offer: &Offer) -> Result<Option<Intent>, Error> {
        let stored = app.store().load(app.tenant(), offer.intent).await?;
        let intent = stored.map(|stored| stored.intent);
        let stands = |intent: &Intent| {
            let status = intent.status();
            intent.offered() == Some(offer.seq)
                && self.statuses.as_ref().is_none_or(|wanted| wanted.contains(&status))
        };
        Ok(intent.filter(stands))
    }
}

/// What is to be done about an offer.
enum Standing {
    /// Nobody was shown it.
    New,
    /// It was shown and may still be answered.
    Quiet,
    /// It was shown and led to nothing.
    Unanswered,
    /// It was shown as often as its sender allows and led to nothing.
    Exhausted { attempts: u32 },
    /// The agent has begun.
    TakenUp,
}

fn standing(offer: &Offer, intent: &Intent, now: Timestamp) -> Standing {
    match offer.shown {
        None => Standing::New,
        Some(_) if offer.settled || intent.status() != Status::Delivered => Standing::TakenUp,
        Some(Shown { at, count, .. }) if now < answer_by(at, count) => Standing::Quiet,
        Some(Shown { count, .. }) if count >= intent.delivery_attempts_max() => {
            Standing::Exhausted { attempts: count }
        }
        Some(_) => Standing::Unanswered,
    }
}

/// Until when showing number `count` at `shown_at` may stay unanswered. It doubles with each.
fn answer_by(shown_at: Timestamp, count: u32) -> Timestamp {
    let doublings = count.saturating_sub(1).min(8);
    let patience = Duration::from_secs(ANSWER_WITHIN_SECONDS << doublings);
    shown_at.checked_add(patience).unwrap_or(Timestamp::MAX)
}

/// A place on a stream: a moment in microseconds, made even as the places of offers are.
fn place(at: Timestamp) -> u64 {
    u64::try_from(at.as_microsecond()).unwrap_or(0) & !1
}
