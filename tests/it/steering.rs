//! Controls, policy, grants, and speaking for one agent.

use std::time::Duration;

use serde_json::{Value, json};
use shared::intent::Command;
use shared::principal::Role;
use tests::{Answer, World};

use crate::harness::{bare, create, key, names, question, refused, text, turn};

/// A world with an intent for the agent `a`, sent by the world's agent.
struct Steered {
    world: World,
    id: String,
}

impl Steered {
    async fn new() -> Self {
        let world = World::new().await;
        Self { id: turn(&world, "a").await, world }
    }

    async fn post(&self, key: &str, path: &str, body: Value) -> Answer {
        self.world.post(key, &format!("/v1/intents/{}/{path}", self.id), &body).await
    }

    /// As its sender.
    async fn steer(&self, path: &str, body: Value) -> Answer {
        self.post(&self.world.agent, path, body).await
    }

    async fn intent(&self) -> Value {
        let read = self.world.get(&self.world.admin, &format!("/v1/intents/{}", self.id)).await;
        read.json()["intent"].clone()
    }
}

#[track_caller]
fn taken(answer: &Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn every_change_counts_and_one_made_for_an_older_policy_is_refused() {
    let steered = Steered::new().await;
    assert_eq!(steered.intent().await["policy_generation"], 0);
    let body = json!({
        "controls_patch": {"priority": "high", "note": "x"},
        "actor": "agent://somebody",
        "reason": "it is late",
        "expected_policy_generation": 0,
        "internal_scheduler": true,
    });
    let changed = taken(&steered.steer("controls", body.clone()).await);
    assert_eq!((&changed["applied"], &changed["policy_generation"]), (&json!(true), &json!(1)));
    assert_eq!(changed["intent"]["controls"], json!({"priority": "high", "note": "x"}));

    let stale = steered.steer("controls", body).await;
    refused(&stale, 409, "stale_policy_generation");
    let stale = stale.json();
    assert_eq!((&stale["policy_generation"], &stale["applied"]), (&json!(1), &json!(false)));

    let without = json!({"controls_patch": {"note": null}});
    let changed = taken(&steered.steer("controls", without).await);
    assert_eq!(changed["intent"]["controls"], json!({"priority": "high"}), "null takes one away");
    assert_eq!(changed["policy_generation"], 2);
    let stale = steered.steer("resume", json!({"expected_policy_generation": 1, "n": 1})).await;
    refused(&stale, 409, "stale_policy_generation");
    let resumed = steered.steer("resume", json!({"expected_policy_generation": "2", "n": 1})).await;
    let resumed = taken(&resumed);
    assert_eq!(
        (&resumed["policy_generation"], &resumed["status"]),
        (&json!(2), &json!("COMPLETED"))
    );
    assert_eq!(resumed["result"], json!({"n": 1}), "the generation is no part of the result");
    refused(&steered.steer("controls", json!({})).await, 409, "intent_ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_generation_that_a_resume_names_holds_when_it_is_written() {
    let world = World::new().await;
    for _ in 0..8 {
        let id = turn(&world, "a").await;
        let path = |name: &str| format!("/v1/intents/{id}/{name}");
        let (controls, resume) = (path("controls"), path("resume"));
        let (change, result) =
            (json!({"controls_patch": {"a": 1}}), json!({"expected_policy_generation": 0}));
        let (changed, resumed) = tokio::join!(
            world.post(&world.agent, &controls, &change),
            world.post(&world.agent, &resume, &result)
        );
        let names = names(&world, &id).await;
        let at = |name: &str| names.iter().position(|it| it == name);
        match (at("intent.policy_changed"), at("intent.completed")) {
            (Some(_), None) => refused(&resumed, 409, "stale_policy_generation"),
            (None, Some(_)) => refused(&changed, 409, "intent_ended"),
            both => panic!("one of the two must have lost: {both:?} {names:?}"),
        }
    }
}

#[tokio::test]
async fn a_timeout_moves_the_deadline_and_only_an_administrator_moves_it_away() {
    let steered = Steered::new().await;
    let timeout = |seconds: u64| json!({"controls_patch": {"timeout_seconds": seconds}});
    let changed = taken(&steered.steer("controls", timeout(120)).await);
    assert_eq!(changed["intent"]["deadline_at"], "2030-01-01T00:02:00Z");
    assert_eq!(changed["intent"]["due_at"], "2030-01-01T00:02:00Z");
    refused(&steered.steer("controls", timeout(240)).await, 403, "deadline_only_shortens");
    let admin = &steered.world.admin;
    taken(&steered.post(admin, "controls", timeout(180)).await);
    // Of several limits the first one counts.
    let several = json!({"envelope_patch": {
        "ttl_seconds": 90,
        "execution_timeout_seconds": "60",
        "expires_at": "2030-01-01T00:02:30Z",
        "max_retry_count": 4,
        "retry_backoff_seconds": 7,
        "shape": "round",
    }});
    let changed = taken(&steered.steer("policy", several).await)["intent"].clone();
    assert_eq!(changed["deadline_at"], "2030-01-01T00:01:00Z");
    assert_eq!(changed["max_delivery_attempts"], 5);
    let envelope = json!({
        "max_retry_count": 4,
        "retry_backoff_seconds": 7,
        "expires_at": "2030-01-01T00:01:00Z",
    });
    assert_eq!(changed["policy"]["envelope"], envelope);
    assert_eq!(changed["controls"], json!({"shape": "round"}), "what means nothing here is kept");
    let past = json!({"envelope_patch": {"expires_at": "2029-12-31T00:00:00Z"}});
    refused(&steered.steer("policy", past).await, 422, "deadline_not_ahead");

    steered.world.pass(Duration::from_mins(1));
    refused(&steered.steer("resume", json!({})).await, 410, "deadline_passed");
    let woken = steered.world.app.execute(steered.id.parse().unwrap(), &Command::Wake, &[]).await;
    assert_eq!(woken.unwrap().status().name(), "TIMED_OUT");
}

#[tokio::test]
async fn a_grant_lets_another_agent_resume_and_steer_and_nothing_more() {
    let steered = Steered::new().await;
    let helper = key(&steered.world, "helper-key", Role::Agent, Some("helper")).await;
    let result = || json!({"action": "complete", "n": 1});
    refused(&steered.post(&helper, "resume", result()).await, 404, "not_found");
    let grant = |rights: Value| json!({"grants_patch": {"agent://helper": {"allow": rights}}});
    let granted = taken(&steered.steer("policy", grant(json!(["resume"]))).await);
    let shown = json!({"agent://helper": {"allow": ["resume"]}});
    assert_eq!(granted["intent"]["policy"]["grants"], shown);
    refused(&steered.post(&helper, "controls", json!({})).await, 403, "not_granted");
    taken(&steered.steer("policy", grant(json!(["resume", "update_controls"]))).await);
    taken(&steered.post(&helper, "controls", json!({"controls_patch": {"a": 1}})).await);
    refused(
        &steered.post(&helper, "policy", grant(json!(["update_policy"]))).await,
        403,
        "not_granted",
    );
    let none = steered.steer("policy", grant(json!(["decide"]))).await;
    refused(&none, 422, "invalid_request");
    taken(&steered.post(&helper, "resume", result()).await);

    // A grant never decides.
    let world = &steered.world;
    let asked = question(world, "a", json!({"title": "Sure?"})).await;
    let path = |name: &str| format!("/v1/intents/{asked}/{name}");
    world.post(&world.agent, &path("policy"), &grant(json!(["resume"]))).await;
    let said = world.post(&helper, &path("resume"), &json!({"outcome": "approved"})).await;
    refused(&said, 403, "wrong_role");
    let done = world.post(&helper, &path("resume"), &json!({"action": "complete"})).await;
    refused(&done, 409, "awaits_decision");
}

#[tokio::test]
async fn what_a_change_says_wrongly_is_refused_by_field() {
    let steered = Steered::new().await;
    for (path, body, field) in [
        (
            "controls",
            json!({"controls_patch": {"timeout_seconds": 0}}),
            "controls_patch.timeout_seconds",
        ),
        (
            "controls",
            json!({"controls_patch": {"timeout_seconds": "soon"}}),
            "controls_patch.timeout_seconds",
        ),
        ("controls", json!({"controls_patch": {"big": "x".repeat(2049)}}), "controls_patch.big"),
        ("controls", json!({"controls_patch": 5}), "controls_patch"),
        ("controls", json!({"reason": "x".repeat(2001)}), "reason"),
        ("controls", json!({"expected_policy_generation": -1}), "expected_policy_generation"),
        ("policy", json!({"envelope_patch": {"expires_at": "soon"}}), "envelope_patch.expires_at"),
        (
            "policy",
            json!({"envelope_patch": {"expires_at": "2032-01-01T00:00:00Z"}}),
            "envelope_patch.expires_at",
        ),
        (
            "policy",
            json!({"envelope_patch": {"max_retry_count": 100}}),
            "envelope_patch.max_retry_count",
        ),
        ("policy", json!({"grants_patch": {"": {"allow": []}}}), "grants_patch"),
        ("resume", json!({"expected_policy_generation": "x"}), "expected_policy_generation"),
    ] {
        let answer = steered.steer(path, body.clone()).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{body}");
    }
    let many: serde_json::Map<_, _> = (0..51).map(|n| (format!("c{n}"), json!(n))).collect();
    let many = steered.steer("controls", json!({"controls_patch": many})).await;
    refused(&many, 422, "policy_too_large");
    assert_eq!(steered.intent().await["policy_generation"], 0, "nothing has changed");
}

#[tokio::test]
async fn a_key_for_every_agent_speaks_for_the_named_one_alone() {
    let world = World::new().await;
    let sender = key(&world, "sender", Role::Agent, Some("sender")).await;
    let sent = json!({"intent_type": "t", "to_agent": "a"});
    let id = world.post(&sender, "/v1/intents", &sent).await.json()["intent_id"].clone();
    let resume = format!("/v1/intents/{}/resume", id.as_str().unwrap());
    let body = json!({"approve_current_step": true});
    let by = async |key: &str, query: &str, header: &str| {
        let path = format!("{resume}{query}");
        let request = bare("POST", &path).header("x-api-key", key);
        let request = request.header("x-owner-agent", header);
        world.send(request, text(body.to_string())).await
    };
    refused(&by(&world.agent, "?owner_agent=b", "").await, 404, "not_found");
    taken(&by(&world.agent, "?owner_agent=a", "").await);
    taken(&by(&world.agent, "", "agent://a").await);
    taken(&by(&world.agent, "?owner_agent=a", "agent://a").await);
    refused(&by(&world.agent, "?owner_agent=a", "b").await, 400, "malformed_request");
    refused(&by(&world.agent, "?owner_agent=a%20b", "").await, 422, "invalid_request");
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    taken(&by(&own, "?owner_agent=a", "").await);
    refused(&by(&own, "?owner_agent=b", "").await, 403, "policy_denied");

    // People answer as themselves, whatever agent is named.
    let asked = question(&world, "a", json!({"title": "Sure?"})).await;
    let path = format!("/v1/intents/{asked}/resume?owner_agent=somebody");
    let said = world.post(&world.reviewer, &path, &json!({"outcome": "approved"})).await;
    assert_eq!(taken(&said)["status"], "COMPLETED");
}

#[tokio::test]
async fn an_agent_acknowledges_and_is_not_offered_it_again() {
    let steered = Steered::new().await;
    let own = key(&steered.world, "own", Role::Agent, Some("a")).await;
    let acknowledged = taken(&steered.post(&own, "acknowledge", json!({})).await);
    assert_eq!(acknowledged["intent"]["status"], "ACKNOWLEDGED");
    taken(&steered.post(&own, "acknowledge", json!({})).await);
    let named = names(&steered.world, &steered.id).await;
    assert_eq!(named.iter().filter(|name| *name == "intent.acknowledged").count(), 1);
    taken(&steered.post(&own, "resume", json!({"action": "complete"})).await);
    // Saying so late says nothing new.
    let late = taken(&steered.post(&own, "acknowledge", json!({})).await);
    assert_eq!(late["intent"]["status"], "COMPLETED");
}

#[tokio::test]
async fn whoever_is_to_be_told_finds_the_completion_in_the_inbox() {
    let world = World::new().await;
    let sent = json!({"intent_type": "t", "to_agent": "a", "reply_to": "agent://team/boss"});
    let id = create(&world, &sent).await;
    let path = format!("/v1/intents/{id}/resolve");
    let done = json!({"status": "COMPLETED", "result": {"n": 1}});
    let delivery =
        taken(&world.post(&world.agent, &path, &done).await)["completion_delivery"].clone();
    assert_eq!(
        (&delivery["delivered"], &delivery["reply_to"]),
        (&json!(true), &json!("agent://team/boss"))
    );
    assert_eq!(
        (&delivery["thread_id"], &delivery["completion"]["result"]),
        (&json!(id), &json!({"n": 1}))
    );

    let boss = key(&world, "boss", Role::Agent, Some("team/boss")).await;
    let inbox = taken(&world.get(&boss, "/v1/inbox").await);
    assert_eq!(inbox["threads"][0]["completion"], delivery["completion"]);
    let thread = taken(&world.get(&boss, &format!("/v1/inbox/{id}")).await)["thread"].clone();
    assert_eq!(
        (&thread["status"], &thread["completion"]),
        (&json!("done"), &delivery["completion"])
    );
    let last = thread["timeline"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&last["event_type"], &last["event_id"]),
        (&json!("intent_completed"), &delivery["message_id"])
    );
    let other = key(&world, "other", Role::Agent, Some("team/other")).await;
    refused(&world.get(&other, &format!("/v1/inbox/{id}")).await, 404, "not_found");

    let nobody = turn(&world, "a").await;
    let untold = world.post(&world.agent, &format!("/v1/intents/{nobody}/resolve"), &done).await;
    assert_eq!(taken(&untold)["completion_delivery"]["delivered"], false);
}

#[tokio::test]
async fn readers_after_a_number_and_readers_from_the_next_one_see_the_same_events() {
    let steered = Steered::new().await;
    let own = key(&steered.world, "own", Role::Agent, Some("a")).await;
    taken(&steered.post(&own, "acknowledge", json!({})).await);
    taken(&steered.steer("controls", json!({"controls_patch": {"a": 1}})).await);
    let said = json!({"message": "m"});
    let reply = format!("/v1/inbox/{}/reply", steered.id);
    taken(&steered.world.post(&own, &reply, &said).await);
    taken(&steered.steer("resume", json!({"n": 1})).await);
    let after = async |since: u64| {
        let path = format!("/v1/intents/{}/events?since={since}", steered.id);
        taken(&steered.world.get(&own, &path).await)["events"].as_array().unwrap().clone()
    };
    let all = after(0).await;
    assert_eq!(all.len(), 8, "{all:?}");
    for (n, event) in all.iter().enumerate() {
        let seq = event["seq"].as_u64().unwrap();
        assert_eq!(after(seq).await, all[n + 1..], "after {seq}");
        assert_eq!(after(seq + 1).await, all[n + 1..], "from {}", seq + 1);
    }
}
