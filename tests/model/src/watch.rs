//! Whether a commit keeps what is promised.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use shared::intent::ask::{Ask, GRANT_SECONDS};
use shared::intent::{EVENT_SEQ_STEP, Event, EventKind, Intent, Phase, Waiting};

use crate::agent::Act;
use crate::deed::Deed;
use crate::promise::Promise;
use crate::rules::{decision, lease};
use crate::shape::Shape;
use crate::state::{Stored, Table};
use crate::time::at;
use crate::transaction::Written;

/// One commit, seen from outside.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// What is explored.
    pub shape: &'a Shape,
    /// The table that it happens to.
    pub table: &'a Table,
    /// The deed that it is of.
    pub deed: &'a Deed,
    /// What it was decided on.
    pub base: &'a Stored,
    /// What it replaces in the table.
    pub before: &'a Stored,
    /// What happens.
    pub written: &'a Written,
    /// The time by which it was decided.
    pub now: Timestamp,
}

impl Seen<'_> {
    /// The promises that it breaks.
    pub fn broken(&self) -> Vec<Promise> {
        let kept = [
            (Promise::OneEnd, self.ends_once()),
            (Promise::InTime, self.is_in_time()),
            (Promise::NotEarly, self.is_not_early()),
            (Promise::Granted, self.is_granted()),
            (Promise::Unbroken, self.is_unbroken()),
            (Promise::Replays, self.written.replays),
            (Promise::Bound, self.is_bound()),
            (Promise::PeopleDecide, self.is_of_people()),
            (Promise::LeaseHolds, self.holds_lease()),
            (Promise::TakesItsTurn, self.takes_its_turn()),
            (Promise::ItsAgentOnly, self.is_of_its_agent()),
            (Promise::PassedOn, self.is_of_whom_it_was_passed_to()),
            (Promise::WaitsOut, self.waits_out()),
            (Promise::RemindedInHours, self.reminds_in_hours()),
            (Promise::OnlyTalk, self.only_talks()),
            (Promise::UntakenOnly, self.gives_up_untaken()),
        ];
        kept.into_iter().filter(|(_, kept)| !kept).map(|(promise, _)| promise).collect()
    }

    fn ends_once(&self) -> bool {
        let ends = self.written.events.iter().filter(|event| is_end(event)).count();
        let last = self.written.events.last().is_some_and(is_end);
        !self.before.intent.is_ended() && (ends == 0 || (ends == 1 && last))
    }

    fn is_in_time(&self) -> bool {
        let intent = &self.before.intent;
        self.written.events.iter().all(|event| {
            let until = if decision(event).is_some() {
                intent.decide_until()
            } else {
                intent.deadline_at()
            };
            event.kind == EventKind::TimedOut || (event.at == self.now && self.now < until)
        })
    }

    fn is_not_early(&self) -> bool {
        let deadline_at = self.before.intent.deadline_at();
        self.written
            .events
            .iter()
            .all(|event| event.kind != EventKind::TimedOut || self.now >= deadline_at)
    }

    fn is_granted(&self) -> bool {
        self.written.events.iter().all(|event| {
            let EventKind::CallClaimed { call_id, call_digest, .. } = &event.kind else {
                return true;
            };
            let ask = self.before.intent.asks.iter().find(|ask| ask.call_id == *call_id);
            ask.is_some_and(|ask| ask.call_digest == *call_digest && self.is_good(ask))
        })
    }

    /// Whether a person has said yes to `ask`, as its child has it, and lately enough.
    fn is_good(&self, ask: &Ask) -> bool {
        let Some(child) = self.table.get(&ask.child).map(|stored| &stored.intent) else {
            return false;
        };
        let completed = matches!(child.phase, Phase::Completed { .. });
        let decided = child.decided().map(|decided| &decided.decision);
        let yes = decided.filter(|decision| completed && decision.is_approval());
        let until = |from: Timestamp| from.checked_add(Duration::from_secs(GRANT_SECONDS)).ok();
        yes.and_then(|yes| until(yes.decided_at)).is_some_and(|until| self.now < until)
    }

    fn is_unbroken(&self) -> bool {
        let (before, after) = (self.before, &self.written.after);
        let link = after.history.last();
        let follows =
            self.base == before && link.is_some_and(|link| link.events == self.written.events);
        let numbers = self.written.events.iter().map(|event| event.seq);
        let expected = (1_u64..).map(|nth| before.intent.seq + nth * EVENT_SEQ_STEP);
        let numbered = numbers.zip(expected).all(|(number, expected)| number == expected);
        follows && numbered && after.version == before.version + 1
    }

    fn is_bound(&self) -> bool {
        let Deed::Decide { shown, .. } = self.deed else { return true };
        let open = self.before.intent.open_hold();
        let open =
            open.is_some_and(|hold| (hold.version, &hold.digest) == (shown.version, &shown.digest));
        let mut decisions = self.written.events.iter().filter_map(decision);
        decisions.all(|decision| open && decision.digest == shown.digest)
    }

    fn is_of_people(&self) -> bool {
        let reviewer = match self.deed {
            Deed::Decide { by, .. } => by.is_reviewer(),
            Deed::Wake(_)
            | Deed::News { .. }
            | Deed::ParentEnded(_)
            | Deed::Agent { .. }
            | Deed::Cancel { .. }
            | Deed::Taken(_)
            | Deed::Other { .. } => false,
        };
        reviewer || self.written.events.iter().all(|event| decision(event).is_none())
    }

    fn holds_lease(&self) -> bool {
        let Deed::Agent { fence, act, .. } = self.deed else { return true };
        let intent = &self.before.intent;
        let had = lease(intent);
        match fence {
            Some(fence) if act.takes_lease() => {
                intent.fence == *fence && had.is_some_and(|had| had.fence == *fence)
            }
            // While one has it, nobody else goes on.
            None if act.takes_lease() || *act == Act::Start => {
                had.is_none_or(|had| had.until <= self.now)
            }
            Some(_) | None => true,
        }
    }

    fn takes_its_turn(&self) -> bool {
        let (before, after) = (&self.before.intent, &self.written.after.intent);
        match self.deed {
            Deed::Taken(posted) => before.turn_seq == posted.turn,
            Deed::Agent { .. } => true,
            Deed::Wake(_)
            | Deed::News { .. }
            | Deed::ParentEnded(_)
            | Deed::Decide { .. }
            | Deed::Cancel { .. }
            | Deed::Other { .. } => {
                let taken = before.awaits_push() && !after.awaits_push();
                !taken || after.is_ended()
            }
        }
    }

    fn is_of_its_agent(&self) -> bool {
        let Deed::Agent { process, act, .. } = self.deed else { return true };
        let (intent, agent) = (&self.before.intent, self.shape.agent_of(*process).address());
        let granted = intent.policy.grants.contains_key(&agent.uri());
        match act {
            Act::Complete | Act::Fail | Act::HandOn => granted || *intent.handler() == agent,
            Act::Start
            | Act::Step
            | Act::Acknowledge
            | Act::Suspend
            | Act::AwaitTool
            | Act::AwaitTime(_)
            | Act::PutOff(_)
            | Act::Claim(_)
            | Act::Finish(_) => *intent.handler() == agent,
        }
    }

    /// Follows the names through the events of the open hold, and not through its state.
    fn is_of_whom_it_was_passed_to(&self) -> bool {
        let (Deed::Decide { by, .. }, intent) = (self.deed, &self.before.intent) else {
            return true;
        };
        let Some(hold) = intent.open_hold() else { return true };
        let asked = intent.task_of(hold).map_or(&[][..], |task| &task.assignees);
        let mut named: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
        let mut gone = BTreeSet::new();
        let events = self.before.history.iter().flat_map(|link| &link.events);
        for event in events.filter(|event| event.seq >= hold.version) {
            if let EventKind::Reassigned { to, .. } = &event.kind {
                gone.insert(event.actor.as_str());
                gone.remove(to.as_str());
                named.insert(to);
            }
        }
        let escalated = intent.envelope.escalate_to.as_ref().filter(|_| hold.escalated);
        escalated.is_some_and(|to| to.path() == by.name())
            || (!gone.contains(by.name()) && (named.is_empty() || named.contains(by.name())))
    }

    fn waits_out(&self) -> bool {
        let (before, after) = (&self.before.intent, &self.written.after.intent);
        let Phase::Waiting(Waiting::Time { until }) = &before.phase else { return true };
        let until = before.step_until().map_or(*until, |over| over.min(*until));
        after.phase == before.phase
            || after.is_ended()
            || (matches!(self.deed, Deed::Wake(_)) && until <= self.now)
    }

    fn reminds_in_hours(&self) -> bool {
        let intent = &self.before.intent;
        let Some(hold) = intent.open_hold() else { return true };
        let reminders = intent.reminders(hold);
        self.written.events.iter().all(|event| {
            let nth = if let EventKind::Reminded { count } = &event.kind {
                count.saturating_sub(1)
            } else if let EventKind::Escalated { step: None, .. } = &event.kind {
                reminders.max
            } else {
                return true;
            };
            let opens_at = self.shape.opens_at.map_or(Timestamp::MIN, at);
            let due = reminders.due_at(hold.opened_at, nth);
            due.is_some_and(|due| due <= self.now) && opens_at <= self.now
        })
    }

    fn only_talks(&self) -> bool {
        let Deed::Other { what, .. } = self.deed else { return true };
        let (before, after) = (&self.before.intent, &self.written.after.intent);
        let same = || Intent {
            seq: after.seq,
            updated_at: after.updated_at,
            messages: after.messages.clone(),
            ..before.clone()
        };
        !what.is_talk() || same() == *after
    }

    fn gives_up_untaken(&self) -> bool {
        let intent = &self.before.intent;
        let gives_up = |event: &Event| matches!(event.kind, EventKind::DeliveryFailed { .. });
        if !self.written.events.iter().any(gives_up) {
            return true;
        }
        match (self.deed, &intent.phase) {
            (Deed::Other { .. }, phase) => matches!(phase, Phase::Delivered { .. }),
            (_, Phase::InProgress { lease: Some(lease), .. }) => lease.until <= self.now,
            (
                _,
                Phase::Delivered { answer_by }
                | Phase::Acknowledged { answer_by }
                | Phase::InProgress { answer_by, .. },
            ) => answer_by.is_some_and(|by| by <= self.now),
            (_, _) => false,
        }
    }
}

fn is_end(event: &Event) -> bool {
    matches!(
        event.kind,
        EventKind::Completed { .. }
            | EventKind::Failed { .. }
            | EventKind::Canceled { .. }
            | EventKind::TimedOut
    )
}
