//! What has piled up is worked off from its oldest end.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::id::IntentId;
use shared::store::TIMER_SHARDS;
use tests::World;

use super::{batch, failed, queues, wake_all};
use crate::events::recorder::Recorder;
use crate::harness::{create, events};

const LATE: u64 = 60;
/// Messages of one batch.
const BATCH: usize = 10;

/// Wake-ups that a sweep hands over, in the order in which they are sent: intent and moment.
async fn swept(world: &World, recorder: &Recorder) -> Vec<(IntentId, Timestamp)> {
    let waker = wake::Waker { app: world.app.clone(), queues: queues(recorder) };
    let call = serde_json::from_value(json!({"sweep": true})).unwrap();
    wake::handle(&waker, call).await.unwrap();
    let sent = recorder.sent().into_iter();
    sent.map(|(queue, delay_s, body)| {
        assert_eq!((queue.as_str(), delay_s, &body["message"]), ("wakes", 0, &json!("wake")));
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        (text("intent").parse().unwrap(), text("due_at").parse().unwrap())
    })
    .collect()
}

/// Intents whose deadlines have passed while the schedule rested, the youngest first.
async fn overdue(world: &World) -> Vec<String> {
    let mut ids = vec![];
    for n in 0..LATE {
        let ttl_s = 600 + 7 * (LATE - n);
        let body = json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": ttl_s});
        ids.push(create(world, &body).await);
    }
    world.pass(Duration::from_hours(2));
    ids
}

#[tokio::test]
async fn late_wake_ups_are_handed_over_by_age() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let ids = overdue(&world).await;
    let sent = swept(&world, &recorder).await;
    assert_eq!(sent.len(), ids.len());
    let mut shards = BTreeMap::<u8, Vec<Timestamp>>::new();
    for (id, due_at) in sent {
        shards.entry(id.shard(TIMER_SHARDS)).or_default().push(due_at);
    }
    assert!(shards.values().any(|shard| shard.len() > 2), "{shards:?}");
    assert!(shards.values().all(|shard| shard.is_sorted()), "{shards:?}");
}

#[tokio::test]
async fn who_has_waited_longest_is_woken_first() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    overdue(&world).await;
    let late = swept(&world, &recorder).await;
    let bodies: Vec<_> = late
        .iter()
        .map(|(id, due_at)| {
            json!({"message": "wake", "tenant": "default", "intent": id, "due_at": due_at})
        })
        .map(|body| body.to_string())
        .collect();
    // All were sent at the same moment.
    for part in bodies.chunks(BATCH) {
        let records: Vec<_> = part.iter().map(|body| (body.as_str(), 60, 1)).collect();
        let answer = wake_all(&world, &queues(&recorder), batch(&world, &records)).await;
        assert!(failed(&answer).is_empty(), "{answer:?}");
        world.pass(Duration::from_secs(1));
    }
    let mut shards = BTreeMap::<u8, Vec<(Timestamp, Timestamp)>>::new();
    for (id, due_at) in late {
        let last = events(&world, &id.to_string()).await.pop().unwrap();
        assert_eq!(last["event_type"], "intent.timed_out", "{last}");
        let ended_at = last["at"].as_str().unwrap().parse().unwrap();
        shards.entry(id.shard(TIMER_SHARDS)).or_default().push((due_at, ended_at));
    }
    for mut shard in shards.into_values() {
        shard.sort();
        assert!(shard.is_sorted_by_key(|(_, ended_at)| *ended_at), "{shard:?}");
    }
}
