//! The model: what is explored, and what is held against every state.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::Timestamp;
use shared::intent::{Command, Intent, Status, decide};
use stateright::{Model, Property};

use crate::action::Action;
use crate::drain;
use crate::memory::Memory;
use crate::promise::Promise;
use crate::rules::Rules;
use crate::shape::{Post, Shape, root};
use crate::state::{Mail, State};
use crate::time::{Clocks, Function};
use crate::transaction::write;

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

impl Check {
    /// `shape` under `rules`.
    pub fn new(shape: Shape, rules: Rules) -> Self {
        Self { shape, rules, memory: Memory::default() }
    }

    fn second(&self, state: &State) -> i64 {
        self.shape.instants.get(state.time).copied().unwrap_or_default()
    }

    pub(crate) fn now(&self, state: &State, function: Function) -> Timestamp {
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
            posted: BTreeSet::new(),
            taken: BTreeSet::new(),
            repeats_left: self.shape.repeats_max,
            broken: BTreeSet::new(),
        };
        let envelope = Box::new(self.shape.envelope.clone());
        let create = Command::Create { id: root(), envelope };
        let events = decide(None, &create, self.now(&state, Function::Agents)).ok()?;
        let written = write(self.rules, None, &create, events)?;
        self.cover(&create, &written);
        self.put(&mut state, &written);
        state.broken = drain::broken(self, &state);
        Some(state)
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
        for mail in state.queue.keys() {
            if let Mail::Push(on) = mail {
                actions.push(Action::Post(*on));
            }
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
        Promise::OrphansEnd => |_, state| state.keeps(Promise::OrphansEnd),
        Promise::GivesUp => |_, state| state.keeps(Promise::GivesUp),
        Promise::PostedUntilTaken => |_, state| state.keeps(Promise::PostedUntilTaken),
        Promise::TakesItsTurn => |_, state| state.keeps(Promise::TakesItsTurn),
        Promise::ItsAgentOnly => |_, state| state.keeps(Promise::ItsAgentOnly),
        Promise::PassedOn => |_, state| state.keeps(Promise::PassedOn),
        Promise::WaitsOut => |_, state| state.keeps(Promise::WaitsOut),
        Promise::RemindedInHours => |_, state| state.keeps(Promise::RemindedInHours),
        Promise::OnlyTalk => |_, state| state.keeps(Promise::OnlyTalk),
        Promise::UntakenOnly => |_, state| state.keeps(Promise::UntakenOnly),
    };
    Property::always(promise.name(), condition)
}

/// What a model comes across, so that no promise is one about nothing.
fn met() -> [Property<Check>; 8] {
    [
        Property::sometimes("completed", |_, state| has_ended(state, Status::Completed)),
        Property::sometimes("failed", |_, state| has_ended(state, Status::Failed)),
        Property::sometimes("canceled", |_, state| has_ended(state, Status::Canceled)),
        Property::sometimes("timed out", |_, state| has_ended(state, Status::TimedOut)),
        Property::sometimes("a tool has run", |_, state: &State| !state.ran.is_empty()),
        Property::sometimes("a turn is taken", |_, state: &State| !state.taken.is_empty()),
        Property::sometimes("it is handed on", |_, state| {
            is_any(state, |intent| intent.handed_to.is_some())
        }),
        Property::sometimes("it is passed on", |_, state| {
            is_any(state, |intent| {
                intent.open_hold().is_some_and(|hold| !hold.reassigned_to.is_empty())
            })
        }),
    ]
}

fn is_any(state: &State, of: impl Fn(&Intent) -> bool) -> bool {
    state.table.values().any(|stored| of(&stored.intent))
}

fn has_ended(state: &State, status: Status) -> bool {
    state.table.get(&root()).is_some_and(|stored| stored.intent.status() == status)
}
