//! The HTTP API: finds a request's route, invokes its function and answers.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{Method, Response, StatusCode};
use jiff::Timestamp;
use serde_json::json;
use tracing::warn;
use uuid::Uuid;

use crate::stack::host::{Failure, Host};
use crate::stack::http_answer::http_answer;
use crate::stack::http_event::{Arrival, http_event};
use crate::stack::ids::Ids;
use crate::stack::loopback::guarded;
use crate::stack::notices::{self, Notices};
use crate::template::route::Routes;

/// What API Gateway takes at most.
const BODY_BYTES_MAX: usize = 10_000_000;
/// How long API Gateway waits for a function.
const INTEGRATION_MAX: Duration = Duration::from_secs(30);
/// When to come back to a function that has no place, in seconds. API Gateway leaves its callers to
/// guess; here they share one machine with what they wait for.
const RETRY_AFTER_SECONDS: u16 = 1;

/// The gateway of one stack. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Gateway {
    pub(crate) routes: Arc<Routes>,
    /// Hosts under their functions' logical ids.
    pub(crate) hosts: Arc<BTreeMap<String, Arc<Host>>>,
    pub(crate) notices: Notices,
    pub(crate) ids: Arc<Ids>,
    pub(crate) clock: fn() -> Timestamp,
}

impl Gateway {
    pub(crate) fn router(self) -> Router {
        guarded(Router::new().fallback(handle).with_state(self))
    }

    async fn answer(&self, request: Request, peer: SocketAddr, id: Uuid) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if parts.uri.path() == notices::PATH && parts.method == Method::POST {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = self.notices.take(body).await;
            return response;
        }
        let found = self.routes.find(parts.method.as_str(), parts.uri.path());
        let Some(found) = found else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let Some(host) = self.hosts.get(found.function) else {
            return message(StatusCode::NOT_FOUND, "Not Found");
        };
        let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
            return message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
        };
        let arrival = Arrival { id, at: (self.clock)(), peer };
        let event = http_event(&parts, &body, &found, arrival);
        let invocation = host.invoke(Bytes::from(event.to_string()));
        match tokio::time::timeout(INTEGRATION_MAX, invocation).await {
            Ok(Ok(answer)) => http_answer(&answer).unwrap_or_else(|| {
                warn!(function = found.function, "a function's answer is not an HTTP answer");
                message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Ok(Err(failure)) => {
                warn!(function = found.function, %failure, "a request failed");
                refusal(&failure)
            }
            Err(_) => message(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out"),
        }
    }
}

async fn handle(
    State(gateway): State<Gateway>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response<Body> {
    let id = gateway.ids.next();
    let mut response = gateway.answer(request, peer, id).await;
    if let Ok(id) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert("apigw-requestid", id);
    }
    response
}

fn refusal(failure: &Failure) -> Response<Body> {
    match failure {
        Failure::Throttled | Failure::NoProcess => {
            let mut response = message(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
            response.headers_mut().insert(RETRY_AFTER, RETRY_AFTER_SECONDS.into());
            response
        }
        Failure::Exited | Failure::TimedOut(_) | Failure::Function(_) => {
            message(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

/// The gateway's own answers are JSON with one member.
fn message(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(json!({"message": text}).to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_no_place_is_told_when_to_come_back() {
        for failure in [Failure::Throttled, Failure::NoProcess] {
            let response = refusal(&failure);
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[RETRY_AFTER], "1");
        }
        // What has begun may have done something, so nobody is asked to repeat it.
        assert!(!refusal(&Failure::Exited).headers().contains_key(RETRY_AFTER));
    }
}
