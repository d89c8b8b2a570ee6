//! Inboxes: threads of agents, tasks of reviewers, and what is said and done there.

use std::time::Duration;

use axum::http::request::Builder;
use serde_json::{Value, json};
use shared::principal::Role;
use tests::{Answer, World};

use crate::harness::{bare, create, key, names, question, refused, text, turn};

#[track_caller]
fn taken(answer: &Answer) -> Value {
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// The threads of an inbox, by id.
async fn threads(world: &World, key: &str, query: &str) -> Vec<String> {
    let list = taken(&world.get(key, &format!("/v1/inbox{query}")).await);
    let id = |thread: &Value| thread["thread_id"].as_str().unwrap().to_owned();
    list["threads"].as_array().unwrap().iter().map(id).collect()
}

async fn act(world: &World, key: &str, id: &str, what: &str, body: Value) -> Answer {
    world.post(key, &format!("/v1/inbox/{id}/{what}"), &body).await
}

fn texts(thread: &Value) -> Vec<String> {
    let text = |message: &Value| message["text"].as_str().unwrap().to_owned();
    thread["messages"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn an_agent_finds_its_threads_newest_first_and_by_where_they_stand() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("team/a")).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(turn(&world, "team/a").await);
        turn(&world, "team/b").await;
        world.pass(Duration::from_millis(1));
    }
    made.reverse();
    assert_eq!(threads(&world, &own, "").await, made);
    let named = "?owner_agent=agent://team/a";
    assert_eq!(threads(&world, &world.agent, named).await, made, "a key for every agent names one");
    assert_eq!(threads(&world, &world.reviewer, named).await, made, "people may look into it");
    assert!(threads(&world, &world.agent, "").await.is_empty(), "its own name's inbox is another");

    let resume = |id: &str| format!("/v1/intents/{id}/resume");
    world.post(&own, &resume(&made[0]), &json!({"action": "complete"})).await;
    world.post(&own, &resume(&made[1]), &json!({"approve_current_step": true})).await;
    for (state, expected) in
        [("done", &made[..1]), ("active", &made[1..2]), ("pending", &made[2..])]
    {
        assert_eq!(threads(&world, &own, &format!("?status={state}")).await, expected, "{state}");
    }
    refused(&world.get(&own, "/v1/inbox?status=old").await, 422, "invalid_request");
    let first = taken(&world.get(&own, "/v1/inbox?limit=2").await);
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(threads(&world, &own, &format!("?limit=2&cursor={cursor}")).await, made[2..4]);
    let thread = &first["threads"][0];
    for field in [
        "intent_id",
        "status",
        "owner_agent",
        "from_agent",
        "to_agent",
        "created_at",
        "updated_at",
        "subject",
        "intent_type",
    ] {
        assert!(thread[field].is_string(), "{field} of {thread}");
    }
    assert_eq!(thread["timeline"][0]["event_type"], "intent_received");
    assert_eq!(
        (&thread["intent_id"], &thread["owner_agent"]),
        (&thread["thread_id"], &json!("agent://team/a"))
    );
}

#[tokio::test]
async fn a_thread_tells_what_happened_under_names_that_stay() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let id = turn(&world, "a").await;
    world.post(&own, &format!("/v1/intents/{id}/resume"), &json!({"action": "complete"})).await;
    let read = async || taken(&world.get(&own, &format!("/v1/inbox/{id}")).await)["thread"].clone();
    let thread = read().await;
    let timeline = thread["timeline"].as_array().unwrap();
    let types: Vec<_> = timeline.iter().map(|it| it["event_type"].as_str().unwrap()).collect();
    let expected = [
        "intent_received",
        "intent_submitted",
        "intent_delivered",
        "intent_in_progress",
        "intent_completed",
    ];
    assert_eq!(types, expected);
    assert_eq!(read().await, thread);
    let listed = taken(&world.get(&own, "/v1/inbox").await);
    assert_eq!(listed["threads"][0]["timeline"][0]["event_id"], timeline[0]["event_id"]);
    let ids: std::collections::BTreeSet<_> =
        timeline.iter().map(|it| it["event_id"].to_string()).collect();
    assert_eq!(ids.len(), timeline.len());
    assert!(
        timeline.iter().all(|it| it["event_id"].as_str().unwrap().parse::<uuid::Uuid>().is_ok()
            && it["details"].is_object())
    );
    assert_eq!((&thread["status"], &thread["timeline_is_whole"]), (&json!("done"), &json!(true)));
}

