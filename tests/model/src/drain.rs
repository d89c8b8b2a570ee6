//! What becomes of a state when everybody falls silent: from every state that is explored, timers and
//! whatever is owed from then on are followed to the end.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use shared::id::IntentId;
use shared::intent::{Intent, Phase, Status, Waiting};

use crate::deed::Deed;
use crate::memory::Outcome;
use crate::model::Check;
use crate::promise::Promise;
use crate::shape::Post;
use crate::state::{Mail, State, Stored, Table, print_of};
use crate::time::at;

/// The most wake-ups and messages that any state may need to its end.
const DEEDS_MAX: usize = 300;
/// A turn that nobody takes has failed at most this long after its last offer, unless its intent has a
/// shorter life: all pauses of the pushes, or a lease and all offers to workers.
const GIVEN_UP_WITHIN: Duration = Duration::from_mins(30);
/// A parent has asked for lost news at least this long after the child's end.
const ASKED_WITHIN: Duration = Duration::from_hours(25);

/// What happens to the messages that are under way.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
enum Loss {
    /// They arrive.
    None,
    /// They are lost; those that are sent later arrive.
    OfThese,
    /// They are lost, and so are all that follow: only timers work.
    OfAll,
    /// They are lost in a restart, which sends what is owed still.
    InRestart,
}

/// The promises that `state` breaks if from now on nobody does anything.
pub(crate) fn broken(check: &Check, state: &State) -> BTreeSet<Promise> {
    let asleep = state.table.values().any(|stored| !is_awake(stored));
    let asleep = asleep.then_some(Promise::Awake);
    let losses = [Loss::None, Loss::OfThese, Loss::OfAll, Loss::InRestart];
    let broken = losses.into_iter().filter_map(|loss| {
        // Only where nothing is lost does it matter what is under way.
        let under_way = (loss == Loss::None).then_some((&state.stream, &state.queue));
        let print = print_of(&(loss, state.time, &state.table, under_way));
        check.drained(print, || Drain::of(check, state, loss).run(loss).err())
    });
    broken.chain(asleep).collect()
}

fn is_awake(stored: &Stored) -> bool {
    match stored.timer {
        Some(timer) => !stored.intent.is_ended() && timer <= stored.intent.deadline_at(),
        None => stored.intent.is_ended(),
    }
}

struct Drain<'a> {
    check: &'a Check,
    now: Timestamp,
    table: Table,
    mails: VecDeque<Mail>,
    deeds: usize,
}

impl<'a> Drain<'a> {
    fn of(check: &'a Check, state: &State, loss: Loss) -> Self {
        let second = check.shape.instants.get(state.time).copied().unwrap_or_default();
        let under_way = state.stream.iter().flatten().chain(state.queue.keys()).copied();
        let owed = state.table.values().flat_map(|stored| {
            let parent = parent(&state.table, &stored.intent);
            check.rules.owed_still(&stored.intent, parent)
        });
        let mails = match loss {
            Loss::None => under_way.collect(),
            Loss::OfThese | Loss::OfAll => VecDeque::new(),
            Loss::InRestart => owed.collect(),
        };
        Self { check, now: at(second), table: state.table.clone(), mails, deeds: 0 }
    }

    fn run(mut self, loss: Loss) -> Result<(), Promise> {
        self.deliver();
        if loss == Loss::InRestart && self.waits_in_vain() {
            return Err(Promise::Recovers);
        }
        // Where a message may have been lost for good, what it would have ended goes on.
        let heals = loss == Loss::InRestart
            || (loss == Loss::None && self.check.shape.post == Post::Anyhow);
        let orphans = if heals { BTreeSet::new() } else { self.orphans() };
        let offered = self.offered();
        let began_at = self.now;
        if !self.orphans().is_subset(&orphans) {
            return Err(Promise::OrphansEnd);
        }
        while let Some((id, due)) = self.next_timer() {
            self.now = self.now.max(due);
            if loss != Loss::OfAll && self.has_waited(began_at) {
                return Err(Promise::NewsHeal);
            }
            let did = self.execute(id, &Deed::Wake(id));
            if !did || self.deeds > DEEDS_MAX {
                return Err(Promise::Ends);
            }
            match loss {
                Loss::OfAll => self.mails.clear(),
                Loss::None | Loss::OfThese | Loss::InRestart => {
                    self.deliver();
                    if !self.orphans().is_subset(&orphans) {
                        return Err(Promise::OrphansEnd);
                    }
                }
            }
        }
        if self.intents().any(|it| offered.contains(&it.id) && it.status() == Status::TimedOut) {
            return Err(Promise::GivesUp);
        }
        if self.table.values().all(|stored| stored.intent.is_ended()) {
            Ok(())
        } else {
            Err(Promise::Ends)
        }
    }

    fn next_timer(&self) -> Option<(IntentId, Timestamp)> {
        let timers = self.table.iter().filter_map(|(id, stored)| Some((*id, stored.timer?)));
        timers.min_by_key(|(_, due)| *due)
    }

