//! Service accounts: an agent's place in the registry, and its keys.

use std::time::Duration;

use serde_json::{Value, json};
use shared::account::KEYS_PER_ACCOUNT_MAX;
use shared::app::REMEMBERED;
use tests::{Answer, World};

use crate::harness::{bare, key, refused, stored, text};

const ACCOUNTS: &str = "/v1/service-accounts";

fn deployer() -> Value {
    json!({
        "org_id": "acme",
        "workspace_id": "prod",
        "name": "deployer",
        "display_name": "Deployer",
        "created_by_actor_id": "ana",
    })
}

async fn made(world: &World, body: &Value) -> Value {
    let answer = world.post(&world.admin, ACCOUNTS, body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["service_account"].clone()
}

fn path(account: &Value) -> String {
    format!("{ACCOUNTS}/{}", account["service_account_id"].as_str().unwrap())
}

async fn made_key(world: &World, account: &Value, body: &Value) -> Value {
    let answer = world.post(&world.admin, &format!("{}/keys", path(account)), body).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()["key"].clone()
}

async fn token(world: &World, account: &Value) -> String {
    made_key(world, account, &json!({})).await["token"].as_str().unwrap().to_owned()
}

async fn send(world: &World, to: &str) -> Answer {
    let body = json!({"intent_type": "t", "to_agent": to});
    world.post(&world.agent, "/v1/intents", &body).await
}

#[track_caller]
fn ok(answer: &Answer) {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
}

#[tokio::test]
async fn an_account_is_made_with_its_agent_and_found_again() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let id = account["service_account_id"].as_str().unwrap();
    let expected = json!({
        "service_account_id": id,
        "org_id": "acme",
        "workspace_id": "prod",
        "name": "deployer",
        "display_name": "Deployer",
        "status": "active",
        "address": "agent://deployer",
        "agent_address": "agent://deployer",
        "created_by_actor_id": "ana",
        "delivery_mode": "stream",
        "created_at": "2030-01-01T00:00:00Z",
        "updated_at": "2030-01-01T00:00:00Z",
    });
    assert_eq!(account, expected);
    let read = world.get(&world.admin, &path(&account)).await.json();
    assert_eq!(read, json!({"ok": true, "service_account": expected}));
    let agent = world.get(&world.agent, "/v1/agents/deployer").await.json();
    assert_eq!(
        agent["agent"],
        json!({
            "address": "agent://deployer",
            "service_account_id": id,
            "service_account_name": "deployer",
            "display_name": "Deployer",
            "status": "active",
            "delivery_mode": "stream",
            "created_at": "2030-01-01T00:00:00Z",
            "updated_at": "2030-01-01T00:00:00Z",
        })
    );
    for same in
        ["acme/prod/deployer", "agent%3A%2F%2Facme%2Fprod%2Fdeployer", "agent%3A%2F%2Fdeployer"]
    {
        let found = world.get(&world.agent, &format!("/v1/agents/{same}")).await.json();
        assert_eq!(found, agent, "{same}");
    }
    refused(&world.get(&world.agent, "/v1/agents/nobody").await, 404, "not_found");
    refused(&world.get(&world.agent, "/v1/agents/a%20b").await, 422, "invalid_request");
}

#[tokio::test]
async fn both_addresses_of_a_bare_name_reach_its_agent() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let key = token(&world, &account).await;
    for to in ["deployer", "agent://acme/prod/deployer"] {
        let id = send(&world, to).await.json()["intent_id"].as_str().unwrap().to_owned();
        assert_eq!(stored(&world, &id).await.envelope.handler.path(), "deployer");
        let stream = "/v1/agents/deployer/intents/stream?wait_seconds=1";
        assert!(world.get(&key, stream).await.text.contains(&id), "{to}");
        let resume = format!("/v1/intents/{id}/resume");
        ok(&world.post(&key, &resume, &json!({"action": "complete"})).await);
    }
    let whole = json!({"org_id": "acme", "workspace_id": "prod", "name": "agent://team/deployer"});
    assert_eq!(made(&world, &whole).await["address"], "agent://team/deployer");
    let routes = world.get(&world.agent, "/v1/agents").await.json();
    assert_eq!(routes["routes"].as_array().unwrap().len(), 3, "no alias for it: {routes}");
}

