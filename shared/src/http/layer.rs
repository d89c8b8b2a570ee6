//! What every HTTP function does around its handlers.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use tracing::field::Empty;
use tracing::{Instrument as _, info, info_span};

use super::document::allow;
use super::exchange::{Exchange, export};
use super::tally::Tally;
use crate::app::App;
use crate::error::Error;
use crate::trace::{TRACEPARENT, Trace};

const TRACE_ID: HeaderName = HeaderName::from_static("x-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The longest trace id that is echoed and logged.
const TRACE_ID_BYTES_MAX: usize = 128;

/// `routes` as a service: unknown paths get a problem body, each answer carries its ids, and each
/// request leaves one line in the log.
pub fn service(routes: Router<App>, app: App) -> Router {
    routes
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere)
        .layer(from_fn_with_state(app.clone(), around))
        .with_state(app)
}

/// Answers for what no handler takes: the path is there for other methods, or not at all. The address
/// that streams answers has a part of the paths only, so it says nothing of the others.
async fn nowhere(State(app): State<App>, uri: Uri) -> Error {
    match allow(uri.path()).filter(|_| !app.config().response_streaming) {
        Some(allow) => Error::MethodNotAllowed { allow },
        None => Error::NotFound("path"),
    }
}

async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started_at = app.now();
    let unit = app.begin(parent(request.headers()));
    let lines = info_span!("request", trace_id = unit.trace().id(), intent_id = Empty);
    let trace_id = request.headers().get(TRACE_ID).filter(|id| is_plain(id)).cloned();
    let request_id = data_encoding::HEXLOWER.encode(&app.random::<8>());
    let method = request.method().clone();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let tally = Tally::default();
    request.extensions_mut().insert(tally.clone());
    let mut response = unit.run(next.run(request).instrument(lines.clone())).await;
    let status = response.status().as_u16();
    let duration_ms = app.now().duration_since(started_at).as_millis();
    // The path's pattern, not the path: a review link must not end up in a log.
    let route = path.as_ref().map_or("(none)", MatchedPath::as_str);
    lines.in_scope(|| {
        info!(%method, route, status, duration_ms, request_id, "{method} {route} answered {status}");
    });
    let headers = response.headers_mut();
    tally.write(headers);
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        headers.insert(REQUEST_ID, id);
    }
    if let Some(id) = trace_id {
        headers.insert(TRACE_ID, id);
    }
    export(app, unit, Exchange { method, path, status }, response).await
}

/// The unit of work that the caller says led to this one.
fn parent(headers: &HeaderMap) -> Option<Trace> {
    let began = headers.get(TRACEPARENT).and_then(|text| text.to_str().ok());
    began.and_then(Trace::parse)
}

fn is_plain(id: &HeaderValue) -> bool {
    id.len() <= TRACE_ID_BYTES_MAX && id.to_str().is_ok()
}
