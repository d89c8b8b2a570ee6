//! A collector of traces on this machine, which reads what it is sent as any other would.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use data_encoding::HEXLOWER;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use prost::Message as _;
use tokio::net::TcpListener;

/// How it answers.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mood {
    /// It takes everything.
    Taking,
    /// It takes nothing.
    Refusing,
    /// It never answers.
    Silent,
}

/// A span as it was sent.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) service: String,
    pub(super) name: String,
    pub(super) kind: SpanKind,
    pub(super) trace: String,
    pub(super) id: String,
    /// Empty for the first of a trace.
    pub(super) parent: String,
    pub(super) links: Vec<String>,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) has_failed: bool,
}

#[derive(Debug, Default)]
struct Taken {
    bodies: Vec<Bytes>,
    headers: Vec<HeaderMap>,
}

/// The collector. It is there until its runtime ends.
#[derive(Clone, Debug)]
pub(super) struct Collector {
    pub(super) endpoint: String,
    taken: Arc<Mutex<Taken>>,
}

impl Collector {
    pub(super) async fn start(mood: Mood) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let taken = Arc::<Mutex<Taken>>::default();
        let state = (mood, Arc::clone(&taken));
        let routes = Router::new().route("/v1/traces", post(take)).with_state(state);
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { endpoint, taken }
    }

    /// An address at which nobody listens.
    pub(super) fn absent() -> Self {
        Self { endpoint: "http://127.0.0.1:1".to_owned(), taken: Arc::default() }
    }

    /// How many exports have come.
    pub(super) fn exports(&self) -> usize {
        self.taken.lock().unwrap().bodies.len()
    }

    /// Whether any span says `text` anywhere.
    pub(super) fn says(&self, text: &str) -> bool {
        assert!(!text.is_empty());
        let taken = self.taken.lock().unwrap();
        let has = |body: &Bytes| body.windows(text.len()).any(|part| part == text.as_bytes());
        taken.bodies.iter().any(has)
    }

    /// What each export was sent with, under this name.
    pub(super) fn headers(&self, name: &str) -> Vec<String> {
        let taken = self.taken.lock().unwrap();
        let header = |headers: &HeaderMap| headers[name].to_str().unwrap().to_owned();
        taken.headers.iter().map(header).collect()
    }

    /// Every span so far.
    pub(super) fn spans(&self) -> Vec<Received> {
        let taken = self.taken.lock().unwrap();
        let mut spans = Vec::new();
        for body in &taken.bodies {
            let request = ExportTraceServiceRequest::decode(body.clone()).unwrap();
            for group in request.resource_spans {
                let service =
                    attributes(&group.resource.unwrap().attributes)["service.name"].clone();
                for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                    spans.push(Received {
                        service: service.clone(),
                        kind: span.kind(),
                        trace: HEXLOWER.encode(&span.trace_id),
                        id: HEXLOWER.encode(&span.span_id),
                        parent: HEXLOWER.encode(&span.parent_span_id),
                        links: span.links.iter().map(|it| HEXLOWER.encode(&it.trace_id)).collect(),
                        attributes: attributes(&span.attributes),
                        has_failed: span.status.is_some_and(|it| it.code() == SpanStatus::Error),
                        name: span.name,
                    });
                }
            }
        }
        spans
    }
}

async fn take(
    State((mood, taken)): State<(Mood, Arc<Mutex<Taken>>)>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    {
        let mut taken = taken.lock().unwrap();
        taken.bodies.push(body);
        taken.headers.push(headers);
    }
    match mood {
        Mood::Taking => StatusCode::OK,
        Mood::Refusing => StatusCode::SERVICE_UNAVAILABLE,
        Mood::Silent => std::future::pending().await,
    }
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => panic!("{other:?} is no text and no number"),
    }
}
