//! The trace of whatever runs now. It decides nothing: it is only passed on and logged, so it does not
//! stand in every signature between.

use std::sync::Arc;

use tracing::field::display;

use super::unit::Record;
use super::{INTENT_ID, Trace};
use crate::id::IntentId;

tokio::task_local! {
    static CURRENT: Current;
}

/// The unit of work that runs now.
#[derive(Clone, Debug)]
struct Current {
    trace: Trace,
    /// Where it is recorded: what becomes of it.
    record: Option<Arc<Record>>,
}

/// Runs `work` as the unit of work at `trace`.
pub(super) async fn within<F: Future>(
    trace: Trace,
    record: Option<Arc<Record>>,
    work: F,
) -> F::Output {
    CURRENT.scope(Current { trace, record }, work).await
}

/// The trace that this is a part of, if it is one.
pub fn current() -> Option<Trace> {
    CURRENT.try_with(|current| current.trace).ok()
}

/// Notes which intent the present unit of work is about, for its span and for every line of the log
/// that it leaves.
pub fn about(intent: IntentId) {
    tracing::Span::current().record(INTENT_ID, display(intent));
    noted(|record| record.about(intent));
}

/// Notes that the present unit of work goes on with what `left_by` has left, which may be another
/// trace: that of a request, where this is a wake-up weeks later.
pub fn follows(left_by: Option<Trace>) {
    let (Some(left_by), Some(trace)) = (left_by, current()) else { return };
    if left_by.is_recorded() && !left_by.is_with(&trace) {
        noted(|record| record.link(left_by));
    }
}

fn noted(note: impl FnOnce(&Record)) {
    // Outside of any unit there is nothing to note.
    let _ = CURRENT.try_with(|current| {
        if let Some(record) = &current.record {
            note(record);
        }
    });
}
