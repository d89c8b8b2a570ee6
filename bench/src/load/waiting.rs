//! Many intents that wait for a person.

use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::{Value, json};
use shared::id::IntentId;
use tokio::time::Instant;

use super::{Cast, Figures};
use crate::client::{Answer, Call};
use crate::say;

/// Requests under way at once.
const AT_ONCE_MAX: usize = 16;
/// Longer than any run, in seconds.
const TTL_SECONDS: u64 = 86_400;

pub(super) async fn run(cast: &Cast, count: usize) {
    let figures = Figures::default();
    let begun = Instant::now();
    let sent = stream::iter(0..count).for_each_concurrent(AT_ONCE_MAX, |number| {
        let (figures, name) = (&figures, format!("waiting-{number}"));
        async move {
            let _ = send(cast, figures, &name).await;
        }
    });
    sent.await;
    let took = begun.elapsed().as_secs_f64();
    let made = figures.successes();
    say(&format!(
        "{made} of {count} wait, sent in {took:.1} s by {AT_ONCE_MAX} at once: {figures}"
    ));
}

/// Sends a question, until it is taken.
pub(super) async fn send(cast: &Cast, figures: &Figures, name: &str) -> Option<IntentId> {
    let body = json!({
        "intent_type": "load.v1", "to_agent": "agent://agent_core", "ttl_seconds": TTL_SECONDS,
        "payload": {"name": name}, "human_task": {"title": "May it?"},
    });
    let call = Call::post(&cast.agent, "/v1/intents", body).under(name);
    let answer = cast.insist(figures, &call).await.filter(Answer::is_success)?;
    let id = answer.json().get("intent_id").and_then(Value::as_str)?.parse().ok()?;
    cast.books.note().made.insert(id);
    Some(id)
}
