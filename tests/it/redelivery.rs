//! What an agent was shown and did nothing about is shown again.

use std::time::Duration;

use serde_json::{Value, json};
use tests::{Gate, Table, World};

use crate::harness::{create, refused, turn};

const STREAM: &str = "/v1/agents/a/intents/stream";
/// How long a first showing may stay unanswered; each later one twice as long as the one before.
const PATIENCE: Duration = Duration::from_mins(5);
const MOMENT: Duration = Duration::from_millis(1);

async fn gated() -> (World, Gate) {
    let (table, gate) = Table::gated().await;
    (World::over(table).await, gate)
}

/// What a listener at `world` is shown after `since`: intents and places.
async fn shown(world: &World, since: u64) -> Vec<(String, u64)> {
    shown_at(world, &format!("{STREAM}?since={since}&wait_seconds=1")).await
}

async fn shown_at(world: &World, path: &str) -> Vec<(String, u64)> {
    let answer = world.get(&world.agent, path).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let data = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
    let data = data.map(|data| serde_json::from_str::<Value>(data).unwrap());
    let offers = data.filter(|data| data.get("intent_id").is_some());
    let offer = |data: Value| {
        let id = data["intent_id"].as_str().unwrap().to_owned();
        (id, data["seq"].as_u64().unwrap())
    };
    offers.map(offer).collect()
}

#[tokio::test(start_paused = true)]
async fn an_offer_that_led_to_nothing_is_shown_again_at_a_higher_place_as_often_as_its_sender_allows()
 {
    let (world, _) = gated().await;
    let body = json!({"intent_type": "t", "to_agent": "a", "max_delivery_attempts": 3});
    let id = create(&world, &body).await;
    let first = shown(&world, 0).await;
    let mut since = first[0].1;
    assert_eq!(first, [(id.clone(), since)]);
    for showings in [1, 2] {
        let patience = PATIENCE * showings;
        world.pass(patience.saturating_sub(MOMENT));
        assert!(shown(&world, since).await.is_empty(), "after {showings}: too early");
        world.pass(MOMENT);
        let again = shown(&world, since).await;
        assert_eq!((again.len(), again[0].0 == id, again[0].1 > since), (1, true, true));
        assert_eq!(again[0].1 % 2, 0, "places stay even");
        since = again[0].1;
        assert!(shown(&world, since).await.is_empty(), "it is shown once");
    }
    world.pass(PATIENCE * 4);
    assert!(shown(&world, since).await.is_empty(), "three times and no more");
    let intent = world.get(&world.admin, &format!("/v1/intents/{id}")).await.json();
    assert_eq!(
        (&intent["status"], &intent["error"]["code"]),
        (&json!("FAILED"), &json!("delivery_failed"))
    );
}

