//! The one table from errors to HTTP.
//!
//! Bodies have the fields of RFC 9457 together with the contract's `error` and `detail`.

use axum::Json;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tracing::{error, warn};

use crate::error::{Error, Unauthenticated};
use crate::intent::Rejection;

/// Seconds after which a client should try again what failed for a passing reason.
const RETRY_AFTER_SECONDS: &str = "1";

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
    /// The policy's generation, for a change that was made for another one.
    pub policy_generation: Option<u64>,
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
            Error::Unauthenticated(Unauthenticated::Missing) => {
                (StatusCode::UNAUTHORIZED, "missing_platform_api_key")
            }
            Error::Unauthenticated(Unauthenticated::Invalid) => {
                (StatusCode::UNAUTHORIZED, "invalid_platform_api_key")
            }
            Error::Forbidden(_) => (StatusCode::FORBIDDEN, "policy_denied"),
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "not_found"),
            Error::Rejected(rejection) => of_rejection(rejection),
            Error::KeyReused => (StatusCode::CONFLICT, "idempotency_key_reused"),
            Error::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            Error::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Error::Corrupt(_) => (StatusCode::INTERNAL_SERVER_ERROR, "internal_error"),
        };
        let field = match error {
            Error::Invalid(invalid) if !invalid.field.is_empty() => Some(invalid.field.clone()),
            Error::Invalid(_)
            | Error::TooLarge { .. }
            | Error::Unauthenticated(_)
            | Error::Forbidden(_)
            | Error::NotFound(_)
            | Error::Rejected(_)
            | Error::KeyReused
            | Error::Busy
            | Error::Unavailable { .. }
            | Error::Corrupt(_) => None,
        };
        let policy_generation =
            if let Error::Rejected(Rejection::StalePolicy { generation }) = error {
                Some(*generation)
            } else {
                None
            };
        Self { status, code, detail: error.to_string(), field, policy_generation }
    }

    /// The body.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "type": format!("urn:holdpoint:problem:{}", self.code),
            "title": self.code.replace('_', " "),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "error": {
                "code": self.code,
                "message": self.detail,
                "details": self.field.as_ref().map_or(json!({}), |field| json!({"field": field})),
            },
        });
        // Where the contract's clients look for it: beside the fields of the problem.
        if let (Some(generation), Value::Object(fields)) = (self.policy_generation, &mut body) {
            fields.insert("policy_generation".to_owned(), json!(generation));
            fields.insert("applied".to_owned(), json!(false));
        }
        body
    }
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
        let problem = Problem::of(&self);
        // Causes go to the log, once and here; a caller gets the sentence without them.
        match &self {
            Self::Unavailable { dependency, source } => {
                warn!(dependency, cause = %source_chain(source.as_ref()), "{dependency} did not answer");
            }
            Self::Corrupt(source) => {
                error!(cause = %source_chain(source.as_ref()), "something stored cannot be read");
            }
            Self::Invalid(_)
            | Self::TooLarge { .. }
            | Self::Unauthenticated(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Rejected(_)
            | Self::KeyReused
            | Self::Busy => {}
        }
        let retryable = self.is_retryable();
        let mut response = (problem.status, Json(problem.body())).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if retryable {
            headers.insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_SECONDS));
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
