//! What may happen in a state, and what each of it leads to.

use std::sync::Arc;

use jiff::Timestamp;
use shared::id::IntentId;
use shared::intent::envelope::Delivery;

use crate::agent::{Act, Agent, token};
use crate::deed::Deed;
use crate::memory::Outcome;
use crate::model::Check;
use crate::promise::Promise;
use crate::shape::Post;
use crate::state::{Mail, Operation, Posted, Shown, State, Stored};
use crate::time::Function;
use crate::transaction::Written;
use crate::watch::Seen;

/// What may happen next.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Time goes on to the next moment.
    Pass,
    /// A deed is done in one go.
    Do(Deed),
    /// The same, and whoever did it hears nothing of it.
    DoUnheard(Deed),
    /// A deed is begun: its intent is loaded.
    Load(Deed),
    /// A deed that was begun is decided, by the time of now.
    Decide(usize),
    /// What was decided is written.
    Commit(usize),
    /// The same, and whoever did it hears nothing of it.
    CommitUnheard(usize),
    /// Whoever did a deed crashes before it is written.
    Crash(usize),
    /// It is looked whether a turn is to be posted, and its agent gets it.
    Post(IntentId),
    /// The relay sends what a commit owes.
    Relay,
    /// The relay sends what a commit owes, and crashes before it can say so.
    RelayUnheard,
    /// A message is lost.
    Lose(Mail),
}

/// What comes of writing.
enum Attempt {
    /// Nothing changes.
    Refused,
    /// It is written, or there already.
    Done,
    /// Somebody else was first.
    Conflict,
}

impl Check {
    pub(crate) fn put(&self, state: &mut State, written: &Written) {
        for stored in std::iter::once(&written.after).chain(&written.born) {
            let intent = stored.intent.id;
            if let Some(hold) = stored.intent.open_hold() {
                let (version, digest) = (hold.version, hold.digest.clone());
                state.shown.insert(Arc::new(Shown { intent, version, digest }));
            }
            state.table.insert(intent, stored.clone());
        }
        let owed = &written.owed;
        match self.shape.post {
            Post::Anyhow => state.queue.extend(owed.iter().map(|mail| (*mail, 1))),
            Post::StepByStep if owed.is_empty() => {}
            Post::StepByStep => state.stream.push_back(owed.clone()),
        }
    }

    /// Writes what comes of `deed` on `base` into `state`.
    fn attempt(&self, state: &mut State, deed: &Deed, base: &Stored, now: Timestamp) -> Attempt {
        let outcome = self.outcome(&state.table, deed, base, now);
        let written = match &*outcome {
            Outcome::Refused => return Attempt::Refused,
            Outcome::Nothing => return Attempt::Done,
            Outcome::Writes(written) => written,
        };
        let Some(before) = state.table.get(&deed.on()).cloned() else { return Attempt::Refused };
        if self.rules.compares_versions() && before.version != base.version {
            return Attempt::Conflict;
        }
        let (shape, table, before) = (&self.shape, &state.table, &*before);
        let broken = Seen { shape, table, deed, base, before, written, now }.broken();
        state.broken.extend(broken);
        if takes_turn(deed) && before.intent.delivery() == Delivery::Push {
            state.taken.insert((deed.on(), before.intent.turn_seq));
        }
        state.repeats_left = state.repeats_left.saturating_sub(deed.repeats().into());
        self.put(state, written);
        Attempt::Done
    }

    /// What whoever did `deed` learns from its answer. A process that hears that the call is its own
    /// runs the tool at once; one that crashes before it hears does not.
    fn hear(&self, state: &mut State, deed: &Deed) {
        let Deed::Agent { process, fence, on, act } = deed else { return };
        let Some(intent) = state.table.get(on).map(|stored| stored.intent.clone()) else { return };
        match act {
            Act::Start => {
                state.leases.insert(*process, (*on, intent.fence));
            }
            Act::Claim(place) => {
                let Some(ask) = self.shape.asks.get(*place) else { return };
                let token = token(*process, *fence);
                let digest = shared::digest::Digest::of_bytes(token.as_bytes());
                let claimed = intent.calls.get(&ask.call_id);
                let ours = claimed
                    .is_some_and(|call| call.token_digest == digest && call.finished.is_none());
                if ours {
                    state.ran.insert((ask.call_id.clone(), token));
                }
                let runs = state.ran.iter().filter(|(call_id, _)| *call_id == ask.call_id);
                if runs.count() > 1 {
                    state.broken.insert(Promise::RunsOnce);
                }
            }
            Act::Step
            | Act::Acknowledge
            | Act::Suspend
            | Act::AwaitTool
            | Act::AwaitTime(_)
            | Act::PutOff(_)
            | Act::Finish(_)
            | Act::HandOn
            | Act::Complete
            | Act::Fail => {}
        }
    }

    pub(crate) fn is_heard(&self, deed: &Deed) -> bool {
        deed.answer_matters() || (self.shape.post == Post::StepByStep && mail_of(deed).is_some())
    }

