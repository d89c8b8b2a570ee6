//! `kill -9`, of everything and of single processes, while intents are at every stage.

mod crowd;
mod history;
mod ledger;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use serde_json::json;
use shared::store::Store;
use tests::Running;

use crate::api::{Api, instant, now, until};
use crate::processes;
use crowd::{Crowd, Kind, Member};
use ledger::Ledger;

/// How long a stage may take to be reached.
const STAGE_MAX: Duration = Duration::from_mins(1);
/// Life of the intents whose deadlines pass while nothing runs.
const SHORT_TTL_SECONDS: u64 = 5;
/// Where the kills at random moments begin; another number makes other moments.
const SEED: u64 = 20_260_817;
const RANDOM_KILLS: usize = 4;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_intents_at_every_stage_survive_a_kill_of_everything() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(&data.path().join("stack"));
    let api = Api::of(&running);
    let mut crowd = Crowd::default();
    crowd::register(&api).await;

    // At their hold points: half of them will be decided just before the kill.
    crowd.send(&api, Kind::Worker, 10, true).await;
    crowd.send(&api, Kind::Worker, 4, false).await;
    crowd.send(&api, Kind::Suspending, 2, true).await;
    crowd.send(&api, Kind::Suspending, 2, false).await;
    crowd.act(&api).await;
    let asked = 18;
    until(STAGE_MAX, "every agent asks", async || (api.tasks().await.len() == asked).then_some(()))
        .await;
    // Ended already, behind a sign-off, and with the agent still.
    crowd.send(&api, Kind::Stream, 4, true).await;
    crowd.send(&api, Kind::Gated, 3, true).await;
    crowd.act(&api).await;
    crowd.send(&api, Kind::Stream, 6, true).await;
    crowd.send(&api, Kind::Gated, 3, true).await;
    crowd.send(&api, Kind::Question, 4, true).await;
    crowd.send(&api, Kind::Question, 2, false).await;
    crowd.look(&api).await;

    let mut body = Kind::Question.body();
    body["ttl_seconds"] = json!(SHORT_TTL_SECONDS);
    crowd.send_as(&api, &body, Kind::Question, 3, true).await;
    let mut body = Kind::Stream.body();
    body["ttl_seconds"] = json!(SHORT_TTL_SECONDS);
    crowd.send_as(&api, &body, Kind::Stream, 1, true).await;
    let short: BTreeSet<_> = crowd.members.iter().rev().take(4).map(|m| m.id.clone()).collect();
    let last = crowd.members.last().expect("a crowd").id.clone();
    let deadline_at = instant(&api.intent(&last).await["deadline_at"]);

    // Some in the middle of a turn: before their hold points, or decided a moment ago.
    crowd.look(&api).await;
    crowd.send(&api, Kind::Worker, 6, true).await;
    assert_eq!(crowd.members.len(), 50);
    let decided = decide_half(&api, &crowd).await;
    running.kill();

    until(Duration::from_secs(2 * SHORT_TTL_SECONDS), "the short deadlines", async || {
        (now() > deadline_at).then_some(())
    })
    .await;
    let restarted_at = now();
    let running = Running::start(&data.path().join("stack"));
    let api = Api::of(&running);
    // Nobody has decided anything again yet: what was taken before the kill must stand.
    assert!(decided.len() > 8, "{decided:?}");
    for (id, outcome) in decided {
        assert_eq!(api.intent(&id).await["decision"]["outcome"], outcome, "{id}");
    }
    crowd.drive(&api).await;
    crowd.look_at_all(&api).await;
    running.kill();

    check_ends(&crowd, &short);
    let late = short.iter().filter_map(|id| crowd.history.at(id, "intent.timed_out"));
    let late = late.filter(|ended_at| *ended_at >= restarted_at).count();
    assert!(late > 0, "no deadline passed while nothing ran");
    check_ledger(&crowd, &data.path().join("stack"));
}

