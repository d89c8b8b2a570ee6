//! What customers are posted: every event that is their business and that they want, and no other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use shared::callback::Reply;
use shared::dead_letter::Content;
use shared::intent::{EventKind, Intent, apply};
use shared::message::Message;
use shared::webhook::{Delivery, DeliveryState, EventPattern, Published};

use super::life::Life;
use super::post::{Door, Post, Wish};
use super::told::Told;
use super::{Ledger, Rule, Violation};

/// Who says what Holdpoint itself has to say.
const OWN_SOURCE: &str = "holdpoint";

/// Names one event of one intent: its intent, its number and its type.
type Event = (String, u64, String);

pub(super) fn check(ledger: &Ledger, lives: &[Life], told: &Told, found: &mut Vec<Violation>) {
    let published = ledger.published();
    for door in &told.doors {
        let Some(wish) = door.wish() else { continue };
        let owed: BTreeSet<Event> = lives.iter().flat_map(|life| news(life, wish)).collect();
        let posts: Vec<_> = told.posts.iter().filter(|post| post.url == door.url).collect();
        one_id(&posts, found);
        let mut taken: BTreeSet<Event> = BTreeSet::new();
        for post in posts {
            match event(&post.json()) {
                Some(event) if owed.contains(&event) => {
                    taken.extend(post.is_taken.then_some(event));
                }
                Some(_) => found.push(stray(post)),
                None => of_published(post, wish, &published, found),
            }
        }
        let given_up = given_up(ledger, wish);
        for (intent, seq, event_type) in owed.difference(&taken) {
            let event = (intent.clone(), *seq, event_type.clone());
            if !door.leaves && !given_up.contains(&event) {
                let detail = format!("{event_type} ({seq}) never came to {}", door.url);
                found.push(Violation::new(Rule::Delivery, intent, detail));
            }
        }
        for published in published.iter().filter(|it| wants(wish, it)) {
            delivery(ledger, told, (door, wish), published, found);
        }
    }
    for (id, name) in &told.published {
        if !published.iter().any(|it| it.id.to_string() == *id) {
            let detail = format!("{name} was said to be published, and is not there");
            found.push(Violation::new(Rule::Delivery, id, detail));
        }
    }
}

/// What of a life is a customer's business, and wanted.
fn news(life: &Life, wish: &Wish) -> Vec<Event> {
    let (mut state, mut news): (Option<Intent>, _) = (None, Vec::new());
    for link in &life.links {
        let records = &link.commit.records;
        for record in records {
            state = apply(state, &record.event);
        }
        let Some(last) =
            records.last().filter(|_| state.as_ref().is_some_and(|it| concerns(it, wish)))
        else {
            continue;
        };
        let is_new = records.iter().any(|it| matches!(it.event.kind, EventKind::Created { .. }));
        let thread = if is_new { "inbox.thread_created" } else { "inbox.thread_updated" };
        let events = records.iter().map(|it| (it.event.seq, it.event.kind.wire_name()));
        let wanted = events.chain([(last.event.seq, thread)]).filter(|(_, name)| names(wish, name));
        news.extend(wanted.map(|(seq, name)| (life.id.to_string(), seq, name.to_owned())));
    }
    news
}

/// Whether the owner sent it, handles it, or is replied to.
fn concerns(intent: &Intent, wish: &Wish) -> bool {
    let sent = &intent.envelope;
    let is = |path: &str| path == wish.owner;
    is(intent.handler().path())
        || sent.reply_to.as_ref().is_some_and(|address| is(address.path()))
        || is(sent.from.strip_prefix("agent://").unwrap_or(&sent.from))
}

fn names(wish: &Wish, event_type: &str) -> bool {
    let mut patterns = wish.event_types.iter().filter_map(|text| EventPattern::parse(text).ok());
    patterns.any(|pattern| pattern.names(event_type))
}

fn wants(wish: &Wish, published: &Published) -> bool {
    published.owner.text() == wish.owner && names(wish, published.event_type.text())
}

/// The event of an intent that a post tells of; `None` if a client has published it.
fn event(body: &Value) -> Option<Event> {
    let data = &body["data"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let is_own = body["source"] == OWN_SOURCE;
    is_own.then(|| {
        (text(&data["intent_id"]), data["seq"].as_u64().unwrap_or_default(), text(&body["type"]))
    })
}

/// Each event comes under one id and says one thing, and each id is of one event.
fn one_id(posts: &[&Post], found: &mut Vec<Violation>) {
    let mut said: BTreeMap<&str, &str> = BTreeMap::new();
    let mut ids: BTreeMap<&str, &str> = BTreeMap::new();
    for post in posts {
        let is_same = *said.entry(&post.id).or_insert(&post.body) == post.body;
        let is_only = *ids.entry(&post.body).or_insert(&post.id) == post.id;
        if !is_same || !is_only {
            let detail =
                if is_same { "came under another id before" } else { "said something else before" };
            found.push(Violation::new(Rule::Identity, post, detail));
        }
    }
}

/// The events whose messages were given up and wait for an operator.
fn given_up(ledger: &Ledger, wish: &Wish) -> BTreeSet<Event> {
    let news = |content: &Content| {
        let Content::Message(Message::News(news)) = content else { return None };
        let is_own = news.subscription.to_string() == wish.subscription;
        is_own.then(|| (news.intent.to_string(), news.seq, news.event_type.clone()))
    };
    ledger.dead_letters().iter().filter_map(news).collect()
}

fn of_published(post: &Post, wish: &Wish, published: &[Published], found: &mut Vec<Violation>) {
    let body = post.json();
    let Some(event) = published.iter().find(|it| body["event_id"] == it.id.to_string()) else {
        return found.push(stray(post));
    };
    if !wants(wish, event) || body["data"] != Value::Object(event.payload.clone()) {
        found.push(stray(post));
    }
    if post.id != event.id.to_string() {
        found.push(Violation::new(Rule::Identity, post, "is not called as its event"));
    }
}

/// A delivery of a published event has come to its end, and not by word alone.
fn delivery(
    ledger: &Ledger,
    told: &Told,
    (door, wish): (&Door, &Wish),
    published: &Published,
    found: &mut Vec<Violation>,
) {
    let id = published.id.to_string();
    let mut wrong = |detail: String| found.push(Violation::new(Rule::Delivery, &id, detail));
    let stored: Option<Delivery> = ledger.delivery(&id, &wish.subscription);
    let is_taken = told.posts.iter().any(|it| it.url == door.url && it.id == id && it.is_taken);
    let url = &door.url;
    match stored.as_ref().map(|delivery| delivery.state) {
        // A subscription whose receiver has left is none of the publisher's any more.
        None if door.leaves => {}
        None => wrong(format!("has no delivery to {url}")),
        Some(DeliveryState::Pending { attempt, .. }) => {
            wrong(format!("is still at attempt {attempt} to {url}"));
        }
        Some(DeliveryState::Delivered { .. }) if !is_taken => {
            wrong(format!("is said to be delivered to {url}, which did not take it"));
        }
        Some(DeliveryState::Delivered { .. }) => {}
        Some(DeliveryState::DeadLettered { .. }) => {
            let last = stored.and_then(|delivery| delivery.last);
            if !door.leaves && last.is_none_or(Reply::is_taken) {
                wrong(format!("was given up at {url} without a reason"));
            }
        }
    }
}

fn stray(post: &Post) -> Violation {
    let detail = format!("is nothing that belongs there: {}", post.body);
    Violation::new(Rule::Stray, post, detail)
}
