//! Whoever was told that something is so must find it in the history, exactly once.

use std::collections::BTreeMap;
use std::time::Duration;

use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::Status;
use shared::intent::ask::AskEnding;
use shared::intent::event::EventKind;

use super::life::Life;
use super::told::{Decided, Ran, Told};
use super::{Ledger, Rule, Violation};

/// The member of a payload that names the errand.
const ERRAND: &str = "errand";

type Lives<'a> = BTreeMap<IntentId, &'a Life>;

pub(super) fn check(ledger: &Ledger, lives: &[Life], told: &Told, found: &mut Vec<Violation>) {
    let by_id: Lives<'_> = lives.iter().map(|life| (life.id, life)).collect();
    creations(lives, told, found);
    for decided in &told.decided {
        decision(&by_id, decided, told.skew_ms_max, found);
    }
    for id in &told.canceled {
        let status = by_id.get(id).map(|life| life.state.status());
        if status != Some(Status::Canceled) {
            found.push(broken(id, "was said to be canceled, and is not"));
        }
    }
    for (id, result) in &told.completed {
        let has = |life: &&Life| life.events().any(|event| says(&event.kind, result));
        if !by_id.get(id).is_some_and(has) {
            found.push(broken(id, "was given a result that its history does not have"));
        }
    }
    runs(&by_id, told, found);
    reports(ledger, &by_id, found);
}

fn broken(subject: impl std::fmt::Display, detail: impl Into<String>) -> Violation {
    Violation::new(Rule::Promise, subject, detail)
}

/// Each errand is one intent at most, and exactly the one that its sender was told of.
fn creations(lives: &[Life], told: &Told, found: &mut Vec<Violation>) {
    let mut made: BTreeMap<&str, Vec<IntentId>> = BTreeMap::new();
    for life in lives.iter().filter(|life| life.state.envelope.parent.is_none()) {
        if let Some(errand) = life.state.envelope.payload.get(ERRAND).and_then(|it| it.as_str()) {
            made.entry(errand).or_default().push(life.id);
        }
    }
    for (errand, ids) in &made {
        if ids.len() > 1 {
            found.push(broken(errand, format!("was sent once and made {} intents", ids.len())));
        }
        if !told.tried.contains(*errand) {
            found.push(broken(errand, "was never sent"));
        }
    }
    for (errand, id) in &told.sent {
        if !made.get(errand.as_str()).is_some_and(|ids| ids.contains(id)) {
            found.push(broken(errand, format!("was said to be {id}, which is not there")));
        }
    }
}

fn decision(lives: &Lives<'_>, told: &Decided, skew_ms_max: i64, found: &mut Vec<Violation>) {
    let Some(life) = lives.get(&told.intent) else {
        return found.push(broken(told.intent, "was decided, and is not there"));
    };
    let same: Vec<_> = life
        .decisions()
        .filter(|decision| decision.by == told.by && decision.digest == told.digest)
        .filter(|decision| decision.is_approval() == told.yes)
        .map(|decision| decision.decided_at)
        .collect();
    let [decided_at] = same.as_slice() else {
        let (by, count) = (&told.by, same.len());
        let detail = format!("{by} was told that it is decided; history has that {count} times");
        return found.push(broken(told.intent, detail));
    };
    let skew = Duration::from_millis(skew_ms_max.unsigned_abs());
    let (asked_at, answered_at) = told.between;
    let early = asked_at.checked_sub(skew).is_ok_and(|since| *decided_at < since);
    let late = answered_at.checked_add(skew).is_ok_and(|until| *decided_at > until);
    if early || late {
        let detail = format!("{} decided at {decided_at}, outside of the call", told.by);
        found.push(broken(told.intent, detail));
    }
}

fn says(kind: &EventKind, result: &serde_json::Value) -> bool {
    if let EventKind::Held { hold } = kind {
        return hold.proposal.as_ref() == Some(result);
    }
    matches!(kind, EventKind::Completed { result: given } if given == result)
}

/// Each call ran under one claim, which history has given to that token, after a person's yes.
fn runs(lives: &Lives<'_>, told: &Told, found: &mut Vec<Violation>) {
    let mut tokens: BTreeMap<(IntentId, &str), usize> = BTreeMap::new();
    for Ran { intent, call_id, claim_token } in &told.ran {
        *tokens.entry((*intent, call_id)).or_default() += 1;
        let digest = Digest::of_bytes(claim_token.as_bytes());
        let claimed =
            lives.get(intent).into_iter().flat_map(|life| life.events()).filter(|event| {
                matches!(&event.kind, EventKind::CallClaimed { call_id: claimed, token_digest, .. }
                if claimed == call_id && *token_digest == digest)
            });
        let asked = lives.get(intent).is_some_and(|life| {
            life.state.asks.iter().any(|ask| {
                ask.call_id == *call_id && ask.ending.as_ref().is_some_and(AskEnding::is_approved)
            })
        });
        let count = claimed.count();
        if count != 1 || !asked {
            let detail = format!("{call_id} ran, on {count} claims, approved: {asked}");
            found.push(broken(intent, detail));
        }
    }
    for ((intent, call_id), count) in tokens.into_iter().filter(|(_, count)| *count > 1) {
        found.push(broken(intent, format!("{call_id} ran {count} times")));
    }
}

/// The built-in agent's tool runs once at most for each claim that a person allowed.
fn reports(ledger: &Ledger, lives: &Lives<'_>, found: &mut Vec<Violation>) {
    let mut published: BTreeMap<IntentId, usize> = BTreeMap::new();
    for report in ledger.reports() {
        *published.entry(report.intent).or_default() += 1;
    }
    for (intent, count) in published {
        let claims = lives.get(&intent).map_or(0, |life| {
            let asked = |call_id: &str| life.state.asks.iter().any(|ask| ask.call_id == call_id);
            let granted = life.events().filter(|event| {
                matches!(&event.kind, EventKind::CallClaimed { call_id, .. } if asked(call_id))
            });
            granted.count()
        });
        if count > claims {
            let detail = format!("{count} reports were published on {claims} claims");
            found.push(broken(intent, detail));
        }
    }
}