#[tokio::test]
async fn people_and_agents_talk_before_the_decision() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let id = question(&world, "a", json!({"title": "Sure?"})).await;
    let said = taken(
        &act(&world, &world.reviewer, &id, "reply", json!({"message": "Which service?"})).await,
    );
    assert_eq!(
        (&said["messages"], &said["thread"]["status"]),
        (&said["thread"]["messages"], &json!("pending"))
    );
    world.pass(Duration::from_millis(1));
    taken(&act(&world, &own, &id, "reply", json!({"message": "The API."})).await);
    let thread = taken(
        &act(&world, &world.agent, &id, "reply", json!({"message": "Today."})).await,
    )["thread"]
        .clone();
    assert_eq!(texts(&thread), ["Which service?", "The API.", "Today."]);
    let message = &thread["messages"][2];
    assert_eq!(
        (&message["role"], &message["content"], &message["actor"]),
        (&json!("sender"), &json!("Today."), &json!("local-agent"))
    );
    let decided =
        taken(&act(&world, &world.reviewer, &id, "approve", json!({"comment": "Go."})).await);
    assert_eq!(
        (&decided["thread"]["status"], &decided["thread"]["messages"][0]["role"]),
        (&json!("done"), &json!("reviewer"))
    );
    let late = act(&world, &own, &id, "reply", json!({"message": "Thanks."})).await;
    refused(&late, 409, "intent_ended");
    for wrong in [
        json!({}),
        json!({"message": " "}),
        json!({"message": "x".repeat(5001)}),
        json!({"message": 5}),
    ] {
        refused(&act(&world, &own, &id, "reply", wrong).await, 422, "invalid_request");
    }
}

#[tokio::test]
async fn a_message_under_one_key_is_left_once() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let path = format!("/v1/inbox/{id}/reply");
    let reply = async |key: &str, message: &str| {
        let request: Builder = bare("POST", &path).header("x-api-key", &world.agent);
        let request = request.header("idempotency-key", key);
        world.send(request, text(json!({"message": message}).to_string())).await
    };
    taken(&reply("k", "one").await);
    // More messages than an intent remembers the names of.
    for n in 0..25 {
        taken(&reply(&format!("other {n}"), "more").await);
    }
    let again = taken(&reply("k", "one").await)["thread"].clone();
    assert_eq!(texts(&again).len(), 26);
    refused(&reply("k", "two").await, 409, "idempotency_key_reused");
}

#[tokio::test]
async fn hidden_messages_are_gone_for_whom_they_are_hidden() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let id = question(&world, "a", json!({"title": "Sure?"})).await;
    for (key, message) in [(&own, "one"), (&world.reviewer, "two"), (&own, "three")] {
        taken(&act(&world, key, &id, "reply", json!({"message": message})).await);
    }
    let seen = async |key: &str| {
        let read = taken(&world.get(key, &format!("/v1/inbox/{id}")).await);
        let timeline = read["thread"]["timeline"].to_string();
        let texts = texts(&read["thread"]);
        for text in ["one", "two", "three"] {
            let in_timeline = timeline.contains(&format!("\"message\":\"{text}\""));
            assert_eq!(in_timeline, texts.contains(&text.to_owned()), "{text} in {timeline}");
        }
        texts
    };
    let newest = json!({"mode": "self", "limit": 1});
    let hidden = taken(&act(&world, &world.reviewer, &id, "messages/delete", newest).await);
    assert_eq!((&hidden["deleted_count"], &hidden["mode"]), (&json!(1), &json!("self")));
    assert_eq!(seen(&world.reviewer).await, ["one", "two"]);
    assert_eq!(seen(&own).await, ["one", "two", "three"]);

    let thread = taken(&world.get(&own, &format!("/v1/inbox/{id}")).await)["thread"].clone();
    let names: Vec<_> =
        thread["messages"].as_array().unwrap().iter().map(|it| it["message_id"].clone()).collect();
    let both = |ids: Value| json!({"mode": "both", "message_ids": ids});
    let others = act(&world, &own, &id, "messages/delete", both(json!([names[1]]))).await;
    refused(&others, 403, "policy_denied");
    let done = taken(&act(&world, &own, &id, "messages/delete", both(json!([names[0]]))).await);
    assert_eq!(done["message_ids"], json!([names[0]]));
    assert_eq!(seen(&world.reviewer).await, ["two"]);
    assert_eq!(seen(&own).await, ["two", "three"]);
    let again = taken(&act(&world, &own, &id, "messages/delete", both(json!([names[0]]))).await);
    assert_eq!(again["deleted_count"], 0, "what is hidden is not hidden again");
    let own_ones = taken(&act(&world, &own, &id, "messages/delete", json!({"mode": "both"})).await);
    assert_eq!((&own_ones["deleted_count"], seen(&own).await), (&json!(1), vec!["two".to_owned()]));

    for wrong in [
        json!({}),
        json!({"mode": "all"}),
        json!({"mode": "self", "limit": 0}),
        json!({"mode": "self", "message_ids": ["x"]}),
    ] {
        refused(&act(&world, &own, &id, "messages/delete", wrong).await, 422, "invalid_request");
    }
}

