//! Lists of intents, part by part, and canceling many at once.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use shared::http::wire::capability::CAPABILITIES;
use shared::principal::Role;
use tests::World;

use crate::harness::{create, key, refused, turn};

fn ids(list: &Value, name: &str) -> Vec<String> {
    let id = |item: &Value| item["intent_id"].as_str().or(item.as_str()).unwrap().to_owned();
    list[name].as_array().unwrap_or_else(|| panic!("{list}")).iter().map(id).collect()
}

async fn list(world: &World, query: &str) -> Value {
    let answer = world.get(&world.agent, &format!("/v1/intents?{query}")).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

#[tokio::test]
async fn pages_are_complete_and_repeat_nothing_while_intents_are_added() {
    let world = World::new().await;
    let mut made = Vec::new();
    for n in 0..23 {
        made.push(turn(&world, "a").await);
        // Some of one millisecond, some of another, and one a day later.
        let ms = if n == 4 { 86_400_000 } else { n % 3 };
        world.pass(Duration::from_millis(ms));
    }
    let (mut seen, mut query) = (Vec::new(), "limit=7".to_owned());
    let mut pages = 0;
    loop {
        let page = list(&world, &query).await;
        let found = ids(&page, "intents");
        assert!(found.len() == 7 || page["next_cursor"].is_null(), "a page is full or the last");
        seen.extend(found);
        pages += 1;
        turn(&world, "a").await;
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("limit=7&cursor={cursor}");
    }
    assert_eq!(pages, 4);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), made.iter().collect(), "each of them once");
    assert_eq!(seen.len(), made.len());
    let newest_first = list(&world, "limit=100").await;
    let intents = newest_first["intents"].as_array().unwrap();
    let moment = |it: &Value| it["created_at"].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert!(intents.is_sorted_by_key(|it| std::cmp::Reverse(moment(it))));
    let wrong = world.get(&world.agent, "/v1/intents?cursor=guessed").await;
    refused(&wrong, 422, "invalid_request");
}

#[tokio::test]
async fn what_does_not_fit_into_one_answer_stands_on_the_next_page() {
    let world = World::new().await;
    let sent = json!({"intent_type": "t", "to_agent": "a", "payload": {"p": "x".repeat(120_000)}});
    let mut made = BTreeSet::new();
    for _ in 0..40 {
        made.insert(create(&world, &sent).await);
    }
    let first = list(&world, "limit=100").await;
    let cursor = first["next_cursor"].as_str().expect("there is more");
    let second = list(&world, &format!("limit=100&cursor={cursor}")).await;
    let (mut seen, rest) = (ids(&first, "intents"), ids(&second, "intents"));
    assert!(!rest.is_empty() && second["next_cursor"].is_null());
    seen.extend(rest);
    assert_eq!(seen.len(), 40);
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), made);
}

#[tokio::test]
async fn a_list_has_what_its_filter_names() {
    let world = World::new().await;
    let first = turn(&world, "a").await;
    world.pass(Duration::from_mins(1));
    let sent = json!({
        "intent_type": "deploy.request.v1",
        "to_agent": "agent://b",
        "correlation_id": "6f1d2c9e-4b7a-4c53-9a43-0f2f6f3d8e11",
    });
    let second = create(&world, &sent).await;
    let other = key(&world, "other-key", Role::Agent, Some("c")).await;
    let third =
        world.post(&other, "/v1/intents", &json!({"intent_type": "t", "to_agent": "a"})).await;
    let third = third.json()["intent_id"].as_str().unwrap().to_owned();
    let canceled = json!({"status": "CANCELED"});
    world.post(&world.agent, &format!("/v1/intents/{first}/resolve"), &canceled).await;
    let all = [&first, &second, &third].map(String::as_str);
    for (query, wanted) in [
        ("", vec![0, 1, 2]),
        ("status=CANCELED", vec![0]),
        ("status=CANCELLED", vec![0]),
        ("status=canceled,DELIVERED", vec![0, 1, 2]),
        ("status=COMPLETED", vec![]),
        ("intent_type=deploy.request.v1", vec![1]),
        ("to_agent=b", vec![1]),
        ("to_agent=agent://a", vec![0, 2]),
        ("from_agent=local-agent", vec![0, 1]),
        ("from_agent=other-key&status=DELIVERED", vec![2]),
        ("correlation_id=6F1D2C9E-4B7A-4C53-9A43-0F2F6F3D8E11", vec![1]),
        ("created_after=2030-01-01T00:00:00Z", vec![1, 2]),
        ("created_before=2030-01-01T00:01:00Z", vec![0]),
        ("created_after=2029-01-01T00:00:00Z&created_before=2029-02-01T00:00:00Z", vec![]),
    ] {
        let found: BTreeSet<_> = ids(&list(&world, query).await, "intents").into_iter().collect();
        let wanted: BTreeSet<_> = wanted.into_iter().map(|n: usize| all[n].to_owned()).collect();
        assert_eq!(found, wanted, "{query}");
    }
    for query in ["status=CANCELED,DONE", "to_agent=a b", "correlation_id=1", "created_after=today"]
    {
        let path = format!("/v1/intents?{}", query.replace(' ', "%20"));
        refused(&world.get(&world.agent, &path).await, 422, "invalid_request");
    }
}

