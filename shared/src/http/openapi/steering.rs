//! Moving intents on: results, answers, hand-overs and ends.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{answer, count, list, named, object, optional_text, or_null, said, words};
use super::{Area, parameter, refusals};
use crate::http::wire::policy::{self, CONTROL_BYTES_MAX};
use crate::http::wire::resume::REASON_CHARS_MAX;
use crate::intent::Rejection;
use crate::intent::human_task::COMMENT_CHARS_MAX;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Steering",
        about: "Moving intents on: results, answers, hand-overs and ends.",
        operations: vec![resume(), resolve(), acknowledge(), controls(), policy_change()],
        schemas: vec![
            ("Resume", resume_body()),
            ("Resolve", resolve_body()),
            ("ControlsChange", controls_change()),
            ("PolicyChange", policy_change_body()),
        ],
    }
}

fn resume() -> Operation {
    on_behalf("post", "/v1/intents/{id}/resume", "resumeIntent", "Go on with an intent")
        .says(
            "What it means follows from the body. `action: complete` or `fail` ends the agent's \
             work; `outcome`, `approved` or `task_result` is a reviewer's answer; \
             `approve_current_step` hands the work on; anything else is the agent's result. \
             Repeating it changes nothing.",
        )
        .taking(named("Resume"), json!({"action": "complete", "summary": "Deployed."}))
        .or_nothing()
        .answering("The intent after it.", applied())
        .refusing(refusals::out_of_turn())
        .refusing(refusals::unanswered())
        .refusing(refusals::rejected([Rejection::StalePolicy { generation: 1 }]))
}

fn resolve() -> Operation {
    let delivery = object(&["delivered"], json!({"delivered": {"type": "boolean"}}));
    on_behalf("post", "/v1/intents/{id}/resolve", "resolveIntent", "End an intent")
        .says(
            "The agent ends its work as COMPLETED or FAILED. The sender and administrators withdraw \
             an intent as CANCELED.",
        )
        .taking(named("Resolve"), json!({"status": "CANCELED", "reason": "no longer wanted"}))
        .answering("The intent, and the event that ended it.", answer(json!({
            "intent": named("Intent"),
            "event": or_null(named("Event")),
            "completion_delivery": delivery,
        })))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::rejected([Rejection::NotTheSender, Rejection::InexactNumber]))
}

fn acknowledge() -> Operation {
    let path = "/v1/intents/{id}/acknowledge";
    on_behalf("post", path, "acknowledgeIntent", "Say that the agent has it")
        .says("It is not offered again while the agent works on it.")
        .answering("The intent after it.", applied())
        .refusing(refusals::out_of_turn())
}

fn controls() -> Operation {
    let example = json!({"controls_patch": {"timeout_seconds": 3600}, "reason": "more to check"});
    changed("/v1/intents/{id}/controls", "changeControls", "Change an intent's controls")
        .taking(named("ControlsChange"), example)
        .or_nothing()
}

fn policy_change() -> Operation {
    let example = json!({"grants_patch": {"agent://helper": {"allow": ["resume"]}}});
    changed("/v1/intents/{id}/policy", "changePolicy", "Change an intent's policy")
        .taking(named("PolicyChange"), example)
        .or_nothing()
}

fn changed(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    on_behalf("post", path, id, summary)
        .says(
            "The sender, administrators and whoever was granted it may. `expected_policy_generation` \
             makes sure that nobody else was first.",
        )
        .answering("The intent after it.", answer(json!({
            "applied": {"const": true}, "intent": named("Intent"), "policy_generation": count(),
        })))
        .refusing(refusals::hidden())
        .refusing(refusals::over())
        .refusing(refusals::stopped())
        .refusing(refusals::rejected([
            Rejection::NotGranted,
            Rejection::StalePolicy { generation: 1 },
            Rejection::OnlyShortens(Timestamp::UNIX_EPOCH),
            Rejection::DeadlineNotAhead(Timestamp::UNIX_EPOCH),
            Rejection::PolicyTooLarge,
        ]))
}

/// An operation on an intent, for the agent that the request names.
fn on_behalf(
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation::new(method, path, id, summary)
        .with(parameter::intent())
        .with_query([parameter::owner_agent()])
        .refusing([refusals::role()])
}

fn applied() -> Value {
    let applied = json!({"properties": {"applied": {"const": true}}, "required": ["applied"]});
    json!({"allOf": [named("IntentAnswer"), applied]})
}

fn controls_change() -> Value {
    let says = format!("`timeout_seconds` sets the deadline anew. {}", kept());
    change(json!({"controls_patch": said(&says, json!({"type": "object"}))}))
}

fn policy_change_body() -> Value {
    let rights = words(["resume", "update_controls", "update_policy"]);
    let grant = json!({"type": ["object", "null"], "properties": {"allow": list(rights)}});
    let says = format!(
        "`ttl_seconds`, `execution_timeout_seconds` and `expires_at` set the deadline anew, \
         `max_retry_count` and `retry_backoff_seconds` how it is offered. {}",
        kept()
    );
    change(json!({
        "envelope_patch": said(&says, json!({"type": "object"})),
        "grants_patch": said(
            "What principals may do.",
            json!({"type": "object", "additionalProperties": grant}),
        ),
    }))
}

/// What becomes of other members of a patch.
fn kept() -> String {
    format!(
        "Members that mean nothing here are kept, each of at most {CONTROL_BYTES_MAX} bytes; null \
         removes them."
    )
}

/// A change of these, with what every change may have.
fn change(mut patches: Value) -> Value {
    let generation =
        json!({"type": ["integer", "string", "null"], "minimum": 0, "pattern": "^[0-9]+$"});
    if let Value::Object(members) = &mut patches {
        members.insert("reason".to_owned(), optional_text(policy::REASON_CHARS_MAX));
        members.insert("expected_policy_generation".to_owned(), generation);
    }
    object(&[], patches)
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
            "version": said("The version that was seen; beside `digest`.", json!(true)),
            "digest": said("The digest of what was seen; beside `version`.", json!(true)),
            "approve_current_step": said(
                "Hands the work on, to `next_handler` if there is one.",
                json!(true),
            ),
            "next_handler": said("The agent that goes on.", json!(true)),
            "expected_policy_generation": said(
                "The generation that it was made for.",
                json!({"type": ["integer", "string", "null"], "minimum": 0, "pattern": "^[0-9]+$"}),
            ),
        }),
    )
}

fn resolve_body() -> Value {
    object(
        &["status"],
        json!({
            "status": words(["COMPLETED", "FAILED", "CANCELED", "CANCELLED"]),
            "result": said(
                "What came of it. Anything but an object counts as none.",
                json!(true),
            ),
            "error": said("Why it failed. Anything but an object counts as none.", json!(true)),
            "reason": said("Why, where it is not completed.", optional_text(REASON_CHARS_MAX)),
        }),
    )
}
