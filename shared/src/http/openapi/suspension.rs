//! Stopping with a run state, going on in another process, and running tools at most once.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    answer, digest, instant, list, list_to, named, object, optional_text, optional_whole, or_null,
    said, text, text_to, words,
};
use super::{Area, parameter, refusals};
use crate::http::RUN_STATE_BODY_BYTES_MAX;
use crate::http::wire::human_task::PERSON_CHARS_MAX;
use crate::http::wire::suspend::{
    CHECKPOINT_BYTES_MAX, CLAIM_TOKEN_CHARS_MAX, CLAIM_TOKEN_CHARS_MIN, NAME_CHARS_MAX,
};
use crate::intent::Rejection;
use crate::intent::ask::ASKS_PER_SUSPENSION_MAX;
use crate::intent::call::OUTPUT_BYTES_MAX;
use crate::intent::envelope::{REMINDERS_MAX, TTL_SECONDS_MAX, TTL_SECONDS_MIN};
use crate::intent::human_task::{ASSIGNEES_MAX, DESCRIPTION_CHARS_MAX, TITLE_CHARS_MAX};

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Suspension",
        about: "Stopping with a run state, going on in another process, and running tools at most once.",
        operations: vec![suspend(), checkpoint(), claim(), complete()],
        schemas: vec![("Suspend", suspend_body()), ("Question", question())],
    }
}

fn suspend() -> Operation {
    let example = json!({
        "checkpoint": {"format": "openai-agents", "version": "1", "data": "{}"},
        "approvals": [{"call_id": "call-1", "tool": "deploy", "arguments": {"version": "2.4"}}],
    });
    let reference = object(&["sha256"], json!({"sha256": digest()}));
    Operation::new("post", "/v1/intents/{id}/suspend", "suspendIntent", "Stop, and ask people")
        .says(
            "Stores the agent's run state, and the approvals that it waits for, in one transaction. \
             Repeating it changes nothing.",
        )
        .with(parameter::intent())
        .taking_to(RUN_STATE_BODY_BYTES_MAX, named("Suspend"), example)
        .answering("The intent, and the approvals that it waits for.", answer(json!({
            "intent": named("Intent"),
            "checkpoint": or_null(reference),
            "approvals": list(named("Approval")),
        })))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::rejected([
            Rejection::CheckpointConflict,
            Rejection::AskConflict("call-1".to_owned()),
            Rejection::AsksOutOfBounds,
            Rejection::InexactNumber,
        ]))
}

fn checkpoint() -> Operation {
    let stored = object(
        &["format", "version", "data", "sha256", "stored_at"],
        json!({
            "format": text(), "version": text(), "data": text(), "sha256": digest(), "stored_at": instant(),
        }),
    );
    let path = "/v1/intents/{id}/checkpoint";
    Operation::new("get", path, "getCheckpoint", "Read the run state back")
        .with(parameter::intent())
        .answering(
            "The run state, and what became of the approvals.",
            answer(json!({
                "checkpoint": or_null(stored),
                "approvals": list(named("Approval")),
            })),
        )
        .refusing(refusals::hidden())
}

fn claim() -> Operation {
    let token = json!({
        "type": ["string", "null"],
        "minLength": CLAIM_TOKEN_CHARS_MIN,
        "maxLength": CLAIM_TOKEN_CHARS_MAX,
    });
    let body = object(
        &["tool"],
        json!({
            "tool": text_to(NAME_CHARS_MAX),
            "arguments": said("Exactly what it will run with.", json!({"type": "object"})),
            "approval_id": said(
                "Whether it needs a person's yes; any text means that it does.",
                json!({"type": ["string", "null"]}),
            ),
            "claim_token": said(
                "A secret of your own, by which a repeated claim is known.",
                token,
            ),
        }),
    );
    let example = json!({
        "tool": "deploy", "arguments": {"version": "2.4"}, "claim_token": "0123456789abcdef",
    });
    let claim = object(
        &["status"],
        json!({
            "status": words(["claimed", "completed"]),
            "claim_token": text(),
            "output": json!(true),
            "is_error": {"type": "boolean"},
        }),
    );
    let path = "/v1/intents/{id}/tool-calls/{call_id}/claim";
    Operation::new("post", path, "claimToolCall", "Claim a tool call")
        .says(
            "Whoever gets `claimed` runs the tool, and nobody else ever does. `completed` gives what \
             it gave before.",
        )
        .with(parameter::intent())
        .with(parameter::call())
        .taking(body, example)
        .answering("Whether to run it.", answer(json!({"claim": claim})))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::call())
}