#[tokio::test]
async fn an_agent_hands_its_thread_to_another_and_a_reviewer_the_task() {
    let world = World::new().await;
    let a = key(&world, "a-key", Role::Agent, Some("a")).await;
    let b = key(&world, "b-key", Role::Agent, Some("b")).await;
    let id = turn(&world, "a").await;
    taken(
        &act(&world, &a, &id, "delegate", json!({"delegate_to": "agent://b", "note": "yours"}))
            .await,
    );
    assert_eq!(
        (threads(&world, &a, "").await, threads(&world, &b, "").await),
        (vec![], vec![id.clone()])
    );
    let version = names(&world, &id).await.len();
    taken(&act(&world, &a, &id, "delegate", json!({"delegate_to": "b"})).await);
    assert_eq!(names(&world, &id).await.len(), version, "what is said again changes nothing");
    let handed = world.get(&b, &format!("/v1/intents/{id}")).await.json();
    assert_eq!(handed["intent"]["handler"], "agent://b");
    taken(
        &world.post(&b, &format!("/v1/intents/{id}/resume"), &json!({"action": "complete"})).await,
    );

    let ben = key(&world, "ben", Role::Reviewer, None).await;
    let asked = question(&world, "a", json!({"title": "Sure?"})).await;
    taken(
        &act(&world, &world.reviewer, &asked, "delegate", json!({"delegate_to": "human://ben"}))
            .await,
    );
    assert!(threads(&world, &world.reviewer, "").await.is_empty());
    assert_eq!(threads(&world, &ben, "").await, [asked.as_str()]);
    refused(&act(&world, &world.reviewer, &asked, "approve", json!({})).await, 403, "not_assigned");
    let to_sender = json!({"delegate_to": "local-agent"});
    refused(&act(&world, &ben, &asked, "delegate", to_sender).await, 403, "self_approval");
    taken(&act(&world, &ben, &asked, "reject", json!({"comment": "no"})).await);
    refused(
        &act(&world, &ben, &asked, "delegate", json!({"delegate_to": "x"})).await,
        409,
        "intent_ended",
    );
    refused(&act(&world, &ben, &asked, "delegate", json!({})).await, 422, "invalid_request");
    let wrong = turn(&world, "a").await;
    refused(
        &act(&world, &a, &wrong, "delegate", json!({"delegate_to": "a b"})).await,
        422,
        "invalid_request",
    );
}

#[tokio::test]
async fn people_decide_in_the_inbox_and_agents_do_not() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let id =
        question(&world, "a", json!({"title": "Sure?", "assignees": ["local-reviewer"]})).await;
    let inbox = taken(&world.get(&world.reviewer, "/v1/inbox").await);
    let thread = &inbox["threads"][0];
    assert_eq!(
        (&thread["thread_id"], &thread["owner_agent"]),
        (&json!(id), &json!("human://local-reviewer"))
    );
    assert_eq!((&thread["subject"], &thread["status"]), (&json!("Sure?"), &json!("pending")));
    let ben = key(&world, "ben", Role::Reviewer, None).await;
    assert!(threads(&world, &ben, "").await.is_empty(), "the task is another's");
    refused(&act(&world, &own, &id, "approve", json!({})).await, 403, "wrong_role");
    let stale = json!({"version": 1, "digest": "0".repeat(64)});
    refused(&act(&world, &world.reviewer, &id, "approve", stale).await, 409, "stale_view");
    let long = json!({"comment": "x".repeat(2001)});
    refused(&act(&world, &world.reviewer, &id, "reject", long).await, 422, "invalid_request");
    let rejected =
        taken(&act(&world, &world.reviewer, &id, "reject", json!({"comment": "no"})).await);
    assert_eq!(
        (&rejected["thread"]["intent_status"], &rejected["thread"]["status"]),
        (&json!("FAILED"), &json!("done"))
    );
    taken(&act(&world, &world.reviewer, &id, "reject", json!({})).await);
    refused(&act(&world, &world.reviewer, &id, "approve", json!({})).await, 409, "already_decided");
    assert!(threads(&world, &world.reviewer, "").await.is_empty());
    taken(&world.get(&world.reviewer, &format!("/v1/inbox/{id}")).await);

    // The agent's own question stands on a child; people know the thread that they started.
    let parent = turn(&world, "a").await;
    let ask = json!({"approvals": [{"call_id": "c", "tool": "deploy"}]});
    taken(&world.post(&own, &format!("/v1/intents/{parent}/suspend"), &ask).await);
    let answered = taken(&act(&world, &world.reviewer, &parent, "approve", json!({})).await);
    assert_eq!(answered["thread"]["thread_id"], json!(parent));
    assert!(threads(&world, &world.reviewer, "").await.is_empty());
}

