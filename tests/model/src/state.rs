//! Everything that there is at one moment of a model: the table, the post, and who is in the middle
//! of what.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use jiff::Timestamp;
use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::{Event, Intent};
use shared::message::Message;

use crate::agent::Agent;
use crate::coverage::Name;
use crate::deed::Deed;
use crate::promise::Promise;
use crate::time::Clocks;

/// The most copies of one message that the queue holds, where they are counted.
const COPIES_MAX: u8 = 2;

/// The intents as they are stored.
pub type Table = BTreeMap<IntentId, Arc<Stored>>;

/// One moment.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct State {
    /// The true time, by its place among the shape's instants.
    pub time: usize,
    /// By how much each clock is wrong.
    pub clocks: Clocks,
    /// The intents as they are stored.
    pub table: Table,
    /// What commits owe that the relay has not read, oldest first.
    pub stream: VecDeque<Vec<Mail>>,
    /// What may be delivered, and how many copies of it.
    pub queue: BTreeMap<Mail, u8>,
    /// Operations between load and commit.
    pub operations: Vec<Operation>,
    /// The lease that each process of the agent has heard of last.
    pub leases: BTreeMap<u8, (IntentId, u64)>,
    /// Tools that have run: the call, and the secret of the process that ran it.
    pub ran: BTreeSet<(String, String)>,
    /// Every hold that was ever shown to people.
    pub shown: BTreeSet<Arc<Shown>>,
    /// Every turn that was ever posted to its agent.
    pub posted: BTreeSet<Arc<Posted>>,
    /// Turns that their agent has taken, as the table has heard.
    pub taken: BTreeSet<(IntentId, u64)>,
    /// How often what may be done again and again is still done.
    pub repeats_left: u8,
    /// The promises that were broken on the way here.
    pub broken: BTreeSet<Promise>,
}

/// An intent as the table has it.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its state, as it is read back from its text.
    pub intent: Intent,
    /// How many commits led there.
    pub version: u64,
    /// The newest link of the chain.
    pub head: u64,
    /// The moment of its timer.
    pub timer: Option<Timestamp>,
    /// Stands for all of this but the history.
    pub print: u64,
    /// The commits. Two histories that lead to the same state are as good as one.
    pub history: Arc<Vec<Link>>,
}

/// One commit of an intent.
#[derive(Clone, Debug)]
pub struct Link {
    /// The link before.
    pub previous: u64,
    /// What happened.
    pub events: Vec<Event>,
}

/// A hold as people were shown it.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Shown {
    /// The intent.
    pub intent: IntentId,
    /// The hold's version.
    pub version: u64,
    /// The hold's digest.
    pub digest: Digest,
}

/// A turn as it was posted to its agent.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Posted {
    /// The intent.
    pub intent: IntentId,
    /// The turn.
    pub turn: u64,
    /// To whom.
    pub to: Agent,
}

/// What the post carries. Notices to people are left out, since nothing comes of them here.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Mail {
    /// A worker may run a turn.
    Turn(IntentId),
    /// A turn may be posted.
    Push(IntentId),
    /// A child may have ended.
    News {
        /// Its parent.
        parent: IntentId,
        /// The child.
        child: IntentId,
    },
    /// The parent has ended.
    ParentEnded(IntentId),
}

/// A deed between load and commit.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Operation {
    /// The deed.
    pub deed: Deed,
    /// What was loaded.
    pub base: Arc<Stored>,
    /// The time by which it was decided, once it was. The events follow from the three.
    pub decided_at: Option<Timestamp>,
}

impl Mail {
    /// What the post carries of `message`.
    pub fn of(message: &Message) -> Option<Self> {
        match message {
            Message::Turn { intent, .. } => Some(Self::Turn(*intent)),
            Message::AskEnded { parent, child, .. } => {
                Some(Self::News { parent: *parent, child: *child })
            }
            Message::ParentEnded { child, .. } => Some(Self::ParentEnded(*child)),
            Message::Push { intent, .. } => Some(Self::Push(*intent)),
            Message::Wake { .. }
            | Message::Recover { .. }
            | Message::RecoverAll { .. }
            | Message::Notice { .. }
            | Message::Delivery(_)
            | Message::News(_) => None,
        }
    }
}

impl Mail {
    /// Its name in the core.
    pub fn name(self) -> Name {
        Name::Message(match self {
            Self::Turn(_) => "Turn",
            Self::Push(_) => "Push",
            Self::News { .. } => "AskEnded",
            Self::ParentEnded(_) => "ParentEnded",
        })
    }
}

impl State {
    /// Whether a promise was broken on the way here.
    pub fn keeps(&self, promise: Promise) -> bool {
        !self.broken.contains(&promise)
    }

    /// Puts mail into the queue.
    pub fn send(&mut self, mails: &[Mail]) {
        for mail in mails {
            let copies = self.queue.entry(*mail).or_default();
            *copies = copies.saturating_add(1).min(COPIES_MAX);
        }
    }

    /// Takes one copy out of the queue.
    pub fn take(&mut self, mail: Mail) {
        if let Some(copies) = self.queue.get_mut(&mail) {
            *copies = copies.saturating_sub(1);
        }
        self.queue.retain(|_, copies| *copies > 0);
    }

    /// Whether table, post and time are the same, whoever is in the middle of what.
    pub fn is_as_quiet_as(&self, other: &Self) -> bool {
        let all = |state: &Self| (state.time, state.broken.len(), state.stream.len());
        all(self) == all(other)
            && (&self.table, &self.queue, &self.stream)
                == (&other.table, &other.queue, &other.stream)
    }
}

/// Stands for `value`.
pub fn print_of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.print == other.print
    }
}

impl Eq for Stored {}

impl Hash for Stored {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.print.hash(state);
    }
}

impl PartialOrd for Stored {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Stored {
    fn cmp(&self, other: &Self) -> Ordering {
        self.print.cmp(&other.print)
    }
}
