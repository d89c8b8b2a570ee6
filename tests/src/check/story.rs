//! What may follow upon what in one history.

use std::collections::BTreeSet;
use std::time::Duration;

use shared::digest::Digest;
use shared::intent::ask::{AskEnding, GRANT_SECONDS};
use shared::intent::event::{Event, EventKind};
use shared::intent::{Intent, apply};

use super::life::{Life, decision};
use super::{Rule, Violation};

pub(super) fn check(life: &Life, found: &mut Vec<Violation>) {
    let mut state: Option<Intent> = None;
    let mut decided = BTreeSet::new();
    for record in life.links.iter().flat_map(|link| &link.commit.records) {
        let event = &record.event;
        if let Some(before) = &state {
            one_end(before, event, found);
            deadline(before, event, found);
            decisions(before, event, &mut decided, found);
            claim(before, event, found);
        }
        state = apply(state, event);
        if state.as_ref().is_none_or(|after| after.status() != record.status) {
            let detail = format!("event {} does not lead to {}", event.seq, record.status.name());
            found.push(Violation::new(Rule::Replay, life.id, detail));
        }
    }
    if state.as_ref() != Some(&life.state) {
        let detail = "its snapshot is not what its events lead to";
        found.push(Violation::new(Rule::Replay, life.id, detail));
    }
}

/// Talk is allowed at any time, and changes nothing.
fn is_talk(event: &Event) -> bool {
    matches!(event.kind, EventKind::Said { .. } | EventKind::Hidden { .. })
}

fn one_end(before: &Intent, event: &Event, found: &mut Vec<Violation>) {
    if before.is_ended() && !is_talk(event) {
        let (name, seq) = (event.kind.wire_name(), event.seq);
        let detail = format!("{name} ({seq}) comes after {}", before.status().name());
        found.push(Violation::new(Rule::OneEnd, before.id, detail));
    }
}

fn deadline(before: &Intent, event: &Event, found: &mut Vec<Violation>) {
    let (deadline_at, times_out) = (before.deadline_at(), event.kind == EventKind::TimedOut);
    if times_out != (event.at >= deadline_at) && !is_talk(event) {
        let (name, at) = (event.kind.wire_name(), event.at);
        let detail = format!("{name} happened at {at}, the deadline is {deadline_at}");
        found.push(Violation::new(Rule::Deadline, before.id, detail));
    }
}

fn decisions(
    before: &Intent,
    event: &Event,
    decided: &mut BTreeSet<Digest>,
    found: &mut Vec<Violation>,
) {
    let Some(decision) = decision(event) else { return };
    let mut wrong = |detail: String| found.push(Violation::new(Rule::Decision, before.id, detail));
    if !decided.insert(decision.digest.clone()) {
        wrong(format!("what {} decided was decided before", decision.by));
    }
    match before.open_hold() {
        Some(hold) if hold.digest == decision.digest => {}
        Some(_) => wrong(format!("{} decided something else than is open", decision.by)),
        None => wrong(format!("{} decided and nothing was open", decision.by)),
    }
    if event.at >= before.decide_until() || decision.decided_at != event.at {
        wrong(format!("{} decided at {}, too late", decision.by, decision.decided_at));
    }
}

fn claim(before: &Intent, event: &Event, found: &mut Vec<Violation>) {
    let EventKind::CallClaimed { call_id, call_digest, .. } = &event.kind else { return };
    let mut wrong = |detail: String| found.push(Violation::new(Rule::Claim, before.id, detail));
    if before.calls.contains_key(call_id) {
        wrong(format!("{call_id} was claimed before"));
    }
    let Some(ask) = before.asks.iter().find(|ask| ask.call_id == *call_id) else { return };
    if ask.call_digest != *call_digest {
        wrong(format!("{call_id} is another call than the one that was asked about"));
    }
    let Some(AskEnding { decision: Some(decision), .. }) = &ask.ending else {
        return wrong(format!("{call_id} was claimed and nobody had decided"));
    };
    let until = decision.decided_at.checked_add(Duration::from_secs(GRANT_SECONDS));
    if !decision.is_approval() || until.is_ok_and(|until| event.at >= until) {
        wrong(format!("{call_id} was claimed without a yes that was in force"));
    }
}
