//! The Lambda Runtime API: how a function's process takes invocations and answers them.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value as Json, json};
use tracing::warn;
use uuid::Uuid;

use crate::stack::host::{Failure, Host, Invocation};

/// What a function may answer at most, as on AWS.
const ANSWER_BYTES_MAX: usize = 6 * 1024 * 1024;
/// What is kept of a function's error.
const ERROR_TEXT_CHARS_MAX: usize = 500;

/// The API for one process of a function.
#[derive(Debug, Clone)]
pub(crate) struct RuntimeApi {
    pub(crate) host: Arc<Host>,
    pub(crate) generation: u64,
    pub(crate) function_arn: Arc<str>,
}

impl RuntimeApi {
    pub(crate) fn router(self) -> Router {
        const PREFIX: &str = "/2018-06-01/runtime";
        Router::new()
            .route(&format!("{PREFIX}/invocation/next"), get(next))
            .route(&format!("{PREFIX}/invocation/{{id}}/response"), post(response))
            .route(&format!("{PREFIX}/invocation/{{id}}/error"), post(error))
            .route(&format!("{PREFIX}/init/error"), post(init_error))
            .layer(DefaultBodyLimit::disable())
            .with_state(self)
    }

    fn hand_over(&self, invocation: Invocation) -> Response {
        let Invocation { id, payload, deadline_at } = invocation;
        let seconds = deadline_at.as_second();
        let trace_id = format!("Root=1-{seconds:08x}-{:024x};Sampled=0", id.as_u128() >> 32);
        let headers = [
            ("lambda-runtime-aws-request-id", id.to_string()),
            ("lambda-runtime-deadline-ms", deadline_at.as_millisecond().to_string()),
            ("lambda-runtime-invoked-function-arn", self.function_arn.to_string()),
            ("lambda-runtime-trace-id", trace_id),
        ];
        let mut response = Response::new(Body::from(payload));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

async fn next(State(api): State<RuntimeApi>) -> Response {
    match api.host.next(api.generation).await {
        Some(invocation) => api.hand_over(invocation),
        None => StatusCode::GONE.into_response(),
    }
}

async fn response(
    State(api): State<RuntimeApi>,
    Path(id): Path<Uuid>,
    request: Request,
) -> Response {
    if let Ok(body) = to_bytes(request.into_body(), ANSWER_BYTES_MAX).await {
        return accepted(api.host.finish(id, Ok(body)));
    }
    let kind = "Function.ResponseSizeTooLarge".to_owned();
    api.host.finish(id, Err(Failure::Function(kind)));
    StatusCode::PAYLOAD_TOO_LARGE.into_response()
}

async fn error(State(api): State<RuntimeApi>, Path(id): Path<Uuid>, request: Request) -> Response {
    let text = error_text(request).await;
    accepted(api.host.finish(id, Err(Failure::Function(text))))
}

async fn init_error(State(api): State<RuntimeApi>, request: Request) -> Response {
    let error = error_text(request).await;
    warn!(function = &*api.function_arn, error, "a function could not initialize");
    accepted(true)
}

fn accepted(known: bool) -> Response {
    if known {
        (StatusCode::ACCEPTED, axum::Json(json!({"status": "OK"}))).into_response()
    } else {
        let body = json!({"errorMessage": "Invalid request ID", "errorType": "InvalidRequestID"});
        (StatusCode::BAD_REQUEST, axum::Json(body)).into_response()
    }
}

/// The type of the error that a runtime reports. Its message may quote what the function was
/// given, and so stays in the function's own log.
async fn error_text(request: Request) -> String {
    let body = to_bytes(request.into_body(), ANSWER_BYTES_MAX).await.unwrap_or_default();
    let body: Json = serde_json::from_slice(&body).unwrap_or(Json::Null);
    let kind = body.get("errorType").and_then(Json::as_str).unwrap_or("an unnamed error");
    kind.chars().take(ERROR_TEXT_CHARS_MAX).collect()
}
