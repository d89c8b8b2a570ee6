//! Running routes inside a Lambda.

use std::convert::Infallible;

use axum::Router;
use lambda_http::{Body, Error, Request, Response, service_fn};
use tower::ServiceExt as _;

/// The largest answer, in bytes: what Lambda returns at most, less room for its envelope.
const ANSWER_BYTES_MAX: usize = 5 * 1024 * 1024;

/// Serves `router` until the runtime ends, as many invocations at once as the runtime asks for.
///
/// # Errors
///
/// When the runtime is lost.
pub async fn serve(router: Router) -> Result<(), Error> {
    lambda_http::run_concurrent(service_fn(move |request| answer(router.clone(), request))).await
}

/// Serves `router` until the runtime ends, sending each answer as it comes. Only where the function
/// is invoked for a response stream.
///
/// # Errors
///
/// When the runtime is lost.
pub async fn serve_streaming(router: Router) -> Result<(), Error> {
    let handler = service_fn(move |request: Request| router.clone().oneshot(request));
    lambda_http::run_with_streaming_response_concurrent(handler).await
}

/// One answer, whole: the runtime wants a body that it may move between threads. For functions that
/// take other events beside requests.
///
/// # Errors
///
/// Never.
pub async fn answer(router: Router, request: Request) -> Result<Response<Body>, Infallible> {
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let (mut parts, body) = response.into_parts();
    let body = if let Ok(bytes) = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await {
        Body::from(bytes.to_vec())
    } else {
        parts.status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
        Body::Empty
    };
    Ok(Response::from_parts(parts, as_text(body)))
}

/// API Gateway takes text as it is and anything else in base64; all that we send is text.
fn as_text(body: Body) -> Body {
    match body {
        Body::Binary(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Body::Text(text),
            Err(other) => Body::Binary(other.into_bytes()),
        },
        Body::Empty => Body::Empty,
        Body::Text(text) => Body::Text(text),
        other => other,
    }
}
