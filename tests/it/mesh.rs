//! The mesh: heartbeats, health, and the switch that stops an agent.

use std::time::Duration;

use serde_json::{Value, json};
use shared::app::REMEMBERED;
use shared::principal::Role;
use tests::{Answer, World};

use crate::harness::{bare, create, events, key, refused, stored, text, turn};

const BEAT: &str = "/v1/mesh/heartbeat";

#[track_caller]
fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

async fn beat(world: &World, key: &str, metrics: Value) -> Value {
    ok(&world.post(key, BEAT, &json!({"metrics": metrics})).await)
}

async fn agent(world: &World, address: &str) -> Value {
    let path = format!("/v1/mesh/agents/{address}");
    ok(&world.get(&world.agent, &path).await)["agent"].clone()
}

async fn switch(world: &World, address: &str, switch: &str) -> Answer {
    let path = format!("/v1/mesh/agents/{address}/{switch}");
    let request = bare("POST", &path).header("x-api-key", &world.admin);
    world.send(request.header("content-type", "application/json"), text("")).await
}

async fn kinds(world: &World, query: &str) -> Vec<String> {
    let found = ok(&world.get(&world.agent, &format!("/v1/mesh/events{query}")).await);
    let kind = |event: &Value| event["event_type"].as_str().unwrap().to_owned();
    found["events"].as_array().unwrap().iter().map(kind).collect()
}

#[tokio::test]
async fn a_heartbeat_with_metrics_or_nothing_tells_the_agents_health() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("org/team/worker")).await;
    let request = || bare("POST", BEAT).header("content-type", "application/json");
    let heard = ok(&world.send(request().header("x-api-key", &own), text("")).await);
    let expected = json!({
        "ok": true,
        "address_id": "org/team/worker",
        "address": "agent://org/team/worker",
        "status": "active",
        "health_status": "healthy",
        "last_heartbeat_at": "2030-01-01T00:00:00Z",
    });
    assert_eq!(heard, expected);
    // A key without an address is heard under its name.
    assert_eq!(beat(&world, &world.agent, Value::Null).await["address_id"], "local-agent");
    let nameless = key(&world, "the build bot", Role::Agent, None).await;
    refused(&world.post(&nameless, BEAT, &json!({})).await, 403, "policy_denied");
}

#[tokio::test]
async fn health_goes_with_the_silence_and_comes_back_with_a_heartbeat() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("worker")).await;
    refused(&world.get(&world.agent, "/v1/mesh/agents/worker").await, 404, "not_found");
    ok(&world.put(&world.admin, "/v1/routes/worker", &json!({})).await);
    assert_eq!(agent(&world, "worker").await["health_status"], "unreachable", "never heard");
    beat(&world, &own, json!({})).await;
    for (seconds, health) in
        [(90, "healthy"), (1, "degraded"), (209, "degraded"), (1, "unreachable")]
    {
        world.pass(Duration::from_secs(seconds));
        assert_eq!(agent(&world, "worker").await["health_status"], health, "after {seconds} s");
    }
    assert_eq!(kinds(&world, "").await, ["agent.registered"]);
    assert_eq!(beat(&world, &own, json!({})).await["health_status"], "healthy");
    assert_eq!(kinds(&world, "").await, ["agent.recovered", "agent.registered"]);
    let path = "/v1/mesh/agents/worker";
    let shown = ok(&world.get(&world.agent, path).await);
    assert_eq!(shown["events"][0]["details"], json!({"was": "unreachable"}));
    assert_eq!(
        (&shown["events"][0]["actor"], &shown["events"][0]["address_id"]),
        (&json!("own"), &json!("worker"))
    );
    assert_eq!(shown["events"][0]["at"], shown["agent"]["last_heartbeat_at"]);
}

