//! The rules as the core has them, and with one flaw each: what a model must be able to find.

use jiff::Timestamp;
use shared::intent::command::Seen;
use shared::intent::envelope::Delivery;
use shared::intent::phase::{Lease, Phase, Waiting};
use shared::intent::{
    Command, EVENT_SEQ_STEP, Event, EventKind, Intent, Rejection, apply, decide, react,
};
use shared::message::Message;
use shared::principal::Role;

use crate::person::Person;
use crate::state::Mail;

/// The rules that a model goes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rules {
    /// Those of the core.
    OfTheCore,
    /// The same with one flaw.
    With(Flaw),
}

/// One thing that the core does not do.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Flaw {
    /// What has ended can be withdrawn.
    EndOverwritten,
    /// An answer's deadline is looked up on the clock of whoever wrote last.
    DeadlineByOldClock,
    /// A wake-up believes that whatever it was sent for is due.
    WakeBelieved,
    /// A commit does not compare versions.
    VersionIgnored,
    /// A claim forgets those before it.
    ClaimGivenTwice,
    /// A claim does not look for its grant.
    GrantIgnored,
    /// A grant is good for ever.
    GrantForEver,
    /// A decision counts for whatever is open.
    ViewIgnored,
    /// Every key of an agent is one of a reviewer too.
    AgentsDecide,
    /// Who asks may answer.
    AskersDecide,
    /// A worker's fence is not compared.
    FenceIgnored,
    /// What a person is asked has no timer.
    TimerForgotten,
    /// The timer of what a person is asked is late.
    TimerLate,
    /// A wake-up at the deadline does nothing.
    WakeIgnored,
    /// Lost news are not asked for.
    NewsForgotten,
    /// Nothing is owed after a restart.
    RestartIgnored,
    /// The first event of a commit with several is left out of the state.
    EventForgotten,
    /// Whoever is in the middle of something does not keep the others from a lease.
    LeaseGivenTwice,
    /// A turn is posted for as long as it is its agent's.
    PostedForEver,
    /// Who claims a call in a turn has not taken it.
    ClaimTakesNothing,
    /// The answer to a post takes whatever turn there is.
    AnyTurnTaken,
    /// Whoever moves an intent on has taken its turn for its agent.
    TakenForIt,
    /// Whoever had an intent has it still.
    HandlerForgotten,
    /// Whoever was asked first may answer still.
    AssigneesForgotten,
    /// A turn that was offered has no timer.
    OffersForgotten,
    /// What is offered is given up, though it was taken up.
    GivenUpLate,
    /// A wake-up ends a wait for a moment.
    WaitCutShort,
    /// Reminders know no hours.
    HoursForgotten,
    /// Who says something about an intent has taken it.
    TalkTakes,
    /// The children of what has ended are not told.
    ChildrenForgotten,
    /// After a restart nobody looks whether somebody still waits for a child.
    OrphansForgotten,
}

impl Rules {
    fn has(self, flaw: Flaw) -> bool {
        self == Self::With(flaw)
    }

    /// What a command does.
    pub fn decide(
        self,
        intent: &Intent,
        command: &Command,
        now: Timestamp,
    ) -> Result<Vec<Event>, Rejection> {
        let decided = decide(Some(intent), command, now);
        match self {
            Self::OfTheCore => decided,
            Self::With(flaw) => flaw.decide(intent, command, now, decided),
        }
    }

    /// The state that events lead to.
    pub fn fold(self, before: Option<&Intent>, events: &[Event]) -> Option<Intent> {
        let forgets = self.has(Flaw::EventForgotten) && before.is_some() && events.len() > 1;
        let counted = events.iter().skip(usize::from(forgets));
        counted.fold(before.cloned(), apply)
    }

    /// The moment of the timer.
    pub fn wake_at(self, intent: &Intent) -> Option<Timestamp> {
        let timer = react::wake_at(intent);
        if self.has(Flaw::OffersForgotten) && intent.is_agents_turn() {
            return Some(intent.deadline_at());
        }
        let waiting = match &intent.phase {
            Phase::Waiting(waiting) => Some(waiting),
            Phase::Created
            | Phase::Submitted
            | Phase::Delivered { .. }
            | Phase::Acknowledged { .. }
            | Phase::InProgress { .. }
            | Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => None,
        };
        match (self, waiting) {
            (Self::With(Flaw::TimerForgotten), Some(Waiting::Human(_))) => None,
            (Self::With(Flaw::TimerLate), Some(Waiting::Human(_))) => {
                intent.deadline_at().checked_add(std::time::Duration::from_mins(1)).ok()
            }
            (Self::With(Flaw::NewsForgotten), Some(Waiting::Children | Waiting::Step { .. })) => {
                Some(intent.deadline_at())
            }
            (Self::OfTheCore | Self::With(_), _) => timer,
        }
    }

    /// What the world is owed for an event.
    pub fn owed(self, intent: &Intent, event: &Event) -> Vec<Message> {
        let mut owed = react::owed(intent, event);
        if self.has(Flaw::ChildrenForgotten) {
            owed.retain(|message| !matches!(message, Message::ParentEnded { .. }));
        }
        owed
    }

    /// What it is owed still, after a restart: as `wake` recovers it, looking at the parent too.
    pub fn owed_still(self, intent: &Intent, parent: Option<&Intent>) -> Vec<Mail> {
        let orphaned = parent.is_some_and(|parent| react::is_orphaned(intent, parent));
        if orphaned && !self.has(Flaw::OrphansForgotten) {
            return vec![Mail::ParentEnded(intent.id)];
        }
        if self.has(Flaw::RestartIgnored) {
            return vec![];
        }
        react::owed_still(intent).iter().filter_map(Mail::of).collect()
    }