#[tokio::test(start_paused = true)]
async fn any_listener_of_any_instance_is_shown_it_and_one_of_two_at_a_time() {
    let (world, _) = gated().await;
    let other = world.beside();
    let id = turn(&world, "a").await;
    let since = shown(&world, 0).await[0].1;
    assert!(shown(&other, since).await.is_empty());
    world.pass(PATIENCE);
    let (one, two) = tokio::join!(shown(&world, since), shown(&other, since));
    let mut both = [one, two].concat();
    both.dedup();
    assert_eq!(both.len(), 1, "one showing at one place: {both:?}");
    assert_eq!(both[0].0, id);
    // The second showing was the one that counted, so the third comes after twice the time.
    let since = both[0].1;
    world.pass(PATIENCE);
    assert!(shown(&other, since).await.is_empty());
    world.pass(PATIENCE);
    assert_eq!(shown(&other, since).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_showing_that_got_lost_on_its_way_is_there_for_the_number_from_before() {
    let (world, _) = gated().await;
    turn(&world, "a").await;
    let since = shown(&world, 0).await[0].1;
    world.pass(PATIENCE);
    let lost = shown(&world, since).await;
    world.pass(Duration::from_mins(1));
    assert_eq!(shown(&world, since).await, lost, "it is the same showing");
    world.pass(Duration::from_mins(9));
    let third = shown(&world, lost[0].1).await;
    assert!(third[0].1 > lost[0].1, "{third:?}");
}

#[tokio::test(start_paused = true)]
async fn what_the_agent_has_taken_up_is_not_shown_again_but_to_a_new_listener() {
    let (world, gate) = gated().await;
    let id = turn(&world, "a").await;
    let since = shown(&world, 0).await[0].1;
    let claim = format!("/v1/intents/{id}/tool-calls/c/claim");
    world.post(&world.agent, &claim, &json!({"tool": "t"})).await;
    world.pass(PATIENCE);
    assert!(shown(&world, since).await.is_empty());
    gate.came();
    world.pass(PATIENCE * 100);
    assert!(shown(&world, since).await.is_empty());
    let came = gate.came();
    assert_eq!(came.get("UpdateItem"), None, "it is settled: {came:?}");
    assert_eq!(shown(&world, 0).await, [(id.clone(), since)]);
    world.post(&world.agent, &format!("/v1/intents/{id}/resume"), &json!({"ok": true})).await;
    assert!(shown(&world, 0).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_was_shown_waits_and_counts_no_attempt() {
    let (world, _) = gated().await;
    let body = json!({"intent_type": "t", "to_agent": "a", "max_delivery_attempts": 1});
    let id = create(&world, &body).await;
    world.pass(PATIENCE * 100);
    let first = shown(&world, 0).await;
    assert_eq!(first[0].0, id);
    world.pass(PATIENCE.saturating_sub(MOMENT));
    assert_eq!(shown(&world, 0).await, first, "the one showing has its whole time");
}

#[tokio::test(start_paused = true)]
async fn a_showing_is_one_write_and_no_commit() {
    let (world, gate) = gated().await;
    turn(&world, "a").await;
    gate.came();
    let since = shown(&world, 0).await[0].1;
    let came = gate.came();
    assert_eq!((came.get("UpdateItem"), came.get("TransactWriteItems")), (Some(&1), None));
    world.pass(PATIENCE);
    assert_eq!(shown(&world, since).await.len(), 1);
    let came = gate.came();
    assert_eq!((came.get("UpdateItem"), came.get("TransactWriteItems")), (Some(&1), None));
}

/// A place that is shown again lies after every other, so what lies between must have been seen.
#[tokio::test(start_paused = true)]
async fn nothing_is_skipped_while_there_is_more_than_one_answer_holds() {
    let (world, _) = gated().await;
    let forgotten = turn(&world, "a").await;
    let since = shown(&world, 0).await[0].1;
    world.pass(PATIENCE);
    let mut made = vec![];
    for _ in 0..230 {
        made.push(turn(&world, "a").await);
        world.pass(Duration::from_secs(1));
    }
    let (mut seen, mut since) = (Vec::new(), since);
    loop {
        let found = shown(&world, since).await;
        let Some((_, last)) = found.last() else { break };
        since = *last;
        seen.extend(found.into_iter().map(|(id, _)| id));
    }
    assert_eq!(seen.pop(), Some(forgotten));
    assert_eq!(seen, made);
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_names_statuses_is_shown_those_and_leaves_the_others_alone() {
    let (world, _) = gated().await;
    let [fresh, begun] = [turn(&world, "a").await, turn(&world, "a").await];
    let claim = format!("/v1/intents/{begun}/tool-calls/c/claim");
    world.post(&world.agent, &claim, &json!({"tool": "t"})).await;
    let of = async |statuses: &str| {
        let found = shown_at(&world, &format!("{STREAM}?wait_seconds=1&status={statuses}")).await;
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(of("IN_PROGRESS").await, [begun]);
    assert_eq!(of("DELIVERED,CREATED").await, [fresh]);
    assert!(of("COMPLETED").await.is_empty());
    let mut both = of("DELIVERED,%20IN_PROGRESS").await;
    both.sort();
    let mut all = of("").await;
    all.sort();
    assert_eq!(both, all);
    assert_eq!(all.len(), 2);
    let unknown = world.get(&world.agent, &format!("{STREAM}?status=DELIVERED,DONE")).await;
    refused(&unknown, 422, "invalid_request");
    assert_eq!(unknown.json()["error"]["details"]["field"], "status");
}

#[tokio::test(start_paused = true)]
async fn what_a_listener_does_not_want_is_still_new_to_another() {
    let (world, _) = gated().await;
    let id = turn(&world, "a").await;
    world.pass(Duration::from_secs(30));
    let path = format!("{STREAM}?wait_seconds=1&status=WAITING");
    assert!(shown_at(&world, &path).await.is_empty());
    let now = u64::try_from(world.app.now().as_microsecond()).unwrap();
    assert_eq!(shown(&world, now).await[0].0, id, "nobody was shown it");
}