#[tokio::test]
async fn a_name_that_is_taken_is_refused_with_the_account_that_has_it() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let before = world.table.items().await;
    let again = world.post(&world.admin, ACCOUNTS, &deployer()).await;
    refused(&again, 409, "service_account_exists");
    let mut known = account.clone();
    known.as_object_mut().unwrap().remove("delivery_mode");
    assert_eq!(again.json()["service_account"], known);

    let elsewhere = json!({"org_id": "acme", "workspace_id": "test", "name": "deployer"});
    let taken = world.post(&world.admin, ACCOUNTS, &elsewhere).await;
    refused(&taken, 409, "agent_address_taken");
    assert_eq!(world.table.items().await, before);

    let alias = json!({"to": "deployer"});
    ok(&world.put(&world.admin, "/v1/routes/acme/prod/front", &alias).await);
    ok(&world.put(&world.admin, "/v1/routes/back", &alias).await);
    for name in ["front", "back"] {
        let named = json!({"org_id": "acme", "workspace_id": "prod", "name": name});
        refused(&world.post(&world.admin, ACCOUNTS, &named).await, 409, "agent_address_taken");
    }
}

#[tokio::test]
async fn lists_hold_what_their_reader_asks_for() {
    let world = World::new().await;
    for (org, workspace, name) in
        [("acme", "prod", "a"), ("acme", "test", "b"), ("other", "prod", "c")]
    {
        made(&world, &json!({"org_id": org, "workspace_id": workspace, "name": name})).await;
    }
    made(&world, &json!({"name": "d"})).await;
    ok(&world.put(&world.admin, "/v1/routes/e", &json!({})).await);
    for (query, accounts, agents) in [
        ("", "abcd", "abcde"),
        ("?org_id=acme", "ab", "ab"),
        ("?org_id=acme&workspace_id=prod", "a", "a"),
        ("?workspace_id=prod", "ac", "ac"),
        ("?org_id=nobody", "", ""),
        ("?limit=2", "abcd", "ab"),
    ] {
        for (list, field, expected) in
            [(ACCOUNTS, "service_accounts", accounts), ("/v1/agents", "agents", agents)]
        {
            let found = world.get(&world.admin, &format!("{list}{query}")).await.json();
            let address = |item: &Value| item["address"].as_str().unwrap()[8..].to_owned();
            let mut names: Vec<_> = found[field].as_array().unwrap().iter().map(address).collect();
            names.sort();
            assert_eq!(names.concat(), expected, "{list}{query}");
        }
    }
}

#[tokio::test]
async fn a_key_of_an_account_speaks_for_its_agent_until_it_ends() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let forever = made_key(&world, &account, &json!({})).await;
    assert_eq!(forever["service_account_id"], account["service_account_id"]);
    assert_eq!((&forever["status"], &forever["expires_at"]), (&json!("active"), &Value::Null));
    assert_eq!(
        (&forever["role"], &forever["address"]),
        (&json!("agent"), &json!("agent://deployer"))
    );
    let id = forever["key_id"].as_str().unwrap();
    assert!(forever["key_hint"].as_str().unwrap().contains(id));
    let token = forever["token"].as_str().unwrap();
    assert!(!forever["key_hint"].as_str().unwrap().contains(&token[token.len() - 8..]));
    let shown = world.get(&world.admin, &path(&account)).await;
    assert!(!shown.text.contains(token) && !shown.text.contains(id));

    let seconds = made_key(&world, &account, &json!({"expires_in_seconds": 60})).await;
    assert_eq!(seconds["expires_at"], "2030-01-01T00:01:00Z");
    let instant = json!({"expires_at": "2030-01-01T02:00:00+01:00"});
    let instant = made_key(&world, &account, &instant).await;
    assert_eq!(instant["expires_at"], "2030-01-01T01:00:00Z");

    let me = |key: &Value| key["token"].as_str().unwrap().to_owned();
    for (key, passes_s) in [(&seconds, 60), (&instant, 3540)] {
        ok(&world.get(&me(key), "/v1/agents").await);
        world.pass(Duration::from_secs(passes_s));
        refused(&world.get(&me(key), "/v1/agents").await, 401, "invalid_platform_api_key");
    }
    let revoke = format!("{}/keys/{id}/revoke", path(&account));
    for _ in 0..2 {
        let revoked =
            world.send(bare("POST", &revoke).header("x-api-key", &world.admin), text("")).await;
        assert_eq!(revoked.json()["key"]["status"], "revoked", "{}", revoked.text);
    }
    refused(&world.get(token, "/v1/agents").await, 401, "invalid_platform_api_key");
}

#[tokio::test]
async fn an_account_revokes_its_own_keys_only_and_has_a_bounded_number() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let other = made(&world, &json!({"name": "other"})).await;
    let key = made_key(&world, &other, &json!({})).await;
    let id = key["key_id"].as_str().unwrap();
    for wrong in [id, "0000000000000000", "short"] {
        let revoke = format!("{}/keys/{wrong}/revoke", path(&account));
        refused(&world.post(&world.admin, &revoke, &json!({})).await, 404, "not_found");
    }
    ok(&world.get(key["token"].as_str().unwrap(), "/v1/agents").await);

    let keys = format!("{}/keys", path(&account));
    let mut first = None;
    for _ in 0..KEYS_PER_ACCOUNT_MAX {
        let made = made_key(&world, &account, &json!({})).await;
        first.get_or_insert(made["key_id"].as_str().unwrap().to_owned());
    }
    refused(&world.post(&world.admin, &keys, &json!({})).await, 409, "too_many_keys");
    ok(&world.post(&world.admin, &format!("{keys}/{}/revoke", first.unwrap()), &json!({})).await);
    ok(&world.post(&world.admin, &keys, &json!({})).await);
}

