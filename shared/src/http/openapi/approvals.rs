//! What waits for a reviewer, and the decision.

use serde_json::{Map, Value, json};

use super::operation::Operation;
use super::schema::{
    answer, count, digest, instant, list, named, object, or_null, outcome, said, status, text,
    uuid, words,
};
use super::{Area, parameter, refusals};
use crate::http::wire::approval::COMMENT_CHARS_MAX;
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Approvals",
        about: "What waits for a reviewer, and the decision.",
        operations: vec![tasks(), decide()],
        schemas: vec![("Task", task()), ("DecisionBody", decision_body())],
    }
}

fn tasks() -> Operation {
    Operation::new("get", "/v1/me/tasks", "listTasks", "What waits for me")
        .says("The reviewer's open tasks, oldest first.")
        .for_roles(&[Role::Reviewer])
        .answering("Tasks.", answer(json!({"tasks": list(named("Task"))})))
}

fn decide() -> Operation {
    let approval = object(
        &["approval_id", "intent_id", "decision", "outcome", "comment", "decided_at", "decided_by"],
        json!({
            "approval_id": uuid(),
            "intent_id": uuid(),
            "decision": or_null(words(["approve", "reject"])),
            "outcome": or_null(outcome()),
            "comment": or_null(text()),
            "decided_at": or_null(instant()),
            "decided_by": or_null(text()),
            "digest": or_null(digest()),
        }),
    );
    Operation::new("post", "/v1/approvals/{id}/decision", "decideApproval", "Decide")
        .says(
            "Approves or rejects what waits. `version` and `digest`, as the task has them, make sure \
             that it is what the reviewer saw. Repeating a decision changes nothing; another one is \
             refused.",
        )
        .with(parameter::path("id", "The intent that waits.", uuid()))
        .taking(named("DecisionBody"), json!({"decision": "approve", "comment": "Looks right."}))
        .answering("The decision.", answer(json!({
            "approval": approval, "intent_id": uuid(), "status": status(),
        })))
        .refusing(refusals::unanswered())
}

fn task() -> Value {
    object(
        &[
            "intent_id",
            "intent_type",
            "status",
            "from_agent",
            "assigned_at",
            "due_at",
            "human_task",
            "version",
            "digest",
            "action",
        ],
        json!({
            "intent_id": uuid(),
            "intent_type": text(),
            "status": status(),
            "from_agent": text(),
            "assigned_at": or_null(instant()),
            "due_at": or_null(instant()),
            "human_task": or_null(named("HumanTask")),
            "version": or_null(count()),
            "digest": or_null(digest()),
            "action": said("The whole of what is decided.", json!({"type": ["object", "null"]})),
            "parent_intent_id": or_null(uuid()),
            "approve_url": said("The reviewer's own link to the page.", or_null(text())),
        }),
    )
}

/// What a reviewer says beside yes and no, on whichever channel.
pub(super) fn answer_fields() -> Map<String, Value> {
    let comment = json!({"type": ["string", "null"], "maxLength": COMMENT_CHARS_MAX});
    let fields = [
        ("outcome", said("The task's own word for it, where it has several.", or_null(outcome()))),
        ("comment", comment.clone()),
        ("reason", said("Another name for `comment`.", comment)),
        (
            "version",
            said(
                "The version that was seen; beside `digest`.",
                json!({"type": ["integer", "null"], "minimum": 0}),
            ),
        ),
        ("digest", said("The digest of what was seen; beside `version`.", digest())),
        ("data", said("What was filled in.", json!(true))),
    ];
    fields.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn decision_body() -> Value {
    let mut fields = answer_fields();
    let decision = said("Approve or reject.", words(["approve", "approved", "reject", "rejected"]));
    fields.insert("decision".to_owned(), decision);
    let approved = said("The same, as older clients say it.", json!(true));
    fields.insert("approved".to_owned(), approved);
    let mut schema = object(&[], Value::Object(fields));
    if let Value::Object(fields) = &mut schema {
        fields.insert(
            "anyOf".to_owned(),
            json!([{"required": ["decision"]}, {"required": ["approved"]}]),
        );
    }
    schema
}
