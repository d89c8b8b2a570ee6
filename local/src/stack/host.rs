//! One function's invocations, between those who invoke it and the process that runs it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot, watch};
use uuid::Uuid;

use crate::stack::ids::Ids;

/// Invocations that may wait for a free place in the process.
const WAITING_MAX: usize = 1_000;
const PICK_UP_MAX: Duration = Duration::from_secs(10);
const STUCK_MAX: Duration = Duration::from_secs(10);

/// What the host knows about a function.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) timeout: Duration,
    pub(crate) concurrency: u16,
    /// How long an invocation waits for a process, which may be starting again.
    pub(crate) pick_up_max: Duration,
    /// How long a process may hold on to an invocation that has timed out before it is ended.
    pub(crate) stuck_max: Duration,
}

impl Limits {
    pub(crate) fn new(timeout: Duration, concurrency: u16) -> Self {
        Self { timeout, concurrency, pick_up_max: PICK_UP_MAX, stuck_max: STUCK_MAX }
    }
}

/// The meeting point of invocations and one function's process.
#[derive(Debug)]
pub(crate) struct Host {
    limits: Limits,
    ids: Arc<Ids>,
    clock: fn() -> Timestamp,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    state: Mutex<State>,
    arrivals: Notify,
    condemned: Notify,
    progress: watch::Sender<Progress>,
    /// Counts finished invocations of every function, since each may have written something.
    finished: watch::Sender<u64>,
}

/// How far the function's process has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// A process has asked for an invocation.
    pub(crate) asked: bool,
    /// Processes that have ended.
    pub(crate) exits: u32,
}

/// An invocation as a process gets it.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) id: Uuid,
    pub(crate) payload: Bytes,
    pub(crate) deadline_at: Timestamp,
}

/// Why an invocation gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    #[error("more than {WAITING_MAX} invocations were waiting")]
    Throttled,
    #[error("no process took the invocation in time")]
    NoProcess,
    #[error("the process ended before it answered")]
    Exited,
    #[error("the task timed out after {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("the function failed with {0}")]
    Function(String),
}

#[derive(Debug, Default)]
struct State {
    /// Which process may take invocations; those before it are gone.
    generation: u64,
    waiting: VecDeque<Waiting>,
    running: HashMap<Uuid, Running>,
}

#[derive(Debug)]
struct Waiting {
    id: Uuid,
    payload: Bytes,
    started: oneshot::Sender<()>,
    answer: oneshot::Sender<Result<Bytes, Failure>>,
    place: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Running {
    answer: oneshot::Sender<Result<Bytes, Failure>>,
    /// Held until the process has answered, so that it never gets more than it takes at once.
    _place: OwnedSemaphorePermit,
}

impl Host {
    pub(crate) fn new(
        limits: Limits,
        ids: Arc<Ids>,
        clock: fn() -> Timestamp,
        finished: watch::Sender<u64>,
    ) -> Arc<Self> {
        Arc::new(Self {
            places: Arc::new(Semaphore::new(usize::from(limits.concurrency))),
            limits,
            ids,
            clock,
            waiting: AtomicUsize::new(0),
            state: Mutex::default(),
            arrivals: Notify::new(),
            condemned: Notify::new(),
            progress: watch::Sender::new(Progress::default()),
            finished,
        })
    }

    /// Runs the function once and returns its answer.
    pub(crate) async fn invoke(self: &Arc<Self>, payload: Bytes) -> Result<Bytes, Failure> {
        let place = self.take_place().await?;
        let id = self.ids.next();
        let (started, has_started) = oneshot::channel();
        let (answer, answered) = oneshot::channel();
        self.state().waiting.push_back(Waiting { id, payload, started, answer, place });
        self.arrivals.notify_one();
        if tokio::time::timeout(self.limits.pick_up_max, has_started).await.is_err()
            && self.withdraw(id)
        {
            return Err(Failure::NoProcess);
        }
        if let Ok(answer) = tokio::time::timeout(self.limits.timeout, answered).await {
            return answer.unwrap_or(Err(Failure::Exited));
        }
        self.watch_stuck(id);
        Err(Failure::TimedOut(self.limits.timeout))
    }

    /// Lets a new process take invocations.
    pub(crate) fn begin_process(&self) -> u64 {
        let mut state = self.state();
        state.generation += 1;
        state.generation
    }

    /// The process is gone: what it was running has failed, what waits goes to the next one.
    pub(crate) fn end_process(&self) {
        let failed: Vec<_> = {
            let mut state = self.state();
            state.generation += 1;
            state.running.drain().collect()
        };
        for (_, running) in failed {
            // Nobody may be waiting any more, which is as good as an answer.
            let _: Result<(), _> = running.answer.send(Err(Failure::Exited));
        }
        self.progress.send_modify(|progress| progress.exits += 1);
        self.finished.send_modify(|count| *count += 1);
    }

    /// The next invocation for this process; `None` once the process counts as gone.
    pub(crate) async fn next(&self, generation: u64) -> Option<Invocation> {
        self.progress.send_if_modified(|progress| !std::mem::replace(&mut progress.asked, true));
        loop {
            let arrival = self.arrivals.notified();
            {
                let mut state = self.state();
                if state.generation != generation {
                    drop(state);
                    // A notice that this process consumed belongs to the next one.
                    self.arrivals.notify_one();
                    return None;
                }
                if let Some(waiting) = state.waiting.pop_front() {
                    return Some(self.start(&mut state, waiting));
                }
            }
            arrival.await;
        }
    }

    /// Passes the process's answer on; `false` if the invocation is not running.
    pub(crate) fn finish(&self, id: Uuid, answer: Result<Bytes, Failure>) -> bool {
        let running = self.state().running.remove(&id);
        self.finished.send_modify(|count| *count += 1);
        let Some(running) = running else {
            return false;
        };
        // Nobody may be waiting any more, for instance after a timeout.
        let _: Result<(), _> = running.answer.send(answer);
        true
    }

    pub(crate) fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Waits until the process must be ended because it holds on to a dead invocation.
    pub(crate) async fn condemned(&self) {
        self.condemned.notified().await;
    }

    async fn take_place(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Ok(place);
        }
        let waiting = Counted::new(&self.waiting);
        if waiting.before >= WAITING_MAX {
            return Err(Failure::Throttled);
        }
        self.places.clone().acquire_owned().await.map_err(|_| Failure::NoProcess)
    }

    fn start(&self, state: &mut State, waiting: Waiting) -> Invocation {
        let Waiting { id, payload, started, answer, place } = waiting;
        state.running.insert(id, Running { answer, _place: place });
        // The invoker may have gone; the function runs all the same, as on AWS.
        let _: Result<(), _> = started.send(());
        let deadline_at = (self.clock)().saturating_add(self.limits.timeout);
        Invocation { id, payload, deadline_at: deadline_at.unwrap_or(Timestamp::MAX) }
    }

    /// Takes an invocation back that no process has taken.
    fn withdraw(&self, id: Uuid) -> bool {
        let mut state = self.state();
        let before = state.waiting.len();
        state.waiting.retain(|waiting| waiting.id != id);
        state.waiting.len() < before
    }

    fn watch_stuck(self: &Arc<Self>, id: Uuid) {
        let host = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(host.limits.stuck_max).await;
            if host.state().running.contains_key(&id) {
                host.condemned.notify_one();
            }
        });
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one waiter until it is dropped.
struct Counted<'a> {
    count: &'a AtomicUsize,
    before: usize,
}

impl<'a> Counted<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        Self { before: count.fetch_add(1, Ordering::Relaxed), count }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.count.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests;