/// Decides every second task, does not wait for what follows from it, and says what was taken.
async fn decide_half(api: &Api, crowd: &Crowd) -> Vec<(String, &'static str)> {
    let tasks = api.tasks().await;
    let mut decided = Vec::new();
    for task in tasks.iter().step_by(2) {
        let id = task["intent_id"].as_str().expect("an id");
        let owner = task["parent_intent_id"].as_str().unwrap_or(id);
        let member = crowd.members.iter().find(|member| member.id == owner).expect("one of ours");
        if short_lived(task) {
            continue;
        }
        let (decision, outcome) =
            if member.approved { ("approve", "approved") } else { ("reject", "rejected") };
        assert!(api.decide(task, decision).await, "{task}");
        decided.push((id.to_owned(), outcome));
    }
    decided
}

fn short_lived(task: &serde_json::Value) -> bool {
    let left = crate::api::seconds(now(), instant(&task["due_at"]));
    left < 60.0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_function_delays_intents_and_loses_none() {
    let data = tempfile::tempdir().expect("a folder");
    let running = Running::start(&data.path().join("stack"));
    let api = Api::of(&running);
    let mut crowd = Crowd::default();
    crowd::register(&api).await;
    crowd.send(&api, Kind::Worker, 9, true).await;
    crowd.send(&api, Kind::Worker, 2, false).await;
    crowd.send(&api, Kind::Stream, 3, true).await;
    crowd.send(&api, Kind::Gated, 2, true).await;
    crowd.send(&api, Kind::Suspending, 2, true).await;
    crowd.send(&api, Kind::Question, 2, true).await;
    assert_eq!(crowd.members.len(), 20);

    let seen = crowd.history.counter();
    let killed = async {
        let mut killed = Vec::new();
        let order = ["agent-worker", "relay", "wake", "intents", "agent-worker", "approve"];
        for (round, name) in order.into_iter().enumerate() {
            // The next one dies when the story has gone on a little.
            let events = 60 + 25 * round;
            until(STAGE_MAX, "the story goes on", async || {
                (seen.load(Ordering::SeqCst) >= events).then_some(())
            })
            .await;
            let process =
                until(STAGE_MAX, name, async || processes::functions(api.stack).get(name).copied())
                    .await;
            processes::kill(process);
            killed.push((name, process));
        }
        killed
    };
    let ((), killed) = tokio::join!(crowd.drive(&api), killed);
    for step in ["started", "started", "tool claimed", "tool claimed", "tool claimed"] {
        kill_worker_after(&api, &mut crowd, step).await;
    }
    for (name, process) in killed {
        let successor =
            until(STAGE_MAX, name, async || processes::functions(api.stack).get(name).copied());
        assert_ne!(successor.await, process, "{name} was not killed");
    }
    crowd.look_at_all(&api).await;
    running.kill();
    check_ends(&crowd, &BTreeSet::new());
    check_ledger(&crowd, &data.path().join("stack"));
}

/// Sends one more intent to the worker and kills the worker as soon as the turn has come to `step`.
async fn kill_worker_after(api: &Api, crowd: &mut Crowd, step: &str) {
    crowd.send(api, Kind::Worker, 1, true).await;
    let id = crowd.members.last().expect("one was sent").id.clone();
    let worker = processes::functions(api.stack).get("agent-worker").copied();
    if step == "tool claimed" {
        until(STAGE_MAX, "the agent asks", async || {
            let tasks = api.tasks().await;
            tasks.iter().any(|task| task["parent_intent_id"] == id.as_str()).then_some(())
        })
        .await;
        crowd.review(api).await;
    }
    // Without a pause between two looks, since the step is over in some milliseconds.
    let end = tokio::time::Instant::now() + STAGE_MAX;
    while !api.events(&id).await.iter().any(|event| event["details"]["step"] == step) {
        assert!(tokio::time::Instant::now() < end, "no turn came to `{step}`");
    }
    processes::kill(worker.expect("a worker that comes so far"));
    crowd.drive(api).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_at_random_moments_lose_nothing_and_double_nothing() {
    eprintln!("seed {SEED}");
    let data = tempfile::tempdir().expect("a folder");
    let stack = data.path().join("stack");
    let mut crowd = Crowd::default();
    let mut random = SEED;
    for _ in 0..RANDOM_KILLS {
        let running = Running::start(&stack);
        let api = Api::of(&running);
        crowd::register(&api).await;
        crowd.send(&api, Kind::Worker, 3, true).await;
        crowd.send(&api, Kind::Worker, 1, false).await;
        crowd.send(&api, Kind::Gated, 1, true).await;
        crowd.send(&api, Kind::Suspending, 1, true).await;
        crowd.send(&api, Kind::Question, 1, true).await;
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let further = usize::try_from((random >> 33) % 90).expect("a small number");
        let seen = crowd.history.counter();
        let events = seen.load(Ordering::SeqCst) + further;
        tokio::select! {
            () = crowd.drive(&api) => {}
            () = until(STAGE_MAX, "the moment", async || {
                (seen.load(Ordering::SeqCst) >= events).then_some(())
            }) => {}
        }
        eprintln!("killed after {further} events");
        running.kill();
    }
    let running = Running::start(&stack);
    let api = Api::of(&running);
    crowd.drive(&api).await;
    crowd.look_at_all(&api).await;
    running.kill();
    check_ends(&crowd, &BTreeSet::new());
    check_ledger(&crowd, &stack);
}

/// Every intent ended as its reviewer wanted, or at its deadline.
fn check_ends(crowd: &Crowd, short: &BTreeSet<String>) {
    for Member { id, kind, approved } in &crowd.members {
        let expected = match (kind, approved) {
            _ if short.contains(id) => "intent.timed_out",
            (Kind::Question | Kind::Gated, false) => "intent.failed",
            // An agent whose question was answered with no says so and completes.
            (Kind::Question | Kind::Gated, true)
            | (Kind::Worker | Kind::Stream | Kind::Suspending, _) => "intent.completed",
        };
        assert_eq!(crowd.history.end_of(id), Some(expected), "{kind:?} {id}");
    }
}

/// The disk tells the same story as the service did, and what may happen once happened once.
fn check_ledger(crowd: &Crowd, data: &Path) {
    let ledger = Ledger::open(data);
    for id in crowd.history.intents() {
        assert_eq!(ledger.check_chain(id), crowd.history.len(id), "{id}");
    }
    let reports = ledger.reports();
    for Member { id, approved, .. } in crowd.members.iter().filter(|m| m.kind == Kind::Worker) {
        let published = reports.get(id).copied().unwrap_or_default();
        let expected = match crowd.confirmed.get(id) {
            // The crash came between the claim and the report, the reviewer said so, and the agent
            // may ask again.
            Some(false) => published.min(1),
            Some(true) | None => usize::from(*approved),
        };
        assert_eq!(published, expected, "reports of {id}");
    }
    let ours: BTreeSet<_> = crowd.members.iter().map(|member| &member.id).collect();
    assert!(reports.keys().all(|id| ours.contains(id)), "a report of nobody: {reports:?}");
    for id in crowd.ids(|member| member.kind == Kind::Suspending && member.approved) {
        assert!(crowd.launched.contains(&id), "{id} was approved and its tool did not run");
    }
    for id in crowd.ids(|member| member.kind == Kind::Suspending && !member.approved) {
        assert!(!crowd.launched.contains(&id), "{id} was refused and its tool ran");
    }
    let events: usize = crowd.history.intents().map(|id| crowd.history.len(id)).sum();
    let (intents, reports) = (crowd.history.intents().count(), reports.len());
    let unknown = crowd.confirmed.len();
    eprintln!("{intents} intents, {events} events, {reports} reports, {unknown} unknown outcomes");
}

/// Intents with a published report, as the table says now; `None` while it does not answer.
async fn reports(api: &Api) -> Option<BTreeSet<String>> {
    let functions = processes::functions(api.stack);
    let environment = functions.values().find_map(|id| processes::environment(*id))?;
    let endpoint = environment.get("AWS_ENDPOINT_URL_DYNAMODB")?;
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(shared::boot::http_client())
        .build();
    let client = Client::from_conf(config);
    let store = Store::new(client, environment.get("TABLE_NAME")?.clone(), 1);
    let reports = store.reports("default").await.ok()?;
    Some(reports.into_iter().map(|report| report.intent.to_string()).collect())
}
