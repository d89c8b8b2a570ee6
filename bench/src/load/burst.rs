//! More at once than the stack has places for.

use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::time::Instant;

use super::{Cast, Figures, waiting};
use crate::say;

pub(super) async fn run(cast: &Cast, count: usize, at_once: usize) {
    let figures = Figures::default();
    let begun = Instant::now();
    let sent = stream::iter(0..count).for_each_concurrent(at_once, |number| {
        let (figures, name) = (&figures, format!("burst-{number}"));
        async move {
            let _ = waiting::send(cast, figures, &name).await;
        }
    });
    sent.await;
    let took = begun.elapsed().as_secs_f64();
    let at_once = at_once.min(count);
    say(&format!("burst of {count}, {at_once} at once, over in {took:.1} s: {figures}"));
}
