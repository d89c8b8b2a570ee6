//! Faults on real processes: the whole stack runs, everything that may go wrong does, and then the
//! table on the disk is held against what callers were told.

mod agent;
mod crowd;
mod dead_letters;
mod errand;
mod killer;
mod mishap;
mod outcome;
mod pretence;
mod proxy;
mod reviewer;
mod sender;
mod told;
mod weather;
mod wrapper;

pub use mishap::{Mishap, Tally};
pub use outcome::{Finding, Outcome};

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::Value;
use shared::id::IntentId;
use shared::principal::Role;
use tests::check::{Ledger, Moment, Rule, Violation, check};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use crate::client::{Call, Client};
use crate::ledger;
use crate::stage::{Setup, Stage};
use crate::{Failure, say};
use crowd::Crowd;
use errand::Kind;
use proxy::Proxy;
use told::{Answered, Journal};
use weather::Weather;
use wrapper::Wrapper;

/// How long nothing may end once nothing goes wrong any more, without a restart. What has not ended by
/// then waits for news that a queue has lost, which is looked for after an hour.
const DRAIN_MAX: Duration = Duration::from_secs(45);
/// The same after a restart, which sends again whatever anything waits for.
const DRAIN_AFTER_RESTART_MAX: Duration = Duration::from_secs(90);
/// The longest that everything may take to end, at the pace of a slow machine.
const WHOLE_DRAIN_MAX: Duration = Duration::from_mins(20);
/// The pause between two looks at what has not ended.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Intents that are looked at at once.
const AT_ONCE_MAX: usize = 16;

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program that becomes each function when it is started as `exe function NAME`.
    pub exe: PathBuf,
    /// How long things go wrong.
    pub lasts: Duration,
    /// Where chance begins. It decides what is drawn; when, the machine decides.
    pub seed: u64,
    /// Intents sent in a second.
    pub per_second: f64,
}

/// Runs everything, and says what came of it.
pub async fn run(settings: &Settings) -> Result<Outcome, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::system("make a folder"))?;
    let tally = Tally::default();
    let weather = Weather::new(settings.seed, tally.clone());
    let journal = Journal::default();
    let table = Proxy::start(weather.clone()).await?;
    let queues = Proxy::start(weather.clone()).await?;
    let ports = (table.address, queues.address);
    let wrapper = Wrapper::write(folder.path(), &settings.exe, ports, settings.seed)?;
    let stage = Stage::start(Setup::new(&folder.path().join("stack"), &wrapper.path)).await?;
    let crowd = Crowd::gather(&stage, &journal, &weather, settings.per_second).await?;
    let reader = Reader {
        client: stage.client()?,
        key: stage.key(Role::Admin, "reader").await?,
        journal: journal.clone(),
    };

    weather.set_bad(true);
    let storms = tokio::spawn(weather.clone().turn());
    let (stop, stopped) = oneshot::channel();
    let killer = killer::kill_until(stage, weather.clone(), tally.clone(), stopped);
    let end = async {
        sleep(settings.lasts).await;
        drop(stop);
    };
    let (stage, ()) = tokio::join!(killer, end);
    let stage = stage?;
    storms.abort();
    weather.set_bad(false);
    crowd.stop_sending();

    say(&format!("nothing goes wrong any more; so far: {tally}"));
    let (stage, calm) = calm(stage, &reader).await?;
    drop(crowd);
    let statuses = reader.statuses().await;
    let data = stage.data().to_owned();
    stage.stop().await;

    let ledger = ledger::open(&data)?;
    let answered = journal.note().clone();
    let mut violations = check(&ledger, &answered.told, &Moment::Meanwhile(BTreeSet::new()));
    violations.extend(ends(&ledger, &answered));
    violations.extend(api_violations(&ledger, &statuses));
    let absurd = answered.absurd.iter();
    violations.extend(absurd.map(|detail| found(Rule::Answer, "a caller", detail.clone())));
    violations.extend(
        calm.dead_letters
            .iter()
            .map(|(queue, count)| found(Rule::Ended, queue, format!("holds {count} dead letters"))),
    );
    Ok(Outcome {
        seed: settings.seed,
        skew_ms: wrapper.skew_ms.clone(),
        sent: answered.tried,
        intents: ledger.intents(),
        events: ledger.events(),
        decisions: answered.told.decisions(),
        runs: answered.told.runs(),
        ends: ledger.ends(),
        answers: answered.statuses,
        faults: tally,
        waited_for_news: calm.waited_for_news,
        never_ended: calm.never_ended,
        drained_in: calm.lasted,
        findings: violations.into_iter().map(|it| Finding::of(it, &ledger)).collect(),
    })
}

fn found(rule: Rule, subject: impl ToString, detail: String) -> Violation {
    Violation { rule, subject: subject.to_string(), detail }
}

