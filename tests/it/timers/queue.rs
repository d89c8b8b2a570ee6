//! Sending many messages at once, to a queue that does not take all of them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use axum::body::Bytes;
use axum::extract::State;
use axum::{Json, Router};
use serde_json::{Value, json};
use shared::id::IntentId;
use shared::message::Message;
use shared::queue::{QueueError, Queues};
use tokio::net::TcpListener;

/// The bytes of one request that every region takes.
const REQUEST_BYTES_MAX: usize = 256 * 1024;

/// A queue that refuses each message whose body has `word` in it, so many times.
#[derive(Debug, Default)]
struct Moody {
    word: String,
    times: usize,
    refused: BTreeMap<String, usize>,
    /// Bodies and delays that were taken, request by request.
    requests: Vec<Vec<(String, u64)>>,
}

async fn moody(word: &str, times: usize) -> (Queues, Arc<Mutex<Moody>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let state = Arc::new(Mutex::new(Moody { word: word.to_owned(), times, ..Moody::default() }));
    let routes = Router::new().fallback(take).with_state(state.clone());
    tokio::spawn(async { axum::serve(listener, routes).await });
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(&endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .http_client(shared::boot::http_client())
        .build();
    let client = aws_sdk_sqs::Client::from_conf(config);
    let url = |name: &str| Some(format!("{endpoint}/{name}"));
    (Queues::new(client, url("turns"), url("wakes"), None), state)
}

async fn take(State(state): State<Arc<Mutex<Moody>>>, body: Bytes) -> Json<Value> {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let mut state = state.lock().unwrap();
    let (mut taken, mut failed, mut successful) = (vec![], vec![], vec![]);
    for entry in body["Entries"].as_array().unwrap() {
        let text = entry["MessageBody"].as_str().unwrap().to_owned();
        let (word, times) = (state.word.clone(), state.times);
        let refused = state.refused.entry(text.clone()).or_default();
        if !word.is_empty() && text.contains(&word) && *refused < times {
            *refused += 1;
            failed.push(json!({"Id": entry["Id"], "SenderFault": false, "Code": "InternalError"}));
        } else {
            successful.push(json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
            taken.push((text, entry["DelaySeconds"].as_u64().unwrap()));
        }
    }
    state.requests.push(taken);
    Json(json!({"Successful": successful, "Failed": failed}))
}

fn wake(n: u64) -> (Message, Duration) {
    let intent = IntentId::derived(&["wake", &n.to_string()]);
    let message = Message::Recover { tenant: format!("t{n}."), intent };
    (message, Duration::from_millis(n * 500))
}

fn taken(state: &Mutex<Moody>) -> Vec<(String, u64)> {
    state.lock().unwrap().requests.concat()
}

fn expected(messages: &[(Message, Duration)]) -> Vec<(String, u64)> {
    let text = |message: &Message| serde_json::to_string(message).unwrap();
    let seconds = |delay: &Duration| u64::try_from(delay.as_millis().div_ceil(1000)).unwrap();
    messages.iter().map(|(message, delay)| (text(message), seconds(delay))).collect()
}

#[tokio::test]
async fn ten_messages_go_out_with_each_request_and_each_has_its_own_delay() {
    let (queues, state) = moody("", 0).await;
    let messages: Vec<_> = (0..25).map(wake).collect();
    queues.send_all(&messages).await.unwrap();
    assert_eq!(taken(&state), expected(&messages));
    let sizes: Vec<_> = state.lock().unwrap().requests.iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 10, 5]);
    queues.send_all(&[]).await.unwrap();
    assert_eq!(state.lock().unwrap().requests.len(), 3, "nothing asks nothing");
}

#[tokio::test]
async fn a_request_holds_no_more_bytes_than_a_queue_takes() {
    let (queues, state) = moody("", 0).await;
    let large = |n: u64| {
        let (_, delay) = wake(n);
        let intent = IntentId::derived(&["large", &n.to_string()]);
        (Message::Recover { tenant: "x".repeat(100 * 1024), intent }, delay)
    };
    let messages: Vec<_> = (0..5).map(large).collect();
    queues.send_all(&messages).await.unwrap();
    let requests = state.lock().unwrap().requests.clone();
    for request in &requests {
        let bytes: usize = request.iter().map(|(text, _)| text.len()).sum();
        assert!(bytes <= REQUEST_BYTES_MAX, "{bytes} bytes in one request");
    }
    assert_eq!(requests.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
}

#[tokio::test]
async fn what_is_refused_is_sent_again_alone_and_what_was_taken_is_not() {
    let (queues, state) = moody("t3.", 2).await;
    let messages: Vec<_> = (0..12).map(wake).collect();
    queues.send_all(&messages).await.unwrap();
    let sizes: Vec<_> = state.lock().unwrap().requests.iter().map(Vec::len).collect();
    assert_eq!(sizes, [9, 0, 1, 2], "refused, refused again, taken, and the rest");
    let (mut taken, mut expected) = (taken(&state), expected(&messages));
    taken.sort();
    expected.sort();
    assert_eq!(taken, expected);
}

#[tokio::test]
async fn what_is_refused_again_and_again_fails_the_sending_and_says_why() {
    let (queues, state) = moody("t3.", usize::MAX).await;
    let messages: Vec<_> = (0..10).map(wake).collect();
    let error = queues.send_all(&messages).await.unwrap_err();
    assert!(matches!(error, QueueError::Refused { count: 1, .. }), "{error}");
    assert!(error.to_string().contains("InternalError"), "{error}");
    assert_eq!(taken(&state).len(), 9, "the others were taken");
    assert_eq!(state.lock().unwrap().requests.len(), 3);
}

#[tokio::test]
async fn messages_go_to_the_queues_that_they_belong_to() {
    let (queues, state) = moody("", 0).await;
    let intent = IntentId::derived(&["turn"]);
    let turn = (Message::Turn { tenant: "t".to_owned(), intent }, Duration::ZERO);
    queues.send_all(&[wake(1), turn, wake(2)]).await.unwrap();
    let sizes: Vec<_> = state.lock().unwrap().requests.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2], "a request for each queue");
}