fn complete() -> Operation {
    let output = format!("What it gave: any JSON of at most {OUTPUT_BYTES_MAX} bytes.");
    let body = object(
        &["claim_token"],
        json!({
            "claim_token": said("The secret that came with the claim.", text()),
            "output": said(&output, json!(true)),
            "is_error": {"type": "boolean"},
        }),
    );
    let example = json!({"claim_token": "0123456789abcdef", "output": {"deployed": true}});
    let path = "/v1/intents/{id}/tool-calls/{call_id}/complete";
    Operation::new("post", path, "completeToolCall", "Report what a tool call gave")
        .with(parameter::intent())
        .with(parameter::call())
        .taking(body, example)
        .answering("It is stored.", answer(json!({})))
        .refusing(refusals::out_of_turn())
        .refusing(refusals::call())
}

fn suspend_body() -> Value {
    let checkpoint = object(
        &["format", "version", "data"],
        json!({
            "format": text_to(NAME_CHARS_MAX),
            "version": text_to(NAME_CHARS_MAX),
            "data": said(
                &format!("The run state: at most {CHECKPOINT_BYTES_MAX} bytes."),
                json!({"type": "string", "maxLength": CHECKPOINT_BYTES_MAX}),
            ),
        }),
    );
    let mut schema = object(
        &[],
        json!({
            "checkpoint": or_null(checkpoint),
            "expected_checkpoint": said(
                "SHA-256 of the run state that is stored now; missing where there is none.",
                or_null(digest()),
            ),
            "approvals": list_to(ASKS_PER_SUSPENSION_MAX, named("Question")),
            "waits_for": or_null(words(["people", "tool", "time"])),
            "until": said(
                "When to go on, beside `waits_for: time`.",
                json!({"type": ["string", "null"]}),
            ),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        let waits_for = |what: &str| json!({"properties": {"waits_for": {"const": what}}});
        let elsewhere = |what: &str, more: Value| {
            json!({"allOf": [waits_for(what), {
                "required": ["waits_for"],
                "properties": {"approvals": {"maxItems": 0}},
            }, more]})
        };
        let asked = json!({"required": ["approvals"], "properties": {
            "approvals": {"minItems": 1},
            "waits_for": {"enum": ["people", null]},
        }});
        let until = json!({"required": ["until"], "properties": {"until": instant()}});
        fields.insert(
            "anyOf".to_owned(),
            json!([asked, elsewhere("tool", json!({})), elsewhere("time", until)]),
        );
    }
    schema
}

fn question() -> Value {
    let seconds = || optional_whole(TTL_SECONDS_MIN, TTL_SECONDS_MAX);
    let people = json!({
        "type": ["array", "null"], "items": text_to(PERSON_CHARS_MAX), "maxItems": ASSIGNEES_MAX,
    });
    let call_id = parameter::call_id();
    object(
        &["call_id", "tool"],
        json!({
            "call_id": said("Your own name for the tool call.", call_id),
            "tool": text_to(NAME_CHARS_MAX),
            "arguments": said("Exactly what it would run with.", json!({"type": "object"})),
            "title": or_null(text_to(TITLE_CHARS_MAX)),
            "description": optional_text(DESCRIPTION_CHARS_MAX),
            "assignees": people,
            "timeout_seconds": seconds(),
            "remind_after_seconds": seconds(),
            "max_reminders": optional_whole(0_u32, REMINDERS_MAX),
            "working_hours": said(
                "The hours in which people are reminded of it; those of the intent if they are missing.",
                or_null(named("WorkingHours")),
            ),
        }),
    )
}
