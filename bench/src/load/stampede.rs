//! Many who wait for one decision.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::{Cast, Figures, decisions, waiting};
use crate::client::Call;
use crate::say;

/// How long one stream is held, in seconds: the most that the platform allows.
const HOLD_SECONDS: u64 = 25;
/// How long listeners have to take their places before the decision.
const PLACES: Duration = Duration::from_secs(5);
/// How long it may take until the last of them is told.
const TOLD_MAX: Duration = Duration::from_mins(2);

pub(super) async fn run(cast: &Cast, listeners: usize) {
    let (other, told) = (Figures::default(), Figures::default());
    let Some(id) = waiting::send(cast, &other, "stampede").await else {
        return say("the stampede's intent was not taken");
    };
    let (decided, is_decided) = watch::channel(None);
    let path = format!("/v1/intents/{id}/events/stream?wait_seconds={HOLD_SECONDS}");
    let heard = join_all((0..listeners).map(|_| {
        let (path, is_decided, told, other) = (path.clone(), is_decided.clone(), &told, &other);
        async move {
            let listen = async {
                let mut since = 0;
                loop {
                    let call = Call::get(&cast.agent, format!("{path}&since={since}"));
                    let Some(answer) = cast.ask(other, &call).await else { continue };
                    if answer.text.contains("intent.completed") {
                        return;
                    }
                    since = last_seq(&answer.text).unwrap_or(since);
                }
            };
            if timeout(TOLD_MAX, listen).await.is_ok()
                && let Some(decided_at) = *is_decided.borrow()
            {
                told.took(Instant::now().saturating_duration_since(decided_at));
            }
        }
    }));
    let decide = async {
        sleep(PLACES).await;
        // Before the decision is sent: a listener may hear of it before the reviewer's answer comes.
        decided.send_replace(Some(Instant::now()));
        decisions::decide(cast, &other, &other, id).await;
    };
    tokio::join!(heard, decide);
    let count = told.successes();
    say(&format!(
        "stampede: {count} of {listeners} listeners were told, since the decision: {told}"
    ));
    say(&format!("  their requests: {other}"));
}

/// The number of the last event in an answer.
fn last_seq(text: &str) -> Option<u64> {
    let ids = text.lines().filter_map(|line| line.strip_prefix("id:"));
    ids.filter_map(|id| id.trim().parse().ok()).max()
}
