//! Whether a commit keeps what is promised.

use std::time::Duration;

use jiff::Timestamp;
use shared::intent::ask::{Ask, GRANT_SECONDS};
use shared::intent::{EVENT_SEQ_STEP, Event, EventKind, Phase};

use crate::deed::{Act, Deed};
use crate::promise::Promise;
use crate::rules::{decision, lease};
use crate::state::{Stored, Table};
use crate::transaction::Written;

/// One commit, seen from outside.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
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
            | Deed::Shorten(_) => false,
        };
        reviewer || self.written.events.iter().all(|event| decision(event).is_none())
    }

    fn holds_lease(&self) -> bool {
        let Deed::Agent { fence: Some(fence), act, .. } = self.deed else { return true };
        let intent = &self.before.intent;
        match act {
            // A report carries the secret of its claim, and no lease.
            Act::Start | Act::Finish(_) => true,
            Act::Suspend | Act::Claim(_) | Act::Complete | Act::Fail => {
                intent.fence == *fence && lease(intent).is_some_and(|lease| lease.fence == *fence)
            }
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
