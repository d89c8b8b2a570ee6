//! Many timers: what a sweep costs, and where they stand.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;
use shared::id::IntentId;
use shared::store::TIMER_SHARDS;
use tests::{Gate, Table, World};

use crate::harness::create;
use crate::pump::Pump;

const PENDING_FEW: usize = 1_000;
const PENDING_MANY: usize = 100_000;
/// Of these so many fall due within the next minute.
const DUE: usize = 250;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

/// What a sweep took.
#[derive(Debug, Eq, PartialEq)]
struct Cost {
    reads: BTreeMap<String, usize>,
    items: u64,
    messages: usize,
    sends: usize,
}

#[tokio::test]
async fn a_sweep_costs_what_is_due_and_not_what_is_pending() {
    let shards = usize::from(TIMER_SHARDS);
    let nothing = swept(0, 0).await;
    let noted = ("PutItem".to_owned(), 1);
    assert_eq!(nothing.reads, BTreeMap::from([("Query".to_owned(), shards), noted.clone()]));
    assert_eq!((nothing.items, nothing.messages, nothing.sends), (0, 0, 0));
    let few = swept(PENDING_FEW, DUE).await;
    let many = swept(PENDING_MANY, DUE).await;
    eprintln!("of {PENDING_MANY} timers {DUE} are due: {many:?}");
    assert_eq!(few, many);
    // In each shard one look that finds what is due, and one that finds nothing behind it.
    assert_eq!(many.reads, BTreeMap::from([("Query".to_owned(), 2 * shards), noted]));
    assert_eq!((many.items, many.messages), (DUE as u64, DUE));
    let fullest = DUE.div_ceil(10);
    assert!((fullest..fullest + shards).contains(&many.sends), "{many:?}");
}

/// The cost of a sweep among so many timers, of which `due` are due.
async fn swept(pending: usize, due: usize) -> Cost {
    let (table, gate) = Table::gated_without_stream().await;
    let world = World::over(table).await;
    let mut pump = Pump::of(&world).await;
    let began = Instant::now();
    seed(&world, &gate, pending, due);
    let seeded = began.elapsed();
    gate.came();
    gate.looked_at();
    let began = Instant::now();
    pump.sweep().await;
    eprintln!("{pending} timers: written in {seeded:?}, swept in {:?}", began.elapsed());
    let (messages, sends) = pump.sent();
    Cost { reads: gate.came(), items: gate.looked_at(), messages, sends }
}

/// Timers as intents have them; those that are not due fall due within the year.
fn seed(world: &World, gate: &Gate, pending: usize, due: usize) {
    let now_ms = world.app.now().as_millisecond();
    let item = |n: usize| {
        let id = IntentId::derived(&["a timer", &n.to_string()]);
        let n = i64::try_from(n).unwrap();
        let is_due = usize::try_from(n).unwrap() < due;
        let in_ms = if is_due { n * 60_000 / 250 } else { DAY_MS + n % 364 * DAY_MS + n };
        let due_ms = now_ms + in_ms;
        json!({
            "pk": {"S": format!("default#TIMER#{}", id.shard(TIMER_SHARDS))},
            "sk": {"S": format!("{due_ms:020}#{id}")},
            "intent": {"S": id.to_string()},
            "due_ms": {"N": due_ms.to_string()},
            "ttl_epoch_s": {"N": (due_ms / 1000 + 1).to_string()},
        })
    };
    gate.seed((0..pending).map(item).collect());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn intents_spread_evenly_over_the_shards(seed in any::<u64>()) {
        let mut shards = BTreeMap::<u8, usize>::new();
        for n in 0..8_000 {
            let id = IntentId::derived(&[&seed.to_string(), &n.to_string()]);
            *shards.entry(id.shard(TIMER_SHARDS)).or_default() += 1;
        }
        prop_assert_eq!(shards.len(), usize::from(TIMER_SHARDS));
        // Six standard deviations around the thousand that each should have.
        prop_assert!(shards.values().all(|count| (820..=1_180).contains(count)), "{shards:?}");
    }
}

#[tokio::test]
async fn every_live_intent_has_exactly_one_timer_whatever_happens_to_it() {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let mut ids = vec![];
    for n in 0..40 {
        let body = json!({
            "intent_type": "t", "to_agent": "agent://agent_core", "ttl_seconds": 600 + n,
            "remind_after_seconds": 60 + n, "max_reminders": 3, "escalate_to": "agent://boss",
            "human_task": {"title": "Anybody?"},
        });
        ids.push(create(&world, &body).await);
    }
    let alive: BTreeMap<String, usize> = ids.iter().map(|id| (id.clone(), 1)).collect();
    for _ in 0..11 {
        assert_eq!(timers(&world).await, alive);
        pump.pass(Duration::from_secs(50)).await;
    }
    pump.pass(Duration::from_mins(2)).await;
    assert_eq!(timers(&world).await, BTreeMap::new(), "after the end there is none");
}

/// How many timers stand in the table, by intent.
async fn timers(world: &World) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    let scan = world.table.client.scan().table_name("holdpoint").consistent_read(true);
    let mut pages = scan.into_paginator().items().send();
    while let Some(item) = pages.next().await {
        let item = item.unwrap();
        if item["pk"].as_s().unwrap().contains("#TIMER#") {
            *counts.entry(item["intent"].as_s().unwrap().clone()).or_default() += 1;
        }
    }
    counts
}
