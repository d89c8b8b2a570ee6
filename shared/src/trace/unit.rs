//! A unit of work: a request, a message, a commit that is relayed, a look at the timers.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::Trace;
use super::current::within;
use super::span::{Kind, LINKS_MAX, Span};
use crate::id::IntentId;

/// The attribute that names a span's intent.
const INTENT: &str = "holdpoint.intent_id";

/// A unit of work that has begun.
#[derive(Clone, Debug)]
pub struct Unit {
    trace: Trace,
    /// There only where somebody collects spans, and this one.
    record: Option<Arc<Record>>,
}

/// What a span will say, as far as it is known before the work is over.
#[derive(Debug)]
pub(super) struct Record {
    parent: Option<Trace>,
    began_at: Timestamp,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    intent: Option<IntentId>,
    links: Vec<Trace>,
}

impl Unit {
    /// A unit of work that leaves no span.
    pub fn unrecorded(trace: Trace) -> Self {
        Self { trace, record: None }
    }

    /// A unit of work that leaves a span.
    pub fn recorded(trace: Trace, parent: Option<Trace>, began_at: Timestamp) -> Self {
        let record = Record { parent, began_at, noted: Mutex::default() };
        Self { trace, record: Some(Arc::new(record)) }
    }

    /// Its place.
    pub fn trace(&self) -> Trace {
        self.trace
    }

    /// Whether it leaves a span.
    pub fn is_recorded(&self) -> bool {
        self.record.is_some()
    }

    /// Runs `work` as this unit: what it sends and stores carries this trace on.
    pub async fn run<F: Future>(&self, work: F) -> F::Output {
        within(self.trace, self.record.clone(), work).await
    }

    /// Its span, as `told` of what it was; `None` where nobody collects it.
    pub fn end(&self, ended_at: Timestamp, told: impl FnOnce(Span) -> Span) -> Option<Span> {
        let record = self.record.as_ref()?;
        let noted = std::mem::take(&mut *record.noted());
        let span = told(Span {
            trace: self.trace,
            parent: record.parent,
            links: noted.links,
            kind: Kind::Internal,
            name: String::new(),
            began_at: record.began_at,
            // A clock that was set back meanwhile must not make it end before it began.
            ended_at: ended_at.max(record.began_at),
            attributes: vec![],
            has_failed: false,
        });
        Some(match noted.intent {
            Some(intent) => span.with(INTENT, intent.to_string()),
            None => span,
        })
    }
}

impl Record {
    pub(super) fn about(&self, intent: IntentId) {
        self.noted().intent = Some(intent);
    }

    pub(super) fn link(&self, to: Trace) {
        let mut noted = self.noted();
        if noted.links.len() < LINKS_MAX && !noted.links.contains(&to) {
            noted.links.push(to);
        }
    }

    fn noted(&self) -> std::sync::MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
