//! Decisions at a steady rate: each is of an intent that was just sent, looked at and decided as it
//! was shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use shared::id::IntentId;
use tokio::time::{Instant, sleep_until};

use super::{Cast, Figures, waiting};
use crate::client::{Answer, Call};
use crate::say;

/// Decisions under way at once; beyond that the rate is not kept, and the report says so.
const AT_ONCE_MAX: usize = 128;

pub(super) async fn run(cast: &Cast, per_second: u32, lasts: Duration) {
    let (sending, looking, deciding) = (Figures::default(), Figures::default(), Figures::default());
    let begun = Instant::now();
    let end = begun + lasts;
    let every = Duration::from_secs(1) / per_second.max(1);
    let begun_count = Arc::new(AtomicUsize::new(0));
    let due = stream::unfold(begun, |due| async move {
        sleep_until(due).await;
        (Instant::now() < end).then_some(((), due + every))
    });
    let made = due.for_each_concurrent(AT_ONCE_MAX, |()| {
        let number = begun_count.fetch_add(1, Ordering::Relaxed);
        let (sending, looking, deciding) = (&sending, &looking, &deciding);
        async move {
            let name = format!("decided-{number}");
            let Some(id) = waiting::send(cast, sending, &name).await else { return };
            decide(cast, looking, deciding, id).await;
        }
    });
    made.await;
    let took = begun.elapsed().as_secs_f64();
    let done = u32::try_from(deciding.successes()).unwrap_or(u32::MAX);
    let rate = f64::from(done) / took;
    say(&format!("{done} decided in {took:.1} s, {rate:.1} a second of {per_second} asked for"));
    say(&format!("  sending: {sending}"));
    say(&format!("  looking: {looking}"));
    say(&format!("  deciding: {deciding}"));
}

/// Looks at an intent and decides what is shown.
pub(super) async fn decide(
    cast: &Cast,
    looking: &Figures,
    deciding: &Figures,
    id: IntentId,
) -> Option<()> {
    let call = Call::get(&cast.reviewer, format!("/v1/intents/{id}"));
    let shown = cast.insist(looking, &call).await.filter(Answer::is_success)?.json();
    let part = |name: &str| shown.pointer(&format!("/hold/{name}")).cloned();
    let body = json!({
        "decision": "approve",
        "version": part("version").unwrap_or(Value::Null),
        "digest": part("digest").unwrap_or(Value::Null),
    });
    let call = Call::post(&cast.reviewer, format!("/v1/approvals/{id}/decision"), body);
    cast.books.note().unsure.insert(id);
    cast.insist(deciding, &call).await.filter(Answer::is_success)?;
    let mut promises = cast.books.note();
    promises.decided.insert(id);
    promises.unsure.remove(&id);
    Some(())
}
