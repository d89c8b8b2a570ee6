//! Held requests: looking at the table until there is something to say, or the time is up.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::{App, Usage};
use crate::error::Error;
use crate::id::IntentId;
use crate::intent::Intent;
use crate::intent::record::Recorded;
use crate::principal::Principal;

/// The first pause between two looks where looking costs nothing; it grows up to the deployment's
/// interval.
const PAUSE_FIRST: Duration = Duration::from_millis(2);
/// From this interval on looking costs money: the first pause is as long as the others.
const PAUSE_GROWS_BELOW: Duration = Duration::from_millis(100);
/// The shortest pause after a look that the table did not answer.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(250);
/// The longest that one look may take.
const LOOK_MAX: Duration = Duration::from_secs(3);
/// How far a look may pass the end of its hold. The last one begins when the time is up, and the
/// platform waits only a little longer.
const LATE_MAX: Duration = Duration::from_secs(2);
/// How long a listener waits that has used up its key's limit. It is never refused for that: clients
/// of the contract do not survive it.
const OVER_LIMIT_PAUSE: Duration = Duration::from_secs(1);
/// The most bytes of stored events that are read for one answer; the last read may pass it by a
/// megabyte.
const EVENTS_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Events of an intent.
#[derive(Clone, Debug, PartialEq)]
pub struct Events {
    /// What happened, oldest first.
    pub records: Vec<Recorded>,
    /// Whether there may be later ones.
    pub has_more: bool,
}

/// Somebody who waits for news.
#[derive(Debug)]
pub struct Listener<S> {
    app: App,
    source: S,
    patience: Patience,
    since: u64,
}

/// Where a listener's news come from.
pub trait Source: Send + Sync {
    /// One piece of news.
    type Item: Send;

    /// Refuses a listener who may not hear them.
    fn admits(&self, app: &App, by: &Principal) -> impl Future<Output = Result<(), Error>> + Send;

    /// The news after `since`, by number. It may be dropped half-way, and what it writes may be
    /// written twice.
    fn look(
        &mut self,
        app: &App,
        since: u64,
    ) -> impl Future<Output = Result<Vec<Self::Item>, Error>> + Send;

    /// Notes what must be noted before `found` is told, and returns what is told of it.
    fn tell(
        &mut self,
        app: &App,
        since: u64,
        found: Vec<Self::Item>,
    ) -> impl Future<Output = Vec<Self::Item>> + Send;

    /// The number of a piece of news, which readers pass back as `since`.
    fn seq(item: &Self::Item) -> u64;
}

/// What a listener hears next.
#[derive(Debug)]
pub enum Heard<T> {
    /// News.
    News(Vec<T>),
    /// Nothing for a while; there is time left.
    Silence,
    /// The time is up.
    End,
}

/// What happens to one intent.
#[derive(Clone, Copy, Debug)]
pub struct OfIntent(IntentId);

impl App {
    /// Events of an intent after `since`: all of them, or as many as one answer may need.
    pub async fn events(&self, id: IntentId, since: u64) -> Result<Events, Error> {
        let (mut records, mut bytes, mut from) = (Vec::new(), 0, since);
        loop {
            let read = self.store().history(self.tenant(), id, from).await?;
            bytes += read.bytes;
            let new = read.commits.into_iter().flat_map(|commit| commit.records);
            records.extend(new.filter(|record: &Recorded| record.event.seq > since));
            from = records.last().map_or(from, |record| record.event.seq);
            if !read.has_more || bytes >= EVENTS_BYTES_MAX {
                return Ok(Events { records, has_more: read.has_more });
            }
        }
    }

    /// Listens for up to `wait` to what happens to an intent after `since`.
    pub fn listen_to(&self, id: IntentId, since: u64, wait: Duration) -> Listener<OfIntent> {
        self.listener(OfIntent(id), since, wait)
    }

    /// Waits up to `wait` for the end of an intent, and returns it as it is then.
    pub async fn hold_ending(&self, mut intent: Intent, wait: Duration) -> Result<Intent, Error> {
        // A look at what is new costs one read, however large the intent is.
        let mut listener = self.listen_to(intent.id, intent.seq, wait);
        while !intent.is_ended() {
            match listener.next(wait).await? {
                Heard::News(_) => intent = self.load(intent.id).await?.intent,
                Heard::Silence => {}
                Heard::End => break,
            }
        }
        Ok(intent)
    }

    pub(super) fn listener<S>(&self, source: S, since: u64, wait: Duration) -> Listener<S> {
        let patience = Patience::new(wait, self.config().stream_poll);
        Listener { app: self.clone(), source, patience, since }
    }
}

impl Source for OfIntent {
    type Item = Recorded;

