//! Streams that are answered as they go on: in this process, and by the binary that is deployed.

mod runtime;

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Response;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tests::{Manner, Table, World};
use tokio::time::Instant;

use crate::harness::{refused, turn};
use runtime::Runtime;

/// What a stream says where it has nothing to say.
const NOTHING_YET: &str = ": nothing yet\n\n";

/// The text of an answer's next part; `None` at its end.
async fn part(parts: &mut axum::body::BodyDataStream) -> Option<String> {
    let part: Bytes = parts.next().await?.unwrap();
    Some(String::from_utf8(part.to_vec()).unwrap())
}

/// The next part that says something, behind how many that say that there is nothing yet. The silence
/// is never longer than proxies wait.
async fn after_silence(parts: &mut axum::body::BodyDataStream) -> (u32, String) {
    let mut comments = 0;
    loop {
        let heard_at = Instant::now();
        let next = part(parts).await.unwrap();
        assert!(heard_at.elapsed() < Duration::from_secs(6), "{:?}", heard_at.elapsed());
        if next != NOTHING_YET {
            return (comments, next);
        }
        comments += 1;
    }
}

fn parts(answer: Response<Body>) -> axum::body::BodyDataStream {
    assert_eq!(answer.status().as_u16(), 200);
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    answer.into_body().into_data_stream()
}

#[tokio::test(start_paused = true)]
async fn events_come_one_after_another_then_silence_is_broken_and_the_end_is_said() {
    let (table, gate) = Table::gated().await;
    let world = World::set_up(table, |config| config.response_streaming = true).await;
    let id = turn(&world, "a").await;
    let path = format!("/v1/intents/{id}/events/stream?wait_seconds=60");
    let began_at = Instant::now();
    let mut parts = parts(world.open(&world.agent, &path).await);
    let first = part(&mut parts).await.unwrap();
    assert_eq!(first.matches("event: intent.").count(), 3, "{first}");
    assert!(first.ends_with("\n\n") && !first.contains("stream.timeout"));

    // Something happens, while the table does not answer every look.
    gate.treat_next(7, Some("Query"), Manner::Throttling);
    let claim = format!("/v1/intents/{id}/tool-calls/c/claim");
    world.post(&world.agent, &claim, &json!({"tool": "t"})).await;
    // How long the pauses of the SDK are after each throttled look is chance.
    let (before, second) = after_silence(&mut parts).await;
    assert!(second.starts_with("id: 8\nevent: intent.in_progress\n"), "{second}");
    let (after, last) = after_silence(&mut parts).await;
    let comments = before + after;
    assert!((9..=12).contains(&comments), "{comments} comments");
    assert!(last.starts_with("id: 10\nevent: stream.timeout\ndata: {"), "{last}");
    assert_eq!(part(&mut parts).await, None);
    let held = began_at.elapsed().as_secs_f64();
    assert!((60.0..61.0).contains(&held), "{held} s");
}

#[tokio::test(start_paused = true)]
async fn an_agent_hears_of_each_intent_on_one_connection_and_once() {
    let (table, _) = Table::gated().await;
    let world = World::set_up(table, |config| config.response_streaming = true).await;
    let path = "/v1/agents/a/intents/stream?wait_seconds=60";
    let mut parts = parts(world.open(&world.agent, path).await);
    assert_eq!(part(&mut parts).await.unwrap(), NOTHING_YET);
    for _ in 0..3 {
        world.pass(Duration::from_secs(1));
        let id = turn(&world, "a").await;
        let (_, next) = after_silence(&mut parts).await;
        assert!(next.contains(&id) && next.matches("event: ").count() == 1, "{next}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_refused_with_its_status() {
    let (table, _) = Table::gated().await;
    let world = World::set_up(table, |config| config.response_streaming = true).await;
    let unknown = format!("/v1/intents/{}/events/stream", crate::harness::nobody());
    refused(&world.get(&world.agent, &unknown).await, 404, "not_found");
    refused(&world.get("", &unknown).await, 401, "missing_platform_api_key");
}

/// The binary that is deployed, invoked for a response stream through the protocol of the Lambda
/// runtime: the first part of its answer comes while the stream is still held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deployed_binary_streams_its_answer_through_the_runtime() {
    let world = World::new().await;
    let id = turn(&world, "a").await;
    let runtime = Runtime::start(&world.table.endpoint).await;
    let event = |path: &str, query: &str| {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "headers": {"x-api-key": world.agent, "host": "stream.lambda-url.us-east-1.on.aws"},
            "requestContext": {
                "accountId": "anonymous", "apiId": "stream", "domainName": "stream",
                "domainPrefix": "stream", "requestId": "r", "routeKey": "$default",
                "stage": "$default", "time": "01/Jan/2030:00:00:00 +0000",
                "timeEpoch": 1_893_456_000_000_i64,
                "http": {
                    "method": "GET", "path": path, "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1", "userAgent": "test",
                },
            },
            "isBase64Encoded": false,
        })
    };
    let path = format!("/v1/intents/{id}/events/stream");
    let mut answer = runtime.invoke(&event(&path, "wait_seconds=4")).await;
    let (prelude, rest) = answer.prelude().await;
    assert_eq!(prelude["statusCode"], 200, "{prelude}");
    assert_eq!(prelude["headers"]["content-type"], "text/event-stream");
    let first = answer.until(rest, "\"seq\":6,").await;
    assert!(!first.contains("stream.timeout"), "{first}");

    let claim = format!("/v1/intents/{id}/tool-calls/c/claim");
    world.post(&world.agent, &claim, &json!({"tool": "t"})).await;
    let second = answer.until(String::new(), "\"seq\":10,").await;
    assert!(!second.contains("stream.timeout"), "told while it is held: {second}");
    let last = answer.until(String::new(), "\n\n").await;
    assert!(last.contains("event: stream.timeout"), "{last}");
    assert!(answer.ends().await);

    let mut refused = runtime.invoke(&event("/v1/intents", "")).await;
    let (prelude, _) = refused.prelude().await;
    assert_eq!(prelude["statusCode"], 404, "only streams are served so: {prelude}");
    let _: Value = prelude;
}
