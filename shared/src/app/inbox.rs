//! Inboxes: the threads of an agent, and the tasks of a reviewer. A thread is an intent.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::App;
use super::access::may_see;
use super::list::Page;
use crate::address::Address;
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::{Intent, Phase, Waiting};
use crate::principal::{Principal, Role};
use crate::store::{List, ListPlace, Stored, owners};

/// Whose inbox it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Inbox {
    /// An agent's: what it has, and what is to be told to it.
    Agents(Address),
    /// A reviewer's, by name: the open tasks that the reviewer may decide.
    Tasks(String),
}

/// Where a thread stands, for whoever reads an inbox.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ThreadState {
    /// It waits for somebody: offered, or before a person.
    Pending,
    /// It is worked on.
    Active,
    /// It has ended.
    Done,
}

/// A place in the order in which threads changed.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Changed {
    /// When, in microseconds.
    pub at_us: i64,
    /// The thread.
    pub id: IntentId,
}

/// Threads that changed, in that order.
#[derive(Debug)]
pub struct Changes {
    /// The threads as they are now.
    pub threads: Vec<(Changed, Intent)>,
    /// Whether there are more.
    pub has_more: bool,
}

impl ThreadState {
    /// Where `intent` stands.
    pub fn of(intent: &Intent) -> Self {
        match &intent.phase {
            Phase::Created
            | Phase::Submitted
            | Phase::Delivered { .. }
            | Phase::Waiting(Waiting::Human(_) | Waiting::Children) => Self::Pending,
            Phase::Acknowledged { .. }
            | Phase::InProgress { .. }
            | Phase::Waiting(
                Waiting::Agent { .. } | Waiting::Step { .. } | Waiting::Tool | Waiting::Time { .. },
            ) => Self::Active,
            Phase::Completed { .. }
            | Phase::Failed { .. }
            | Phase::Canceled { .. }
            | Phase::TimedOut { .. } => Self::Done,
        }
    }
}

impl Inbox {
    /// The inbox that `by` opens: the one of the agent that is named, or else the caller's own.
    pub fn of(by: &Principal, named: Option<&Address>) -> Result<Self, Error> {
        if let Some(owner) = named {
            return Ok(Self::Agents(owner.clone()));
        }
        // A key that speaks for every agent has an inbox of its own if its name spells an address.
        let own = || by.address.clone().or_else(|| Address::parse(&by.name).ok());
        match by.role {
            Role::Reviewer => Ok(Self::Tasks(by.name.clone())),
            Role::Agent => own().map(Self::Agents).ok_or_else(nobody),
            Role::Admin => Err(nobody()),
        }
    }

    /// The owner, as an address.
    pub fn owner(&self) -> String {
        match self {
            Self::Agents(owner) => owner.uri(),
            Self::Tasks(name) => format!("human://{name}"),
        }
    }

    /// Whether the thread stands in this inbox.
    fn has(&self, intent: &Intent) -> bool {
        match self {
            Self::Agents(owner) => {
                owners(intent).any(|it| it == owner) || intent.envelope.from == owner.uri()
            }
            Self::Tasks(name) => intent.open_hold().is_some_and(|hold| intent.is_for(hold, name)),
        }
    }

    fn list(&self) -> List<'_> {
        match self {
            Self::Agents(owner) => List::Inbox(owner),
            Self::Tasks(_) => List::Tasks,
        }
    }
}

fn nobody() -> Error {
    Error::field("owner_agent", "is missing, and this key is no agent's; say whose inbox it is")
}

impl App {
    /// The threads of an inbox, newest first.
    pub async fn threads(
        &self,
        by: &Principal,
        inbox: &Inbox,
        state: Option<ThreadState>,
        from: Option<ListPlace>,
        limit: usize,
    ) -> Result<Page, Error> {
        let from = from.unwrap_or_else(ListPlace::newest);
        let wanted = |intent: &Intent| {
            let fits = state.is_none_or(|state| ThreadState::of(intent) == state);
            fits && may_see(by, intent) && inbox.has(intent)
        };
        self.page(inbox.list(), from, limit, wanted).await
    }

    /// The threads that changed after `since`, in the order in which they did.
    ///
    /// Nothing is written for it: the order is that of the states themselves, so only as many of the
    /// inbox's newest threads are looked at as one visit reads
    /// ([`ENTRIES_PER_VISIT_MAX`](crate::store::ENTRIES_PER_VISIT_MAX)). A change to an older one is
    /// seen by who reads the thread or its events.
    pub async fn changes(
        &self,
        by: &Principal,
        inbox: &Inbox,
        since: Option<Changed>,
        limit: usize,
    ) -> Result<Changes, Error> {
        let mut found: BTreeMap<Changed, Intent> = BTreeMap::new();
        let mut has_more = false;
        let visit = |_, Stored { intent, .. }: Stored| {
            let changed = Changed { at_us: intent.updated_at.as_microsecond(), id: intent.id };
            let is_new = since.is_none_or(|since| changed > since);
            if is_new && may_see(by, &intent) && inbox.has(&intent) {
                found.insert(changed, intent);
            }
            if found.len() > limit {
                found.pop_last();
                has_more = true;
            }
            ControlFlow::Continue(())
        };
        let (list, newest) = (inbox.list(), ListPlace::newest());
        self.store().visit(self.tenant(), list, newest, visit).await?;
        Ok(Changes { threads: found.into_iter().collect(), has_more })
    }

    /// The thread, if it is one that `by` may see and, where an owner is named, the owner's.
    pub(super) async fn thread_state(
        &self,
        by: &Principal,
        named: Option<&Address>,
        id: IntentId,
    ) -> Result<Intent, Error> {
        let intent = self.visible(by, id).await.map_err(as_thread)?.intent;
        let fits = named.is_none_or(|owner| Inbox::Agents(owner.clone()).has(&intent));
        if fits { Ok(intent) } else { Err(Error::NotFound("thread")) }
    }
}

fn as_thread(error: Error) -> Error {
    if matches!(error, Error::NotFound(_)) { Error::NotFound("thread") } else { error }
}
