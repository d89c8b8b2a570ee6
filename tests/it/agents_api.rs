//! Agents of their own: stopping at a hold point with a run state, going on, and claiming calls.

use std::time::Duration;

use serde_json::{Value, json};
use shared::digest::Digest;
use shared::message::Message;
use shared::queue::Queues;
use tests::{Answer, World};
use wake::{Call, Waker};

use crate::harness::{names, refused, stored, turn};

/// An intent whose agent has asked for some approvals.
struct Asked {
    world: World,
    id: String,
}

fn ask(call_id: &str) -> Value {
    json!({"call_id": call_id, "tool": "publish", "arguments": {"to": call_id, "n": 1}})
}

fn suspension(data: &str, expected: Option<&str>, calls: &[&str]) -> Value {
    json!({
        "checkpoint": {"format": "openai-agents-python", "version": "1", "data": data},
        "expected_checkpoint": expected.map(|data| Digest::of_bytes(data.as_bytes())),
        "approvals": calls.iter().map(|call| ask(call)).collect::<Vec<_>>(),
    })
}

impl Asked {
    async fn of(calls: &[&str]) -> Self {
        let world = World::new().await;
        let id = turn(&world, "writer").await;
        let asked = Self { world, id };
        let answer = asked.post("suspend", &suspension("state one", None, calls)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        asked
    }

    async fn post(&self, rest: &str, body: &Value) -> Answer {
        self.world.post(&self.world.agent, &format!("/v1/intents/{}/{rest}", self.id), body).await
    }

    async fn checkpoint(&self) -> Value {
        let path = format!("/v1/intents/{}/checkpoint", self.id);
        self.world.get(&self.world.agent, &path).await.json()
    }

    /// A reviewer decides on the approval, and `wake` hears of it.
    async fn decide(&self, n: usize, decision: &str) {
        let approval = self.checkpoint().await["approvals"][n]["approval_id"].clone();
        let child = approval.as_str().unwrap();
        let path = format!("/v1/approvals/{child}/decision");
        let body = json!({"decision": decision, "comment": format!("call {n}")});
        let decided = self.world.post(&self.world.reviewer, &path, &body).await;
        assert_eq!(decided.status.as_u16(), 200, "{}", decided.text);
        let message = Message::AskEnded {
            tenant: "default".to_owned(),
            parent: self.id.parse().unwrap(),
            child: child.parse().unwrap(),
        };
        // The message comes at least once.
        self.wake(&message).await;
        self.wake(&message).await;
    }

    async fn wake(&self, message: &Message) {
        let sqs = aws_sdk_sqs::Config::builder()
            .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest())
            .build();
        let queues = Queues::new(aws_sdk_sqs::Client::from_conf(sqs), None, None, None);
        let waker = Waker { app: self.world.app.clone(), queues };
        let body = serde_json::to_string(message).unwrap();
        let event = json!({"Records": [{"messageId": "m", "body": body}]});
        let call: Call = serde_json::from_value(event).unwrap();
        let answer = wake::handle(&waker, call).await.unwrap();
        let answer = serde_json::to_value(&answer).unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{answer}");
    }

    async fn offer(&self, since: u64) -> Option<u64> {
        let path = format!("/v1/agents/writer/intents/stream?since={since}&wait_seconds=1");
        let answer = self.world.get(&self.world.agent, &path).await;
        let first = answer.text.lines().next().unwrap().strip_prefix("id: ").unwrap();
        answer.text.contains(&self.id).then(|| first.parse().unwrap())
    }
}

