//! A model's host over HTTP: what it says, and what the worker makes of it.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use agent_worker::model::{Model, ModelError, OpenAi, OpenAiSettings};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use shared::agent::scripted;
use tokio::net::TcpListener;

use crate::stage::{Stage, failure, result};

const KEY: &str = "sk-test";

/// What the host says before it answers properly; for good, where `for_good` is set.
#[derive(Clone)]
struct Mood {
    status: StatusCode,
    body: &'static str,
    times: usize,
}

#[derive(Clone)]
struct Host {
    base_url: String,
    requests: Arc<AtomicUsize>,
}

const QUOTA: &str = r#"{"error": {"message": "m", "type": "insufficient_quota", "code": "q"}}"#;
const LIMIT: &str = r#"{"error": {"message": "m", "type": "requests", "code": "rate_limit"}}"#;
const KEYLESS: &str =
    r#"{"error": {"message": "secret words", "type": "t", "code": "invalid_api_key"}}"#;

#[tokio::test]
async fn a_whole_story_runs_over_http() {
    let host = serve(None).await;
    let stage = Stage::new().await;
    let id = stage.task().await;
    let intent = stage.play(&stage.worker_with(client(&host)), id).await;
    assert_eq!(result(&intent)["published"], true);
    assert_eq!(stage.reports(id).await.len(), 1);
    assert_eq!(host.requests.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_host_that_asks_for_patience_gets_it() {
    let mood = Mood { status: StatusCode::TOO_MANY_REQUESTS, body: LIMIT, times: 2 };
    let host = serve(Some(mood)).await;
    let response = client(&host).respond(&json!({"input": "hello"})).await.unwrap();
    assert_eq!(response["status"], "completed");
    assert_eq!(host.requests.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_wrong_key_ends_the_run_and_the_script_is_not_asked() {
    let mood = Mood { status: StatusCode::UNAUTHORIZED, body: KEYLESS, times: usize::MAX };
    let host = serve(Some(mood)).await;
    let stage = Stage::new().await;
    let id = stage.task().await;
    assert!(stage.deliver(&stage.worker_with(client(&host)), id).await);
    let intent = stage.intent(id).await;
    let (code, reason) = failure(&intent);
    assert_eq!(code, "model_unavailable");
    assert_eq!(
        reason,
        "the model's host refuses the request: status 401 (invalid_api_key): check OPENAI_API_KEY and what it may use"
    );
    assert_eq!(host.requests.load(Ordering::SeqCst), 1);
    assert_eq!(stage.reports(id).await, []);
}

#[tokio::test]
async fn errors_say_whether_later_is_worth_another_try() {
    check(503, "upstream is down", "status 503", true).await;
    check(429, LIMIT, "status 429 (rate_limit)", true).await;
    check(429, QUOTA, "status 429 (q): the account has no quota left", false).await;
    check(400, KEYLESS, "status 400 (invalid_api_key)", false).await;
    let lost = "status 404 (invalid_api_key): check OPENAI_BASE_URL and OPENAI_MODEL";
    check(404, KEYLESS, lost, false).await;
    check(403, "<html>a proxy</html>", "its answer is not the API's JSON", true).await;
}

async fn check(status: u16, body: &'static str, said: &str, retryable: bool) {
    let status = StatusCode::from_u16(status).unwrap();
    let host = serve(Some(Mood { status, body, times: usize::MAX })).await;
    let error = client(&host).respond(&json!({"input": "hello"})).await.unwrap_err();
    let said = said.to_owned();
    let expected =
        if retryable { ModelError::Unavailable(said) } else { ModelError::Refused(said) };
    assert_eq!(error, expected);
}

#[tokio::test]
async fn a_host_that_is_not_there_cannot_be_reached() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let host = Host { base_url, requests: Arc::default() };
    let error = client(&host).respond(&json!({})).await.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("it cannot be reached".to_owned()));
}

#[tokio::test]
async fn no_body_of_the_host_gets_into_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    for status in [StatusCode::OK, StatusCode::BAD_REQUEST, StatusCode::BAD_GATEWAY] {
        let host = serve(Some(Mood { status, body: "secret words", times: usize::MAX })).await;
        tracing::info!("asking");
        client(&host).respond(&json!({"input": "hello"})).await.unwrap_err();
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("asking"), "the log works");
    assert!(!text.contains("secret words"), "{text}");
}

fn client(host: &Host) -> Arc<OpenAi> {
    let settings = OpenAiSettings {
        api_key: KEY.to_owned(),
        base_url: host.base_url.clone(),
        model: "gpt-5-mini".to_owned(),
    };
    Arc::new(OpenAi::new(settings).unwrap())
}

async fn serve(mood: Option<Mood>) -> Host {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    let host = Host { base_url, requests: Arc::default() };
    let state = (mood, Arc::clone(&host.requests));
    let routes = Router::new().route("/v1/responses", post(respond)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    host
}

async fn respond(
    State((mood, requests)): State<(Option<Mood>, Arc<AtomicUsize>)>,
    headers: HeaderMap,
    Json(request): Json<Value>,
) -> Response {
    let before = requests.fetch_add(1, Ordering::SeqCst);
    let bearer = headers.get("authorization").and_then(|value| value.to_str().ok());
    assert_eq!(bearer, Some("Bearer sk-test"));
    match mood.filter(|mood| before < mood.times) {
        // Without a pause of its own the client waits by the clock.
        Some(mood) => (mood.status, [("retry-after", "0")], mood.body).into_response(),
        None => Json(scripted::respond(&request)).into_response(),
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
