//! Beginning units of work, and handing over the spans that they leave.

use super::App;
use crate::trace::{Span, Trace, Unit};

impl App {
    /// The next unit of work of the trace that led to it, or the first of a new one.
    pub fn begin(&self, parent: Option<Trace>) -> Unit {
        let trace = match parent {
            Some(parent) => parent.next(self.random()),
            None => Trace::begin(self.random()),
        };
        let Some(exporter) = &self.inner.exporter else { return Unit::unrecorded(trace) };
        let is_recorded = exporter.records(&trace, parent.as_ref());
        let trace = trace.recorded(is_recorded);
        if is_recorded {
            Unit::recorded(trace, parent, self.now())
        } else {
            Unit::unrecorded(trace)
        }
    }

    /// Hands over the spans of an invocation, at its end.
    pub async fn export(&self, spans: Vec<Span>) {
        if let Some(exporter) = self.inner.exporter.as_ref().filter(|_| !spans.is_empty()) {
            exporter.export(spans).await;
        }
    }
}