#[tokio::test]
async fn metrics_add_up_exactly_and_the_latency_is_the_latest() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("worker")).await;
    for latency in [json!(250), json!(12.5), json!(null)] {
        let reported = json!({
            "intents_total": 3, "intents_succeeded": 2, "intents_failed": 1,
            "avg_latency_ms": latency, "cost_usd": 0.1, "unknown": {"deep": []},
        });
        beat(&world, &own, reported).await;
    }
    beat(&world, &own, json!({})).await;
    assert_eq!(
        agent(&world, "worker").await["metrics"],
        json!({
            "intents_total": 9, "intents_succeeded": 6, "intents_failed": 3,
            "avg_latency_ms": 12.5, "cost_usd": 0.3,
        })
    );
    let before = world.table.items().await;
    for (body, field) in [
        (json!({"metrics": 5}), "metrics"),
        (json!({"metrics": {"intents_total": -1}}), "metrics.intents_total"),
        (json!({"metrics": {"cost_usd": 1e9}}), "metrics.cost_usd"),
        (json!({"metrics": {"avg_latency_ms": "fast"}}), "metrics.avg_latency_ms"),
    ] {
        let answer = world.post(&own, BEAT, &body).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field);
    }
    let request = bare("POST", BEAT).header("x-api-key", &own);
    refused(&world.send(request, text("[]")).await, 400, "malformed_request");
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn the_mesh_lists_who_is_registered_and_who_was_heard() {
    let world = World::new().await;
    for address in ["a", "org/team/b", "c"] {
        ok(&world.put(&world.admin, &format!("/v1/routes/{address}"), &json!({})).await);
    }
    ok(&world.put(&world.admin, "/v1/routes/alias", &json!({"to": "a"})).await);
    beat(&world, &world.agent, json!({})).await;
    let b = key(&world, "b", Role::Agent, Some("org/team/b")).await;
    beat(&world, &b, json!({})).await;
    ok(&switch(&world, "c", "kill").await);
    let list = async |query: &str| {
        let found = ok(&world.get(&world.agent, &format!("/v1/mesh/agents{query}")).await);
        let id = |agent: &Value| agent["address_id"].as_str().unwrap().to_owned();
        found["agents"].as_array().unwrap().iter().map(id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("").await, "a c local-agent org/team/b");
    assert_eq!(list("?health=healthy").await, "local-agent org/team/b");
    assert_eq!(list("?health=unreachable").await, "a");
    assert_eq!(list("?health=killed").await, "c");
    assert_eq!(list("?limit=1&health=healthy").await, "local-agent");
    for limit in ["0", "1001"] {
        let path = format!("/v1/mesh/agents?limit={limit}");
        refused(&world.get(&world.agent, &path).await, 422, "invalid_request");
    }
    refused(&world.get(&world.agent, "/v1/mesh/agents?health=fine").await, 422, "invalid_request");
    refused(&world.get(&world.agent, "/v1/mesh/agents?limit=x").await, 400, "malformed_request");
    assert_eq!(agent(&world, "alias").await["address"], "agent://a");
}

#[tokio::test]
async fn events_are_listed_newest_first_and_by_kind() {
    let world = World::new().await;
    for address in ["a", "b"] {
        ok(&world.put(&world.admin, &format!("/v1/routes/{address}"), &json!({})).await);
        world.pass(Duration::from_secs(1));
        for name in ["kill", "kill", "resume", "resume"] {
            ok(&switch(&world, address, name).await);
            world.pass(Duration::from_secs(1));
        }
    }
    let one = ["agent.resumed", "agent.killed", "agent.registered"];
    assert_eq!(kinds(&world, "").await, [one, one].concat(), "a repeated switch is no event");
    assert_eq!(kinds(&world, "?limit=2").await, one[..2]);
    assert_eq!(kinds(&world, "?event_type=agent.killed").await, ["agent.killed"; 2]);
    assert_eq!(kinds(&world, "?event_type=agent.killed&limit=1").await, ["agent.killed"]);
    assert!(kinds(&world, "?event_type=agent.sold").await.is_empty());
    refused(&world.get(&world.agent, "/v1/mesh/events?limit=-1").await, 400, "malformed_request");
}

/// What an agent does, each with its key and its intent.
async fn doings(world: &World, key: &str, id: &str) -> Vec<(&'static str, Answer)> {
    let path = |rest: &str| format!("/v1/intents/{id}/{rest}");
    let sent = json!({"intent_type": "t", "to_agent": "somebody"});
    let scenario = json!({
        "scenario_id": "s",
        "agents": [{"role": "a", "address": "somebody"}],
        "intent": {"type": "t"},
    });
    let asks = json!({"approvals": [{"call_id": "c", "tool": "t"}]});
    let stream = "/v1/agents/worker/intents/stream?wait_seconds=1";
    vec![
        ("send", world.post(key, "/v1/intents", &sent).await),
        ("apply", world.post(key, "/v1/scenarios/apply", &scenario).await),
        ("stream", world.get(key, stream).await),
        ("claim", world.post(key, &path("tool-calls/c/claim"), &json!({"tool": "t"})).await),
        (
            "report",
            world
                .post(
                    key,
                    &path("tool-calls/c/complete"),
                    &json!({"claim_token": "0123456789abcdef"}),
                )
                .await,
        ),
        ("suspend", world.post(key, &path("suspend"), &asks).await),
        ("hand on", world.post(key, &path("resume"), &json!({"approve_current_step": true})).await),
        ("fail", world.post(key, &path("resolve"), &json!({"status": "FAILED"})).await),
        ("complete", world.post(key, &path("resume"), &json!({"action": "complete"})).await),
    ]
}

#[tokio::test]
async fn a_killed_agent_neither_sends_nor_receives_and_loses_nothing() {
    let world = World::new().await;
    let id = turn(&world, "worker").await;
    let own = key(&world, "agent://worker", Role::Agent, Some("worker")).await;
    let killed = ok(&switch(&world, "worker", "kill").await);
    assert_eq!(killed["agent"]["status"], "killed");
    assert_eq!(killed["agent"]["health_status"], "killed");
    assert_eq!(killed["agent"]["killed_at"], "2030-01-01T00:00:00Z");
    assert_eq!(killed["effective_within_seconds"], REMEMBERED.as_secs());
    let before = stored(&world, &id).await;
    for (what, answer) in doings(&world, &own, &id).await {
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (403, "agent_killed"),
            "{what}"
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(
            detail.starts_with("agent://worker is killed") && detail.contains("/resume"),
            "{detail}"
        );
    }
    assert_eq!(stored(&world, &id).await, before);
    let read = ok(&world.get(&own, &format!("/v1/intents/{id}")).await);
    assert_eq!(read["status"], "DELIVERED", "it may still look");
    assert_eq!(beat(&world, &own, json!({})).await["health_status"], "killed", "it may be heard");

    ok(&switch(&world, "worker", "resume").await);
    assert_eq!(agent(&world, "worker").await["status"], "active");
    for (what, answer) in doings(&world, &own, &id).await {
        assert_ne!(answer.code(), "agent_killed", "{what}");
        if what == "stream" {
            assert!(answer.text.contains(&id), "the intent waited: {}", answer.text);
        }
    }
    assert!(!events(&world, &id).await.is_empty());
}

#[tokio::test]
async fn nothing_reaches_a_killed_agent_by_any_of_its_addresses() {
    let world = World::new().await;
    let alias = json!({"to": "worker", "human_task": {"title": "Sure?"}});
    ok(&world.put(&world.admin, "/v1/routes/org/team/front", &alias).await);
    ok(&switch(&world, "worker", "kill").await);
    for to in ["worker", "agent://worker", "org/team/front"] {
        let body = json!({"intent_type": "t", "to_agent": to});
        for key in [&world.agent, &world.admin] {
            refused(&world.post(key, "/v1/intents", &body).await, 403, "agent_killed");
        }
        let scenario = json!({
            "scenario_id": "s",
            "agents": [{"role": "a", "address": to, "create_if_missing": true}],
            "intent": {"type": "t"},
        });
        let applied = world.post(&world.agent, "/v1/scenarios/apply", &scenario).await;
        refused(&applied, 403, "agent_killed");
    }
    create(&world, &json!({"intent_type": "t", "to_agent": "other"})).await;
    // The switch is thrown by any of its addresses too.
    ok(&switch(&world, "org/team/front", "resume").await);
    create(&world, &json!({"intent_type": "t", "to_agent": "worker"})).await;
    ok(&switch(&world, "agent%3A%2F%2Forg%2Fteam%2Ffront", "kill").await);
    assert_eq!(agent(&world, "worker").await["status"], "killed");
    ok(&switch(&world, "agent://worker", "resume").await);
    assert_eq!(agent(&world, "worker").await["status"], "active");
}

#[tokio::test]
async fn a_key_for_every_agent_cannot_act_for_a_killed_one() {
    let world = World::new().await;
    let (id, other) = (turn(&world, "worker").await, turn(&world, "other").await);
    ok(&switch(&world, "worker", "kill").await);
    let complete = json!({"action": "complete"});
    let resume = |id: &str| format!("/v1/intents/{id}/resume");
    refused(&world.post(&world.agent, &resume(&id), &complete).await, 403, "agent_killed");
    let stream = "/v1/agents/worker/intents/stream?wait_seconds=1";
    refused(&world.get(&world.agent, stream).await, 403, "agent_killed");
    ok(&world.post(&world.agent, &resume(&other), &complete).await);
    // Whoever sent something to it may withdraw it.
    let cancel = json!({"status": "CANCELED"});
    ok(&world.post(&world.agent, &format!("/v1/intents/{id}/resolve"), &cancel).await);
    // Killed under its name, such a key does nothing at all.
    ok(&switch(&world, "local-agent", "kill").await);
    let third = json!({"intent_type": "t", "to_agent": "other"});
    refused(&world.post(&world.agent, "/v1/intents", &third).await, 403, "agent_killed");
}

#[tokio::test]
async fn a_kill_holds_everywhere_within_the_time_that_routes_are_remembered() {
    let world = World::new().await;
    let own = key(&world, "agent://worker", Role::Agent, Some("worker")).await;
    let mine = json!({"intent_type": "t", "to_agent": "other"});
    ok(&world.post(&own, "/v1/intents", &mine).await);
    // Another instance throws the switch, so this one goes by what it remembers.
    let event = shared::mesh::MeshEvent {
        id: "elsewhere".to_owned(),
        kind: shared::mesh::MeshEventKind::Killed,
        agent: "worker".to_owned().try_into().unwrap(),
        actor: "local-admin".to_owned(),
        at: world.app.now(),
    };
    assert!(world.app.store().kill("default", &event).await.unwrap());
    world.pass(REMEMBERED);
    refused(&world.post(&own, "/v1/intents", &mine).await, 403, "agent_killed");
}

#[tokio::test]
async fn a_changed_route_leaves_a_killed_agent_killed() {
    let world = World::new().await;
    ok(&switch(&world, "worker", "kill").await);
    let put =
        ok(&world.put(&world.admin, "/v1/routes/worker", &json!({"display_name": "W"})).await);
    assert_eq!(
        (&put["route"]["status"], &put["route"]["display_name"]),
        (&json!("killed"), &json!("W"))
    );
    let named = json!({"name": "worker"});
    ok(&world.post(&world.admin, "/v1/service-accounts", &named).await);
    assert_eq!(agent(&world, "worker").await["status"], "killed");
}

#[tokio::test]
async fn the_switch_wants_an_agent_and_a_word() {
    let world = World::new().await;
    let before = world.table.items().await;
    refused(&switch(&world, "nobody", "resume").await, 404, "not_found");
    refused(&switch(&world, "worker", "destroy").await, 405, "method_not_allowed");
    refused(&switch(&world, "a%20b", "kill").await, 422, "invalid_request");
    refused(&switch(&world, "a/b/c/d", "kill").await, 422, "invalid_request");
    refused(&switch(&world, "agent_core", "kill").await, 422, "invalid_request");
    let path = "/v1/mesh/agents/kill";
    refused(&world.post(&world.admin, path, &json!({})).await, 405, "method_not_allowed");
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_question_of_a_killed_agent_is_still_decided_by_people() {
    let world = World::new().await;
    let id = turn(&world, "worker").await;
    let asks = json!({"approvals": [{"call_id": "c", "tool": "t"}]});
    ok(&world.post(&world.agent, &format!("/v1/intents/{id}/suspend"), &asks).await);
    ok(&switch(&world, "worker", "kill").await);
    let answer = json!({"outcome": "approved"});
    ok(&world.post(&world.reviewer, &format!("/v1/intents/{id}/resume"), &answer).await);
}
