//! Where threads stand, and how many intents are read at once.

use serde_json::json;
use shared::id::IntentId;
use tests::{Table, World};

use crate::harness::{create, nobody, turn};

/// The owners in whose inboxes something stands.
async fn owners(world: &World) -> Vec<String> {
    let items = world.table.items().await;
    let owner = |item: &String| {
        let (_, rest) = item.split_once("#INBOX#")?;
        rest.split('"').next().map(str::to_owned)
    };
    let mut owners: Vec<_> = items.iter().filter_map(owner).collect();
    owners.sort();
    owners
}

pub(super) async fn a_thread_stands_in_the_inbox_of_each_owner_and_moves_with_its_agent(
    table: Table,
) {
    let world = World::over(table).await;
    create(&world, &json!({"intent_type": "t", "to_agent": "agent_core"})).await;
    assert!(owners(&world).await.is_empty(), "a question alone is nobody's thread");
    let sent = json!({"intent_type": "t", "to_agent": "a", "reply_to": "agent://team/boss"});
    let id = create(&world, &sent).await;
    assert_eq!(owners(&world).await, ["a", "team/boss"]);
    let resume = format!("/v1/intents/{id}/resume");
    let hand_to = async |next: &str| {
        let body = json!({"approve_current_step": true, "next_handler": next});
        let handed = world.post(&world.agent, &resume, &body).await;
        assert_eq!(handed.status.as_u16(), 200, "{}", handed.text);
        owners(&world).await
    };
    assert_eq!(hand_to("b").await, ["b", "team/boss"]);
    assert_eq!(hand_to("team/boss").await, ["team/boss"], "one place, for two reasons");
    assert_eq!(hand_to("c").await, ["c", "team/boss"]);
    world.post(&world.agent, &resume, &json!({"action": "complete"})).await;
    assert_eq!(owners(&world).await, ["c", "team/boss"], "an ended thread stays to be read");
}

pub(super) async fn many_intents_are_read_at_once_and_missing_ones_are_left_out(table: Table) {
    let world = World::over(table).await;
    let mut ids: Vec<IntentId> = Vec::new();
    for _ in 0..103 {
        ids.push(turn(&world, "a").await.parse().unwrap());
    }
    let twice = ids[0];
    ids.extend([nobody(), twice]);
    let found = world.app.store().load_many("default", &ids).await.unwrap();
    assert_eq!(found.len(), 103);
    assert!(found.iter().all(|(id, stored)| stored.intent.id == *id && ids.contains(id)));
    assert!(!found.contains_key(&nobody()));
}

pub(super) async fn a_batch_that_is_answered_in_parts_is_read_to_its_end(table: Table) {
    let world = World::over(table).await;
    let large = || json!("x".repeat(120_000));
    let mut ids: Vec<IntentId> = Vec::new();
    // 75 states of 240 KB: more than the 16 MB that a batch answers with.
    for _ in 0..75 {
        let sent = json!({"intent_type": "t", "to_agent": "a", "payload": {"p": large()}});
        let id = create(&world, &sent).await;
        let result = json!({"r": large()});
        world.post(&world.agent, &format!("/v1/intents/{id}/resume"), &result).await;
        ids.push(id.parse().unwrap());
    }
    let found = world.app.store().load_many("default", &ids).await.unwrap();
    assert_eq!(found.len(), ids.len());
    assert!(found.values().all(|stored| stored.version == 2));
}
