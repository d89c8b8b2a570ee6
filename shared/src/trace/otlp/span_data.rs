//! Our spans in the SDK's words.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::trace::{
    Link, SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};

use super::super::{Kind, Span, Trace, Value};

/// Who says all this.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("holdpoint").with_version(env!("CARGO_PKG_VERSION")).build()
}

pub(super) fn span_data(span: Span, scope: &InstrumentationScope) -> SpanData {
    let mut links = SpanLinks::default();
    links.links.extend(span.links.iter().map(|link| Link::new(context(link), vec![], 0)));
    let attributes = span.attributes.into_iter().map(|(key, value)| match value {
        Value::Text(text) => KeyValue::new(key, text),
        Value::Number(number) => KeyValue::new(key, number),
    });
    SpanData {
        span_context: own_context(&span.trace),
        parent_span_id: span.parent.map_or(SpanId::INVALID, |parent| span_id(&parent)),
        parent_span_is_remote: span.parent.is_some(),
        span_kind: kind(span.kind),
        name: Cow::Owned(span.name),
        start_time: SystemTime::from(span.began_at),
        end_time: SystemTime::from(span.ended_at),
        attributes: attributes.collect(),
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links,
        // A code says what went wrong; a description would repeat it or say too much.
        status: if span.has_failed { Status::error("") } else { Status::Unset },
        instrumentation_scope: scope.clone(),
    }
}

/// A place that a hop has carried here.
pub(super) fn context(trace: &Trace) -> SpanContext {
    SpanContext::new(trace_id(trace), span_id(trace), flags(trace), true, TraceState::NONE)
}

pub(super) fn trace_id(trace: &Trace) -> TraceId {
    TraceId::from_bytes(trace.id_bytes())
}

fn own_context(trace: &Trace) -> SpanContext {
    SpanContext::new(trace_id(trace), span_id(trace), flags(trace), false, TraceState::NONE)
}

fn span_id(trace: &Trace) -> SpanId {
    SpanId::from_bytes(trace.span_bytes())
}

fn flags(trace: &Trace) -> TraceFlags {
    if trace.is_recorded() { TraceFlags::SAMPLED } else { TraceFlags::default() }
}

fn kind(kind: Kind) -> SpanKind {
    match kind {
        Kind::Server => SpanKind::Server,
        Kind::Consumer => SpanKind::Consumer,
        Kind::Internal => SpanKind::Internal,
    }
}
