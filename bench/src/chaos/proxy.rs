//! What stands between the functions and their table and queues, and spoils what they say.
//!
//! Where a request goes is the first segment of its path, so that the proxy knows no address
//! beforehand and outlives the stacks behind it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::mishap::Mishap;
use super::pretence;
use super::weather::{Target, Weather};
use crate::Failure;

/// The largest request of either service, with room for JSON's escapes.
const BODY_BYTES_MAX: usize = 32 * 1024 * 1024;
/// How long a slow answer takes, in milliseconds.
const SLOW_MS: std::ops::Range<u64> = 50..1_500;
/// How long a message is held back, in milliseconds.
const HELD_MS: std::ops::Range<u64> = 200..6_000;
/// The longest that a service may take behind the proxy.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// A running proxy. It ends when it is dropped.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    _serving: JoinSet<()>,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed without an answer")]
struct Closed;

#[derive(Clone)]
struct Spoiler {
    http: reqwest::Client,
    weather: Weather,
}

/// A request as it came, on its way on.
#[derive(Clone)]
struct Errand {
    url: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Proxy {
    /// Starts a proxy on any free port of this machine's own address.
    pub(super) async fn start(weather: Weather) -> Result<Self, Failure> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build()?;
        let listening = Failure::system("listen for the functions");
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = bound.map_err(listening)?;
        let address = listener.local_addr().map_err(Failure::system("find its own port"))?;
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, Spoiler { http, weather }));
        Ok(Self { address, _serving: serving })
    }
}

async fn serve(listener: TcpListener, spoiler: Spoiler) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Small answers must not wait for acknowledgements; without it they come late, no more.
        let _: io::Result<()> = stream.set_nodelay(true);
        let spoiler = spoiler.clone();
        let service = service_fn(move |request| {
            let spoiler = spoiler.clone();
            async move { spoiler.answer(request).await }
        });
        connections.spawn(async move {
            // An error is a connection that was closed, by us or by a process that was killed.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Spoiler {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, Closed> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), BODY_BYTES_MAX).await.map_err(|_| Closed)?;
        let url = upstream(parts.uri.path()).ok_or(Closed)?;
        let target = parts.headers.get("x-amz-target").and_then(|name| name.to_str().ok());
        let operation = target.unwrap_or_default().to_owned();
        let mishap = target_of(&operation).and_then(|target| self.weather.next(target));
        let errand = Errand { url, headers: parts.headers, body };
        let Some(mishap) = mishap else { return self.forward(errand).await };
        match mishap {
            Mishap::TableThrottled => Ok(pretence::throttled()),
            Mishap::TableFailed | Mishap::QueueFailed => Ok(pretence::failed()),
            Mishap::TableConflict => Ok(pretence::in_conflict(&errand.body)),
            Mishap::TableUnheard => {
                tokio::time::sleep(self.weather.ms(SLOW_MS)).await;
                Err(Closed)
            }
            Mishap::TableUnanswered | Mishap::QueueUnanswered => {
                self.forward(errand).await?;
                Err(Closed)
            }
            Mishap::TableSlow | Mishap::QueueSlow => {
                tokio::time::sleep(self.weather.ms(SLOW_MS)).await;
                self.forward(errand).await
            }
            Mishap::QueueDropped => Ok(pretence::sent(&operation, &errand.body)),
            Mishap::QueueDoubled => {
                self.forward(errand.clone()).await?;
                self.forward(errand).await
            }
            Mishap::QueueHeld => {
                let answer = pretence::sent(&operation, &errand.body);
                let (spoiler, held) = (self.clone(), self.weather.ms(HELD_MS));
                tokio::spawn(async move {
                    tokio::time::sleep(held).await;
                    // The queue may be gone by then, as all of them are after a power cut.
                    let _ = spoiler.forward(errand).await;
                });
                Ok(answer)
            }
            // Whoever kills processes does it elsewhere.
            Mishap::FunctionKilled | Mishap::PowerCut => self.forward(errand).await,
        }
    }

    /// Sends it on; a service that is gone closes the connection here as well.
    async fn forward(&self, errand: Errand) -> Result<Response<Body>, Closed> {
        let mut headers = errand.headers;
        for own in [HOST, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(own);
        }
        let request = self.http.post(errand.url).headers(headers).body(errand.body);
        let answer = request.send().await.map_err(|_| Closed)?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        for own in [CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(own);
        }
        let body = answer.bytes().await.map_err(|_| Closed)?;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() =
            StatusCode::from_u16(status.as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// What an operation is to; nothing goes wrong with what names none of these.
fn target_of(operation: &str) -> Option<Target> {
    let (service, name) = operation.split_once('.')?;
    match (service.starts_with("DynamoDB"), name) {
        (true, "TransactWriteItems") => Some(Target::Transaction),
        (true, _) => Some(Target::Table),
        (false, "SendMessage" | "SendMessageBatch") => Some(Target::Send),
        (false, _) => None,
    }
}

/// `/127.0.0.1:4000/rest` leads to this machine's port 4000 and nowhere else.
fn upstream(path: &str) -> Option<String> {
    let (authority, rest) = path.strip_prefix('/')?.split_once('/').unwrap_or((path.get(1..)?, ""));
    let address: SocketAddr = authority.parse().ok()?;
    address.ip().is_loopback().then(|| format!("http://{address}/{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_goes_to_a_port_of_this_machine_and_nowhere_else() {
        let to = |path| upstream(path).unwrap_or_default();
        assert_eq!(to("/127.0.0.1:4000/"), "http://127.0.0.1:4000/");
        assert_eq!(to("/127.0.0.1:4000"), "http://127.0.0.1:4000/");
        assert_eq!(to("/127.0.0.1:4000/1/queue"), "http://127.0.0.1:4000/1/queue");
        for path in ["", "/", "/10.0.0.1:80/", "/example.com:80/", "//127.0.0.1:4000/"] {
            assert_eq!(to(path), "", "{path}");
        }
    }

    #[test]
    fn only_sending_goes_wrong_with_a_queue() {
        assert_eq!(target_of("AmazonSQS.SendMessage"), Some(Target::Send));
        assert_eq!(target_of("AmazonSQS.GetQueueAttributes"), None);
        assert_eq!(target_of("DynamoDB_20120810.TransactWriteItems"), Some(Target::Transaction));
        assert_eq!(target_of("DynamoDB_20120810.GetItem"), Some(Target::Table));
        assert_eq!(target_of(""), None);
    }
}