#[tokio::test]
async fn a_suspended_account_stops_its_agent_until_it_is_active_again() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let key = token(&world, &account).await;
    let mine = json!({"intent_type": "t", "to_agent": "somebody"});
    let suspended =
        world.patch(&world.admin, &path(&account), &json!({"status": "suspended"})).await;
    assert_eq!(suspended.json()["service_account"]["status"], "suspended", "{}", suspended.text);
    let agent = world.get(&world.agent, "/v1/agents/deployer").await.json();
    assert_eq!(agent["agent"]["status"], "suspended");
    refused(&world.post(&key, "/v1/intents", &mine).await, 403, "agent_suspended");
    refused(&send(&world, "acme/prod/deployer").await, 403, "agent_suspended");
    let detail = send(&world, "deployer").await.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.starts_with("agent://deployer is suspended"), "{detail}");
    let beat = world.post(&key, "/v1/mesh/heartbeat", &json!({})).await.json();
    assert_eq!((&beat["status"], &beat["health_status"]), (&json!("suspended"), &json!("healthy")));

    ok(&world.patch(&world.admin, &path(&account), &json!({"status": "active"})).await);
    ok(&world.post(&key, "/v1/intents", &mine).await);
    ok(&send(&world, "deployer").await);
    let events = world.get(&world.agent, "/v1/mesh/events").await.json();
    let names: Vec<_> =
        events["events"].as_array().unwrap().iter().map(|e| &e["event_type"]).collect();
    assert_eq!(names.len(), 3, "{names:?}");
    for name in ["agent.registered", "agent.suspended", "agent.activated"] {
        assert!(names.contains(&&json!(name)), "{name}: {names:?}");
    }
}

#[tokio::test]
async fn a_changed_account_changes_its_agent_and_what_leads_to_it() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    world.pass(Duration::from_secs(1));
    let change = json!({"delivery_mode": "worker", "display_name": "Ship it"});
    let changed = world.patch(&world.admin, &path(&account), &change).await.json();
    let changed = &changed["service_account"];
    assert_eq!(
        (&changed["delivery_mode"], &changed["display_name"]),
        (&json!("worker"), &json!("Ship it"))
    );
    assert_eq!(changed["updated_at"], "2030-01-01T00:00:01Z");
    let agent = world.get(&world.agent, "/v1/agents/deployer").await.json();
    assert_eq!(agent["agent"]["display_name"], "Ship it");
    world.pass(REMEMBERED);
    for to in ["deployer", "acme/prod/deployer"] {
        let id = send(&world, to).await.json()["intent_id"].as_str().unwrap().to_owned();
        let delivery = stored(&world, &id).await.envelope.delivery;
        assert_eq!(delivery, shared::intent::envelope::Delivery::Worker, "{to}");
    }
    let before = world.table.items().await;
    for (change, field) in [
        (json!({}), ""),
        (json!({"status": "killed"}), "status"),
        (json!({"status": "deleted"}), "status"),
        (json!({"status": 5}), "status"),
        (json!({"delivery_mode": "http"}), "callback_url"),
        (json!({"delivery_mode": "pigeon"}), "delivery_mode"),
        (json!({"display_name": "x".repeat(121)}), "display_name"),
    ] {
        let answer = world.patch(&world.admin, &path(&account), &change).await;
        refused(&answer, 422, "invalid_request");
        let named = &answer.json()["error"]["details"]["field"];
        assert_eq!(named.as_str().unwrap_or_default(), field, "{change}");
    }
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_deleted_account_takes_its_keys_and_its_agent_with_it_and_can_be_made_anew() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let key = token(&world, &account).await;
    let general = key_of(&world).await;
    for _ in 0..2 {
        let deleted = world.delete(&world.admin, &path(&account)).await;
        assert_eq!(deleted.json()["service_account"]["status"], "deleted", "{}", deleted.text);
    }
    refused(&world.get(&key, "/v1/agents").await, 401, "invalid_platform_api_key");
    refused(&send(&world, "deployer").await, 403, "agent_deleted");
    let mine = json!({"intent_type": "t", "to_agent": "somebody"});
    refused(&world.post(&general, "/v1/intents", &mine).await, 403, "agent_deleted");
    let agent = world.get(&world.agent, "/v1/agents/deployer").await.json();
    assert_eq!(agent["agent"]["status"], "deleted");
    assert_eq!(agent["agent"]["service_account_id"], account["service_account_id"]);
    let list = world.get(&world.admin, ACCOUNTS).await.json();
    assert_eq!(list["service_accounts"], json!([]));
    assert_eq!(
        world.get(&world.admin, &path(&account)).await.json()["service_account"]["status"],
        "deleted"
    );
    let keys = format!("{}/keys", path(&account));
    refused(&world.post(&world.admin, &keys, &json!({})).await, 404, "not_found");
    let change = json!({"status": "active"});
    refused(&world.patch(&world.admin, &path(&account), &change).await, 404, "not_found");

    let anew = made(&world, &deployer()).await;
    assert_eq!(anew["status"], "active");
    refused(&world.get(&key, "/v1/agents").await, 401, "invalid_platform_api_key");
    ok(&send(&world, "deployer").await);
    ok(&world.get(&token(&world, &anew).await, "/v1/agents").await);
}

