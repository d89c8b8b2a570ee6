//! Who is registered for it, with what address and what secret.

use axum::Router;
use axum::body::Body;
use serde_json::{Value, json};
use shared::callback::Reach;
use shared::http::service;
use tests::{Answer, World};
use tower::ServiceExt as _;

use super::{ROUTE, Stage, put, register};
use crate::harness::{bare, refused};
use crate::webhooks::receiver::Receiver;

const URL: &str = "https://agents.example.com/pushed";
const ACCOUNTS: &str = "/v1/service-accounts";
const OWN: &str = "a secret of the caller's own";

fn http(url: &str) -> Value {
    json!({"delivery_mode": "http", "callback_url": url})
}

fn account(more: &Value) -> Value {
    let mut body = json!({"org_id": "acme", "workspace_id": "prod", "name": "pushed"});
    body.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    body
}

fn bundle(agent: &Value) -> Value {
    let mut named = json!({"role": "a", "address": "pushed", "create_if_missing": true});
    named.as_object_mut().unwrap().extend(agent.as_object().cloned().unwrap());
    json!({"scenario_id": "s", "agents": [named], "intent": {"type": "t"}})
}

#[track_caller]
fn refused_at(answer: &Answer, field: &str) {
    refused(answer, 422, "invalid_request");
    assert_eq!(answer.json()["error"]["details"]["field"], field, "{}", answer.text);
}

#[tokio::test]
async fn a_secret_is_shown_in_the_answer_that_makes_it_and_never_again() {
    let world = World::new().await;
    let secret = register(&world, URL).await;
    assert!(secret.starts_with("whsec_"));
    let kept = put(&world, &json!({"display_name": "Pushed"})).await;
    assert_eq!(kept.json()["route"]["delivery_mode"], "http", "what is not named stays");
    assert_eq!(kept.json()["route"]["callback_url"], URL);
    let mut answers = vec![kept, put(&world, &http(URL)).await];
    for key in [&world.admin, &world.agent, &world.reviewer] {
        for path in
            [ROUTE, "/v1/agents", "/v1/agents/pushed", "/v1/mesh/agents", "/v1/mesh/agents/pushed"]
        {
            answers.push(world.get(key, path).await);
        }
    }
    for answer in &answers {
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        assert!(
            !answer.text.contains(&secret) && !answer.text.contains("secret"),
            "{}",
            answer.text
        );
    }
    assert_eq!(world.get(&world.admin, ROUTE).await.json()["route"]["callback_url"], URL);
    for key in [&world.agent, &world.reviewer] {
        let seen = world.get(key, ROUTE).await;
        assert!(!seen.text.contains(URL), "an address may be a secret by itself");
    }
    let items = world.table.items().await;
    let stored: Vec<_> = items.iter().filter(|item| item.contains(&secret)).collect();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].matches(&secret).count(), 1, "beside the route, not in it");
}

#[tokio::test]
async fn another_address_has_another_secret_and_the_callers_own_takes_its_place() {
    let world = World::new().await;
    let first = register(&world, URL).await;
    let same = put(&world, &http("HTTPS://Agents.Example.com:443/pushed")).await;
    assert!(same.json()["route"]["secret"].is_null(), "one address in two spellings");
    let second = register(&world, "https://agents.example.com/elsewhere").await;
    assert_ne!(first, second);
    let own = put(&world, &json!({"secret": OWN})).await;
    assert_eq!(own.status.as_u16(), 200, "{}", own.text);
    assert!(!own.text.contains("secret"), "{}", own.text);
    let items = world.table.items().await;
    let holds = |secret: &str| items.iter().any(|item| item.contains(secret));
    assert!(holds(OWN) && !holds(&first) && !holds(&second));
    put(&world, &json!({"delivery_mode": "stream"})).await;
    let items = world.table.items().await;
    assert!(!items.iter().any(|item| item.contains(OWN) || item.contains("example.com")));
    let third = register(&world, URL).await;
    assert!(![first, second].contains(&third));
}

#[tokio::test]
async fn http_and_an_address_go_together_or_not_at_all() {
    let world = World::new().await;
    let before = world.table.items().await;
    for (body, field) in [
        (json!({"delivery_mode": "http"}), "callback_url"),
        (json!({"callback_url": URL}), "callback_url"),
        (json!({"delivery_mode": "worker", "callback_url": URL}), "callback_url"),
        (json!({"delivery_mode": "stream", "secret": OWN}), "secret"),
        (json!({"delivery_mode": "http", "callback_url": URL, "secret": "short"}), "secret"),
        (http("not a url"), "callback_url"),
        (http("http://169.254.169.254/latest"), "callback_url"),
    ] {
        refused_at(&put(&world, &body).await, field);
        refused_at(&world.post(&world.admin, ACCOUNTS, &account(&body)).await, field);
        let field = format!("agents.a.{field}");
        let applied = world.post(&world.admin, "/v1/scenarios/apply", &bundle(&body)).await;
        refused_at(&applied, &field);
    }
    let alias = json!({"to": "agent://pushed", "delivery_mode": "http"});
    refused_at(&put_at(&world, "front", &alias).await, "delivery_mode");
    let alias = json!({"to": "agent://pushed", "callback_url": URL});
    refused_at(&put_at(&world, "front", &alias).await, "callback_url");
    assert_eq!(world.table.items().await, before);
}

async fn put_at(world: &World, address: &str, body: &Value) -> Answer {
    world.put(&world.admin, &format!("/v1/routes/{address}"), body).await
}

