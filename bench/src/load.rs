//! Load: many that wait, many decisions beside them, a burst and a stampede; what each cost, and
//! whether anything was lost.

mod bookkeeping;
mod burst;
mod decisions;
mod figures;
mod resources;
mod stampede;
mod waiting;

pub use figures::Figures;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use shared::principal::Role;
use tests::check::{Moment, Told, check};

use crate::client::{Answer, Call, Client};
use crate::ledger;
use crate::stage::{Setup, Stage};
use crate::{Failure, say};
use bookkeeping::Books;
use resources::Usage;

/// What is sent. A part that is zero is left out.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The program that becomes each function when it is started as `exe function NAME`.
    pub exe: PathBuf,
    /// Intents that wait for a person all the time.
    pub waiting: usize,
    /// Decisions made in a second.
    pub decisions_per_second: u32,
    /// How long decisions are made.
    pub lasts: Duration,
    /// Intents that are sent as quickly as they are taken.
    pub burst: usize,
    /// Connections over which the burst is sent.
    pub at_once: usize,
    /// Streams that are held on one intent when it is decided.
    pub listeners: usize,
    /// Invocations that each function runs at once.
    pub concurrency: u16,
}

/// Everybody who takes part.
struct Cast {
    client: Client,
    agent: String,
    reviewer: String,
    books: Books,
}

impl Cast {
    /// Asks once and writes down how long that took and what came of it.
    async fn ask(&self, figures: &Figures, call: &Call<'_>) -> Option<Answer> {
        figures.time(self.client.ask_once(call)).await
    }

    /// Asks until the answer will not change by asking again, and writes down each try.
    async fn insist(&self, figures: &Figures, call: &Call<'_>) -> Option<Answer> {
        let first = self.ask(figures, call).await;
        if first.as_ref().is_some_and(|answer| answer.status < 500 && answer.status != 429) {
            return first;
        }
        if let Some(seconds) = first.and_then(|answer| answer.retry_after_s) {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
        }
        figures.count_retry();
        self.client.ask(call).await
    }
}

/// Runs every part, says what each came to, and whether nothing was lost.
pub async fn run(settings: &Settings) -> Result<bool, Failure> {
    let folder = tempfile::tempdir().map_err(Failure::system("make a folder"))?;
    let mut setup = Setup::new(&folder.path().join("stack"), &settings.exe);
    setup.concurrency = settings.concurrency;
    let stage = Stage::start(setup).await?;
    let cast = Cast {
        client: stage.client()?,
        agent: stage.key(Role::Agent, "load-agent").await?,
        reviewer: stage.key(Role::Reviewer, "load-reviewer").await?,
        books: Books::default(),
    };
    let before = Usage::of(&stage.stack);
    if settings.waiting > 0 {
        waiting::run(&cast, settings.waiting).await;
        before.tell(&Usage::of(&stage.stack), "while they waited");
    }
    if settings.decisions_per_second > 0 && !settings.lasts.is_zero() {
        let before = Usage::of(&stage.stack);
        decisions::run(&cast, settings.decisions_per_second, settings.lasts).await;
        before.tell(&Usage::of(&stage.stack), "for the decisions");
    }
    if settings.burst > 0 {
        let before = Usage::of(&stage.stack);
        burst::run(&cast, settings.burst, settings.at_once).await;
        before.tell(&Usage::of(&stage.stack), "for the burst");
    }
    if settings.listeners > 0 {
        stampede::run(&cast, settings.listeners).await;
    }
    before.tell(&Usage::of(&stage.stack), "in all");
    let data = stage.data().to_owned();
    stage.stop().await;
    let ledger = ledger::open(&data)?;
    let mut lost = cast.books.losses(&ledger);
    // Beside what callers were told: histories are whole, and everything stands where it belongs.
    let told = Told::within(0);
    let wrong = check(&ledger, &told, &Moment::Meanwhile(BTreeSet::new()));
    lost.extend(wrong.iter().map(ToString::to_string));
    say(&format!("load average at the end: {}", resources::load_average()));
    say(&format!("lost or wrong: {}", lost.len()));
    for line in lost.iter().take(10) {
        say(line);
    }
    Ok(lost.is_empty())
}
