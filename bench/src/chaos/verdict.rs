//! Holds the table against what callers were told.

use std::collections::BTreeMap;

use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::ask::AskEnding;
use shared::intent::event::{Event, EventKind};
use shared::intent::human_task::Decision;
use shared::intent::{Intent, Status, apply};
use shared::store::{Commit, genesis};

use super::errand::Kind;
use super::told::{Decided, Told};
use crate::ledger::{Ledger, Life};

/// The member of a payload that names the errand.
const ERRAND: &str = "errand";
/// Between two events' numbers, as the contract has it.
const SEQ_STEP: u64 = 2;

/// Something that must not be.
#[derive(Clone, Debug)]
pub struct Violation {
    /// Which intent, or what else it is about.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
    /// What happened to the intent, one line for each event.
    pub history: Vec<String>,
}

/// Everything that is wrong.
pub(super) fn check(ledger: &Ledger, told: &Told) -> Vec<Violation> {
    let mut court = Court { ledger, found: Vec::new() };
    for detail in ledger.unreadable.iter().chain(&told.absurd) {
        court.found.push(Violation {
            subject: "the table".to_owned(),
            detail: detail.clone(),
            history: Vec::new(),
        });
    }
    for (id, life) in &ledger.lives {
        court.chain(*id, life);
        court.story(*id, life);
        court.timer(*id, life);
        court.claims(*id, life);
    }
    court.creations(told);
    court.ends(told);
    for decided in &told.decided {
        court.decision(decided);
    }
    court.promises(told);
    court.runs(told);
    court.reports();
    court.found
}

struct Court<'a> {
    ledger: &'a Ledger,
    found: Vec<Violation>,
}