    fn deliver(&mut self) {
        while let Some(mail) = self.mails.pop_front() {
            match mail {
                // The workers are silent too, and so is who is pushed to.
                Mail::Turn(_) | Mail::Push(_) => {}
                Mail::News { parent, child } => {
                    self.execute(parent, &Deed::News { parent, child });
                }
                Mail::ParentEnded(child) => {
                    self.execute(child, &Deed::ParentEnded(child));
                }
            }
        }
    }

    /// Executes a deed, and says whether it did anything.
    fn execute(&mut self, id: IntentId, deed: &Deed) -> bool {
        self.deeds += 1;
        let Some(base) = self.table.get(&id) else { return false };
        match &*self.check.outcome(&self.table, deed, base, self.now) {
            Outcome::Refused | Outcome::Nothing => false,
            Outcome::Writes(written) => {
                let new = std::iter::once(&written.after).chain(&written.born);
                self.table.extend(new.map(|stored| (stored.intent.id, stored.clone())));
                self.mails.extend(&written.owed);
                true
            }
        }
    }

    /// Whether a parent whose time is not over waits for a child that has ended.
    fn waits_in_vain(&self) -> bool {
        let live = |intent: &&Intent| self.now < intent.deadline_at();
        self.intents().filter(live).any(|intent| self.ends_of_children(intent).next().is_some())
    }

    /// Whether a parent has waited for a child that has ended for longer than it may, not counting
    /// the time before `began_at`, in which wake-ups may have been late.
    fn has_waited(&self, began_at: Timestamp) -> bool {
        let may_wait = |ended_at: Timestamp| ended_at.max(began_at).checked_add(ASKED_WITHIN);
        let too_long = |ended_at| may_wait(ended_at).is_ok_and(|until| until <= self.now);
        self.intents().flat_map(|intent| self.ends_of_children(intent)).any(too_long)
    }

    /// The live intents whose time is not over and whose parent has ended.
    fn orphans(&self) -> BTreeSet<IntentId> {
        let live = |intent: &&Intent| !intent.is_ended() && self.now < intent.deadline_at();
        let orphaned = |intent: &&Intent| parent(&self.table, intent).is_some_and(Intent::is_ended);
        self.intents().filter(live).filter(orphaned).map(|intent| intent.id).collect()
    }

    /// The intents whose turn somebody should take, and whose life is long enough to see that nobody
    /// does.
    fn offered(&self) -> BTreeSet<IntentId> {
        let latest = self.now.checked_add(GIVEN_UP_WITHIN).unwrap_or(Timestamp::MAX);
        let lives = |intent: &&Intent| latest < intent.deadline_at();
        self.intents().filter(lives).filter(|it| is_offered(it)).map(|it| it.id).collect()
    }

    fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.table.values().map(|stored| &stored.intent)
    }

    fn ends_of_children(&self, intent: &Intent) -> impl Iterator<Item = Timestamp> {
        let children = children(intent).into_iter();
        children.filter_map(|child| ended_at(&self.table.get(&child)?.intent))
    }
}

/// Whether it is somebody's turn who has to take it, or has it for a time.
fn is_offered(intent: &Intent) -> bool {
    match &intent.phase {
        Phase::Delivered { answer_by } | Phase::Acknowledged { answer_by } => answer_by.is_some(),
        Phase::InProgress { lease, answer_by, .. } => lease.is_some() || answer_by.is_some(),
        Phase::Created
        | Phase::Submitted
        | Phase::Waiting(_)
        | Phase::Completed { .. }
        | Phase::Failed { .. }
        | Phase::Canceled { .. }
        | Phase::TimedOut { .. } => false,
    }
}

fn parent<'a>(table: &'a Table, intent: &Intent) -> Option<&'a Intent> {
    let parent = intent.envelope.parent.as_ref()?;
    table.get(&parent.intent).map(|stored| &stored.intent)
}

/// The children that `intent` stands still for.
fn children(intent: &Intent) -> Vec<IntentId> {
    let Phase::Waiting(waiting) = &intent.phase else { return vec![] };
    match waiting {
        Waiting::Children => intent.open_asks().map(|ask| ask.child).collect(),
        Waiting::Step { child } => vec![*child],
        Waiting::Human(_) | Waiting::Agent { .. } | Waiting::Tool | Waiting::Time { .. } => vec![],
    }
}

fn ended_at(intent: &Intent) -> Option<Timestamp> {
    match &intent.phase {
        Phase::Completed { ended_at, .. }
        | Phase::Failed { ended_at, .. }
        | Phase::Canceled { ended_at, .. }
        | Phase::TimedOut { ended_at } => Some(*ended_at),
        Phase::Created
        | Phase::Submitted
        | Phase::Delivered { .. }
        | Phase::Acknowledged { .. }
        | Phase::InProgress { .. }
        | Phase::Waiting(_) => None,
    }
}
