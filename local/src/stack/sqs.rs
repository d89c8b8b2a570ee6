//! Queues: the embedded SQS, in memory, served over HTTP to the functions' processes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tokio::sync::watch;
use winterbaume_core::{MockRequest, MockService};
use winterbaume_sqs::state::SqsError;
use winterbaume_sqs::types::Message;
use winterbaume_sqs::{SqsBackend, SqsService};

mod store;

use crate::Error;
use crate::stack::loopback::guarded;
use crate::template::queue::Queue;
use crate::template::scope::{ACCOUNT, REGION};
use store::Store;

/// Ten messages of 1 MiB, as one batch of SQS may hold at most that much, with JSON escapes.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The queues of one stack. Clones share them.
#[derive(Clone)]
pub(crate) struct Queues {
    backend: Arc<Store>,
    service: Arc<SqsService>,
    /// Counts requests that may have put a message into some queue.
    arrivals: watch::Sender<u64>,
}

impl Queues {
    pub(crate) async fn create(queues: &[Queue]) -> Result<Self, Error> {
        let backend = Arc::new(Store::default());
        for queue in queues {
            let attributes = queue.attributes.clone().into_iter().collect();
            let name = queue.name.clone();
            let made = backend.create_queue(ACCOUNT.into(), REGION.into(), name, attributes, None);
            made.await.map_err(|source| Error::Queue {
                queue: queue.name.clone(),
                source: source.into(),
            })?;
        }
        let service = Arc::new(SqsService::with_backend(backend.clone()));
        Ok(Self { backend, service, arrivals: watch::Sender::new(0) })
    }

    /// The SQS API for other processes.
    pub(crate) fn router(&self) -> Router {
        guarded(Router::new().fallback(handle).with_state(self.clone()))
    }

    /// Changes whenever a message may have come.
    pub(crate) fn arrivals(&self) -> watch::Receiver<u64> {
        self.arrivals.subscribe()
    }

    pub(crate) async fn send(&self, queue: &str, body: String) -> Result<(), SqsError> {
        let (account, region) = (ACCOUNT.to_owned(), REGION.to_owned());
        let attributes = std::collections::HashMap::new();
        let sent = self.backend.send_message(
            account,
            region,
            queue.to_owned(),
            body,
            None,
            attributes,
            None,
            None,
        );
        sent.await?;
        self.arrivals.send_modify(|count| *count += 1);
        Ok(())
    }

    /// Takes up to `count_max` visible messages; those that came too often go to the dead letters.
    pub(crate) async fn receive(
        &self,
        queue: &str,
        count_max: u16,
    ) -> Result<Vec<Message>, SqsError> {
        let (account, region) = (ACCOUNT.to_owned(), REGION.to_owned());
        self.backend
            .receive_messages(account, region, queue.to_owned(), usize::from(count_max), None)
            .await
    }

    pub(crate) async fn delete(&self, queue: &str, handle: String) -> Result<(), SqsError> {
        let (account, region) = (ACCOUNT.to_owned(), REGION.to_owned());
        self.backend.delete_message(account, region, queue.to_owned(), handle).await
    }

    /// When the first message of a queue becomes visible, in milliseconds since 1970.
    pub(crate) fn next_visible_ms(&self, queue: &str) -> Option<i64> {
        self.backend.next_visible_ms(queue)
    }

    /// Makes a message visible again after a time, unless its consumer has said when, or somebody else
    /// has received it since.
    pub(crate) async fn postpone(
        &self,
        queue: &str,
        handle: String,
        received_until_ms: i64,
        delay_s: u32,
    ) -> Result<(), SqsError> {
        if self.backend.visible_ms(queue, &handle) != Some(received_until_ms) {
            return Ok(());
        }
        let (account, region) = (ACCOUNT.to_owned(), REGION.to_owned());
        let queue = queue.to_owned();
        self.backend.change_message_visibility(account, region, queue, handle, delay_s).await
    }
}

async fn handle(State(queues): State<Queues>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let adds = adds_messages(&parts.headers);
    let answer = answer(&queues.service, parts, body).await;
    if adds {
        queues.arrivals.send_modify(|count| *count += 1);
    }
    answer
}

async fn answer(service: &SqsService, parts: axum::http::request::Parts, body: Bytes) -> Response {
    let answer = service
        .handle(MockRequest {
            method: parts.method.to_string(),
            // The service reads the region from the host that a client would use on AWS.
            uri: format!("https://sqs.{REGION}.amazonaws.com{}", parts.uri.path()),
            headers: parts.headers,
            body,
        })
        .await;
    let mut response = Response::new(Body::from(answer.body));
    *response.headers_mut() = answer.headers;
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// Whether a request may make a message receivable: sent, made visible, or moved back.
fn adds_messages(headers: &axum::http::HeaderMap) -> bool {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok());
    let action = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
    ["Send", "Change", "StartMessageMove"].iter().any(|prefix| action.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_belong_to_the_account_that_the_service_serves() {
        assert_eq!(ACCOUNT, winterbaume_core::DEFAULT_ACCOUNT_ID);
    }
}
