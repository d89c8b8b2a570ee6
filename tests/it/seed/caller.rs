//! HTTP as somebody without a client library speaks it.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use tests::Connection;
use tokio::runtime::{Builder, Runtime};

/// Calls one stack and waits for each answer.
pub(super) struct Caller {
    base_url: String,
    client: Client,
    runtime: Runtime,
}

/// What came back.
pub(super) struct Called {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Caller {
    pub(super) fn of(connection: &Connection) -> Self {
        // Another test of this process may have installed it already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        Self { base_url: connection.base_url.clone(), client: Client::new(), runtime }
    }

    /// Calls with the key in `x-api-key`; an empty one is not sent.
    pub(super) fn call(
        &self,
        method: Method,
        key: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Called {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        self.send(if key.is_empty() { request } else { request.header("x-api-key", key) }, body)
    }

    /// Calls with the key as a bearer token; an empty one leaves the scheme alone in its header.
    pub(super) fn call_as_bearer(
        &self,
        method: Method,
        key: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Called {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        self.send(request.bearer_auth(key), body)
    }

    fn send(&self, request: RequestBuilder, body: Option<&Value>) -> Called {
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.runtime.block_on(async {
            let answer = request.send().await.expect("the stack answers");
            let status = answer.status().as_u16();
            Called { status, body: answer.json().await.expect("an answer is JSON") }
        })
    }
}
