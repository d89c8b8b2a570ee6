//! Which page a reviewer gets.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse as _, Response};
use jiff::Timestamp;
use shared::error::Error;
use shared::http::page::{self, BadRequest, Choice, Decided, FilledIn, Review};
use shared::intent::human_task::{Hold, Outcome};
use shared::intent::{Intent, Rejection, Status};
use shared::link::{Link, LinkError};

use super::draft::{self, Draft};

/// What can be said about a request without a form.
pub(super) fn standing(intent: &Intent) -> Option<Response> {
    if let Some(decision) = decision(intent) {
        return Some(reply(StatusCode::OK, &page::already_decided(&decision).into_string()));
    }
    match intent.status() {
        Status::TimedOut => Some(timed_out(intent.deadline_at())),
        Status::Completed | Status::Failed | Status::Canceled => {
            Some(reply(StatusCode::GONE, &page::withdrawn().into_string()))
        }
        Status::Created
        | Status::Submitted
        | Status::Delivered
        | Status::Acknowledged
        | Status::InProgress
        | Status::Waiting => None,
    }
}

/// The page with the form.
pub(super) fn review(
    intent: &Intent,
    hold: &Hold,
    link: &Link,
    csrf: &str,
    now: Timestamp,
    draft: &Draft,
) -> Response {
    let Some(page) = form(intent, hold, link, csrf, now, draft) else { return not_found() };
    reply(StatusCode::OK, &page)
}

