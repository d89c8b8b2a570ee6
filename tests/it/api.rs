//! A running stack, as clients reach it.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tests::{Connection, Running};
use tokio::time::Instant;

/// The longest that any one answer takes.
const ANSWER_MAX: Duration = Duration::from_secs(40);
/// The pause between two looks at something that changes by itself.
const LOOK_AGAIN: Duration = Duration::from_millis(25);

/// A client with the keys of one stack.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    http: reqwest::Client,
    pub(crate) connection: Connection,
    /// The stack's process.
    pub(crate) stack: u32,
}

impl Api {
    /// A client for `running`.
    pub(crate) fn of(running: &Running) -> Self {
        // Another test of this process may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build();
        let (connection, stack) = (running.connection.clone(), running.id());
        Self { http: http.expect("a client"), connection, stack }
    }

    /// Sends one request; `None` if there was no whole answer, as from a stack that dies.
    pub(crate) async fn send(
        &self,
        method: Method,
        key: &str,
        path: &str,
        body: Option<&Value>,
    ) -> Option<(u16, String)> {
        let url = format!("{}{path}", self.connection.base_url);
        let mut request = self.http.request(method, url).header("x-api-key", key);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, response.text().await.ok()?))
    }

    /// Gets JSON as the agent.
    pub(crate) async fn get(&self, path: &str) -> Value {
        self.taken(Method::GET, &self.connection.agent_key, path, None).await
    }

    /// Posts as the agent.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Value {
        self.taken(Method::POST, &self.connection.agent_key, path, Some(body)).await
    }

    /// Puts as the administrator.
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Value {
        self.taken(Method::PUT, &self.connection.admin_key, path, Some(body)).await
    }

    /// Sends an intent and gives its id.
    pub(crate) async fn create(&self, body: &Value) -> String {
        let made = self.post("/v1/intents", body).await;
        made["intent_id"].as_str().expect("an id").to_owned()
    }

    /// The intent, as it stands.
    pub(crate) async fn intent(&self, id: &str) -> Value {
        self.get(&format!("/v1/intents/{id}")).await["intent"].clone()
    }

    /// What happened to an intent so far.
    pub(crate) async fn events(&self, id: &str) -> Vec<Value> {
        let read = self.get(&format!("/v1/intents/{id}/events")).await;
        read["events"].as_array().expect("a list").clone()
    }

    /// What waits for the reviewer.
    pub(crate) async fn tasks(&self) -> Vec<Value> {
        let key = &self.connection.reviewer_key;
        let read = self.taken(Method::GET, key, "/v1/me/tasks", None).await;
        read["tasks"].as_array().expect("a list").clone()
    }

    /// Decides a task as it was shown; whether the decision was taken.
    pub(crate) async fn decide(&self, task: &Value, decision: &str) -> bool {
        let body = json!({
            "decision": decision, "version": task["version"], "digest": task["digest"],
        });
        let path = format!("/v1/approvals/{}/decision", task["intent_id"].as_str().expect("an id"));
        let key = &self.connection.reviewer_key;
        let answer = self.send(Method::POST, key, &path, Some(&body)).await;
        answer.is_some_and(|(status, _)| status == 200)
    }

    async fn taken(&self, method: Method, key: &str, path: &str, body: Option<&Value>) -> Value {
        let answer = self.send(method, key, path, body).await;
        let (status, text) = answer.unwrap_or_else(|| panic!("{path}: no answer"));
        assert_eq!(status, 200, "{path}: {text}");
        serde_json::from_str(&text).expect("the answer is JSON")
    }
}

/// Looks at something until it is there.
pub(crate) async fn until<T>(
    at_most: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Option<T>,
) -> T {
    let end = Instant::now() + at_most;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < end, "{what}: not within {at_most:?}");
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// The time, by the clock that the stack's processes read as well.
pub(crate) fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "a stack in processes has the system's clock")]
    Timestamp::now()
}

/// An instant of an answer.
pub(crate) fn instant(value: &Value) -> Timestamp {
    let text = value.as_str().unwrap_or_else(|| panic!("{value} is no time"));
    text.parse().expect("a time")
}

/// Seconds from one instant to another; negative if it is earlier.
pub(crate) fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64()
}