impl Court<'_> {
    fn wrong(&mut self, id: IntentId, detail: impl Into<String>) {
        let history = self.ledger.lives.get(&id).map(Life::story).unwrap_or_default();
        self.found.push(Violation { subject: id.to_string(), detail: detail.into(), history });
    }

    /// Each commit names the one before, from the beginning to the head that the snapshot names.
    fn chain(&mut self, id: IntentId, life: &Life) {
        let mut previous = genesis(id);
        let mut seq = 0;
        for ((text, commit), version) in life.commits.iter().zip(1..) {
            if commit.version != version || commit.previous != previous {
                self.wrong(id, format!("commit {version} does not follow the one before"));
            }
            for record in &commit.records {
                seq += SEQ_STEP;
                if record.event.seq != seq {
                    self.wrong(
                        id,
                        format!("event {} stands where {seq} belongs", record.event.seq),
                    );
                    seq = record.event.seq;
                }
            }
            previous = Commit::digest(text);
        }
        let count = u64::try_from(life.commits.len()).unwrap_or(u64::MAX);
        if life.version != count || life.head != previous.hex() {
            self.wrong(id, "the snapshot names another last commit than there is");
        }
    }

    /// The events lead to the snapshot, nothing follows an end, and deadlines hold.
    fn story(&mut self, id: IntentId, life: &Life) {
        let mut state: Option<Intent> = None;
        let mut decided: Vec<&Digest> = Vec::new();
        for event in life.events() {
            if let Some(before) = &state {
                if before.is_ended() {
                    self.wrong(id, format!("event {} follows the end", event.seq));
                }
                let times_out = event.kind == EventKind::TimedOut;
                if times_out != (event.at >= before.deadline_at()) {
                    let detail =
                        format!("event {} is on the wrong side of the deadline", event.seq);
                    self.wrong(id, detail);
                }
                if let Some(decision) = decision(event) {
                    if event.at >= before.decide_until() {
                        self.wrong(id, format!("event {} decides too late", event.seq));
                    }
                    if decided.contains(&&decision.digest) {
                        self.wrong(id, format!("event {} decides a second time", event.seq));
                    }
                    if before.open_hold().is_none_or(|hold| hold.digest != decision.digest) {
                        self.wrong(id, format!("event {} decides what is not open", event.seq));
                    }
                    decided.push(&decision.digest);
                }
            }
            state = apply(state, event);
        }
        if state.as_ref() != Some(&life.state) {
            self.wrong(id, "the snapshot is not what the events lead to");
        }
    }

    fn timer(&mut self, id: IntentId, life: &Life) {
        let timers = self.ledger.timers.get(&id).map_or(&[][..], Vec::as_slice);
        let deadline_ms = life.state.deadline_at().as_millisecond();
        match (life.state.is_ended(), timers) {
            (true, []) => {}
            (true, _) => self.wrong(id, "has ended and has a timer"),
            (false, [due_ms]) if *due_ms <= deadline_ms.saturating_add(1) => {}
            (false, others) => {
                self.wrong(id, format!("is live and its timers are due at {others:?}"));
            }
        }
    }

    /// A call is claimed once.
    fn claims(&mut self, id: IntentId, life: &Life) {
        let mut claims: BTreeMap<&str, u32> = BTreeMap::new();
        for event in life.events() {
            if let EventKind::CallClaimed { call_id, .. } = &event.kind {
                *claims.entry(call_id).or_default() += 1;
            }
        }
        for (call_id, count) in claims.into_iter().filter(|(_, count)| *count > 1) {
            self.wrong(id, format!("{call_id} was claimed {count} times"));
        }
    }

    /// Each errand is one intent at most, and the one that its sender was told of.
    fn creations(&mut self, told: &Told) {
        let mut made: BTreeMap<&str, Vec<IntentId>> = BTreeMap::new();
        for (id, life) in &self.ledger.lives {
            let sent = &life.state.envelope;
            let errand = sent.payload.get(ERRAND).and_then(|errand| errand.as_str());
            if let (None, Some(errand)) = (&sent.parent, errand) {
                made.entry(errand).or_default().push(*id);
            }
        }
        for (errand, ids) in &made {
            for id in ids.iter().skip(1) {
                self.wrong(*id, format!("{errand} is an intent already"));
            }
            if let Some(id) = ids.first().filter(|_| !told.tried.contains(*errand)) {
                self.wrong(*id, format!("{errand} was never sent"));
            }
        }
        for (errand, (_, id)) in &told.sent {
            if made.get(errand.as_str()).is_none_or(|ids| !ids.contains(id)) {
                self.wrong(*id, format!("{errand} was acknowledged and is not there"));
            }
        }
    }

    /// Everything has ended, but what nobody was to answer.
    fn ends(&mut self, told: &Told) {
        let left: Vec<_> = told.sent.values().filter(|(kind, _)| *kind == Kind::Left).collect();
        for (id, life) in &self.ledger.lives {
            let plan = life.state.envelope.payload.get("plan").and_then(|plan| plan.as_str());
            let is_left = plan == Some(Kind::Left.name());
            if !life.state.is_ended() && !is_left {
                self.wrong(*id, format!("is still {}", life.state.status().name()));
            }
        }
        for (_, id) in left {
            let life = self.ledger.lives.get(id);
            if life.is_some_and(|life| life.state.open_hold().is_none()) {
                self.wrong(*id, "waits for a person, and nothing is open");
            }
        }
    }

    /// Whoever was told that a decision is taken finds it in the history, once.
    fn decision(&mut self, told: &Decided) {
        let Some(life) = self.ledger.lives.get(&told.intent) else {
            return self.wrong(told.intent, "was decided and is not there");
        };
        let same = life.events().filter_map(decision).filter(|decision| {
            decision.by == told.by
                && decision.digest == told.digest
                && decision.is_approval() == told.yes
        });
        let count = same.count();
        if count != 1 {
            let (by, yes) = (&told.by, told.yes);
            let detail =
                format!("{by} was told that {yes} is taken; history has that {count} times");
            self.wrong(told.intent, detail);
        }
    }

    fn promises(&mut self, told: &Told) {
        for id in &told.canceled {
            let status = self.ledger.lives.get(id).map(|life| life.state.status());
            if status != Some(Status::Canceled) {
                self.wrong(*id, "was said to be canceled, and is not");
            }
        }
        for (id, result) in &told.completed {
            let has = |event: &Event| {
                matches!(&event.kind, EventKind::Completed { result: given } if given == result)
                    || matches!(&event.kind, EventKind::Held { hold }
                        if hold.proposal.as_ref() == Some(result))
            };
            if !self.ledger.lives.get(id).is_some_and(|life| life.events().any(has)) {
                self.wrong(*id, format!("its history does not have the result {result}"));
            }
        }
    }

    /// A tool ran once at most for each call, under the claim that history has, after a yes.
    fn runs(&mut self, told: &Told) {
        let mut counts: BTreeMap<(IntentId, &str), u32> = BTreeMap::new();
        for (id, call_id, token_digest) in &told.ran {
            let count = counts.entry((*id, call_id)).or_default();
            *count += 1;
            if *count > 1 {
                self.wrong(*id, format!("{call_id} ran {count} times"));
            }
            let life = self.ledger.lives.get(id);
            let is_claimed = life.is_some_and(|life| {
                life.events().any(|event| {
                    matches!(&event.kind, EventKind::CallClaimed { token_digest: claimed, .. }
                        if claimed == token_digest)
                })
            });
            let is_allowed = life.is_some_and(|life| {
                let asks = life.state.asks.iter().filter(|ask| ask.call_id == *call_id);
                asks.filter_map(|ask| ask.ending.as_ref()).any(AskEnding::is_approved)
            });
            if !is_claimed || !is_allowed {
                let detail = format!("{call_id} ran; claimed: {is_claimed}, allowed: {is_allowed}");
                self.wrong(*id, detail);
            }
        }
    }

    /// The built-in agent published no more often than a person allowed it.
    fn reports(&mut self) {
        let mut counts: BTreeMap<IntentId, usize> = BTreeMap::new();
        for id in &self.ledger.reports {
            *counts.entry(*id).or_default() += 1;
        }
        for (id, count) in counts {
            let asks = self.ledger.lives.get(&id).map_or(0, |life| {
                let endings = life.state.asks.iter().filter_map(|ask| ask.ending.as_ref());
                endings.filter(|ending| ending.is_approved()).count()
            });
            if count > asks {
                self.wrong(id, format!("{count} reports were published after {asks} approvals"));
            }
        }
    }
}

/// The decision that an event is.
fn decision(event: &Event) -> Option<&Decision> {
    if let EventKind::Approved { decision } | EventKind::Refused { decision } = &event.kind {
        return Some(decision);
    }
    if let EventKind::Failed { decision: Some(decision), .. } = &event.kind {
        return Some(decision);
    }
    None
}