    fn does(&self, last: &State, deed: &Deed, heard: bool) -> Option<State> {
        let mut state = last.clone();
        let base = state.table.get(&deed.on())?.clone();
        let now = self.now(&state, deed.function());
        let attempt = self.attempt(&mut state, deed, &base, now);
        self.conclude(&mut state, deed, &attempt, heard);
        Some(state)
    }

    /// Whoever did it hears of it, and what it was the answer to leaves the queue; or neither.
    fn conclude(&self, state: &mut State, deed: &Deed, attempt: &Attempt, heard: bool) {
        if !heard {
            return;
        }
        if matches!(attempt, Attempt::Done) {
            self.hear(state, deed);
        }
        if let (Post::StepByStep, Some(mail)) = (self.shape.post, mail_of(deed)) {
            state.take(mail);
        }
    }

    fn load(last: &State, deed: Deed) -> Option<State> {
        let mut state = last.clone();
        let base = state.table.get(&deed.on())?.clone();
        state.operations.push(Operation { deed, base, decided_at: None });
        state.operations.sort();
        Some(state)
    }

    fn decides(&self, last: &State, place: usize) -> Option<State> {
        let mut state = last.clone();
        let mut operation = take_out(&mut state.operations, place)?;
        let now = self.now(&state, operation.deed.function());
        let outcome = self.outcome(&state.table, &operation.deed, &operation.base, now);
        // What is refused, or has nothing to do, is over; doing it in one go leads there too.
        if matches!(&*outcome, Outcome::Writes(_)) {
            operation.decided_at = Some(now);
            state.operations.push(operation);
            state.operations.sort();
        }
        Some(state)
    }

    fn commits(&self, last: &State, place: usize, heard: bool) -> Option<State> {
        let mut state = last.clone();
        let operation = take_out(&mut state.operations, place)?;
        let Operation { deed, base, decided_at: Some(now) } = operation else { return None };
        let attempt = self.attempt(&mut state, &deed, &base, now);
        if matches!(attempt, Attempt::Conflict) {
            // It is loaded and decided anew.
            return Self::load(&state, deed);
        }
        self.conclude(&mut state, &deed, &attempt, heard);
        Some(state)
    }

    /// As `notify` does it: what the message finds when it comes is posted, or nothing.
    fn posts(&self, last: &State, on: IntentId) -> Option<State> {
        let mut state = last.clone();
        let intent = &state.table.get(&on)?.intent;
        let now = self.now(&state, Function::Wake);
        if !self.rules.awaits_push(intent) || now >= intent.deadline_at() {
            return None;
        }
        let (turn, to) = (intent.turn_seq, Agent::at(intent.handler())?);
        if state.taken.contains(&(on, turn)) {
            state.broken.insert(Promise::PostedUntilTaken);
        }
        state.posted.insert(Arc::new(Posted { intent: on, turn, to }));
        Some(state)
    }

    fn relays(last: &State, heard: bool) -> Option<State> {
        let mut state = last.clone();
        let mails = state.stream.front()?.clone();
        state.send(&mails);
        if heard {
            state.stream.pop_front();
        }
        Some(state)
    }

    pub(crate) fn leads_to(&self, last: &State, action: Action) -> Option<State> {
        match action {
            Action::Pass => Some(State { time: last.time + 1, ..last.clone() }),
            Action::Do(deed) => self.does(last, &deed, true),
            Action::DoUnheard(deed) => self.does(last, &deed, false),
            Action::Load(deed) => Self::load(last, deed),
            Action::Decide(place) => self.decides(last, place),
            Action::Commit(place) => self.commits(last, place, true),
            Action::CommitUnheard(place) => self.commits(last, place, false),
            Action::Crash(place) => {
                let mut state = last.clone();
                take_out(&mut state.operations, place)?;
                Some(state)
            }
            Action::Post(on) => self.posts(last, on),
            Action::Relay => Self::relays(last, true),
            Action::RelayUnheard => Self::relays(last, false),
            Action::Lose(mail) => {
                let mut state = last.clone();
                state.take(mail);
                Some(state)
            }
        }
    }
}

fn take_out(operations: &mut Vec<Operation>, place: usize) -> Option<Operation> {
    (place < operations.len()).then(|| operations.remove(place))
}

/// Whether it tells that the agent has the turn that it is done in. A report may be of an earlier one.
fn takes_turn(deed: &Deed) -> bool {
    match deed {
        Deed::Taken(_) => true,
        Deed::Agent { act, .. } => !matches!(act, Act::Finish(_)),
        Deed::Wake(_)
        | Deed::News { .. }
        | Deed::ParentEnded(_)
        | Deed::Decide { .. }
        | Deed::Cancel { .. }
        | Deed::Other { .. } => false,
    }
}

/// The message that `deed` is the answer to, where messages are counted.
fn mail_of(deed: &Deed) -> Option<Mail> {
    match deed {
        Deed::News { parent, child } => Some(Mail::News { parent: *parent, child: *child }),
        Deed::ParentEnded(child) => Some(Mail::ParentEnded(*child)),
        Deed::Wake(_)
        | Deed::Agent { .. }
        | Deed::Decide { .. }
        | Deed::Cancel { .. }
        | Deed::Taken(_)
        | Deed::Other { .. } => None,
    }
}