async fn key_of(world: &World) -> String {
    key(world, "agent://deployer", shared::principal::Role::Agent, Some("deployer")).await
}

#[tokio::test]
async fn an_administrator_may_register_a_deleted_agents_address_anew() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    ok(&world.delete(&world.admin, &path(&account)).await);
    ok(&world.put(&world.admin, "/v1/routes/deployer", &json!({"display_name": "Mine"})).await);
    let agent = world.get(&world.agent, "/v1/agents/deployer").await.json();
    assert_eq!(agent["agent"]["status"], "active");
    assert_eq!(agent["agent"]["service_account_id"], Value::Null, "it is nobody's now");
    ok(&send(&world, "deployer").await);
    let other = json!({"org_id": "other", "workspace_id": "prod", "name": "deployer"});
    made(&world, &other).await;
}

#[tokio::test]
async fn accounts_that_cannot_be_are_refused_by_field() {
    let world = World::new().await;
    let account = made(&world, &deployer()).await;
    let before = world.table.items().await;
    let long = "x".repeat(121);
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!("")),
        ("name", json!("a b")),
        ("name", json!("a/b/c/d")),
        ("name", json!(long)),
        ("org_id", json!("a/b")),
        ("org_id", json!("a b")),
        ("org_id", json!(5)),
        ("workspace_id", json!("agent://x")),
        ("workspace_id", json!(long)),
        ("display_name", json!(long)),
        ("created_by_actor_id", json!(long)),
        ("delivery_mode", json!("pigeon")),
        ("callback_url", json!("https://agents.example.com/")),
    ] {
        let mut body = deployer();
        body["name"] = json!("another");
        body[field] = value.clone();
        let answer = world.post(&world.admin, ACCOUNTS, &body).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{value}");
    }
    let keys = format!("{}/keys", path(&account));
    for (body, field) in [
        (json!({"expires_at": "soon"}), "expires_at"),
        (json!({"expires_at": "2030-01-01T00:00:00Z"}), "expires_at"),
        (json!({"expires_in_seconds": 0}), "expires_in_seconds"),
        (json!({"expires_in_seconds": 400_000_000}), "expires_in_seconds"),
        (json!({"expires_in_seconds": "a minute"}), "expires_in_seconds"),
        (
            json!({"expires_in_seconds": 60, "expires_at": "2031-01-01T00:00:00Z"}),
            "expires_in_seconds",
        ),
    ] {
        let answer = world.post(&world.admin, &keys, &body).await;
        refused(&answer, 422, "invalid_request");
        assert_eq!(answer.json()["error"]["details"]["field"], field, "{body}");
    }
    for nobody in ["none", "00000000-0000-8000-8000-000000000000"] {
        let nobody = format!("{ACCOUNTS}/{nobody}");
        refused(&world.get(&world.admin, &nobody).await, 404, "not_found");
        refused(&world.delete(&world.admin, &nobody).await, 404, "not_found");
        let change = json!({"status": "active"});
        refused(&world.patch(&world.admin, &nobody, &change).await, 404, "not_found");
        let keys = format!("{nobody}/keys");
        refused(&world.post(&world.admin, &keys, &json!({})).await, 404, "not_found");
    }
    for (method, path) in [("POST", ACCOUNTS.to_owned()), ("PATCH", path(&account)), ("POST", keys)]
    {
        for body in ["{", "[]", "null"] {
            let request = bare(method, &path).header("x-api-key", &world.admin);
            refused(&world.send(request, text(body)).await, 400, "malformed_request");
        }
    }
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn of_many_that_make_one_account_at_once_one_makes_it() {
    let world = World::new().await;
    let body = deployer();
    let create = || world.post(&world.admin, ACCOUNTS, &body);
    let answers = tokio::join!(create(), create(), create(), create());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let made = answers.iter().filter(|answer| answer.status.as_u16() == 200).count();
    assert_eq!(made, 1, "{answers:?}");
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 200 | 409 | 503)));
}
