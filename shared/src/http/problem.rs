//! The one table from errors to HTTP.
//!
//! Bodies have the fields of RFC 9457 together with the contract's `error` and `detail`.

use axum::Json;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tracing::{error, warn};

use crate::account::AccountError;
use crate::error::{Error, Unauthenticated};
use crate::form::FormFault;
use crate::intent::Rejection;
use crate::registration::Standing;

/// Seconds after which a client should try again what failed for a passing reason.
const RETRY_AFTER_SECONDS: u64 = 1;

/// What a caller is told.
#[derive(Debug)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs.
    pub code: &'static str,
    /// A sentence for people, with the remedy.
    pub detail: String,
    /// The field that is wrong, if one is.
    pub field: Option<String>,
    /// Every fault of a form, each with its field.
    faults: Vec<Value>,
    /// What stands beside the fields of every problem, for clients that go on with it.
    pub beside: Map<String, Value>,
}

impl Problem {
    /// Reads the table.
    pub fn of(error: &Error) -> Self {
        let (status, code) = match error {
            Error::Invalid(invalid) if invalid.malformed => {
                (StatusCode::BAD_REQUEST, "malformed_request")
            }
            Error::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_request"),
            Error::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large"),
            Error::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Error::Unauthenticated(Unauthenticated::Missing) => {
                (StatusCode::UNAUTHORIZED, "missing_platform_api_key")
            }
            Error::Unauthenticated(Unauthenticated::Invalid) => {
                (StatusCode::UNAUTHORIZED, "invalid_platform_api_key")
            }
            Error::Forbidden(_) => (StatusCode::FORBIDDEN, "policy_denied"),
            Error::AgentStopped { standing, .. } => (StatusCode::FORBIDDEN, of_standing(*standing)),
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Error::MethodNotAllowed { .. } => {
                (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
            }
            Error::Rejected(rejection) => of_rejection(rejection),
            Error::Account(AccountError::Exists(_)) => {
                (StatusCode::CONFLICT, "service_account_exists")
            }
            Error::Account(AccountError::AddressTaken(_)) => {
                (StatusCode::CONFLICT, "agent_address_taken")
            }
            Error::Account(AccountError::TooManyKeys) => (StatusCode::CONFLICT, "too_many_keys"),
            Error::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused"),
            Error::NotRedrivable => (StatusCode::CONFLICT, "not_redrivable"),
            Error::RateLimited { .. } => (StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded"),
            Error::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Error::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        };
        let (field, faults) = fields(error);
        Self { status, code, detail: error.to_string(), field, faults, beside: beside(error) }
    }

    /// Reads the table for an answer. Causes go to the log, once and here; a caller gets the sentence
    /// without them.
    pub fn told(error: &Error) -> Self {
        if let Error::Unavailable { dependency, source } = error {
            warn!(dependency, cause = %source_chain(source.as_ref()), "{dependency} did not answer");
        }
        if let Error::Corrupt(source) = error {
            error!(cause = %source_chain(source.as_ref()), "something stored cannot be read");
        }
        Self::of(error)
    }

    /// The body.
    pub fn body(&self) -> Value {
        let mut details = Map::new();
        if let Some(field) = &self.field {
            details.insert("field".to_owned(), json!(field));
        }
        if !self.faults.is_empty() {
            details.insert("faults".to_owned(), json!(self.faults));
        }
        let mut body = json!({
            "type": format!("urn:holdpoint:problem:{}", self.code),
            "title": self.code.replace('_', " "),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "error": {
                "code": self.code,
                "message": self.detail,
                "details": details,
            },
        });
        if let Value::Object(fields) = &mut body {
            fields.extend(self.beside.clone());
        }
        body
    }
}

/// Which field of the request is wrong, and every fault of a form.
fn fields(error: &Error) -> (Option<String>, Vec<Value>) {
    if let Error::Invalid(invalid) = error {
        return (Some(invalid.field.clone()).filter(|field| !field.is_empty()), vec![]);
    }
    let Error::Rejected(rejection) = error else { return (None, vec![]) };
    let faults = if let Rejection::FormInvalid(faults) = rejection { &faults[..] } else { &[] };
    (field_of(rejection).map(str::to_owned), faults.iter().map(fault).collect())
}

/// What a client needs to go on, where the contract's clients look for it: the service account that
/// exists already, or the generation that a change was not made for.
fn beside(error: &Error) -> Map<String, Value> {
    let mut beside = Map::new();
    if let Error::Rejected(Rejection::StalePolicy { generation }) = error {
        beside.insert("policy_generation".to_owned(), json!(generation));
        beside.insert("applied".to_owned(), json!(false));
    }
    if let Error::Account(AccountError::Exists(account)) = error {
        beside.insert("service_account".to_owned(), super::wire::account::body(account));
    }
    beside
}

fn of_standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Active => "policy_denied",
        Standing::Suspended => "agent_suspended",
        Standing::Killed => "agent_killed",
        Standing::Deleted => "agent_deleted",
    }
}

fn fault(fault: &FormFault) -> Value {
    json!({"field": fault.field.to_string(), "detail": fault.detail})
}

