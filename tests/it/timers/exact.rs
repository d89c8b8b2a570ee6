//! From a second to a year: no wake-up comes before its second or after it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::intent::envelope::TTL_SECONDS_MAX;
use tests::World;

use crate::harness::{create, events, stored};
use crate::pump::Pump;

const DAY: u64 = 24 * 60 * 60;
/// Around the minute of the schedule, its look ahead, and the queue's longest delay; hours to a year.
const LIVES: [u64; 15] = [
    1,
    59,
    60,
    89,
    90,
    91,
    899,
    900,
    901,
    3_600,
    DAY,
    30 * DAY,
    365 * DAY,
    366 * DAY - 1,
    TTL_SECONDS_MAX as u64,
];
/// Seconds before a deadline at which the schedule is called: every minute, at some second.
const SWEEPS: [u64; 4] = [130, 70, 10, 1];

#[tokio::test]
async fn a_wake_up_is_handed_over_so_that_it_comes_at_its_second() {
    every_life(Duration::ZERO, false).await;
}

#[tokio::test]
async fn a_fraction_of_a_second_is_rounded_up_and_nothing_comes_early() {
    every_life(Duration::from_millis(250), false).await;
}

#[tokio::test]
async fn a_restart_that_loses_what_is_in_the_queue_makes_nothing_late() {
    every_life(Duration::ZERO, true).await;
}

/// Questions that nobody answers, asked at the same moment; each ends at its second. The schedule is
/// called `fraction` after whole seconds, and `restarts` lose the queue shortly before each deadline.
async fn every_life(fraction: Duration, restarts: bool) {
    let world = World::new().await;
    let mut pump = Pump::of(&world).await;
    let mut asked = vec![];
    for ttl in LIVES {
        let body = json!({
            "intent_type": "t", "to_agent": "agent://agent_core", "ttl_seconds": ttl,
            "human_task": {"title": "Nobody will look"},
        });
        asked.push((ttl, create(&world, &body).await));
    }
    world.pass(fraction);
    pump.run().await;
    for (ttl, id) in &asked {
        let deadline_at = stored(&world, id).await.deadline_at();
        let handed = usize::from(*ttl <= 900);
        // What falls due before the next sweep is handed over by the relay and by the sweep.
        let handed = if *ttl <= 90 { 2 } else { handed };
        let expected = vec![seen_at(&world, deadline_at); handed];
        assert_eq!(pump.wakes(id), expected, "{ttl} s: within the queue's reach at once");
    }
    for (ttl, id) in &asked {
        let deadline_at = stored(&world, id).await.deadline_at();
        for before in SWEEPS {
            let at = deadline_at - Duration::from_secs(before) + fraction;
            if at <= world.app.now() {
                continue;
            }
            pass_to(&world, at);
            if restarts && before == 10 {
                pump.restart().await;
                assert_eq!(pump.wakes(id), [deadline_at], "{ttl} s: handed over once more");
            }
            pump.run().await;
            assert!(!stored(&world, id).await.is_ended(), "{ttl} s: ended {before} s early");
        }
        let seen_at = seen_at(&world, deadline_at);
        assert!((deadline_at..deadline_at + Duration::from_secs(1)).contains(&seen_at));
        let handed = pump.wakes(id);
        assert!(!handed.is_empty(), "{ttl} s: nothing is in the queue");
        assert!(handed.iter().all(|at| *at == seen_at), "{ttl} s: {handed:?}, not {seen_at}");
        pass_to(&world, seen_at);
        // The message is there; the schedule is not asked.
        pump.run_due(true).await;
        let last = events(&world, id).await.pop().unwrap();
        assert_eq!(last["event_type"], "intent.timed_out", "{ttl} s");
        assert_eq!(last["at"], json!(seen_at), "{ttl} s");
    }
}

/// The first moment at or after `at` that lies whole seconds from now.
fn seen_at(world: &World, at: Timestamp) -> Timestamp {
    let now = world.app.now();
    let whole = at.duration_since(now).as_millis().div_euclid(1000);
    let floor = now + Duration::from_secs(u64::try_from(whole).unwrap());
    if floor < at { floor + Duration::from_secs(1) } else { floor }
}

fn pass_to(world: &World, at: Timestamp) {
    world.pass(Duration::try_from(at.duration_since(world.app.now())).unwrap());
}

#[tokio::test]
async fn a_life_longer_than_the_longest_is_refused_by_its_field() {
    let world = World::new().await;
    let over = u64::from(TTL_SECONDS_MAX) + 1;
    let body = json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": over});
    let refused = world.post(&world.agent, "/v1/intents", &body).await;
    assert_eq!(refused.status.as_u16(), 422, "{}", refused.text);
    assert!(refused.text.contains("ttl_seconds"), "{}", refused.text);
    assert!(refused.text.contains("send a number from 1 to 31622400"), "{}", refused.text);
}
