//! Requests at the edge of what is taken: repeated, exact, deep, empty, and shown again.

use serde_json::{Value, json};
use shared::principal::Role;
use tests::{Answer, World};

use super::{WRONG, case, check, fault, long};
use crate::harness::{bare, events, key, link, path_of, question, refused, text, turn};

async fn keyed(world: &World, by: &str, path: &str, name: &str, body: &str) -> Answer {
    let request = bare("POST", path).header("x-api-key", by).header("idempotency-key", name);
    world.send(request, text(body)).await
}

#[tokio::test]
async fn one_idempotency_key_stands_for_one_request_of_one_sender() {
    let world = World::new().await;
    let body = r#"{"intent_type":"t","to_agent":"a","payload":{"n":1,"m":2}}"#;
    let first = keyed(&world, &world.agent, "/v1/intents", "k", body).await;
    assert_eq!(first.status.as_u16(), 200);
    let id = first.json()["intent_id"].clone();
    let before = world.table.items().await;
    let spaced = r#"{"payload": {"m": 2, "n": 1}, "to_agent": "a", "intent_type": "t"}"#;
    for repeat in [body, spaced] {
        let again = keyed(&world, &world.agent, "/v1/intents", "k", repeat).await;
        assert_eq!((again.status.as_u16(), &again.json()["intent_id"]), (200, &id));
    }
    let other = body.replace("\"n\":1", "\"n\":3");
    refused(
        &keyed(&world, &world.agent, "/v1/intents", "k", &other).await,
        409,
        "idempotency_key_reused",
    );
    for name in [String::new(), "x".repeat(256), "é".to_owned()] {
        let refusal = keyed(&world, &world.agent, "/v1/intents", &name, body).await;
        assert_eq!(fault(&refusal, (422, "invalid_request", "Idempotency-Key")), None);
    }
    assert_eq!(world.table.items().await, before);

    let another = key(&world, "another", Role::Agent, None).await;
    let theirs = keyed(&world, &another, "/v1/intents", "k", &other).await;
    assert_eq!(theirs.status.as_u16(), 200);
    assert_ne!(theirs.json()["intent_id"], id, "keys of two senders are two");
    let late = keyed(&world, &world.agent, "/v1/intents", &"x".repeat(255), body).await;
    assert_ne!(late.json()["intent_id"], id);
}