#[tokio::test]
async fn reading_acknowledges_for_the_agent_whose_turn_it_is_and_for_nobody_else() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let boss = key(&world, "boss-key", Role::Agent, Some("boss")).await;
    let id =
        create(&world, &json!({"intent_type": "t", "to_agent": "a", "reply_to": "boss"})).await;
    for (key, status) in [
        (&world.reviewer, "DELIVERED"),
        (&boss, "DELIVERED"),
        (&own, "ACKNOWLEDGED"),
        (&own, "ACKNOWLEDGED"),
    ] {
        let read = taken(&act(&world, key, &id, "read", json!({})).await);
        assert_eq!(read["thread"]["intent_status"], status);
    }
    let count =
        names(&world, &id).await.iter().filter(|name| *name == "intent.acknowledged").count();
    assert_eq!(count, 1);
    world.post(&own, &format!("/v1/intents/{id}/resume"), &json!({})).await;
    taken(&act(&world, &own, &id, "read", json!({})).await);
}

#[tokio::test]
async fn a_thread_of_another_owner_is_not_found() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let child = world
        .post(
            &world.agent,
            &format!("/v1/intents/{id}/suspend"),
            &json!({"approvals": [{"call_id": "c", "tool": "t"}]}),
        )
        .await;
    let child = child.json()["approvals"][0]["approval_id"].as_str().unwrap().to_owned();
    let other = key(&world, "other", Role::Agent, Some("b")).await;
    for key in [&other, &world.agent, &world.reviewer] {
        for what in ["reply", "delegate", "approve", "reject", "messages/delete", "read"] {
            let named = format!("{what}?owner_agent=b");
            let body = json!({"message": "m", "delegate_to": "c", "mode": "self"});
            refused(&act(&world, key, &id, &named, body).await, 404, "not_found");
        }
        refused(&world.get(key, &format!("/v1/inbox/{id}?owner_agent=b")).await, 404, "not_found");
    }
    refused(
        &world.get(&other, &format!("/v1/inbox/{id}?owner_agent=a")).await,
        403,
        "policy_denied",
    );
    // What an agent has asked people is a thread in which it takes part, though no inbox of agents has it.
    taken(&world.get(&world.agent, &format!("/v1/inbox/{child}")).await);
    taken(&world.get(&world.agent, &format!("/v1/inbox/{child}?owner_agent=a")).await);
    refused(&world.get(&other, &format!("/v1/inbox/{child}")).await, 404, "not_found");
}

#[tokio::test]
async fn changes_come_in_the_order_in_which_they_happened_and_none_is_missed() {
    let world = World::new().await;
    let own = key(&world, "own", Role::Agent, Some("a")).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(turn(&world, "a").await);
        world.pass(Duration::from_millis(1));
    }
    let changes = async |cursor: &str, limit: usize| {
        let path = format!("/v1/inbox/changes?limit={limit}&cursor={cursor}");
        let read = taken(&world.get(&own, &path).await);
        let id = |change: &Value| change["thread"]["thread_id"].as_str().unwrap().to_owned();
        let ids: Vec<_> = read["changes"].as_array().unwrap().iter().map(id).collect();
        let next = read["next_cursor"].as_str().unwrap_or_default().to_owned();
        (ids, next, read["has_more"] == true)
    };
    let (first, cursor, more) = changes("", 3).await;
    assert_eq!((first.as_slice(), more), (&made[..3], true));
    assert!(cursor.starts_with("18934560000") && cursor.ends_with(&made[2]), "{cursor}");
    // What changes behind the reader's back stands at the end.
    taken(&act(&world, &own, &made[0], "read", json!({})).await);
    let (rest, cursor, more) = changes(&cursor, 3).await;
    assert_eq!((rest, more), (vec![made[3].clone(), made[4].clone(), made[0].clone()], false));
    let (none, same, more) = changes(&cursor, 3).await;
    assert_eq!(
        (none.len(), same, more),
        (0, cursor.clone(), false),
        "the reader goes on from there"
    );
    world.pass(Duration::from_millis(1));
    taken(&act(&world, &own, &made[4], "reply", json!({"message": "m"})).await);
    assert_eq!(changes(&cursor, 3).await.0, [made[4].clone()]);
    refused(&world.get(&own, "/v1/inbox/changes?cursor=now").await, 422, "invalid_request");
    let nothing = taken(&world.get(&world.reviewer, "/v1/inbox/changes").await);
    let expected = json!({"ok": true, "changes": [], "next_cursor": null, "has_more": false});
    assert_eq!(nothing, expected);
    let asked = question(&world, "x", json!({"title": "Sure?"})).await;
    let task = taken(&world.get(&world.reviewer, "/v1/inbox/changes").await);
    assert_eq!(task["changes"][0]["thread"]["thread_id"], json!(asked));
}
