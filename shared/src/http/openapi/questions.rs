//! What people are asked, and what they answered.

use serde_json::{Value, json};

use super::schema::{
    count, digest, instant, list_to, object, optional_flag, optional_text, or_null, outcome, said,
    status, task_type, text, text_to, uuid, words,
};
use crate::http::wire::human_task::PERSON_CHARS_MAX;
use crate::intent::human_task::{
    ASSIGNEES_MAX, DESCRIPTION_CHARS_MAX, OUTCOMES_MAX, TITLE_CHARS_MAX,
};
use crate::intent::working_hours::{HOLIDAYS_MAX, WEEKDAYS};

/// The schemas, which several areas name.
pub(super) fn schemas() -> [(&'static str, Value); 6] {
    [
        ("NewHumanTask", new_human_task()),
        ("HumanTask", human_task()),
        ("WorkingHours", working_hours()),
        ("Hold", hold()),
        ("Decision", decision()),
        ("Approval", approval()),
    ]
}

/// The hours in which people are reminded, as they are sent and shown.
fn working_hours() -> Value {
    let time = |pattern: &str| json!({"type": "string", "pattern": pattern});
    let days = json!({"type": "array", "minItems": 1, "items": words(WEEKDAYS)});
    let date = json!({"type": "string", "format": "date"});
    object(
        &["time_zone", "days", "from", "to"],
        json!({
            "time_zone": said(
                "Whose clocks they go by: a name of the IANA database, such as `Europe/Berlin`.",
                json!({"type": "string", "minLength": 1}),
            ),
            "days": days,
            "from": said(
                "When they begin; where the clocks skip that time, the first moment after it.",
                time("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
            ),
            "to": said(
                "When they end: later on the same day, at 24:00 at the latest.",
                time("^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"),
            ),
            "holidays": said(
                "Dates on which nobody works.",
                json!({"type": ["array", "null"], "items": date, "maxItems": HOLIDAYS_MAX}),
            ),
        }),
    )
}

/// What a person is asked, as it is sent.
fn new_human_task() -> Value {
    let outcomes =
        || json!({"type": ["array", "null"], "items": outcome(), "maxItems": OUTCOMES_MAX});
    let people = json!({
        "type": ["array", "null"], "items": text_to(PERSON_CHARS_MAX), "maxItems": ASSIGNEES_MAX,
    });
    let mut schema = object(
        &[],
        json!({
            "title": said(
                "One line that says what would be done.",
                optional_text(TITLE_CHARS_MAX),
            ),
            "description": said(
                "More lines. The reviewer reads them.",
                optional_text(DESCRIPTION_CHARS_MAX),
            ),
            "task_type": said(
                "The kind of answer that is wanted; `approval` if it is missing, or `form` \
                 beside a form.",
                or_null(task_type()),
            ),
            "type": said("Another name for `task_type`.", or_null(task_type())),
            "allowed_outcomes": said(
                "The answers that are taken; those of the kind if it is missing. One at least \
                 must let the work go on.",
                outcomes(),
            ),
            "approving_outcomes": said(
                "Those of the allowed answers that let the work go on.",
                outcomes(),
            ),
            "required_comment": said("Whether an answer needs a comment.", optional_flag()),
            "evidence_required": said("Whether a yes needs `data.evidence`.", optional_flag()),
            "assignees": said(
                "Names of the reviewers who may answer; every reviewer if it is missing.",
                people,
            ),
            "notify_email": said("Where the notice goes.", optional_text(PERSON_CHARS_MAX)),
            "form_schema": said(
                "A JSON Schema (2020-12) of what is filled in.",
                json!({"type": ["object", "null"]}),
            ),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), json!("What a person is asked."));
    }
    schema
}

fn human_task() -> Value {
    let properties = json!({
        "task_type": task_type(),
        "title": text(),
        "description": or_null(text()),
        "allowed_outcomes": list_to(OUTCOMES_MAX, outcome()),
        "approving_outcomes": list_to(OUTCOMES_MAX, outcome()),
        "required_comment": {"type": "boolean"},
        "evidence_required": {"type": "boolean"},
        "assignees": list_to(ASSIGNEES_MAX, text()),
        "form_schema": {"type": ["object", "boolean", "null"]},
        "notify_email": or_null(text()),
    });
    let required: Vec<String> =
        properties.as_object().into_iter().flat_map(|fields| fields.keys().cloned()).collect();
    let required: Vec<&str> = required.iter().map(String::as_str).collect();
    object(&required, properties)
}

fn hold() -> Value {
    let mut schema = object(
        &["version", "digest", "opened_at", "decide_until", "action"],
        json!({
            "version": said(
                "A decision may name it, so that it is about this and nothing later.",
                count(),
            ),
            "digest": said("SHA-256 of the canonical JSON of `action`.", digest()),
            "opened_at": instant(),
            "decide_until": said("The first instant at which nobody can decide any more.", instant()),
            "action": said("The whole of what is decided.", json!({"type": ["object", "null"]})),
        }),
    );
    if let Value::Object(fields) = &mut schema {
        fields.insert("description".to_owned(), json!("What waits for a person."));
    }
    schema
}

fn decision() -> Value {
    object(
        &["outcome", "comment", "by", "assurance", "decided_at", "digest"],
        json!({
            "outcome": outcome(),
            "approves": said(
                "Whether it lets the work go on, where the word does not say so.",
                json!({"type": "boolean"}),
            ),
            "data": said("What the reviewer filled in.", json!({"type": "object"})),
            "comment": or_null(text()),
            "by": said("The reviewer.", text()),
            "assurance": said("How the reviewer was known.", words(["key", "link"])),
            "decided_at": instant(),
            "digest": digest(),
        }),
    )
}

fn approval() -> Value {
    object(
        &["call_id", "approval_id", "tool", "status", "approved"],
        json!({
            "call_id": said("The agent's own name for the tool call.", text()),
            "approval_id": said("The intent that carries the question.", uuid()),
            "tool": text(),
            "status": status(),
            "approved": or_null(json!({"type": "boolean"})),
            "outcome": or_null(outcome()),
            "comment": or_null(text()),
            "decided_by": or_null(text()),
            "decided_at": or_null(instant()),
            "digest": digest(),
            "action": json!({"type": ["object", "null"]}),
        }),
    )
}
