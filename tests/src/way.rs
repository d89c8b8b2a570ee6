//! A way from the SDK to a service that is no server.

use std::fmt;
use std::sync::Arc;

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;

use crate::engine::response;

/// The way, as the SDK's HTTP client: whatever it leads to is asked by operation and body.
#[derive(Clone)]
pub(crate) struct Way(Arc<Ask>);

type Ask = dyn Fn(String, Vec<u8>) -> HttpConnectorFuture + Send + Sync;

impl Way {
    pub(crate) fn to<F>(ask: impl Fn(String, Vec<u8>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(u16, String), ConnectorError>> + Send + 'static,
    {
        Self(Arc::new(move |operation, body| {
            let asked = ask(operation, body);
            HttpConnectorFuture::new(async { asked.await.map(response) })
        }))
    }
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Way")
    }
}

impl HttpClient for Way {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("an operation");
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        (self.0)(operation, body)
    }
}
