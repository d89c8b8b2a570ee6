//! A receiver of messages and notices that only remembers what came.

use std::sync::{Arc, Mutex};

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// One request: its headers and its body.
type Came = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

/// The receiver.
pub(crate) struct Recorder {
    pub(crate) endpoint: String,
    came: Came,
}

impl Recorder {
    /// Starts it on a loopback port; it ends with the test's runtime.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let came = Came::default();
        let routes = Router::new().fallback(take).with_state(came.clone());
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { endpoint, came }
    }

    /// A client of SQS that sends here.
    pub(crate) fn sqs(&self) -> aws_sdk_sqs::Client {
        let config = aws_sdk_sqs::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .http_client(shared::boot::http_client())
            .build();
        aws_sdk_sqs::Client::from_conf(config)
    }

    /// The messages that came since the last look, alone or together: queue, delay in seconds and body.
    pub(crate) fn sent(&self) -> Vec<(String, u64, Value)> {
        let came = std::mem::take(&mut *self.came.lock().unwrap());
        let messages = |(headers, body): (HeaderMap, Value)| {
            let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let entries = match headers["x-amz-target"].to_str().unwrap() {
                "AmazonSQS.SendMessage" => vec![body],
                "AmazonSQS.SendMessageBatch" => body["Entries"].as_array().unwrap().clone(),
                other => panic!("nothing sends by {other}"),
            };
            let message = move |entry: Value| {
                let text = entry["MessageBody"].as_str().unwrap();
                let delay_s = entry["DelaySeconds"].as_u64().unwrap();
                (queue.clone(), delay_s, serde_json::from_str(text).unwrap())
            };
            entries.into_iter().map(message)
        };
        came.into_iter().flat_map(messages).collect()
    }

    /// The pauses that were asked for since the last look: queue, receipt and seconds.
    pub(crate) fn postponed(&self) -> Vec<(String, String, u64)> {
        let came = std::mem::take(&mut *self.came.lock().unwrap());
        let pauses = |(headers, body): (HeaderMap, Value)| {
            assert_eq!(headers["x-amz-target"], "AmazonSQS.ChangeMessageVisibilityBatch");
            let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let entries = body["Entries"].as_array().unwrap().clone().into_iter();
            entries.map(move |entry| {
                let handle = entry["ReceiptHandle"].as_str().unwrap().to_owned();
                (queue.clone(), handle, entry["VisibilityTimeout"].as_u64().unwrap())
            })
        };
        came.into_iter().flat_map(pauses).collect()
    }

    /// The notices that came since the last look: id, body and signature.
    pub(crate) fn posted(&self) -> Vec<(String, Value, String)> {
        let came = std::mem::take(&mut *self.came.lock().unwrap());
        let header = |headers: &HeaderMap, name: &str| headers[name].to_str().unwrap().to_owned();
        let notice = |(headers, body): (HeaderMap, Value)| {
            (header(&headers, "webhook-id"), body, header(&headers, "webhook-signature"))
        };
        came.into_iter().map(notice).collect()
    }
}

async fn take(State(came): State<Came>, headers: HeaderMap, body: Bytes) -> Json<Value> {
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    came.lock().unwrap().push((headers, body));
    Json(json!({
        "MessageId": "recorded", "MD5OfMessageBody": "", "Successful": [], "Failed": [],
    }))
}
