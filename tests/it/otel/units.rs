//! What each unit of work leaves, in this process.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use shared::trace::{Exporter, Kind, Span, Trace, Value};
use tests::World;

use crate::harness::{bare, create, question, text};
use crate::pump::Pump;

const CALLERS: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Keeps what it is given, an invocation's spans together. Whoever led to a span decides about it.
#[derive(Debug, Default)]
struct Shelf(Mutex<Vec<Vec<Span>>>);

#[async_trait]
impl Exporter for Shelf {
    fn records(&self, _: &Trace, parent: Option<&Trace>) -> bool {
        parent.is_none_or(Trace::is_recorded)
    }

    async fn export(&self, spans: Vec<Span>) {
        self.0.lock().unwrap().push(spans);
    }
}

impl Shelf {
    /// The exports since the last look.
    fn taken(&self) -> Vec<Vec<Span>> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }

    /// The spans since the last look that have this name.
    fn named(&self, name: &str) -> Vec<Span> {
        self.taken().into_iter().flatten().filter(|span| span.name == name).collect()
    }
}

fn says(span: &Span, name: &str) -> Option<String> {
    let found = span.attributes.iter().find(|(key, _)| *key == name);
    found.map(|(_, value)| match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
    })
}

async fn world() -> (World, Arc<Shelf>) {
    let shelf = Arc::<Shelf>::default();
    (World::traced(Arc::<Shelf>::clone(&shelf)).await, shelf)
}

#[tokio::test]
async fn a_request_is_named_by_its_route_and_failed_only_by_us() {
    let (world, shelf) = world().await;
    for (method, path, name, status) in [
        ("GET", "/v1/intents/nobody?q=1", "GET /v1/intents/{id}", "404"),
        ("GET", "/v1/nothing/secret", "GET", "404"),
        ("BREW", "/v1/intents", "HTTP /v1/intents", "405"),
    ] {
        let request = bare(method, path).header("x-api-key", &world.agent);
        let answer = world.send(request, text("")).await;
        let [export] = shelf.taken().try_into().unwrap();
        let [span] = <[Span; 1]>::try_from(export).unwrap();
        assert_eq!((span.name.as_str(), span.kind, span.parent), (name, Kind::Server, None));
        assert_eq!(says(&span, "http.response.status_code").as_deref(), Some(status));
        assert_eq!(answer.status.as_str(), status, "{}", answer.text);
        assert!(!span.has_failed, "the caller's mistake is no failure of ours: {span:?}");
        assert!(!format!("{span:?}").contains("secret") && !format!("{span:?}").contains("q=1"));
    }
}

#[tokio::test]
async fn a_caller_decides_whether_its_trace_is_recorded() {
    let (world, shelf) = world().await;
    let callers = Trace::parse(CALLERS).unwrap();
    for callers in [callers, callers.recorded(false)] {
        let request = bare("GET", "/v1/me").header("x-api-key", &world.agent);
        world.send(request.header("traceparent", callers.to_string()), text("")).await;
        let parents: Vec<_> = shelf.taken().into_iter().flatten().map(|span| span.parent).collect();
        let expected: &[_] = if callers.is_recorded() { &[Some(callers)] } else { &[] };
        assert_eq!(parents, expected);
    }
}

#[tokio::test]
async fn an_invocation_hands_over_its_spans_together_and_an_intents_are_about_it() {
    let (world, shelf) = world().await;
    let id = question(&world, "a", json!({"title": "May it?"})).await;
    let [created] = shelf.named("POST /v1/intents").try_into().unwrap();
    assert_eq!(says(&created, "holdpoint.intent_id"), Some(id.clone()));
    question(&world, "a", json!({"title": "And this?"})).await;
    shelf.taken();
    let mut pump = Pump::of(&world).await;
    pump.run().await;
    let exports = shelf.taken();
    let is_relays = |export: &&Vec<Span>| export.iter().all(|span| span.name == "relay commit");
    let relayed: Vec<_> = exports.iter().filter(is_relays).collect();
    assert_eq!(relayed.iter().map(|export| export.len()).collect::<Vec<_>>(), [2], "{exports:?}");
    let of_first = relayed[0].iter().find(|span| span.parent == Some(created.trace)).unwrap();
    assert!(of_first.trace.is_with(&created.trace) && of_first.trace != created.trace);
    assert_eq!(says(of_first, "holdpoint.intent_id"), Some(id));
    let sweeps = exports.iter().flatten().filter(|span| span.name == "sweep");
    assert!(sweeps.clone().all(|span| says(span, "faas.trigger").unwrap() == "timer"));
    assert_eq!(sweeps.count(), 1);
}

#[tokio::test]
async fn what_a_timer_brings_about_is_linked_to_what_set_it() {
    let (world, shelf) = world().await;
    let body = json!({"intent_type": "t", "to_agent": "a", "ttl_seconds": 60});
    create(&world, &body).await;
    let [created] = shelf.named("POST /v1/intents").try_into().unwrap();
    let mut pump = Pump::of(&world).await;
    pump.run().await;
    shelf.taken();
    pump.pass(Duration::from_mins(2)).await;
    let spans: Vec<_> = shelf.taken().into_iter().flatten().collect();
    let woken = spans.iter().find(|span| span.links == [created.trace]);
    let woken = woken.unwrap_or_else(|| panic!("nothing goes on with it: {spans:?}"));
    assert_eq!((woken.kind, woken.parent), (Kind::Consumer, None));
    assert!(!woken.trace.is_with(&created.trace));
    let relayed = spans.iter().filter(|span| span.parent == Some(woken.trace));
    assert!(relayed.count() > 0, "what follows is a part of the new one: {spans:?}");
}

#[tokio::test]
async fn a_message_that_fails_says_so_by_its_reasons_code() {
    let (world, shelf) = world().await;
    let queues = tests::no_queues();
    let waker = wake::Waker { app: world.app.clone(), queues };
    let arn = "arn:aws:sqs:us-east-1:123456789012:WakesQueue";
    let record = |id: &str, body: &str| {
        let attributes = json!({"ApproximateReceiveCount": "3"});
        json!({"messageId": id, "body": body, "eventSourceARN": arn, "attributes": attributes})
    };
    let batch = json!({"Records": [record("one", "no message"), record("two", "nor this")]});
    wake::handle(&waker, serde_json::from_value(batch).unwrap()).await.unwrap();
    let [export] = shelf.taken().try_into().unwrap();
    let ids: Vec<_> = export.iter().map(|span| says(span, "messaging.message.id")).collect();
    assert_eq!(ids, [Some("one".to_owned()), Some("two".to_owned())]);
    for span in &export {
        assert!(span.has_failed && span.name == "process WakesQueue", "{span:?}");
        assert_eq!(says(span, "error.type").as_deref(), Some("unreadable"));
        assert_eq!(says(span, "holdpoint.attempt").as_deref(), Some("3"));
        assert!(!format!("{span:?}").contains("no message"), "{span:?}");
    }
}