#[tokio::test]
async fn nobody_registers_a_private_address_unless_the_deployer_allows_it() {
    let world = World::new().await;
    let routes = agents::routes(Reach::Public).merge(send_intent::routes(Reach::Public));
    let public: Router = service(routes, world.app.clone());
    let before = world.table.items().await;
    for url in ["http://agents.example.com/", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/"] {
        for (method, path, body) in [
            ("PUT", ROUTE, http(url)),
            ("POST", ACCOUNTS, account(&http(url))),
            ("POST", "/v1/scenarios/apply", bundle(&http(url))),
        ] {
            let request = bare(method, path).header("x-api-key", &world.admin);
            let request = request.header("content-type", "application/json");
            let request = request.body(Body::from(body.to_string())).unwrap();
            let Ok(answer) = public.clone().oneshot(request).await;
            assert_eq!(answer.status().as_u16(), 422, "{path} {url}");
        }
    }
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn an_account_is_switched_to_http_and_back() {
    let world = World::new().await;
    let (mut stage, receiver) = (Stage::of(&world).await, Receiver::start().await);
    put(&world, &json!({"delivery_mode": "stream"})).await;
    let made = world.post(&world.admin, ACCOUNTS, &account(&json!({}))).await.json();
    let id = made["service_account"]["service_account_id"].as_str().unwrap().to_owned();
    let path = format!("{ACCOUNTS}/{id}");
    let change = async |body: Value| {
        let changed = world.patch(&world.admin, &path, &body).await;
        assert_eq!(changed.status.as_u16(), 200, "{}", changed.text);
        changed.json()["service_account"].clone()
    };
    let refusal = world.patch(&world.admin, &path, &json!({"callback_url": receiver.url})).await;
    refused_at(&refusal, "callback_url");
    let switched = change(http(&receiver.url)).await;
    let secret = switched["secret"].as_str().unwrap();
    assert_eq!(
        (&switched["delivery_mode"], &switched["callback_url"]),
        (&json!("http"), &json!(receiver.url))
    );
    for (address, known) in [("pushed", "bare"), ("acme/prod/pushed", "whole")] {
        stage.send(&json!({"to_agent": address})).await;
        let posts = receiver.posts();
        assert_eq!(posts.len(), 1, "{known}");
        posts[0].assert_signed_with(secret);
    }
    let named = change(json!({"display_name": "P"})).await;
    assert!(named["secret"].is_null());
    let read = world.get(&world.admin, &path).await.json()["service_account"].clone();
    assert_eq!((&read["callback_url"], &read["secret"]), (&json!(receiver.url), &Value::Null));
    let listed = world.get(&world.admin, ACCOUNTS).await;
    assert!(!listed.text.contains(secret) && listed.text.contains(&receiver.url));

    let moved = change(json!({"callback_url": stage.receiver.url})).await;
    let secret = moved["secret"].as_str().unwrap().to_owned();
    stage.send(&json!({})).await;
    stage.receiver.posts()[0].assert_signed_with(&secret);
    assert!(receiver.posts().is_empty());
    let back = change(json!({"delivery_mode": "stream"})).await;
    assert!(back["callback_url"].is_null() && back["secret"].is_null());
    stage.send(&json!({"to_agent": "acme/prod/pushed"})).await;
    assert!(stage.receiver.posts().is_empty());
}

#[tokio::test]
async fn an_account_may_begin_with_http_and_a_deleted_ones_address_is_forgotten() {
    let world = World::new().await;
    let made = world.post(&world.admin, ACCOUNTS, &account(&http(URL))).await.json();
    let made = &made["service_account"];
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let whole = world.get(&world.admin, "/v1/routes/acme/prod/pushed").await.json();
    assert_eq!(whole["route"]["delivery_mode"], "http");
    assert!(whole["route"]["callback_url"].is_null(), "that is the agent's own");
    let path = format!("{ACCOUNTS}/{}", made["service_account_id"].as_str().unwrap());
    world.delete(&world.admin, &path).await;
    let anew = world.post(&world.admin, ACCOUNTS, &account(&json!({}))).await.json();
    let anew = &anew["service_account"];
    assert_eq!((&anew["delivery_mode"], &anew["status"]), (&json!("stream"), &json!("active")));
    assert!(anew["callback_url"].is_null());
    let whole = world.get(&world.admin, "/v1/routes/acme/prod/pushed").await.json();
    assert_eq!(whole["route"]["delivery_mode"], "stream");
    assert!(!world.table.items().await.iter().any(|item| item.contains("whsec_")));
}

#[tokio::test]
async fn a_bundle_registers_such_an_agent_once_and_shows_its_secret() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let apply = async |key: &str, body: &Value| world.post(key, "/v1/scenarios/apply", body).await;
    let body = bundle(&http(&receiver.url));
    refused(&apply(&world.agent, &body).await, 403, "policy_denied");
    let mut pump = crate::pump::Pump::of(&world).await;
    let applied = apply(&world.admin, &body).await.json();
    let secret = applied["agents"][0]["secret"].as_str().unwrap();
    pump.run().await;
    receiver.posts()[0].assert_signed_with(secret);

    // Once it is registered, its address may be missing: some clients leave it out.
    let without = bundle(&json!({"delivery_mode": "http"}));
    let warned = world.post(&world.agent, "/v1/scenarios/validate", &without).await.json();
    assert_eq!(warned["ok"], true);
    assert!(warned["warnings"][0].as_str().unwrap().starts_with("agents.a.callback_url: "));
    for again in [&body, &without] {
        let again = apply(&world.agent, again).await;
        assert_eq!(again.status.as_u16(), 200, "{}", again.text);
        assert!(!again.text.contains("secret"), "{}", again.text);
        pump.run().await;
        receiver.posts()[0].assert_signed_with(secret);
    }
}
