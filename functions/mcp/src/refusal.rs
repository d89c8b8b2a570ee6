//! Refusals of whole messages, as JSON-RPC says them.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use rmcp::model::{ErrorCode, ProtocolVersion};
use serde_json::{Value, json};

/// The longest refusal of the library's, in bytes.
const TEXT_BYTES_MAX: usize = 4096;

/// Refuses a message that cannot be served, under its id if it has one.
pub(super) fn refuse(id: Option<&Value>, code: ErrorCode, detail: &str) -> Response {
    let id = id.filter(|id| id.is_string() || id.is_number());
    let error = json!({"code": code.0, "message": detail});
    let body = json!({"jsonrpc": "2.0", "id": id, "error": error});
    (StatusCode::BAD_REQUEST, Json(body)).into_response()
}

/// The library refuses an unknown version of the protocol in plain text, which no client reads.
pub(super) async fn in_json(response: Response, id: Option<&Value>) -> Response {
    let is_text =
        response.headers().get(CONTENT_TYPE).is_none_or(|kind| kind != "application/json");
    if !response.status().is_client_error() || !is_text {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, TEXT_BYTES_MAX).await.unwrap_or_default();
    let versions: Vec<_> =
        ProtocolVersion::KNOWN_VERSIONS.iter().map(ProtocolVersion::as_str).collect();
    let (text, versions) = (String::from_utf8_lossy(&text), versions.join(", "));
    let detail = format!("{text}; the versions that are served are {versions}");
    let mut refused = refuse(id, ErrorCode::INVALID_REQUEST, &detail);
    *refused.status_mut() = parts.status;
    refused
}

/// The body of a response that was made here or by the library.
pub(super) async fn body(response: Response<Body>, bytes_max: usize) -> Option<Value> {
    let bytes = to_bytes(response.into_body(), bytes_max).await.ok()?;
    serde_json::from_slice(&bytes).ok()
}