#[tokio::test]
async fn requests_that_differ_only_beyond_exact_numbers_are_two_requests() {
    let world = World::new().await;
    let body = |n: &str| format!(r#"{{"intent_type":"t","to_agent":"a","payload":{{"n":{n}}}}}"#);
    let first = keyed(&world, &world.agent, "/v1/intents", "k", &body("9007199254740992")).await;
    assert_eq!(first.status.as_u16(), 200, "{}", first.text);
    let again = keyed(&world, &world.agent, "/v1/intents", "k", &body("9007199254740992")).await;
    assert_eq!(again.json()["intent_id"], first.json()["intent_id"]);
    let other = keyed(&world, &world.agent, "/v1/intents", "k", &body("9007199254740993")).await;
    refused(&other, 409, "idempotency_key_reused");
}

#[tokio::test]
async fn numbers_that_no_digest_can_hold_are_refused_where_a_person_signs_off() {
    let world = World::new().await;
    for number in ["9007199254740992", "-9007199254740993", "18446744073709551617"] {
        let payload = format!(r#"{{"deep":[{{"n":{number}}}]}}"#);
        let plain = format!(r#"{{"intent_type":"t","to_agent":"a","payload":{payload}}}"#);
        let asking = plain.replacen('{', r#"{"human_task":{},"#, 1);
        check(&world, &world.agent, vec![case("POST", "/v1/intents", asking, WRONG, "payload")])
            .await;
        let request = bare("POST", "/v1/intents").header("x-api-key", &world.agent);
        let taken = world.send(request, text(plain)).await;
        assert_eq!(taken.status.as_u16(), 200, "nobody signs off on it: {}", taken.text);
    }
    let route = json!({"human_task": {"title": "Sign off"}});
    world.put(&world.admin, "/v1/routes/careful", &route).await;
    let id = turn(&world, "careful").await;
    let result = json!({"action": "complete", "n": 9_007_199_254_740_992_u64}).to_string();
    let path = format!("/v1/intents/{id}/resume");
    check(&world, &world.agent, vec![case("POST", path, result, (422, "inexact_number"), "")])
        .await;
}

#[tokio::test]
async fn what_is_taken_can_be_read_again_however_deep_it_is() {
    let world = World::new().await;
    // One level is the body's own, one the payload's.
    let payload = (0..62).fold(json!(1), |inner, _| json!([inner]));
    let sent = json!({"intent_type": "t", "to_agent": "a", "payload": {"deep": payload}});
    let id = crate::harness::create(&world, &sent).await;
    let read = world.get(&world.agent, &format!("/v1/intents/{id}")).await;
    assert_eq!((read.status.as_u16(), &read.json()["payload"]["deep"]), (200, &payload));
    assert_eq!(events(&world, &id).await.len(), 3);
    let path = format!("/v1/intents/{id}/resume");
    let done = world.post(&world.agent, &path, &json!({"deep": payload})).await;
    assert_eq!(done.json()["result"], json!({"deep": payload}), "{}", done.text);
}

#[tokio::test]
async fn a_json_content_type_with_nothing_behind_it_is_an_empty_object() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let request = |path: &str, key: &str| {
        bare("POST", path).header("content-type", "application/json").header("x-api-key", key)
    };
    let path = format!("/v1/intents/{id}/resume");
    let done = world.send(request(&path, &world.agent), text("")).await;
    assert_eq!((done.status.as_u16(), &done.json()["result"]), (200, &json!({})), "{}", done.text);
    let made = world.post(&world.admin, "/v1/keys", &json!({"role": "agent", "name": "n"})).await;
    let key_id = made.json()["key"]["key_id"].as_str().unwrap().to_owned();
    let path = format!("/v1/keys/{key_id}/revoke");
    let revoked = world.send(request(&path, &world.admin), text("")).await;
    assert_eq!(revoked.json()["key"]["status"], "revoked", "{}", revoked.text);
    let route = request("/v1/routes/a", &world.admin).method("PUT");
    assert_eq!(world.send(route, text("")).await.status.as_u16(), 200);
}

#[tokio::test]
async fn line_separators_in_an_agents_words_do_not_break_a_stream() {
    let world = World::new().await;
    let words = "one\u{2028}two\u{2029}three\u{85}four\r\nfive \u{1f600}";
    let sent = json!({"intent_type": words, "to_agent": "a", "payload": {"p": words}});
    let id = crate::harness::create(&world, &sent).await;
    let failed = json!({"action": "fail", "reason": words});
    let offers = world.get(&world.agent, "/v1/agents/a/intents/stream?wait_seconds=1").await;
    world.post(&world.agent, &format!("/v1/intents/{id}/resume"), &failed).await;
    let path = format!("/v1/intents/{id}/events/stream?wait_seconds=1");
    let events = world.get(&world.agent, &path).await;
    for (answer, frames) in [(offers, 2), (events, 6)] {
        assert_eq!(answer.headers["content-type"], "text/event-stream");
        assert!(answer.text.is_ascii(), "{}", answer.text);
        assert_eq!(answer.text.matches("\n\n").count(), frames, "{}", answer.text);
        assert!(answer.text.contains("event: stream.timeout\n"));
        for line in answer.text.split('\n').filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            assert!(["id", "event", "data"].contains(&name), "{line}");
            assert!(name != "data" || serde_json::from_str::<Value>(value).is_ok(), "{line}");
        }
    }
}

#[tokio::test]
async fn a_form_that_is_none_is_refused_with_a_page() {
    let world = World::new().await;
    let id = question(&world, "a", json!({})).await;
    let path = path_of(&world, &link(&world, &id, "ana").await);
    let before = world.table.items().await;
    for (content_type, body) in [
        ("application/json", "{}"),
        ("application/x-www-form-urlencoded", ""),
        ("application/x-www-form-urlencoded", "csrf=a&version=eight&digest=b&outcome=approved"),
    ] {
        let request = bare("POST", &path).header("content-type", content_type);
        let answer = world.send(request, text(body)).await;
        assert_eq!(answer.status.as_u16(), 400, "{}", answer.text);
        assert!(answer.text.contains("Nothing was recorded"));
    }
    assert_eq!(world.table.items().await, before);
}

#[tokio::test]
async fn a_list_stays_within_what_one_answer_may_carry() {
    let world = World::new().await;
    let sent = json!({"intent_type": "t", "to_agent": "a", "payload": {"p": long(120_000)}});
    for _ in 0..45 {
        crate::harness::create(&world, &sent).await;
    }
    let list = world.get(&world.agent, "/v1/intents?limit=100").await;
    let count = list.json()["intents"].as_array().unwrap().len();
    assert!((30..45).contains(&count) && list.text.len() < 5 * 1024 * 1024, "{count}");
}
