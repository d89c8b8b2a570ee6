//! Spans by OTLP over HTTP, to whatever collects OpenTelemetry's traces.
//!
//! The ids are ours, since the logs and every hop have them, so the SDK's tracer is left out: its
//! sampler decides, its exporter writes, and one export carries all spans of an invocation.

mod client;
mod span_data;

use std::cell::Cell;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use opentelemetry::trace::{SpanKind, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{
    ExporterBuildError, RetryPolicy, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SamplingDecision, ShouldSample as _, SpanExporter as _};
use tracing::warn;
use url::Url;

pub use client::Client;
pub use opentelemetry_sdk::trace::Sampler;

use super::{Exporter, Span, Trace};
use span_data::{context, scope, span_data, trace_id};

/// How long an invocation waits for the collector, once, at its end.
pub const EXPORT_TIME_MAX: Duration = Duration::from_millis(500);
/// For how long a collector that did not answer is left alone, so that it does not make every
/// invocation wait.
pub const REST: Duration = Duration::from_secs(10);

/// What a deployment sets.
#[derive(Debug)]
pub struct Settings {
    /// Where spans are posted.
    pub endpoint: Url,
    /// What is sent with them, such as a key.
    pub headers: Vec<(String, String)>,
    /// What they all have in common: the function.
    pub resource: Vec<(String, String)>,
    /// Which are recorded.
    pub sampler: Sampler,
}

/// Posts spans to a collector.
#[derive(Debug)]
pub struct Otlp {
    exporter: SpanExporter,
    sampler: Sampler,
    /// Until when the collector is left alone, in milliseconds since 1970.
    rests_until_ms: AtomicI64,
    /// Spans that were lost meanwhile.
    lost: AtomicUsize,
}

/// Why spans were lost. The collector's address and its words stay out of it, and what is sent to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Loss {
    /// It took too long.
    #[error("the collector did not answer within {} ms", EXPORT_TIME_MAX.as_millis())]
    Slow,
    /// There is no way to it.
    #[error("the collector could not be reached")]
    Unreachable,
    /// It refused them.
    #[error("the collector answered with the status {0}")]
    Refused(u16),
    /// Another reason.
    #[error("the spans could not be written")]
    Unwritten,
}

tokio::task_local! {
    /// What became of the present export. The exporter tells it in words only, which have the address.
    static LOSS: Cell<Option<Loss>>;
}

impl Otlp {
    /// An exporter that posts by `client`.
    ///
    /// # Errors
    ///
    /// When the SDK takes the settings, or variables that it reads itself, for wrong.
    pub fn new(settings: Settings, client: Client) -> Result<Self, ExporterBuildError> {
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(client)
            .with_endpoint(settings.endpoint)
            .with_headers(settings.headers.into_iter().collect())
            .with_timeout(EXPORT_TIME_MAX)
            // A pause between two attempts would stop the thread, and the invocation with it.
            .with_retry_policy(RetryPolicy::disabled())
            .build()?;
        let resource = settings.resource.into_iter().map(|(key, value)| KeyValue::new(key, value));
        exporter.set_resource(&Resource::builder_empty().with_attributes(resource).build());
        Ok(Self {
            exporter,
            sampler: settings.sampler,
            rests_until_ms: AtomicI64::new(i64::MIN),
            lost: AtomicUsize::new(0),
        })
    }

    /// One attempt, whose end is waited for no longer than anybody may be kept waiting.
    async fn post(&self, spans: Vec<Span>) -> Result<(), Loss> {
        let scope = scope();
        let spans = spans.into_iter().map(|span| span_data(span, &scope)).collect();
        let posted = LOSS.scope(Cell::new(None), async {
            let posted = self.exporter.export(spans).await;
            posted.map_err(|_| LOSS.with(Cell::get).unwrap_or(Loss::Unwritten))
        });
        tokio::time::timeout(EXPORT_TIME_MAX, posted).await.unwrap_or(Err(Loss::Slow))
    }

    fn rests(&self, now: Timestamp) -> bool {
        now.as_millisecond() < self.rests_until_ms.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Exporter for Otlp {
    fn records(&self, trace: &Trace, parent: Option<&Trace>) -> bool {
        let parent = parent.map(|parent| Context::new().with_remote_span_context(context(parent)));
        let (id, kind) = (trace_id(trace), SpanKind::Internal);
        let judged = self.sampler.should_sample(parent.as_ref(), id, "", &kind, &[], &[]);
        judged.decision == SamplingDecision::RecordAndSample
    }

    async fn export(&self, spans: Vec<Span>) {
        let Some(now) = spans.iter().map(|span| span.ended_at).max() else { return };
        let count = spans.len();
        if self.rests(now) {
            self.lost.fetch_add(count, Ordering::Relaxed);
            return;
        }
        let Err(cause) = self.post(spans).await else { return };
        let lost = count + self.lost.swap(0, Ordering::Relaxed);
        warn!(lost, %cause, "spans could not be exported");
        if let (Loss::Slow, Ok(until)) = (cause, now.checked_add(REST)) {
            self.rests_until_ms.store(until.as_millisecond(), Ordering::Relaxed);
        }
    }
}
