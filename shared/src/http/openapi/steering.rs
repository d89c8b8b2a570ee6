//! Moving intents on: results, answers, hand-overs and ends.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{answer, named, object, optional_text, or_null, said, words};
use super::{Area, parameter, refusals};
use crate::http::wire::resume::REASON_CHARS_MAX;
use crate::intent::Rejection;
use crate::intent::human_task::COMMENT_CHARS_MAX;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Steering",
        about: "Moving intents on: results, answers, hand-overs and ends.",
        operations: vec![resume(), resolve()],
        schemas: vec![("Resume", resume_body()), ("Resolve", resolve_body())],
    }
}

fn resume() -> Operation {
    let applied = json!({"properties": {"applied": {"const": true}}, "required": ["applied"]});
    Operation::new("post", "/v1/intents/{id}/resume", "resumeIntent", "Go on with an intent")
        .says(
            "What it means follows from the body. `action: complete` or `fail` ends the agent's \
             work; `outcome`, `approved` or `task_result` is a reviewer's answer; \
             `approve_current_step` hands the work on; anything else is the agent's result. \
             Repeating it changes nothing.",
        )
        .with(parameter::intent())
        .taking(named("Resume"), json!({"action": "complete", "summary": "Deployed."}))
        .or_nothing()
        .answering("The intent after it.", json!({"allOf": [named("IntentAnswer"), applied]}))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::unanswered())
}

fn resolve() -> Operation {
    let delivery = object(&["delivered"], json!({"delivered": {"type": "boolean"}}));
    Operation::new("post", "/v1/intents/{id}/resolve", "resolveIntent", "End an intent")
        .says(
            "The agent ends its work as COMPLETED or FAILED. The sender and administrators withdraw \
             an intent as CANCELED.",
        )
        .with(parameter::intent())
        .taking(named("Resolve"), json!({"status": "CANCELED", "reason": "no longer wanted"}))
        .answering("The intent, and the event that ended it.", answer(json!({
            "intent": named("Intent"),
            "event": or_null(named("Event")),
            "completion_delivery": delivery,
        })))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::rejected([Rejection::NotTheSender, Rejection::InexactNumber]))
}

fn resume_body() -> Value {
    object(
        &[],
        json!({
            "action": said(
                "`complete`, `fail`, `approve` or `reject`; any other word means nothing.",
                json!(true),
            ),
            "outcome": said("A reviewer's answer.", json!({"type": ["string", "null"]})),
            "comment": said(
                &format!("In the reviewer's words, at most {COMMENT_CHARS_MAX} characters."),
                json!(true),
            ),
            "reason": said(
                &format!("Why, at most {REASON_CHARS_MAX} characters."),
                json!(true),
            ),
            "task_result": said("The reviewer's answer and what was filled in.", json!(true)),
            "approve_current_step": said("Hands the work on, to `next_handler` if there is one.", json!(true)),
            "next_handler": said("The agent that goes on.", json!(true)),
        }),
    )
}

fn resolve_body() -> Value {
    object(
        &["status"],
        json!({
            "status": words(["COMPLETED", "FAILED", "CANCELED", "CANCELLED"]),
            "result": said("What came of it. Anything but an object counts as none.", json!(true)),
            "error": said("Why it failed. Anything but an object counts as none.", json!(true)),
            "reason": said("Why, where it is not completed.", optional_text(REASON_CHARS_MAX)),
        }),
    )
}
