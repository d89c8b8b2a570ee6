//! The Lambda runtime as a function meets it, for one process that streams its answers.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt as _;
use serde_json::Value;
use tests::binaries::binary;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

const PREFIX: &str = "/2018-06-01/runtime/invocation";
/// Between what describes an answer and the answer.
const DELIMITER: [u8; 8] = [0; 8];
/// How long a part of an answer may take, on a machine that does other things.
const PART_MAX: Duration = Duration::from_secs(30);

/// One process of `intents`, and those who invoke it. The process is killed when this is dropped.
pub(super) struct Runtime {
    events: mpsc::Sender<Value>,
    answers: Mutex<mpsc::Receiver<Answer>>,
    process: std::process::Child,
}

/// An answer as it comes.
pub(super) struct Answer {
    parts: BodyDataStream,
    /// Tells the process that its answer has been taken.
    _taken: mpsc::Sender<()>,
}

struct Api {
    events: Mutex<mpsc::Receiver<Value>>,
    answers: mpsc::Sender<Answer>,
}

impl Runtime {
    /// Starts the process over the table at `endpoint`.
    pub(super) async fn start(endpoint: &str) -> Self {
        let (events, waiting) = mpsc::channel(8);
        let (answered, answers) = mpsc::channel(8);
        let api = Arc::new(Api { events: Mutex::new(waiting), answers: answered });
        let routes = Router::new()
            .route(&format!("{PREFIX}/next"), get(next))
            .route(&format!("{PREFIX}/{{id}}/response"), post(response))
            .with_state(api);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address").to_string();
        tokio::spawn(async { axum::serve(listener, routes).await });
        let intents = tokio::task::spawn_blocking(|| binary("intents")).await.expect("it builds");
        let process = Command::new(intents)
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", "IntentStreams")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
            .env("TABLE_NAME", "holdpoint")
            .env("STREAM_POLL_MS", "20")
            .env("RESPONSE_STREAMING", "true")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("intents runs");
        Self { events, answers: Mutex::new(answers), process }
    }

    /// Invokes the function and gives its answer as soon as it begins.
    pub(super) async fn invoke(&self, event: &Value) -> Answer {
        self.events.send(event.clone()).await.expect("the runtime listens");
        let mut answers = self.answers.lock().await;
        let answer = tokio::time::timeout(PART_MAX, answers.recv()).await;
        answer.expect("an answer begins").expect("the runtime listens")
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Answer {
    /// What describes the answer, and what came of it with that.
    pub(super) async fn prelude(&mut self) -> (Value, String) {
        let mut bytes = Vec::new();
        loop {
            let found = bytes.windows(DELIMITER.len()).position(|part| part == DELIMITER);
            if let Some(end) = found {
                let rest = bytes.split_off(end + DELIMITER.len());
                bytes.truncate(end);
                let prelude = serde_json::from_slice(&bytes).expect("a prelude is JSON");
                return (prelude, String::from_utf8(rest).expect("events are text"));
            }
            bytes.extend(self.part().await.expect("a prelude"));
        }
    }

    /// The text from here on, until `wanted` has come.
    pub(super) async fn until(&mut self, mut text: String, wanted: &str) -> String {
        while !text.contains(wanted) {
            let part = self.part().await.unwrap_or_else(|| panic!("no {wanted} in {text}"));
            text.push_str(std::str::from_utf8(&part).expect("events are text"));
        }
        text
    }

    /// Takes the rest, and says whether there was none. Only now is the process told that its answer
    /// was taken.
    pub(super) async fn ends(mut self) -> bool {
        self.part().await.is_none()
    }

    async fn part(&mut self) -> Option<Vec<u8>> {
        let part = tokio::time::timeout(PART_MAX, self.parts.next()).await.expect("a part");
        part.map(|part| part.expect("a whole part").to_vec())
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    let Some(event) = api.events.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let headers = [
        ("lambda-runtime-aws-request-id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"),
        ("lambda-runtime-deadline-ms", "4102444800000"),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:1:function:i"),
    ];
    (headers, Body::from(event.to_string())).into_response()
}

async fn response(
    State(api): State<Arc<Api>>,
    Path(_): Path<String>,
    request: Request,
) -> StatusCode {
    assert_streams(request.headers());
    let (taken, mut when_taken) = mpsc::channel(1);
    let parts = request.into_body().into_data_stream();
    api.answers.send(Answer { parts, _taken: taken }).await.expect("somebody invoked it");
    let _ = when_taken.recv().await;
    StatusCode::ACCEPTED
}

fn assert_streams(headers: &HeaderMap) {
    assert_eq!(headers["lambda-runtime-function-response-mode"], "streaming");
    assert_eq!(headers["content-type"], "application/vnd.awslambda.http-integration-response");
}