#[tokio::test]
async fn what_is_old_is_canceled_once_and_only_by_whom_it_belongs_to() {
    let world = World::new().await;
    let old = turn(&world, "a").await;
    let ended = turn(&world, "a").await;
    let late =
        create(&world, &json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 60})).await;
    let other = key(&world, "other-key", Role::Agent, None).await;
    let sent = json!({"intent_type": "t", "to_agent": "a"});
    let others = world.post(&other, "/v1/intents", &sent).await.json()["intent_id"].clone();
    world.post(&world.agent, &format!("/v1/intents/{ended}/resume"), &json!({"n": 1})).await;
    world.pass(Duration::from_hours(2));
    let young = turn(&world, "a").await;
    let clean = async |key: &str, more: Value| {
        let mut body = json!({"older_than_hours": 1});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.post(key, "/v1/intents/bulk-cancel", &body).await
    };
    let said = clean(&world.agent, json!({"dry_run": true})).await.json();
    assert_eq!((&said["would_cancel"], &said["canceled"]), (&json!(1), &json!(0)), "{said}");
    assert_eq!(
        (ids(&said, "intent_ids"), &said["failed"][0]["intent_id"]),
        (vec![old.clone()], &json!(late))
    );

    let done = clean(&world.agent, json!({"reason": "too old"})).await.json();
    assert_eq!((&done["canceled"], ids(&done, "intent_ids")), (&json!(1), vec![old.clone()]));
    let failed = json!([{"intent_id": late, "code": "deadline_passed", "detail": done["failed"][0]["detail"]}]);
    assert_eq!(done["failed"], failed, "what stands at its deadline is left to its timer");
    let again = clean(&world.agent, json!({})).await.json();
    assert_eq!((&again["canceled"], &again["next_cursor"]), (&json!(0), &Value::Null), "{again}");
    let read = world.get(&world.agent, &format!("/v1/intents/{old}")).await.json();
    assert_eq!(
        (&read["status"], &read["intent"]["reason"]),
        (&json!("CANCELED"), &json!("too old"))
    );
    let read = world.get(&world.agent, &format!("/v1/intents/{young}")).await.json();
    assert_eq!(read["status"], "DELIVERED");

    let filtered =
        clean(&world.admin, json!({"status_filter": ["IN_PROGRESS", "COMPLETED"]})).await;
    assert_eq!(filtered.json()["canceled"], 0, "{}", filtered.text);
    let admin =
        clean(&world.admin, json!({"status_filter": ["DELIVERED"], "limit": 1})).await.json();
    assert_eq!(
        admin["canceled"].as_u64().unwrap() + admin["failed"].as_array().unwrap().len() as u64,
        1
    );
    let rest = clean(&world.admin, json!({"cursor": admin["next_cursor"]})).await.json();
    let canceled = [ids(&admin, "intent_ids"), ids(&rest, "intent_ids")].concat();
    assert_eq!(canceled, [others.as_str().unwrap()], "{admin} {rest}");

    refused(&clean(&world.reviewer, json!({})).await, 403, "policy_denied");
    for wrong in [
        json!({"older_than_hours": null}),
        json!({"older_than_hours": -1}),
        json!({"status_filter": ["OLD"]}),
    ] {
        refused(&clean(&world.agent, wrong).await, 422, "invalid_request");
    }
}

#[tokio::test]
async fn everybody_may_ask_who_they_are_and_what_is_served() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("team/a")).await;
    let me = world.get(&own, "/v1/me").await.json();
    let expected = json!({"ok": true, "name": "own", "role": "agent", "address": "agent://team/a", "tenant": "default"});
    assert_eq!(me, expected);
    assert_eq!(world.get(&world.reviewer, "/v1/me").await.json()["role"], "reviewer");

    let served = world.get(&own, "/v1/capabilities").await.json();
    let names = served["capabilities"].as_array().unwrap();
    assert_eq!(names.len(), CAPABILITIES.len());
    assert!(names.iter().all(|name| (3..=120).contains(&name.as_str().unwrap().len())));
    let plain = |text: &str| {
        text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'.')
    };
    for kind in served["supported_intent_types"].as_array().unwrap() {
        let name =
            kind.as_str().unwrap().strip_prefix("intent.").and_then(|it| it.strip_suffix(".v1"));
        assert!(name.is_some_and(|name| !name.is_empty() && plain(name)), "{kind}");
    }
    let template = include_str!("../../template.yaml").replace('"', "");
    for (name, route) in CAPABILITIES {
        let (method, path) = route.split_once(' ').unwrap();
        let event = format!("Method: {method}, Path: {path}}}");
        assert!(template.contains(&event), "{name} is promised and {route} is not served");
    }
}
