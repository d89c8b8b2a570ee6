//! Dead letters.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, count, instant, list, named, object, or_null, queried, said, text, uuid, words,
};
use super::{Area, parameter};
use crate::dead_letter::Origin;
use crate::error::Error;
use crate::http::wire::dead_letter::{LETTERS_DEFAULT, LETTERS_MAX};
use crate::principal::Role;

const ONE: &str = "/v1/dead-letters/{id}";
/// What the name of a dead letter looks like.
const ID: &str = "^(0|[1-9][0-9]{0,18})-[0-9a-f]{24}$";

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Operators",
        about: "What is wrong with the deployment; what was given up and why, and sending it again.",
        operations: vec![diagnostics(), letters(), show(), redrive(), forget()],
        schemas: vec![("DeadLetter", letter()), ("Finding", finding())],
    }
}

fn diagnostics() -> Operation {
    Operation::new("get", "/v1/diagnostics", "getDiagnostics", "What is wrong with the deployment")
        .says("Each check with what it found. `holdpoint doctor` shows it, and tries a wake-up besides.")
        .for_roles(&[Role::Admin])
        .answering(
            "What was found.",
            answer(json!({
                "version": text(),
                "now": instant(),
                "level": said("The worst of them.", level()),
                "findings": list(named("Finding")),
            })),
        )
}

fn level() -> Value {
    words(["ok", "warning", "failure"])
}

fn finding() -> Value {
    object(
        &["check", "level", "detail", "remedy"],
        json!({
            "check": said("What was looked at.", text()),
            "level": level(),
            "detail": said("What was seen.", text()),
            "remedy": said("What to do, unless it is as it should be.", or_null(text())),
        }),
    )
}

fn letters() -> Operation {
    Operation::new("get", "/v1/dead-letters", "listDeadLetters", "List what was given up")
        .says("Oldest first. A part of the list may be empty and have a part behind it.")
        .for_roles(&[Role::Admin])
        .with_query([
            parameter::query("queue", "Only those from here.", queried(queue())),
            parameter::limit(LETTERS_DEFAULT, LETTERS_MAX),
            parameter::query(
                "cursor",
                "The `next_cursor` of the part before.",
                queried(json!({"type": "string", "pattern": ID})),
            ),
            parameter::query(
                "include_redriven",
                "Also those that were sent again.",
                json!({"type": "boolean", "default": false}),
            ),
        ])
        .answering(
            "Dead letters.",
            answer(json!({
                "dead_letters": list(named("DeadLetter")), "next_cursor": or_null(text()),
            })),
        )
}

fn show() -> Operation {
    one("get", ONE, "getDeadLetter", "Look at a dead letter")
        .answering("The dead letter, with what was to be done.", whole())
}

fn redrive() -> Operation {
    one("post", "/v1/dead-letters/{id}/redrive", "redriveDeadLetter", "Send a dead letter again")
        .says("Done once: sent again, it is marked, and another request changes nothing.")
        .answering("The dead letter.", whole())
        .refusing([Error::NotRedrivable])
}

fn forget() -> Operation {
    one("delete", ONE, "dropDeadLetter", "Forget a dead letter").answering(
        "It is gone.",
        answer(json!({"dead_letter_id": text(), "dropped": {"const": true}})),
    )
}

fn one(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    let name = json!({"type": "string", "pattern": ID});
    Operation::new(method, path, id, summary)
        .for_roles(&[Role::Admin])
        .with(parameter::path("id", "The dead letter.", name))
        .refusing([Error::NotFound("dead letter")])
}

fn whole() -> Value {
    let content = said("What was to be done, as it is stored.", json!({"type": "object"}));
    let shown = json!({"properties": {"content": content}, "required": ["content"]});
    answer(json!({"dead_letter": {"allOf": [named("DeadLetter"), shown]}}))
}

fn queue() -> Value {
    words(Origin::ALL.map(Origin::name))
}

fn letter() -> Value {
    object(
        &[
            "dead_letter_id",
            "queue",
            "kind",
            "intent_id",
            "reason",
            "attempts",
            "sent_at",
            "first_tried_at",
            "last_failed_at",
            "redriven_at",
        ],
        json!({
            "dead_letter_id": {"type": "string", "pattern": ID},
            "queue": said("Where it was taken from, if that is known.", or_null(queue())),
            "kind": said("What it is, in a word.", text()),
            "intent_id": said("The intent that waits for it.", or_null(uuid())),
            "reason": object(&["code", "message"], json!({"code": text(), "message": text()})),
            "attempts": count(),
            "sent_at": instant(),
            "first_tried_at": instant(),
            "last_failed_at": instant(),
            "redriven_at": or_null(instant()),
        }),
    )
}