#[tokio::test]
async fn a_suspension_stores_the_run_state_and_asks_people_in_one_step() {
    let asked = Asked::of(&["call_1", "call_2"]).await;
    let intent = stored(&asked.world, &asked.id).await;
    assert_eq!((intent.status().name(), intent.asks.len()), ("WAITING", 2));
    let read = asked.checkpoint().await;
    assert_eq!(read["checkpoint"]["data"], "state one");
    assert_eq!(read["checkpoint"]["format"], "openai-agents-python");
    assert_eq!(read["checkpoint"]["sha256"], json!(Digest::of_bytes(b"state one")));
    for (n, call) in ["call_1", "call_2"].iter().enumerate() {
        let approval = &read["approvals"][n];
        assert_eq!((&approval["call_id"], &approval["status"]), (&json!(call), &json!("WAITING")));
        let action = &approval["action"];
        assert_eq!(
            (&action["tool"], &action["arguments"]),
            (&json!("publish"), &ask(call)["arguments"])
        );
        assert_eq!(approval["digest"], json!(Digest::of_json(action)), "the agent can check it");
    }
    let tasks = asked.world.get(&asked.world.reviewer, "/v1/me/tasks").await.json();
    assert_eq!(tasks["tasks"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_repeated_suspension_changes_nothing_and_a_changed_one_is_refused() {
    let asked = Asked::of(&["call_1"]).await;
    let before = asked.world.table.items().await;
    let again = asked.post("suspend", &suspension("state one", None, &["call_1"])).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["intent"]["status"]),
        (200, &json!("WAITING"))
    );
    let other =
        asked.post("suspend", &suspension("state two", Some("state one"), &["call_2"])).await;
    refused(&other, 409, "awaits_decision");
    let result = asked.post("resume", &json!({"action": "complete"})).await;
    refused(&result, 409, "awaits_decision");
    assert_eq!(asked.world.table.items().await, before);
}

#[tokio::test]
async fn a_run_state_replaces_only_the_one_that_it_names() {
    let asked = Asked::of(&["call_1"]).await;
    asked.decide(0, "approve").await;
    let before = asked.world.table.items().await;
    for stale in [None, Some("state zero")] {
        let answer = asked.post("suspend", &suspension("state two", stale, &["call_2"])).await;
        refused(&answer, 409, "checkpoint_conflict");
    }
    let reused =
        asked.post("suspend", &suspension("state two", Some("state one"), &["call_1"])).await;
    refused(&reused, 409, "call_id_reused");
    assert_eq!(asked.world.table.items().await, before);
    let next =
        asked.post("suspend", &suspension("state two", Some("state one"), &["call_2"])).await;
    assert_eq!(next.json()["checkpoint"]["sha256"], json!(Digest::of_bytes(b"state two")));
    assert_eq!(asked.checkpoint().await["checkpoint"]["data"], "state two");
}

#[tokio::test]
async fn the_turn_comes_back_on_the_stream_with_a_higher_number_after_the_last_decision() {
    let world = World::new().await;
    let asked = Asked { id: turn(&world, "writer").await, world };
    let first = asked.offer(0).await.expect("the first offer");
    asked.world.pass(Duration::from_secs(1));
    asked.post("suspend", &suspension("state one", None, &["call_1", "call_2"])).await;
    assert_eq!(asked.offer(0).await, None, "people have it");
    asked.world.pass(Duration::from_secs(1));
    asked.decide(0, "approve").await;
    assert_eq!(asked.offer(0).await, None, "one person has it still");
    asked.world.pass(Duration::from_secs(1));
    asked.decide(1, "reject").await;
    let second = asked.offer(first).await.expect("the turn after the decisions");
    assert!(second > first);
    assert_eq!(asked.offer(second).await, None, "it was shown");
    let read = asked.checkpoint().await;
    assert_eq!(read["approvals"][0]["approved"], true);
    assert_eq!(read["approvals"][0]["comment"], "call 0");
    assert_eq!(read["approvals"][1]["approved"], false);
    assert_eq!(read["approvals"][1]["decided_by"], "local-reviewer");
    let history = names(&asked.world, &asked.id).await;
    assert_eq!(history.iter().filter(|name| *name == "intent.waiting").count(), 3, "{history:?}");
}

#[tokio::test]
async fn a_call_runs_once_and_only_as_it_was_approved() {
    let asked = Asked::of(&["call_1", "call_2"]).await;
    let claim = |call: &str| json!({"tool": "publish", "arguments": ask(call)["arguments"], "approval_id": "any"});
    refused(&asked.post("tool-calls/call_1/claim", &claim("call_1")).await, 409, "awaits_decision");
    asked.decide(0, "approve").await;
    asked.decide(1, "reject").await;
    let before = asked.world.table.items().await;
    let mut changed = claim("call_1");
    changed["arguments"]["n"] = json!(2);
    refused(&asked.post("tool-calls/call_1/claim", &changed).await, 409, "digest_mismatch");
    changed["arguments"]["n"] = json!(1);
    changed["tool"] = json!("publish_all");
    refused(&asked.post("tool-calls/call_1/claim", &changed).await, 409, "digest_mismatch");
    refused(
        &asked.post("tool-calls/call_2/claim", &claim("call_2")).await,
        403,
        "grant_not_approved",
    );
    refused(&asked.post("tool-calls/call_3/claim", &claim("call_3")).await, 403, "grant_missing");
    assert_eq!(asked.world.table.items().await, before);

    let claimed = asked.post("tool-calls/call_1/claim", &claim("call_1")).await.json();
    assert_eq!(claimed["claim"]["status"], "claimed", "{claimed}");
    let token = claimed["claim"]["claim_token"].as_str().unwrap();
    assert!(token.len() >= 32);
    let second = asked.post("tool-calls/call_1/claim", &claim("call_1")).await;
    refused(&second, 409, "tool_call_outcome_unknown");

    let wrong = json!({"claim_token": "somebody else's", "output": {"ok": true}});
    refused(&asked.post("tool-calls/call_1/complete", &wrong).await, 409, "tool_call_not_claimed");
    let output = json!({"claim_token": token, "output": {"ok": true}});
    for _ in 0..2 {
        let done = asked.post("tool-calls/call_1/complete", &output).await;
        assert_eq!(done.json(), json!({"ok": true}), "{}", done.text);
    }
    let other = json!({"claim_token": token, "output": {"ok": false}});
    refused(&asked.post("tool-calls/call_1/complete", &other).await, 409, "digest_mismatch");
    let after = asked.post("tool-calls/call_1/claim", &claim("call_1")).await.json();
    assert_eq!(
        after["claim"],
        json!({"status": "completed", "output": {"ok": true}, "is_error": false})
    );
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_is_repeated_under_the_claimers_own_token() {
    let world = World::new().await;
    let asked = Asked { id: turn(&world, "writer").await, world };
    let claim = json!({"tool": "read", "claim_token": "0123456789abcdef"});
    let first = asked.post("tool-calls/c/claim", &claim).await.json();
    let before = asked.world.table.items().await;
    let again = asked.post("tool-calls/c/claim", &claim).await.json();
    assert_eq!(first, again);
    assert_eq!(first["claim"]["claim_token"], "0123456789abcdef");
    let stranger = json!({"tool": "read", "claim_token": "fedcba9876543210"});
    let refusal = asked.post("tool-calls/c/claim", &stranger).await;
    refused(&refusal, 409, "tool_call_outcome_unknown");
    assert_eq!(asked.world.table.items().await, before);
    assert!(
        before.iter().all(|item| !item.contains("0123456789abcdef")),
        "only its digest is kept"
    );
}

#[tokio::test]
async fn an_approval_is_good_for_a_day() {
    for (seconds, claimed) in [(86_399, true), (86_400, false)] {
        let asked = Asked::of(&["call_1"]).await;
        asked.decide(0, "approve").await;
        asked.world.pass(Duration::from_secs(seconds));
        let claim = json!({"tool": "publish", "arguments": ask("call_1")["arguments"]});
        let answer = asked.post("tool-calls/call_1/claim", &claim).await;
        if claimed {
            assert_eq!(answer.json()["claim"]["status"], "claimed", "{}", answer.text);
        } else {
            refused(&answer, 410, "grant_expired");
        }
    }
}

#[tokio::test]
async fn names_of_calls_mean_the_same_however_a_path_is_decoded() {
    let world = World::new().await;
    let asked = Asked { id: turn(&world, "writer").await, world };
    for (path, call_id) in [
        ("agent%3Acall.1", "agent:call.1"),
        ("call_1:outcome", "call_1:outcome"),
        ("toolu_01~A-b", "toolu_01~A-b"),
    ] {
        let claim = json!({"tool": "read"});
        let claimed = asked.post(&format!("tool-calls/{path}/claim"), &claim).await;
        assert_eq!(claimed.json()["claim"]["status"], "claimed", "{path}: {}", claimed.text);
        assert!(stored(&asked.world, &asked.id).await.calls.contains_key(call_id), "{path}");
        let token = claimed.json()["claim"]["claim_token"].clone();
        let output = json!({"claim_token": token, "output": call_id});
        let done = asked.post(&format!("tool-calls/{path}/complete"), &output).await;
        assert_eq!(done.json()["ok"], true, "{path}: {}", done.text);
    }
    let before = stored(&asked.world, &asked.id).await;
    for path in ["a%2Fb", "%2E%2E", ".a", "a%20b", "%C3%A9", "100%25", "a%23b%3Fc"] {
        let claim = json!({"tool": "read"});
        let claimed = asked.post(&format!("tool-calls/{path}/claim"), &claim).await;
        refused(&claimed, 422, "invalid_request");
        assert_eq!(claimed.json()["error"]["details"]["field"], "call_id", "{path}");
    }
    assert_eq!(stored(&asked.world, &asked.id).await, before);
}

#[tokio::test]
async fn approvals_end_with_the_intent_that_asked_for_them() {
    let asked = Asked::of(&["call_1"]).await;
    let approval = asked.checkpoint().await["approvals"][0]["approval_id"].clone();
    let child = approval.as_str().unwrap().to_owned();
    let canceled = asked.post("resolve", &json!({"status": "CANCELED"})).await;
    assert_eq!(canceled.json()["intent"]["status"], "CANCELED", "{}", canceled.text);
    let message =
        Message::ParentEnded { tenant: "default".to_owned(), child: child.parse().unwrap() };
    asked.wake(&message).await;
    asked.wake(&message).await;
    assert_eq!(stored(&asked.world, &child).await.status().name(), "CANCELED");
    let path = format!("/v1/approvals/{child}/decision");
    let late =
        asked.world.post(&asked.world.reviewer, &path, &json!({"decision": "approve"})).await;
    refused(&late, 409, "intent_ended");
}

#[tokio::test]
async fn an_agent_may_wait_for_a_tool_or_a_moment() {
    let world = World::new().await;
    let asked = Asked { id: turn(&world, "writer").await, world };
    let tool = asked.post("suspend", &json!({"waits_for": "tool"})).await.json();
    assert_eq!(tool["intent"]["waiting_reason"], "WAITING_FOR_TOOL", "{tool}");
    let until = json!({"waits_for": "time", "until": "2030-01-01T00:01:00Z"});
    let moment = asked.post("suspend", &until).await.json();
    assert_eq!(moment["intent"]["waiting_reason"], "WAITING_FOR_TIME", "{moment}");
    asked.world.pass(Duration::from_mins(1));
    let due_at = asked.world.app.now();
    let intent = asked.id.parse().unwrap();
    asked.wake(&Message::Wake { tenant: "default".to_owned(), intent, due_at, put_back: 0 }).await;
    assert_eq!(stored(&asked.world, &asked.id).await.status().name(), "IN_PROGRESS");
}
