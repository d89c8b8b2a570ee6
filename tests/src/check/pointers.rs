//! The items that merely point at intents: each stands where a state wants it, and no other.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use shared::intent::{Intent, react};
use shared::store::{TIMER_SHARDS, owners};

use super::life::Life;
use super::{Ledger, Moment, Rule, Violation};

type Place = (String, String);

/// What the partitions of pointers begin with.
const KINDS: [(&str, Rule); 5] = [
    ("default#TIMER#", Rule::Timer),
    ("default#AGENT#", Rule::Pointer),
    ("default#TASKS", Rule::Pointer),
    ("default#DAY#", Rule::Pointer),
    ("default#INBOX#", Rule::Pointer),
];

pub(super) fn check(ledger: &Ledger, lives: &[Life], moment: &Moment, found: &mut Vec<Violation>) {
    let wanted: BTreeSet<Place> = lives.iter().flat_map(|life| places(&life.state)).collect();
    let removed = match moment {
        Moment::Meanwhile(removed) => removed.clone(),
        Moment::End => BTreeSet::new(),
    };
    for (prefix, rule) in KINDS {
        let there: BTreeSet<&Place> = ledger.places(prefix).collect();
        for place in wanted.iter().filter(|(pk, _)| pk.starts_with(prefix)) {
            if !there.contains(place) && !removed.contains(place) {
                found.push(fault(rule, place, "is missing"));
            }
        }
        // A timer that was put back for nothing stands there until somebody has seen that.
        let is_odd = |place: &&Place| !wanted.contains(*place) && !removed.contains(*place);
        for place in there.into_iter().filter(is_odd) {
            found.push(fault(rule, place, "points at what is not so"));
        }
    }
}

fn fault(rule: Rule, (pk, sk): &Place, detail: &str) -> Violation {
    Violation::new(rule, format!("{pk} {sk}"), detail)
}

/// Where an intent's pointers stand.
fn places(intent: &Intent) -> Vec<Place> {
    let id = intent.id;
    let at = |pk: String, at: Timestamp| (pk, format!("{:020}#{id}", at.as_millisecond().max(0)));
    let day = intent.created_at.to_zoned(TimeZone::UTC).date();
    let mut places = vec![at(format!("default#DAY#{day}"), intent.created_at)];
    for owner in owners(intent) {
        places.push(at(format!("default#INBOX#{}", owner.path()), intent.created_at));
    }
    if let Some(hold) = intent.open_hold() {
        places.push(at("default#TASKS".to_owned(), hold.opened_at));
    }
    if let Some(seq) = intent.offered() {
        places.push((
            format!("default#AGENT#{}", intent.handler().path()),
            format!("{seq:020}#{id}"),
        ));
    }
    if let Some(due_at) = react::wake_at(intent) {
        let shard = id.shard(TIMER_SHARDS);
        places.push((format!("default#TIMER#{shard}"), format!("{:020}#{id}", whole_ms(due_at))));
    }
    places
}

/// The millisecond by whose end `at` has come.
fn whole_ms(at: Timestamp) -> i64 {
    let nanos = at.as_nanosecond();
    i64::try_from((nanos + 999_999).div_euclid(1_000_000)).expect("a time of this world").max(0)
}
