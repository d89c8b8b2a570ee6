//! The way to the collector: the HTTP client that the AWS SDKs bring, so that nothing else is linked.

use std::time::Duration;

use async_trait::async_trait;
use aws_smithy_http_client::{Connector, tls};
use aws_smithy_runtime_api::client::http::HttpConnector as _;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, Collected, Limited};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

use super::{LOSS, Loss};

/// The most bytes of an answer that are read. Nobody looks at them, but a connection whose answer was
/// not read is closed.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// For how long a connection is used again. A process that was frozen does not see that the other side
/// has closed it, and collectors do so after a minute.
const IDLE_MAX: Duration = Duration::from_secs(30);

/// Posts what the exporter writes.
#[derive(Debug)]
pub struct Client(Connector);

impl Default for Client {
    /// A client with connections of its own, on the cryptography that starts quickly.
    fn default() -> Self {
        let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
        let connector = Connector::builder().pool_idle_timeout(IDLE_MAX).tls_provider(ring);
        Self(connector.build())
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = HttpRequest::try_from(request.map(SdkBody::from))?;
        let answered = self.0.call(request).await.map_err(|_| lost(Loss::Unreachable))?;
        let status = answered.status().as_u16();
        let body = Limited::new(answered.into_body(), ANSWER_BYTES_MAX).collect().await;
        if !(200..300).contains(&status) {
            return Err(lost(Loss::Refused(status)));
        }
        Ok(Response::new(body.map(Collected::to_bytes).unwrap_or_default()))
    }
}

fn lost(loss: Loss) -> HttpError {
    // Outside of an export nobody asks.
    let _ = LOSS.try_with(|lost| lost.set(Some(loss)));
    loss.into()
}
