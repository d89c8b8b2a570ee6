//! A client of the API that does not give up at once, as real ones do not.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use crate::Failure;

/// The longest that any one answer takes.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// How often one thing is asked before it is given up for now.
const TRIES_MAX: u32 = 14;
/// The pauses between two tries grow from the first to the last of these.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(2);
/// The longest wait that a server may ask for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(10);

/// Asks one stack.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base_url: String,
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    pub(crate) key: &'a str,
    pub(crate) path: String,
    pub(crate) body: Option<Value>,
    pub(crate) idempotency_key: Option<&'a str>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Seconds after which to come back, if the answer names them.
    pub(crate) retry_after_s: Option<u64>,
    pub(crate) text: String,
}

impl<'a> Call<'a> {
    pub(crate) fn get(key: &'a str, path: impl Into<String>) -> Self {
        Self { method: Method::GET, key, path: path.into(), body: None, idempotency_key: None }
    }

    pub(crate) fn post(key: &'a str, path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::POST, body: Some(body), ..Self::get(key, path) }
    }

    pub(crate) fn put(key: &'a str, path: impl Into<String>, body: Value) -> Self {
        Self { method: Method::PUT, body: Some(body), ..Self::get(key, path) }
    }

    #[must_use]
    pub(crate) fn under(self, idempotency_key: &'a str) -> Self {
        Self { idempotency_key: Some(idempotency_key), ..self }
    }
}

impl Answer {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Its body, as JSON; null if it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn may_pass(&self) -> bool {
        self.status >= 500 || self.status == 429
    }
}

impl Client {
    pub(crate) fn new(base_url: &str) -> Result<Self, Failure> {
        // Somebody else in this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build()?;
        Ok(Self { http, base_url: base_url.to_owned() })
    }

    /// Asks once; `None` if there was no whole answer.
    pub(crate) async fn ask_once(&self, call: &Call<'_>) -> Option<Answer> {
        let url = format!("{}{}", self.base_url, call.path);
        let mut request = self.http.request(call.method.clone(), url).header("x-api-key", call.key);
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        if let Some(key) = call.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after_s = retry_after.and_then(|it| it.to_str().ok()?.parse().ok());
        Some(Answer { status, retry_after_s, text: response.text().await.ok()? })
    }

    /// Asks until there is an answer that will not change by asking again; the last one otherwise.
    pub(crate) async fn ask(&self, call: &Call<'_>) -> Option<Answer> {
        let mut pause = PAUSE_MIN;
        let mut last = None;
        for _ in 0..TRIES_MAX {
            last = self.ask_once(call).await;
            let asked_for = match &last {
                Some(answer) if !answer.may_pass() => break,
                Some(answer) => answer.retry_after_s.map(Duration::from_secs),
                None => None,
            };
            tokio::time::sleep(asked_for.unwrap_or(pause).min(RETRY_AFTER_MAX)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
        last
    }

    /// Asks for something without which nothing can begin.
    pub(crate) async fn taken(&self, call: &Call<'_>) -> Result<Value, Failure> {
        match self.ask(call).await {
            Some(answer) if answer.is_success() => Ok(answer.json()),
            other => Err(Failure::Refused {
                what: format!("{} {}", call.method, call.path),
                status: other.map_or(0, |answer| answer.status),
            }),
        }
    }
}