    async fn admits(&self, app: &App, by: &Principal) -> Result<(), Error> {
        app.visible(by, self.0).await.map(drop)
    }

    async fn look(&mut self, app: &App, since: u64) -> Result<Vec<Recorded>, Error> {
        Ok(app.events(self.0, since).await?.records)
    }

    async fn tell(&mut self, _: &App, _: u64, found: Vec<Recorded>) -> Vec<Recorded> {
        found
    }

    fn seq(record: &Recorded) -> u64 {
        record.event.seq
    }
}

impl<S: Source> Listener<S> {
    /// Lets the holder of `key` in, or refuses. While the table does not answer it is asked again
    /// until the time is up, and nothing is heard then.
    pub async fn admit(
        &mut self,
        key: Option<&str>,
        key_id: &str,
        endpoint: &str,
    ) -> Result<Option<Usage>, Error> {
        let app = self.app.clone();
        let knock = || app.authenticate(key);
        let Some(by) = self.patience.insist(knock).await? else { return Ok(None) };
        let usage = app.count_request(key_id, endpoint).await;
        if usage.is_some_and(|usage| usage.is_over) {
            tokio::time::sleep(OVER_LIMIT_PAUSE).await;
        }
        let Self { source, patience, .. } = self;
        patience.insist(|| source.admits(&app, &by)).await?;
        Ok(usage)
    }

    /// The number after which it hears next.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// Waits until there are news, until nothing has happened for `silence_max`, or until the time
    /// is up. A table that does not answer is no news.
    pub async fn next(&mut self, silence_max: Duration) -> Result<Heard<S::Item>, Error> {
        let silent_until = Instant::now().checked_add(silence_max);
        loop {
            if self.patience.is_over() {
                return Ok(Heard::End);
            }
            let look = Box::pin(self.source.look(&self.app, self.since));
            match within(self.patience.look_max(), look).await {
                Ok(found) if !found.is_empty() => {
                    let told = Box::pin(self.source.tell(&self.app, self.since, found)).await;
                    if !told.is_empty() {
                        self.since = told.iter().map(S::seq).fold(self.since, u64::max);
                        return Ok(Heard::News(told));
                    }
                    self.patience.pause().await;
                }
                Ok(_) => self.patience.pause().await,
                Err(error) => self.patience.pause_after(error).await?,
            }
            if silent_until.is_some_and(|until| until <= Instant::now()) {
                return Ok(Heard::Silence);
            }
        }
    }
}

/// How much longer a stream is held, and how long until the next look.
#[derive(Debug)]
struct Patience {
    ends_at: Instant,
    pause: Duration,
    pause_max: Duration,
    /// Whether the last look, the one at the end, is over.
    is_over: bool,
}

impl Patience {
    fn new(wait: Duration, pause_max: Duration) -> Self {
        let pause = if pause_max < PAUSE_GROWS_BELOW { PAUSE_FIRST } else { pause_max };
        let ends_at = Instant::now() + wait;
        Self { ends_at, pause: pause.min(pause_max), pause_max, is_over: false }
    }

    fn is_over(&self) -> bool {
        self.is_over
    }

    /// The longest that a look may take that begins now.
    fn look_max(&self) -> Duration {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        LOOK_MAX.min(left + LATE_MAX)
    }

    /// Pauses until the next look is due. After a pause that no time was left for it is over.
    async fn pause(&mut self) {
        self.sleep(self.pause).await;
        self.pause = (self.pause * 3 / 2).min(self.pause_max);
    }

    /// Pauses after a look that failed, if the next one may succeed.
    async fn pause_after(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_retryable() {
            return Err(error);
        }
        warn!(%error, "a held stream looks again");
        self.sleep(self.pause_max.max(PAUSE_AFTER_FAILURE)).await;
        Ok(())
    }

    async fn sleep(&mut self, pause: Duration) {
        let left = self.ends_at.saturating_duration_since(Instant::now());
        self.is_over = left.is_zero();
        tokio::time::sleep(pause.min(left)).await;
    }

    /// Tries until there is an answer; `None` if the time is up first.
    async fn insist<T, F>(&mut self, attempt: impl Fn() -> F + Send) -> Result<Option<T>, Error>
    where
        T: Send,
        F: Future<Output = Result<T, Error>> + Send,
    {
        while !self.is_over {
            match within(self.look_max(), attempt()).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) => self.pause_after(error).await?,
            }
        }
        Ok(None)
    }
}

/// The answer, or the error of a table that took too long for it.
async fn within<T>(
    at_most: Duration,
    answer: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Error> {
    tokio::time::timeout(at_most, answer).await.unwrap_or_else(|late| {
        Err(Error::Unavailable { dependency: "the table", source: Box::new(late) })
    })
}