    /// Whether a turn is to be posted.
    pub fn awaits_push(self, intent: &Intent) -> bool {
        if self.has(Flaw::PostedForEver) {
            return intent.delivery() == Delivery::Push && intent.is_agents_turn();
        }
        intent.awaits_push()
    }

    /// Whether a commit is refused because another came first.
    pub fn compares_versions(self) -> bool {
        !self.has(Flaw::VersionIgnored)
    }
}

type Outcome = Result<Vec<Event>, Rejection>;

impl Flaw {
    fn decide(self, intent: &Intent, command: &Command, now: Timestamp, real: Outcome) -> Outcome {
        match (self, command) {
            (Self::WakeIgnored, Command::Wake) if now >= intent.deadline_at() => return Ok(vec![]),
            (Self::TalkTakes, Command::Say { .. }) => return real.map(and_takes),
            _ => {}
        }
        let (mut intent, mut command) = (intent.clone(), command.clone());
        let then = match self.misreads_clock(&intent, &command, now, &real) {
            Some(then) => then,
            None if self.mistakes(&mut intent, &mut command) => now,
            None => return real,
        };
        let events = decide(Some(&intent), &command, then)?;
        Ok(events.into_iter().map(|event| Event { at: now, ..event }).collect())
    }

    /// The time that it takes for the present one, if it does.
    fn misreads_clock(
        self,
        intent: &Intent,
        command: &Command,
        now: Timestamp,
        real: &Outcome,
    ) -> Option<Timestamp> {
        match (self, command, real) {
            (
                Self::DeadlineByOldClock,
                Command::Decide { .. },
                Err(Rejection::DeadlinePassed(_)),
            )
            | (Self::GrantForEver, Command::Claim { .. }, Err(Rejection::GrantExpired { .. })) => {
                Some(intent.updated_at)
            }
            (Self::WakeBelieved, Command::Wake, _) => Some(intent.deadline_at()),
            (Self::WaitCutShort, Command::Wake, _) => {
                if let Phase::Waiting(Waiting::Time { until }) = &intent.phase {
                    return Some(now.max(*until));
                }
                None
            }
            _ => None,
        }
    }

    /// Makes what is asked, or what it is asked of, into something else; says whether it does.
    fn mistakes(self, intent: &mut Intent, command: &mut Command) -> bool {
        match (self, command) {
            (Self::EndOverwritten, Command::Cancel { .. }) if intent.is_ended() => {
                intent.phase = Phase::Acknowledged { answer_by: None };
            }
            (Self::ClaimGivenTwice, Command::Claim { .. }) => intent.calls.clear(),
            (Self::GrantIgnored, Command::Claim { needs_grant, .. }) => {
                intent.asks.clear();
                *needs_grant = false;
            }
            (Self::ViewIgnored, Command::Decide { seen, .. }) => {
                let open = intent.open_hold();
                *seen = open
                    .map(|hold| Seen { version: hold.version, digest: hold.digest.clone() })
                    .or(seen.take());
            }
            (Self::AgentsDecide, Command::Decide { by, .. }) if by.role == Role::Agent => {
                by.role = Role::Reviewer;
            }
            (Self::AskersDecide, Command::Decide { by, .. }) if by.role == Role::Reviewer => {
                by.name = format!("{} in disguise", by.name);
            }
            (
                Self::FenceIgnored,
                Command::Complete { fence, .. }
                | Command::Suspend { fence, .. }
                | Command::Claim { fence, .. },
            ) => *fence = fence.and(lease(intent).map(|lease| lease.fence)),
            (Self::LeaseGivenTwice, Command::Start { .. }) if lease(intent).is_some() => {
                intent.phase = Phase::Acknowledged { answer_by: None };
            }
            (Self::ClaimTakesNothing, Command::Claim { .. }) => {
                intent.envelope.delivery = Delivery::Stream;
            }
            (Self::AnyTurnTaken, Command::Acknowledge { turn, .. }) => *turn = None,
            (Self::TakenForIt, Command::Advance { by, .. })
                if *by == Person::Sender.principal() =>
            {
                by.address = Some(intent.handler().clone());
            }
            (Self::HandlerForgotten, Command::Complete { .. } | Command::Suspend { .. }) => {
                intent.handed_to = None;
            }
            (Self::AssigneesForgotten, Command::Decide { .. }) => {
                if let Phase::Waiting(Waiting::Human(hold)) = &mut intent.phase {
                    hold.reassigned_to.clear();
                }
            }
            (Self::GivenUpLate, Command::GiveUp { .. }) if !intent.is_ended() => {
                intent.phase = Phase::Delivered { answer_by: None };
            }
            (Self::HoursForgotten, Command::Wake) => intent.envelope.working_hours = None,
            _ => return false,
        }
        true
    }
}

/// The same, and whoever did it has taken the turn.
fn and_takes(mut events: Vec<Event>) -> Vec<Event> {
    let taken = events.last().map(|last| Event {
        seq: last.seq + EVENT_SEQ_STEP,
        kind: EventKind::Acknowledged,
        ..last.clone()
    });
    events.extend(taken);
    events
}

/// The lease that a worker has on `intent`.
pub fn lease(intent: &Intent) -> Option<Lease> {
    if let Phase::InProgress { lease, .. } = &intent.phase { *lease } else { None }
}

/// The decision that `event` is, if it is one.
pub fn decision(event: &Event) -> Option<&shared::intent::human_task::Decision> {
    if let EventKind::Approved { decision }
    | EventKind::Refused { decision }
    | EventKind::Failed { decision: Some(decision), .. } = &event.kind
    {
        Some(decision)
    } else {
        None
    }
}
