//! Held streams over a table that comes and goes, what they cost, and where long histories end.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use shared::address::Address;
use shared::app::REMEMBERED;
use shared::intent::Command;
use shared::principal::{Assurance, Principal, Role};
use tests::{Answer, Gate, Manner, Table, World};
use tokio::time::Instant;

use crate::harness::{create, key, nobody, refused, turn};

const AGENT: &str = "/v1/agents/a/intents/stream";
/// A hold may end this much later than its reader asked.
const LATE_MAX: Duration = Duration::from_millis(2_010);

async fn gated() -> (World, Gate) {
    let (table, gate) = Table::gated().await;
    (World::over(table).await, gate)
}

/// The names and numbers of an answer's frames.
fn frames(answer: &Answer) -> Vec<(String, u64)> {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    assert!(answer.text.ends_with("\n\n"), "cut off: {}", answer.text);
    let frame = |text: &str| {
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let data: Value = serde_json::from_str(field("data: ")).unwrap();
        let seq = data.get("seq").or(data.get("next_seq")).unwrap().as_u64().unwrap();
        (field("event: ").to_owned(), seq)
    };
    answer.text.split_terminator("\n\n").map(frame).collect()
}

fn end(next_seq: u64) -> (String, u64) {
    ("stream.timeout".to_owned(), next_seq)
}

