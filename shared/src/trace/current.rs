//! The trace of whatever runs now. It decides nothing: it is only passed on and logged, so it does not
//! stand in every signature between.

use tracing::Span;
use tracing::field::display;

use super::{INTENT_ID, Trace};
use crate::id::IntentId;

tokio::task_local! {
    static CURRENT: Trace;
}

/// Runs `work` as a part of `trace`.
pub async fn within<F: Future>(trace: Trace, work: F) -> F::Output {
    CURRENT.scope(trace, work).await
}

/// The trace that this is a part of, if it is one.
pub fn current() -> Option<Trace> {
    CURRENT.try_with(|trace| *trace).ok()
}

/// Notes which intent the present unit of work is about, for every line of the log that it leaves.
pub fn about(intent: IntentId) {
    Span::current().record(INTENT_ID, display(intent));
}
