//! HTTP to a deployment.

use std::net::IpAddr;
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url, redirect};
use serde_json::Value;

use crate::connection::ApiKey;
use crate::failure::{Failure, Problem};

const CONNECT_MAX: Duration = Duration::from_secs(10);
/// API Gateway answers for a silent function after 30 s.
const REQUEST_MAX: Duration = Duration::from_secs(35);
/// How long a stream may be silent beyond the wait that it was asked for.
const STREAM_GRACE: Duration = Duration::from_secs(15);
/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How often a request that may be repeated is sent.
const ATTEMPTS_MAX: u32 = 3;
/// The pause before it is sent again; each further pause is twice as long.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// A deployment, and the key to use there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Where it answers.
    pub(crate) base_url: String,
    /// Who asks.
    pub(crate) key: ApiKey,
}

/// A deployment that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
    key: HeaderValue,
}

impl Client {
    /// Prepares to ask `target`.
    pub(crate) fn new(target: &Target) -> Result<Self, Failure> {
        let local = check_url(&target.base_url)?;
        let mut key = HeaderValue::from_str(target.key.reveal())
            .map_err(|_| Failure::Usage("the API key has characters that no key has".to_owned()))?;
        key.set_sensitive(true);
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("holdpoint/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_MAX)
            // A redirect would carry the key to somebody else.
            .redirect(redirect::Policy::none());
        if local {
            builder = builder.no_proxy();
        }
        let http = builder.build().map_err(Failure::HttpClient)?;
        Ok(Self { http, base_url: target.base_url.trim_end_matches('/').to_owned(), key })
    }

    /// Where the deployment answers.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Asks. Callers build `path` from parts that are safe in one.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, Failure> {
        self.repeated(|| self.request(Method::GET, path)).await
    }

    /// Puts something in its place, which may be done twice.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.repeated(|| self.request(Method::PUT, path).json(body)).await
    }

    /// Asks for something to be done; sent once.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Result<Value, Failure> {
        self.once(self.request(Method::POST, path).json(body)).await
    }

    /// Asks for something to be removed; sent once.
    pub(crate) async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.once(self.request(Method::DELETE, path)).await
    }

    /// Asks for something to be done once, however often the request is sent.
    pub(crate) async fn post_idempotent(
        &self,
        path: &str,
        body: &Value,
        idempotency_key: &str,
    ) -> Result<Value, Failure> {
        let key = HeaderValue::from_str(idempotency_key).map_err(|_| {
            Failure::Usage("--idempotency-key may have printable ASCII characters only".to_owned())
        })?;
        let request =
            || self.request(Method::POST, path).header("idempotency-key", key.clone()).json(body);
        self.repeated(request).await
    }

    /// Opens an event stream that the service holds for up to `wait`.
    pub(crate) async fn stream(&self, path: &str, wait: Duration) -> Result<Response, Failure> {
        let request = self.request(Method::GET, path).header(ACCEPT, "text/event-stream");
        let sent = request.timeout(wait + STREAM_GRACE).send().await;
        let response = sent.map_err(|source| self.unreachable(source))?;
        if response.status() != StatusCode::OK {
            let status = response.status().as_u16();
            let body = self.body(response).await?;
            return Err(Failure::Answered(Problem::read(status, &body)));
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            return Ok(response);
        }
        Err(self.unreadable("it is no event stream"))
    }

    /// Somebody else's fault that may pass.
    pub(crate) fn unreachable(&self, source: reqwest::Error) -> Failure {
        // The path may hold what is none of a log's business.
        Failure::Unreachable { url: self.base_url.clone(), source: source.without_url() }
    }

    /// An answer that does not follow the contract.
    pub(crate) fn unreadable(&self, detail: impl Into<String>) -> Failure {
        Failure::Unreadable { url: self.base_url.clone(), detail: detail.into() }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base_url));
        request.header("x-api-key", self.key.clone()).timeout(REQUEST_MAX)
    }

    async fn repeated(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, Failure> {
        let mut pause = RETRY_PAUSE;
        for _ in 1..ATTEMPTS_MAX {
            match self.once(request()).await {
                Err(failure) if failure.is_passing() => tokio::time::sleep(pause).await,
                ended => return ended,
            }
            pause *= 2;
        }
        self.once(request()).await
    }

    async fn once(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = request.send().await.map_err(|source| self.unreachable(source))?;
        let status = response.status();
        let body = self.body(response).await?;
        if !status.is_success() {
            return Err(Failure::Answered(Problem::read(status.as_u16(), &body)));
        }
        serde_json::from_slice(&body).map_err(|error| self.unreadable(error.to_string()))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(error))? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(self.unreadable(format!("it is larger than {ANSWER_BYTES_MAX} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Refuses addresses that a key must not be sent to; tells whether it is this machine's own.
fn check_url(text: &str) -> Result<bool, Failure> {
    let wrong = |detail: &str| {
        Failure::Usage(format!("{text} cannot be used: {detail}, such as http://127.0.0.1:8080"))
    };
    let url: Url = text.parse().map_err(|_| wrong("give a URL with a scheme"))?;
    let host = url.host_str().ok_or_else(|| wrong("name a host"))?;
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    let local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    match url.scheme() {
        "https" => Ok(local),
        "http" if local => Ok(local),
        "http" => Err(wrong("plain http would show the key to the network; use https")),
        _ => Err(wrong("use http or https")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_never_crosses_a_network_in_the_clear() {
        for (url, local) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080/", true),
            ("http://[::1]:1", true),
            ("https://abc.execute-api.eu-central-1.amazonaws.com", false),
        ] {
            assert_eq!(check_url(url).unwrap(), local, "{url}");
        }
        for url in ["http://example.org", "http://10.0.0.1", "ftp://127.0.0.1", "127.0.0.1:80", ""]
        {
            assert!(check_url(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_host_that_only_begins_like_loopback_is_not_loopback() {
        assert!(check_url("http://127.evil.example").is_err());
    }
}