/// Everything has ended but what nobody was to answer, and that is still open.
fn ends(ledger: &Ledger, answered: &Answered) -> Vec<Violation> {
    let mut wrong = Vec::new();
    for (id, state) in ledger.states() {
        let plan = state.envelope.payload.get("plan").and_then(Value::as_str);
        let is_left = plan == Some(Kind::Left.name());
        if !state.is_ended() && !is_left {
            wrong.push(found(Rule::Ended, id, format!("is still {}", state.status().name())));
        }
        let waits = answered.sent.get(&id) == Some(&Kind::Left);
        if waits && state.open_hold().is_none() {
            wrong.push(found(
                Rule::OneEnd,
                id,
                "waits for a person, and nothing is open".to_owned(),
            ));
        }
    }
    wrong
}

/// What was seen while nothing went wrong any more.
struct Calm {
    waited_for_news: BTreeMap<String, usize>,
    never_ended: usize,
    dead_letters: BTreeMap<String, u64>,
    lasted: Duration,
}

/// Waits until everything has ended; what then still waits, for news that a queue has lost, gets it by
/// a restart.
async fn calm(mut stage: Stage, reader: &Reader) -> Result<(Stage, Calm), Failure> {
    let begun = Instant::now();
    let mut late = reader.drain(DRAIN_MAX).await;
    let mut waited_for_news = BTreeMap::new();
    for id in &late {
        *waited_for_news.entry(reader.situation(*id).await).or_default() += 1;
    }
    let mut dead_letters = dead_letters::count(&stage.stack).await?;
    if !late.is_empty() {
        say(&format!("{} have not ended yet; everything is started once more", late.len()));
        stage = stage.power_cut().await?;
        late = reader.drain(DRAIN_AFTER_RESTART_MAX).await;
        dead_letters.extend(dead_letters::count(&stage.stack).await?);
    }
    let lasted = begun.elapsed();
    Ok((stage, Calm { waited_for_news, never_ended: late.len(), dead_letters, lasted }))
}

/// Somebody who may read everything.
struct Reader {
    client: Client,
    key: String,
    journal: Journal,
}

impl Reader {
    /// Waits until everything has ended that is to end, or nothing has for so long; what has not.
    async fn drain(&self, at_most: Duration) -> Vec<IntentId> {
        let begun = Instant::now();
        let mut until = begun + at_most;
        let mut ended = BTreeSet::new();
        loop {
            let sent = self.journal.note().sent.clone();
            let open = sent.into_iter().filter(|(_, kind)| *kind != Kind::Left).map(|(id, _)| id);
            let open = open.filter(|id| !ended.contains(id)).collect();
            let statuses = self.statuses_of(open).await;
            let is_over = |status: &Option<String>| status.as_deref().is_some_and(is_end);
            let (over, left): (Vec<_>, Vec<_>) =
                statuses.into_iter().partition(|(_, status)| is_over(status));
            if !over.is_empty() {
                until = (Instant::now() + at_most).min(begun + WHOLE_DRAIN_MAX);
            }
            ended.extend(over.into_iter().map(|(id, _)| id));
            if left.is_empty() || Instant::now() >= until {
                return left.into_iter().map(|(id, _)| id).collect();
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// How every intent stands that a sender was told of.
    async fn statuses(&self) -> BTreeMap<IntentId, Option<String>> {
        let sent = self.journal.note().sent.keys().copied().collect();
        self.statuses_of(sent).await
    }

    async fn statuses_of(&self, ids: Vec<IntentId>) -> BTreeMap<IntentId, Option<String>> {
        let read = stream::iter(ids).map(|id| async move { (id, self.status(id).await) });
        read.buffer_unordered(AT_ONCE_MAX).collect().await
    }

    /// What an intent is, and what it waits for.
    async fn situation(&self, id: IntentId) -> String {
        let call = Call::get(&self.key, format!("/v1/intents/{id}"));
        let intent = self.client.ask(&call).await.map(|answer| answer.json()).unwrap_or_default();
        let word = |place| intent.pointer(place).and_then(Value::as_str).unwrap_or("-");
        let (plan, status) = (word("/payload/plan"), word("/status"));
        format!("{plan} {status} {}", word("/waiting_reason"))
    }

    async fn status(&self, id: IntentId) -> Option<String> {
        let answer = self.client.ask(&Call::get(&self.key, format!("/v1/intents/{id}"))).await?;
        answer.json().get("status").and_then(Value::as_str).map(str::to_owned)
    }
}

fn is_end(status: &str) -> bool {
    ["COMPLETED", "FAILED", "CANCELED", "TIMED_OUT"].contains(&status)
}

/// The API says what the disk says.
fn api_violations(
    ledger: &Ledger,
    statuses: &BTreeMap<IntentId, Option<String>>,
) -> Vec<Violation> {
    let stored: BTreeMap<_, _> =
        ledger.states().map(|(id, state)| (id, state.status().name())).collect();
    let differs = |(id, told): (&IntentId, &Option<String>)| {
        let stored = stored.get(id).copied();
        let detail = || format!("the API says {told:?}, the table {stored:?}");
        (stored != told.as_deref()).then(|| found(Rule::Answer, id, detail()))
    };
    statuses.iter().filter_map(differs).collect()
}
