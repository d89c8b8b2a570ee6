//! How often a key may call, over one instance and over several.

use std::time::Duration;

use shared::principal::Role;
use tests::{Answer, Gate, Manner, Table, World};
use tokio::time::Instant;

use crate::harness::{key, refused, turn};

const LIST: &str = "/v1/agents";
const OTHER: &str = "/v1/intents";
const MINUTE: Duration = Duration::from_mins(1);

async fn limited(limit: u32) -> (World, Gate) {
    let (table, gate) = Table::gated().await;
    (World::set_up(table, |config| config.rate_limit_per_minute = limit).await, gate)
}

/// What the headers say: limit, remaining, and seconds since 1970 of the reset.
fn said(answer: &Answer) -> [u64; 3] {
    ["limit", "remaining", "reset"].map(|name| {
        let value = &answer.headers[&format!("x-ratelimit-{name}")];
        value.to_str().unwrap().parse().unwrap()
    })
}

/// How many of `count` requests are admitted.
async fn burst(world: &World, count: u32) -> u32 {
    let mut admitted = 0;
    for _ in 0..count {
        let answer = world.get(&world.agent, LIST).await;
        match answer.status.as_u16() {
            200 => admitted += 1,
            429 => {}
            other => panic!("{other}: {}", answer.text),
        }
    }
    admitted
}

#[tokio::test(start_paused = true)]
async fn a_key_may_ask_each_endpoint_so_often_in_each_minute() {
    for limit in [1, 2, 3, 4, 7, 10, 40, 41, 120] {
        let (world, _) = limited(limit).await;
        world.pass(Duration::from_secs(17));
        let second = u64::try_from(world.app.now().as_second()).unwrap();
        let reset = second + 43;
        for n in 1..=limit {
            let answer = world.get(&world.agent, LIST).await;
            assert_eq!(answer.status.as_u16(), 200, "{n} of {limit}: {}", answer.text);
            assert_eq!(said(&answer), [limit.into(), (limit - n).into(), reset], "{n} of {limit}");
        }
        for waited in [0, 13] {
            world.pass(Duration::from_secs(waited));
            let over = world.get(&world.agent, LIST).await;
            refused(&over, 429, "rate_limit_exceeded");
            assert_eq!(said(&over), [limit.into(), 0, reset]);
            assert_eq!(over.headers["retry-after"], (43 - waited).to_string().as_str());
        }
        // Another endpoint, another key, another minute.
        assert_eq!(world.get(&world.agent, OTHER).await.status.as_u16(), 200);
        assert_eq!(world.get(&world.admin, LIST).await.status.as_u16(), 200);
        world.pass(Duration::from_secs(30));
        let next = world.get(&world.agent, LIST).await;
        assert_eq!(said(&next), [limit.into(), (limit - 1).into(), reset + 60]);
    }
}

#[tokio::test(start_paused = true)]
async fn instances_share_a_limit() {
    let (world, _) = limited(40).await;
    let other = world.beside();
    assert_eq!(burst(&world, 60).await, 40);
    // The other one has a quarter of its own before it asks.
    assert_eq!(burst(&other, 60).await, 10);
    assert_eq!(burst(&world, 60).await + burst(&other, 60).await, 0);
    world.pass(MINUTE);
    assert_eq!(burst(&other, 60).await, 40);
}

/// Limits, and the numbers of instances that a burst meets in turn.
#[tokio::test(start_paused = true)]
async fn a_burst_over_n_instances_passes_a_limit_by_at_most_n_minus_1_quarters() {
    for limit in [1_u32, 4, 10, 41, 120] {
        for instances in [1_u32, 2, 5] {
            let (world, _) = limited(limit).await;
            let mut worlds = Vec::new();
            worlds.resize_with(instances as usize, || world.beside());
            let mut admitted = 0;
            for _ in 0..(2 * limit).max(20) {
                for world in &worlds {
                    admitted += burst(world, 1).await;
                }
            }
            let most = limit + (instances - 1) * (limit / 4);
            // What one has taken and not used is lost to the others.
            let least = limit.saturating_sub((instances - 1) * 9);
            let told = format!("{admitted} of {limit} at {instances}");
            assert!((least..=most).contains(&admitted), "{told}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_asks_seldom_costs_no_write() {
    let (world, gate) = limited(120).await;
    gate.came();
    assert_eq!(burst(&world, 30).await, 30);
    assert_eq!(gate.came().get("UpdateItem"), None);
    assert_eq!(burst(&world, 90).await, 90);
    assert_eq!(gate.came()["UpdateItem"], 9, "one for ten requests");
    assert_eq!(burst(&world, 50).await, 0);
    assert_eq!(gate.came()["UpdateItem"], 1, "one to hear that nothing is left");
}

#[tokio::test(start_paused = true)]
async fn requests_go_on_where_the_counter_is_away() {
    for manner in [Manner::Throttling, Manner::Silent, Manner::LosingAnswers] {
        let (world, gate) = limited(20).await;
        gate.treat_next(usize::MAX, Some("UpdateItem"), manner);
        let began_at = Instant::now();
        assert_eq!(burst(&world, 50).await, 50, "{manner:?}");
        // It is asked once for ten of them.
        let waited = began_at.elapsed();
        assert!(waited <= Duration::from_millis(5 * 250 + 50), "{manner:?}: {waited:?}");
        gate.treat(Manner::Open);
        world.pass(MINUTE);
        assert_eq!(burst(&world, 50).await, 20, "{manner:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_over_the_limit_is_held_a_second_and_never_refused() {
    let (world, _) = limited(4).await;
    let id = turn(&world, "a").await;
    for path in
        [format!("/v1/intents/{id}/events/stream"), "/v1/agents/a/intents/stream".to_owned()]
    {
        for n in 1..=6_u64 {
            let began_at = Instant::now();
            let answer = world.get(&world.agent, &path).await;
            assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
            assert!(answer.text.matches("event: ").count() > 1, "{}", answer.text);
            assert_eq!(said(&answer)[..2], [4, 4_u64.saturating_sub(n)]);
            let held = began_at.elapsed();
            assert_eq!(held >= Duration::from_secs(1), n > 4, "{n}: {held:?}");
            assert!(held < Duration::from_secs(2), "{n}: {held:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_needs_no_key_and_keys_that_are_none_are_not_counted() {
    let (world, gate) = limited(1).await;
    gate.came();
    for _ in 0..30 {
        for (by, path) in [("", "/health"), ("", LIST), ("hp_0123456789abcdef_x", LIST)] {
            let answer = world.get(by, path).await;
            assert_ne!(answer.status.as_u16(), 429, "{path}");
            assert_eq!(answer.headers.get("x-ratelimit-limit"), None, "{path}");
        }
    }
    assert_eq!(gate.came().get("UpdateItem"), None);
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_limit_nothing_is_said_of_one() {
    let (world, _) = limited(0).await;
    assert_eq!(burst(&world, 200).await, 200);
    assert_eq!(world.get(&world.agent, LIST).await.headers.get("x-ratelimit-limit"), None);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_another_kind_says_what_is_left_as_well() {
    let (world, _) = limited(40).await;
    let other = key(&world, "other", Role::Agent, Some("b")).await;
    let denied = world.get(&other, "/v1/me/tasks").await;
    refused(&denied, 403, "policy_denied");
    assert_eq!(said(&denied)[..2], [40, 39]);
}