#[tokio::test(start_paused = true)]
async fn a_table_that_is_away_for_the_whole_hold_ends_it_in_good_order() {
    let (world, gate) = gated().await;
    let id = turn(&world, "elsewhere").await;
    for manner in [Manner::Throttling, Manner::Silent] {
        for path in [format!("/v1/intents/{id}/events/stream"), AGENT.to_owned()] {
            for (wait_s, since) in [(1, 0), (7, 12), (25, 6)] {
                // The key is asked about as well.
                world.pass(REMEMBERED);
                gate.treat(manner);
                let began_at = Instant::now();
                let path = format!("{path}?since={since}&wait_seconds={wait_s}");
                let answer = world.get(&world.agent, &path).await;
                gate.treat(Manner::Open);
                let told = format!("{manner:?} {path}");
                assert_eq!(frames(&answer), [end(since)], "{told}");
                let held = began_at.elapsed();
                let asked = Duration::from_secs(wait_s);
                assert!((asked..asked + LATE_MAX).contains(&held), "{told}: {held:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_there_is_to_say_after_a_fault_is_said_in_the_same_hold() {
    let (world, gate) = gated().await;
    let id = turn(&world, "a").await;
    let stream = format!("/v1/intents/{id}/events/stream?wait_seconds=20");
    for (path, news) in [(stream, 3), (format!("{AGENT}?wait_seconds=20"), 1)] {
        // The kind of request that fails: the key and the intent, the looks, or all of them.
        for only in [Some("GetItem"), Some("Query"), None] {
            for (failures, manner) in
                [(1, Manner::Throttling), (9, Manner::Throttling), (2, Manner::Silent)]
            {
                world.pass(REMEMBERED);
                gate.treat_next(failures, only, manner);
                let began_at = Instant::now();
                let answer = world.get(&world.agent, &path).await;
                let told = format!("{failures} {manner:?} {only:?} {path}");
                assert_eq!(frames(&answer).len(), news + 1, "{told}");
                assert!(began_at.elapsed() < Duration::from_secs(19), "{told}");
            }
        }
    }
}

/// The note that an offer is shown may be written though nobody hears of it. Then it is told.
#[tokio::test(start_paused = true)]
async fn an_offer_whose_note_is_in_doubt_is_told() {
    for manner in [Manner::Throttling, Manner::Silent, Manner::LosingAnswers] {
        let (world, gate) = gated().await;
        turn(&world, "a").await;
        gate.treat_next(usize::MAX, Some("UpdateItem"), manner);
        let first = world.get(&world.agent, &format!("{AGENT}?wait_seconds=5")).await;
        assert_eq!(frames(&first).len(), 2, "{manner:?}");
        gate.treat(Manner::Open);
        let again = world.get(&world.agent, &format!("{AGENT}?wait_seconds=5")).await;
        assert_eq!(frames(&again), frames(&first), "{manner:?}: a new listener sees it too");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_for_good_comes_at_once() {
    let (world, _) = gated().await;
    let id = turn(&world, "a").await;
    let other = key(&world, "other", Role::Agent, Some("b")).await;
    let stream = format!("/v1/intents/{id}/events/stream");
    let unknown = format!("/v1/intents/{}/events/stream", nobody());
    let long = |path: &str| format!("{path}?wait_seconds=25");
    let began_at = Instant::now();
    for (by, path, status, code) in [
        ("", long(&stream), 401, "missing_platform_api_key"),
        ("hp_0", long(AGENT), 401, "invalid_platform_api_key"),
        (other.as_str(), long(&stream), 404, "not_found"),
        (other.as_str(), long(AGENT), 403, "policy_denied"),
        (world.agent.as_str(), long(&unknown), 404, "not_found"),
        (world.agent.as_str(), format!("{AGENT}?status=DONE"), 422, "invalid_request"),
        (world.agent.as_str(), format!("{AGENT}?since=-1"), 400, "malformed_request"),
    ] {
        refused(&world.get(by, &path).await, status, code);
    }
    assert!(began_at.elapsed() < Duration::from_millis(1), "{:?}", began_at.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_stream_with_nothing_to_say_is_held_for_as_long_as_its_reader_asked() {
    for poll_ms in [50, 500] {
        let (table, _) = Table::gated().await;
        let poll = Duration::from_millis(poll_ms);
        let world = World::set_up(table, |config| config.stream_poll = poll).await;
        let id = turn(&world, "elsewhere").await;
        for path in [format!("/v1/intents/{id}/events/stream?since=6"), format!("{AGENT}?since=6")]
        {
            for (asked, held_s) in
                [("", 15), ("&wait_seconds=1", 1), ("&wait_seconds=3", 3), ("&wait_seconds=60", 25)]
            {
                let began_at = Instant::now();
                let answer = world.get(&world.agent, &format!("{path}{asked}")).await;
                assert_eq!(frames(&answer), [end(6)]);
                let held = began_at.elapsed().as_secs_f64() - f64::from(held_s);
                assert!((0.0..0.01).contains(&held), "{path}{asked}: {held} s more");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn first_looks_are_quick_only_where_looking_costs_nothing() {
    // Looks of a hold of one second: at its beginning, at its end, and between.
    for (poll_ms, looks) in [(500, 3..=3), (100, 11..=11), (20, 55..=60)] {
        let (table, gate) = Table::gated().await;
        let poll = Duration::from_millis(poll_ms);
        let world = World::set_up(table, |config| config.stream_poll = poll).await;
        let id = turn(&world, "elsewhere").await;
        gate.came();
        let path = format!("/v1/intents/{id}/events/stream?since=6&wait_seconds=1");
        assert_eq!(frames(&world.get(&world.agent, &path).await), [end(6)]);
        let came = gate.came()["Query"];
        assert!(looks.contains(&came), "{came} looks at {poll_ms} ms");
    }
}

/// Reads of a held stream in a minute in which nothing happens, at the cloud's interval: looks, the
/// key, and the intent or two looks back.
const IDLE_MINUTE_READS_MAX: usize = 130;
const IDLE_MINUTES: usize = 5;

#[tokio::test(start_paused = true)]
async fn a_held_idle_minute_costs_fewer_than_130_reads_and_no_write() {
    let (table, gate) = Table::gated().await;
    let cloud = Duration::from_millis(500);
    let world = Arc::new(World::set_up(table, |config| config.stream_poll = cloud).await);
    let id = turn(&world, "elsewhere").await;
    let clock = Arc::clone(&world);
    // Here both clocks are one, since keys and looks back go by the world's.
    tokio::spawn(async move {
        let tick = Duration::from_millis(50);
        loop {
            tokio::time::sleep(tick).await;
            clock.pass(tick);
        }
    });
    let paths = [format!("/v1/intents/{id}/events/stream"), AGENT.to_owned()];
    for path in paths {
        let until = Instant::now() + Duration::from_mins(IDLE_MINUTES as u64);
        gate.came();
        while Instant::now() < until {
            let path = format!("{path}?since=6&wait_seconds=25");
            assert_eq!(frames(&world.get(&world.agent, &path).await), [end(6)]);
        }
        let came = gate.came();
        let reads: usize = came.values().sum();
        eprintln!("{path}: {reads} reads in {IDLE_MINUTES} minutes: {came:?}");
        let kinds: Vec<_> = came.keys().map(String::as_str).collect();
        assert_eq!(kinds, ["GetItem", "Query"]);
        assert!(reads <= IDLE_MINUTE_READS_MAX * IDLE_MINUTES, "{path}: {reads}");
    }
}

fn agent() -> Principal {
    Principal {
        tenant: "default".to_owned(),
        name: "local-agent".to_owned(),
        role: Role::Agent,
        address: None,
        assurance: Assurance::Key,
    }
}

/// Follows `next_since` to the end; the numbers of all events, and how many answers it took.
async fn read_all(world: &World, id: &str) -> (Vec<u64>, usize) {
    let (mut seqs, mut answers, mut since) = (Vec::new(), 0, 0);
    loop {
        let path = format!("/v1/intents/{id}/events?since={since}");
        let read = world.get(&world.agent, &path).await.json();
        let events = read["events"].as_array().unwrap();
        seqs.extend(events.iter().map(|event| event["seq"].as_u64().unwrap()));
        since = read["next_since"].as_u64().unwrap();
        assert_eq!(seqs.last(), Some(&since));
        answers += 1;
        if read["has_more"] == json!(false) {
            return (seqs, answers);
        }
    }
}

#[tokio::test]
async fn a_history_of_hundreds_of_commits_is_read_whole() {
    let (world, _) = gated().await;
    let id = turn(&world, "a").await;
    let by = agent();
    for _ in 0..210 {
        let reason = Some("on".to_owned());
        let command = Command::Advance { by: by.clone(), reason, next: None };
        world.app.execute(id.parse().unwrap(), &command, &[]).await.unwrap();
    }
    let (seqs, answers) = read_all(&world, &id).await;
    assert_eq!(answers, 1);
    assert_eq!(seqs, (1..=210 * 2 + 3).map(|n| n * 2).collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_history_of_megabytes_says_where_it_goes_on_and_loses_nothing() {
    let (world, _) = gated().await;
    let id = create(
        &world,
        &json!({"intent_type": "t", "to_agent": Address::parse("a").unwrap().uri()}),
    )
    .await;
    let by = agent();
    for _ in 0..40 {
        let reason = Some("\"\u{e9}".repeat(60_000));
        let command = Command::Advance { by: by.clone(), reason, next: None };
        world.app.execute(id.parse().unwrap(), &command, &[]).await.unwrap();
    }
    let (seqs, answers) = read_all(&world, &id).await;
    assert!((4..=20).contains(&answers), "{answers} answers");
    assert_eq!(seqs, (1..=40 * 2 + 3).map(|n| n * 2).collect::<Vec<u64>>());
    // The stream says the same in frames that are never cut.
    let (mut seqs, mut since) = (Vec::new(), 0);
    while seqs.len() < 83 {
        let path = format!("/v1/intents/{id}/events/stream?since={since}&wait_seconds=1");
        let answer = world.get(&world.agent, &path).await;
        let mut told = frames(&answer);
        let (name, next_seq) = told.pop().unwrap();
        seqs.extend(told.iter().map(|(_, seq)| *seq));
        assert_eq!((name.as_str(), Some(&next_seq)), ("stream.timeout", seqs.last()));
        since = next_seq;
    }
    assert_eq!(seqs, (1..=40 * 2 + 3).map(|n| n * 2).collect::<Vec<u64>>());
}
