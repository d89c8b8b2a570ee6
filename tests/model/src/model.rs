//! The model: which actions there are in a state, and what each leads to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use shared::intent::{Command, Status, decide};
use stateright::{Model, Property};

use crate::deed::{Act, Deed, token};
use crate::drain;
use crate::memory::{Memory, Outcome};
use crate::promise::Promise;
use crate::rules::Rules;
use crate::shape::{Post, Shape, root};
use crate::state::{Mail, Operation, Shown, State, Stored};
use crate::time::{Clocks, Function};
use crate::transaction::{Written, write};
use crate::watch::Seen;

/// A shape under certain rules, ready to be explored.
#[derive(Debug)]
pub struct Check {
    /// The shape.
    pub shape: Shape,
    /// The rules.
    pub rules: Rules,
    /// What the core has said so far.
    pub(crate) memory: Memory,
}

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
    /// `shape` under `rules`.
    pub fn new(shape: Shape, rules: Rules) -> Self {
        Self { shape, rules, memory: Memory::default() }
    }

    fn second(&self, state: &State) -> i64 {
        self.shape.instants.get(state.time).copied().unwrap_or_default()
    }

    fn now(&self, state: &State, function: Function) -> Timestamp {
        state.clocks.read(function, self.second(state))
    }

    fn begin(&self, clocks: Clocks) -> Option<State> {
        let mut state = State {
            time: 0,
            clocks,
            table: BTreeMap::new(),
            stream: VecDeque::new(),
            queue: BTreeMap::new(),
            operations: vec![],
            leases: BTreeMap::new(),
            ran: BTreeSet::new(),
            shown: BTreeSet::new(),
            broken: BTreeSet::new(),
        };
        let envelope = Box::new(self.shape.envelope.clone());
        let create = Command::Create { id: root(), envelope };
        let events = decide(None, &create, self.now(&state, Function::Agents)).ok()?;
        self.put(&mut state, &write(self.rules, None, &create, events)?);
        state.broken = drain::broken(self, &state);
        Some(state)
    }

    fn put(&self, state: &mut State, written: &Written) {
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
        let (table, before) = (&state.table, &*before);
        let broken = Seen { table, deed, base, before, written, now }.broken();
        state.broken.extend(broken);
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
            Act::Suspend | Act::Finish(_) | Act::Complete | Act::Fail => {}
        }
    }

    fn is_heard(&self, deed: &Deed) -> bool {
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

    fn relays(last: &State, heard: bool) -> Option<State> {
        let mut state = last.clone();
        let mails = state.stream.front()?.clone();
        state.send(&mails);
        if heard {
            state.stream.pop_front();
        }
        Some(state)
    }

    fn leads_to(&self, last: &State, action: Action) -> Option<State> {
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

/// The message that `deed` is the answer to, where messages are counted.
fn mail_of(deed: &Deed) -> Option<Mail> {
    match deed {
        Deed::News { parent, child } => Some(Mail::News { parent: *parent, child: *child }),
        Deed::ParentEnded(child) => Some(Mail::ParentEnded(*child)),
        Deed::Wake(_)
        | Deed::Agent { .. }
        | Deed::Decide { .. }
        | Deed::Cancel { .. }
        | Deed::Shorten(_) => None,
    }
}

impl Model for Check {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        self.shape.clocks.iter().filter_map(|clocks| self.begin(*clocks)).collect()
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // A counterexample is long enough as it is.
        if !state.broken.is_empty() {
            return;
        }
        if state.time + 1 < self.shape.instants.len() {
            actions.push(Action::Pass);
        }
        let room = state.operations.len() < self.shape.in_flight_max;
        for deed in self.deeds(state) {
            let under_way = state.operations.iter().any(|operation| operation.deed == deed);
            if room && deed.may_change() && !under_way {
                actions.push(Action::Load(deed.clone()));
            }
            if self.is_heard(&deed) {
                actions.push(Action::DoUnheard(deed.clone()));
            }
            actions.push(Action::Do(deed));
        }
        for (place, operation) in state.operations.iter().enumerate() {
            actions.push(Action::Crash(place));
            if operation.decided_at.is_none() {
                actions.push(Action::Decide(place));
                continue;
            }
            actions.push(Action::Commit(place));
            if self.is_heard(&operation.deed) {
                actions.push(Action::CommitUnheard(place));
            }
        }
        if !state.stream.is_empty() {
            actions.extend([Action::Relay, Action::RelayUnheard]);
        }
        if self.shape.post == Post::StepByStep {
            actions.extend(state.queue.keys().map(|mail| Action::Lose(*mail)));
        }
    }

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
        let mut state = self.leads_to(last, action)?;
        if state == *last {
            return None;
        }
        if !state.is_as_quiet_as(last) {
            let broken = drain::broken(self, &state);
            state.broken.extend(broken);
        }
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Promise::ALL.into_iter().map(kept).chain(met()).collect()
    }
}

fn kept(promise: Promise) -> Property<Check> {
    let condition: fn(&Check, &State) -> bool = match promise {
        Promise::OneEnd => |_, state| state.keeps(Promise::OneEnd),
        Promise::InTime => |_, state| state.keeps(Promise::InTime),
        Promise::NotEarly => |_, state| state.keeps(Promise::NotEarly),
        Promise::Granted => |_, state| state.keeps(Promise::Granted),
        Promise::RunsOnce => |_, state| state.keeps(Promise::RunsOnce),
        Promise::Unbroken => |_, state| state.keeps(Promise::Unbroken),
        Promise::Replays => |_, state| state.keeps(Promise::Replays),
        Promise::Bound => |_, state| state.keeps(Promise::Bound),
        Promise::PeopleDecide => |_, state| state.keeps(Promise::PeopleDecide),
        Promise::LeaseHolds => |_, state| state.keeps(Promise::LeaseHolds),
        Promise::Awake => |_, state| state.keeps(Promise::Awake),
        Promise::Ends => |_, state| state.keeps(Promise::Ends),
        Promise::NewsHeal => |_, state| state.keeps(Promise::NewsHeal),
        Promise::Recovers => |_, state| state.keeps(Promise::Recovers),
    };
    Property::always(promise.name(), condition)
}

/// What a model comes across, so that no promise is one about nothing.
fn met() -> [Property<Check>; 5] {
    [
        Property::sometimes("completed", |_, state| has_ended(state, Status::Completed)),
        Property::sometimes("failed", |_, state| has_ended(state, Status::Failed)),
        Property::sometimes("canceled", |_, state| has_ended(state, Status::Canceled)),
        Property::sometimes("timed out", |_, state| has_ended(state, Status::TimedOut)),
        Property::sometimes("a tool has run", |_, state: &State| !state.ran.is_empty()),
    ]
}

fn has_ended(state: &State, status: Status) -> bool {
    state.table.get(&root()).is_some_and(|stored| stored.intent.status() == status)
}