/// The page with the form once more, filled in as it was and with what is wrong with that.
pub(super) fn again(
    intent: &Intent,
    link: &Link,
    csrf: &str,
    now: Timestamp,
    draft: &Draft,
) -> Response {
    let hold = intent.open_hold().filter(|hold| hold.version == link.hold_version);
    let page = hold.and_then(|hold| form(intent, hold, link, csrf, now, draft));
    page.map_or_else(stale, |page| reply(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn form(
    intent: &Intent,
    hold: &Hold,
    link: &Link,
    csrf: &str,
    now: Timestamp,
    draft: &Draft,
) -> Option<String> {
    let task = intent.task_of(hold)?;
    let schema = draft::drawn(intent, hold);
    let asked = intent.envelope.parent.is_some();
    let payload = serde_json::Value::Object(intent.envelope.payload.clone());
    let arguments = payload.get("arguments").filter(|_| asked).unwrap_or(&payload);
    let choice = |outcome: &'_ Outcome| (outcome.name().to_owned(), task.approves(outcome));
    let outcomes: Vec<_> = task.allowed_outcomes.iter().map(choice).collect();
    let choices: Vec<_> = outcomes
        .iter()
        .map(|(outcome, approves)| Choice { outcome, approves: *approves })
        .collect();
    let page = page::review(&Review {
        title: &task.title,
        description: task.description.as_deref(),
        asked_by: &intent.envelope.from,
        intent_type: &intent.envelope.intent_type,
        tool: tool(intent),
        arguments,
        proposal: hold.proposal.as_ref().filter(|_| hold.step.is_none()),
        earlier: hold.proposal.as_ref().filter(|_| hold.step.is_some()),
        deadline_at: intent.decide_until(),
        now,
        digest: hold.digest.hex(),
        hold_version: hold.version,
        reviewer: &link.reviewer,
        task_type: task.task_type,
        outcomes: &choices,
        comment_required: task.required_comment,
        evidence_required: task.evidence_required,
        form: schema.as_ref(),
        filled_in: FilledIn {
            comment: &draft.comment,
            evidence: &draft.evidence,
            answer: &draft.answer,
            values: &draft.values,
            faults: &draft.faults,
        },
        csrf_token: csrf,
    });
    Some(page.into_string())
}

/// The page after a decision that was just made, or repeated by the same reviewer.
pub(super) fn decided(intent: &Intent) -> Response {
    match decision(intent) {
        Some(decision) => reply(StatusCode::OK, &page::decided(&decision).into_string()),
        None => not_found(),
    }
}

/// The page for a link that opens nothing.
pub(super) fn bad_link(error: &LinkError) -> Response {
    match error {
        LinkError::Expired { at } => {
            reply(StatusCode::GONE, &page::link_expired(*at).into_string())
        }
        LinkError::Malformed | LinkError::BadSignature => not_found(),
    }
}

/// The page that says nothing about what exists.
pub(super) fn not_found() -> Response {
    reply(StatusCode::NOT_FOUND, &page::not_found().into_string())
}

/// The page for a view that is out of date.
pub(super) fn stale() -> Response {
    reply(StatusCode::CONFLICT, &page::stale().into_string())
}

/// The page for a form that did not come from the reviewer's own page.
pub(super) fn forged() -> Response {
    bad_request(
        "csrf",
        "The form belongs to the page that you opened last.",
        "Open the link again and decide there.",
    )
}

/// The page for a field that is wrong.
pub(super) fn bad_request(field: &str, limit: &str, remedy: &str) -> Response {
    let page = page::bad_request(&BadRequest { field, limit, remedy });
    reply(StatusCode::BAD_REQUEST, &page.into_string())
}

/// The page for a decision that was not taken.
pub(super) fn refused(error: &Error, intent: &Intent) -> Response {
    let conflict = || {
        decision(intent).map(|decision| {
            reply(StatusCode::CONFLICT, &page::already_decided(&decision).into_string())
        })
    };
    match error {
        Error::Rejected(Rejection::AlreadyDecided { .. }) => conflict().unwrap_or_else(stale),
        Error::Rejected(Rejection::DeadlinePassed(at)) => timed_out(*at),
        Error::Rejected(Rejection::StaleView) => stale(),
        Error::Rejected(Rejection::CommentRequired) => bad_request(
            "comment",
            "This decision needs a comment.",
            "Go back, say why, and decide again.",
        ),
        Error::Rejected(Rejection::EvidenceRequired) => bad_request(
            "evidence",
            "This decision needs evidence.",
            "Go back, say what shows it, and decide again.",
        ),
        Error::Rejected(Rejection::SelfApproval | Rejection::NotAssigned) => {
            reply(StatusCode::FORBIDDEN, &page::not_yours(&error.to_string()).into_string())
        }
        Error::Rejected(Rejection::OutcomeNotAllowed { .. }) => {
            bad_request("outcome", &error.to_string(), "Go back and take another button.")
        }
        Error::Rejected(_) => reply(StatusCode::GONE, &page::withdrawn().into_string()),
        Error::Invalid(invalid) => {
            bad_request(&invalid.field, &invalid.detail, "Go back and change it.")
        }
        Error::NotFound(_) | Error::MethodNotAllowed { .. } => not_found(),
        Error::TooLarge { .. }
        | Error::UnsupportedMediaType
        | Error::Unauthenticated(_)
        | Error::Forbidden(_)
        | Error::AgentStopped { .. }
        | Error::Account(_)
        | Error::KeyReused
        | Error::NotRedrivable
        | Error::Busy
        | Error::Unavailable { .. }
        | Error::RateLimited { .. }
        | Error::Corrupt(_) => trouble(),
    }
}

/// The page for a fault of ours.
pub(super) fn trouble() -> Response {
    reply(StatusCode::SERVICE_UNAVAILABLE, &page::trouble().into_string())
}

fn timed_out(deadline_at: Timestamp) -> Response {
    reply(StatusCode::GONE, &page::timed_out(deadline_at).into_string())
}

fn decision(intent: &Intent) -> Option<Decided<'_>> {
    let decision = &intent.decided()?.decision;
    Some(Decided {
        subject: tool(intent).unwrap_or(&intent.envelope.intent_type),
        outcome: decision.outcome.name(),
        reviewer: &decision.by,
        decided_at: decision.decided_at,
        comment: decision.comment.as_deref(),
        digest: decision.digest.hex(),
    })
}

/// The tool that would run, where an agent asked about one.
fn tool(intent: &Intent) -> Option<&str> {
    intent.envelope.parent.as_ref()?;
    intent.envelope.payload.get("tool")?.as_str()
}

fn reply(status: StatusCode, html: &str) -> Response {
    let mut response = (status, Html(html.to_owned())).into_response();
    for (name, value) in page::security_headers() {
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}
