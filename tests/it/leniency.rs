//! What real clients send although the contract's schema forbids it, and what they get.

use serde_json::{Value, json};
use tests::World;

use crate::harness::{create, question, refused, turn};

/// Each body, and what an intent made of it says.
#[expect(clippy::too_many_lines, reason = "one table, to be read as one")]
fn bodies() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "a type without a version",
            json!({"intent_type": "process_task"}),
            json!({"intent_type": "process_task"}),
        ),
        ("a bare name", json!({"to_agent": "worker"}), json!({"to_agent": "agent://worker"})),
        (
            "two segments",
            json!({"to_agent": "agent://team/worker"}),
            json!({"to_agent": "agent://team/worker"}),
        ),
        ("no payload", json!({"payload": null}), json!({"payload": {}})),
        (
            "a sender of its own",
            json!({"from_agent": "initiator://ci"}),
            json!({"from_agent": "local-agent"}),
        ),
        ("no correlation", json!({"correlation_id": null}), json!({"status": "DELIVERED"})),
        (
            "unknown fields",
            json!({"priority": "high", "metadata": {"a": 1}}),
            json!({"status": "DELIVERED"}),
        ),
        (
            "numbers as text",
            json!({"ttl_seconds": "120", "max_delivery_attempts": "5", "remind_after_seconds": "30", "max_reminders": " 2 "}),
            json!({"deadline_at": "2030-01-01T00:02:00Z", "max_delivery_attempts": 5, "remind_after_seconds": 30, "max_reminders": 2}),
        ),
        (
            "whole numbers with a point",
            json!({"ttl_seconds": 120.0}),
            json!({"deadline_at": "2030-01-01T00:02:00Z"}),
        ),
        (
            "nulls for nothing",
            json!({"reply_to": null, "deadline_at": null, "ttl_seconds": null, "human_task": null, "escalate_to": null}),
            json!({"status": "DELIVERED"}),
        ),
        (
            "an interval that is left to the delay",
            json!({"remind_after_seconds": 30}),
            json!({"remind_interval_seconds": 30}),
        ),
        (
            "a task without a title",
            json!({"human_task": {"notify_email": "a@example.com", "colour": "red"}}),
            json!({"status": "WAITING", "waiting_reason": "WAITING_FOR_HUMAN"}),
        ),
        (
            "a task for nobody",
            json!({"to_agent": null, "human_task": {}}),
            json!({"status": "WAITING", "to_agent": "agent://agent_core"}),
        ),
        (
            "an approval for nobody",
            json!({"to_agent": null, "intent_type": "intent.approval.multi_actor.v1"}),
            json!({"status": "WAITING", "to_agent": "agent://agent_core"}),
        ),
        (
            "a person instead of an agent",
            json!({"to_agent": "human"}),
            json!({"status": "WAITING", "to_agent": "agent://human"}),
        ),
        (
            "the guides' way to ask a person",
            json!({"intent_type": "human_approval", "to_agent": "agent://approver"}),
            json!({"status": "WAITING"}),
        ),
        (
            "the built-in agent of a workspace",
            json!({"to_agent": "agent://org/ws/agent_core"}),
            json!({"status": "WAITING"}),
        ),
    ]
}

#[tokio::test]
async fn intents_that_the_schema_forbids_are_taken_as_they_are_meant() {
    let world = World::new().await;
    for (what, fields, said) in bodies() {
        let mut body = json!({"intent_type": "t", "to_agent": "a", "payload": {"n": 1}});
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let id = create(&world, &body).await;
        let intent = world.get(&world.admin, &format!("/v1/intents/{id}")).await.json();
        for (name, value) in said.as_object().unwrap() {
            assert_eq!(&intent["intent"][name], value, "{what}: {name} of {intent}");
        }
    }
    // Nothing says who is to do it, or that a person is to decide.
    let nobody = world.post(&world.agent, "/v1/intents", &json!({"intent_type": "t"})).await;
    refused(&nobody, 422, "invalid_request");
}

#[tokio::test]
async fn an_end_is_taken_in_every_spelling() {
    let world = World::new().await;
    for (body, status) in [
        (json!({"status": "CANCELLED"}), "CANCELED"),
        (json!({"status": "CANCELED"}), "CANCELED"),
        (json!({"status": "FAILED", "result": {"why": "no"}}), "FAILED"),
        (json!({"status": "COMPLETED"}), "COMPLETED"),
    ] {
        let path = format!("/v1/intents/{}/resolve", turn(&world, "a").await);
        let ended = world.post(&world.agent, &path, &body).await.json();
        assert_eq!(ended["intent"]["status"], status, "{body}: {ended}");
    }
}

#[tokio::test]
async fn approvals_are_decided_in_either_shape() {
    let world = World::new().await;
    for (body, said, word) in [
        (json!({"decision": "approve", "comment": "yes"}), "approve", "approved"),
        (json!({"decision": "reject"}), "reject", "rejected"),
        (json!({"approved": true, "reason": "fine"}), "approve", "approved"),
        (json!({"approved": "false", "reason": "no"}), "reject", "rejected"),
    ] {
        let id = question(&world, "a", json!({"title": "Sure?"})).await;
        let path = format!("/v1/approvals/{id}/decision");
        let decided = world.post(&world.reviewer, &path, &body).await.json()["approval"].clone();
        assert_eq!(
            (&decided["decision"], &decided["outcome"]),
            (&json!(said), &json!(word)),
            "{body}"
        );
        assert_eq!(decided["approval_id"], json!(id));
        assert_eq!(decided["decided_at"], "2030-01-01T00:00:00Z");
        let other = json!({"decision": if said == "approve" { "reject" } else { "approve" }});
        refused(&world.post(&world.reviewer, &path, &other).await, 409, "already_decided");
    }
    let id = question(&world, "a", json!({"title": "Sure?"})).await;
    let path = format!("/v1/approvals/{id}/decision");
    let comment = |chars: usize| json!({"decision": "approve", "comment": "x".repeat(chars)});
    let long = world.post(&world.reviewer, &path, &comment(1001)).await;
    refused(&long, 422, "invalid_request");
    assert_eq!(long.json()["error"]["details"]["field"], "comment");
    assert_eq!(world.post(&world.reviewer, &path, &comment(1000)).await.status.as_u16(), 200);
    let path = format!("/v1/approvals/{}/decision", crate::harness::nobody());
    refused(&world.post(&world.reviewer, &path, &comment(1)).await, 404, "not_found");
}