/// The field of the request that a refusal is about, if it is about one.
fn field_of(rejection: &Rejection) -> Option<&'static str> {
    if let Rejection::OutcomeNotAllowed { .. } | Rejection::OutcomeMissing { .. } = rejection {
        return Some("outcome");
    }
    if let Rejection::CommentRequired = rejection {
        return Some("comment");
    }
    if let Rejection::EvidenceRequired = rejection {
        return Some("data.evidence");
    }
    if let Rejection::StalePolicy { .. } = rejection {
        return Some("expected_policy_generation");
    }
    None
}

fn of_rejection(rejection: &Rejection) -> (StatusCode, &'static str) {
    match rejection {
        Rejection::NotFound => (StatusCode::NOT_FOUND, "intent_not_found"),
        Rejection::Exists => (StatusCode::CONFLICT, "intent_exists"),
        Rejection::Ended(_) => (StatusCode::CONFLICT, "intent_ended"),
        Rejection::DeadlinePassed(_) => (StatusCode::GONE, "deadline_passed"),
        Rejection::AwaitsDecision => (StatusCode::CONFLICT, "awaits_decision"),
        Rejection::NothingToDecide(_) => (StatusCode::CONFLICT, "nothing_to_decide"),
        Rejection::AlreadyDecided { .. } => (StatusCode::CONFLICT, "already_decided"),
        Rejection::StaleView => (StatusCode::CONFLICT, "stale_view"),
        Rejection::WrongRole { .. } => (StatusCode::FORBIDDEN, "wrong_role"),
        Rejection::NotTheHandler => (StatusCode::FORBIDDEN, "not_the_handler"),
        Rejection::NotTheSender => (StatusCode::FORBIDDEN, "not_the_sender"),
        Rejection::SelfApproval => (StatusCode::FORBIDDEN, "self_approval"),
        Rejection::NotAssigned => (StatusCode::FORBIDDEN, "not_assigned"),
        Rejection::OutcomeNotAllowed { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "outcome_not_allowed")
        }
        Rejection::OutcomeMissing { .. } => (StatusCode::UNPROCESSABLE_ENTITY, "outcome_missing"),
        Rejection::EvidenceRequired => (StatusCode::UNPROCESSABLE_ENTITY, "evidence_required"),
        Rejection::FormInvalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "form_invalid"),
        Rejection::StalePolicy { .. } => (StatusCode::CONFLICT, "stale_policy_generation"),
        Rejection::OnlyShortens(_) => (StatusCode::FORBIDDEN, "deadline_only_shortens"),
        Rejection::DeadlineNotAhead(_) => (StatusCode::UNPROCESSABLE_ENTITY, "deadline_not_ahead"),
        Rejection::NotGranted => (StatusCode::FORBIDDEN, "not_granted"),
        Rejection::PolicyTooLarge => (StatusCode::UNPROCESSABLE_ENTITY, "policy_too_large"),
        Rejection::TooManyMessages => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_messages"),
        Rejection::AnswerTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "answer_too_large"),
        Rejection::ResultTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "result_too_large"),
        Rejection::CommentRequired => (StatusCode::UNPROCESSABLE_ENTITY, "comment_required"),
        Rejection::Leased(_) => (StatusCode::CONFLICT, "leased"),
        Rejection::LeaseLost => (StatusCode::CONFLICT, "lease_lost"),
        Rejection::NotAgentsTurn(_) => (StatusCode::CONFLICT, "not_agents_turn"),
        Rejection::CheckpointConflict => (StatusCode::CONFLICT, "checkpoint_conflict"),
        Rejection::AskConflict(_) => (StatusCode::CONFLICT, "call_id_reused"),
        Rejection::AsksOutOfBounds => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_approvals"),
        Rejection::TooManyCalls => (StatusCode::UNPROCESSABLE_ENTITY, "too_many_tool_calls"),
        Rejection::CallOutcomeUnknown(_) => (StatusCode::CONFLICT, "tool_call_outcome_unknown"),
        Rejection::CallMismatch(_) => (StatusCode::CONFLICT, "digest_mismatch"),
        Rejection::CallNotClaimed(_) => (StatusCode::CONFLICT, "tool_call_not_claimed"),
        Rejection::NoGrant(_) => (StatusCode::FORBIDDEN, "grant_missing"),
        Rejection::GrantRefused(_) => (StatusCode::FORBIDDEN, "grant_not_approved"),
        Rejection::GrantExpired { .. } => (StatusCode::GONE, "grant_expired"),
        Rejection::InexactNumber => (StatusCode::UNPROCESSABLE_ENTITY, "inexact_number"),
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = Problem::told(&self);
        let rate_limited = if let Self::RateLimited { retry_after_s, .. } = &self {
            Some(*retry_after_s)
        } else {
            None
        };
        let passes = self.is_retryable().then_some(RETRY_AFTER_SECONDS);
        let retry_after_s = rate_limited.or(passes);
        let mut response = (problem.status, Json(problem.body())).into_response();
        let headers = response.headers_mut();
        if let Self::MethodNotAllowed { allow } = self
            && let Ok(allow) = HeaderValue::from_str(&allow)
        {
            headers.insert(ALLOW, allow);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // Whole seconds: clients of the contract read nothing else.
        if let Some(seconds) = retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

fn source_chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
