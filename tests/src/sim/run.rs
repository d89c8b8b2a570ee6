//! One story, from its plan to what is to be said of it.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::runtime::Builder;

use super::agents::Agent;
use super::mail::QueueName;
use super::plan::Plan;
use super::stage::Stage;
use super::tally::Tally;
use super::{consumers, operator, people, schedule, senders};
use crate::check::{Ledger, Moment, Rule, Told, Violation, check};
use crate::table::TABLE;

/// How often it is looked while things go wrong.
const LOOKS: u32 = 5;
/// How long people and agents go on when nothing goes wrong any more.
const CALM: Duration = Duration::from_mins(2);
/// Between two looks at whether everything has ended.
const LOOK_AGAIN: Duration = Duration::from_mins(1);
/// The most looks: everything ends within a few hours.
const LOOKS_MAX: usize = 400;
/// Looks between two checks of the whole table at that time.
const LOOKS_PER_CHECK: usize = 30;
/// Consumers of each queue at a time.
const CONSUMERS: usize = 2;
/// Processes of the agent at a time.
const AGENTS: usize = 2;

/// What came of a story.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where it came from.
    pub seed: u64,
    /// What must not be, and is.
    pub violations: Vec<Violation>,
    /// What was done.
    pub tally: Tally,
    /// Digest of the trace.
    pub digest: String,
    /// Everything that happened, line by line.
    pub trace: String,
    /// What the table holds in the end.
    pub ledger: Ledger,
    /// What callers were told.
    pub told: Told,
    /// What the table held when it was looked last while things went wrong, and what callers had been
    /// told.
    pub midway: (Ledger, Told, Moment),
}

/// Tells the story that `plan` plans.
pub fn simulate(plan: Plan) -> Report {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(Box::pin(story(plan)))
}

async fn story(plan: Plan) -> Report {
    let stage = Stage::new(plan).await;
    let mut rng = Rng::with_seed(stage.plan.seed ^ 0x0dd5);
    tokio::spawn(stage.crossing.clone().conduct());
    tokio::spawn(consumers::relay(Arc::clone(&stage), rng.fork()));
    for queue in QueueName::ALL {
        for _ in 0..CONSUMERS {
            tokio::spawn(consumers::consume(Arc::clone(&stage), queue, rng.fork()));
        }
    }
    tokio::spawn(schedule::sweep(Arc::clone(&stage), rng.fork()));
    tokio::spawn(schedule::expire(Arc::clone(&stage), rng.fork()));
    for reviewer in 0..stage.keys.reviewers.len() {
        tokio::spawn(people::review(Arc::clone(&stage), reviewer, rng.fork()));
    }
    for number in 0..AGENTS {
        let agent = Agent::new(Arc::clone(&stage), number);
        tokio::spawn(agent.clone().answer(rng.fork()));
        tokio::spawn(agent.work(rng.fork()));
    }
    for event in stage.plan.publications.iter().copied().enumerate() {
        tokio::spawn(senders::publish(Arc::clone(&stage), event, rng.fork()));
    }
    for errand in stage.plan.errands.clone() {
        tokio::spawn(senders::send(Arc::clone(&stage), errand, rng.fork()));
    }
    let mut midway = (Ledger::default(), Told::default(), Moment::End);
    for _ in 0..LOOKS {
        tokio::time::sleep(stage.plan.storm / LOOKS).await;
        let moment = Moment::Meanwhile(stage.shelf.removed());
        midway = (look(&stage, &moment), stage.told().clone(), moment);
    }
    stage.calm_down();
    operator::redrive(&stage, &mut rng).await;
    tokio::time::sleep(CALM).await;
    stage.close();
    wait_for_the_end(&stage).await;
    let ledger = look(&stage, &Moment::End);
    report(&stage, ledger, midway)
}

/// Lets time pass until nothing is owed any more.
async fn wait_for_the_end(stage: &Stage) {
    for round in 0..LOOKS_MAX {
        let changes = stage.shelf.changes();
        tokio::time::sleep(LOOK_AGAIN).await;
        let is_quiet = stage.shelf.changes() == changes && stage.mail.len() == 0;
        if is_quiet && stage.shelf.timers() == 0 {
            return;
        }
        if round % LOOKS_PER_CHECK == 0 {
            drop(look(stage, &Moment::Meanwhile(stage.shelf.removed())));
        }
    }
    let detail = format!("{} timers, {} messages", stage.shelf.timers(), stage.mail.len());
    stage.violations().push(Violation::new(Rule::Ended, "the world", detail));
}

/// Checks everything.
fn look(stage: &Stage, moment: &Moment) -> Ledger {
    let ledger = Ledger::of(stage.shelf.database(), TABLE);
    stage.told().posts = stage.outside.posts();
    let found = check(&ledger, &stage.told(), moment);
    stage.crossing.line(format_args!("looked: {} violations", found.len()));
    stage.violations().extend(found);
    ledger
}

fn report(stage: &Stage, ledger: Ledger, midway: (Ledger, Told, Moment)) -> Report {
    let told = stage.told().clone();
    let mut tally = stage.tally().clone();
    (tally.intents, tally.ends) = (ledger.intents(), ledger.ends());
    (tally.decisions, tally.runs) = (told.decisions(), told.runs());
    (tally.posts, tally.taken) = told.posts();
    let mut violations = stage.violations().clone();
    violations.sort();
    violations.dedup();
    Report {
        seed: stage.plan.seed,
        violations,
        tally,
        digest: stage.trace.digest(),
        trace: stage.trace.text(),
        ledger,
        told,
        midway,
    }
}
