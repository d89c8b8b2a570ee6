//! Held streams.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::app::App;
use shared::error::Error;
use shared::http::sse::{self, WAIT_SECONDS_DEFAULT, WAIT_SECONDS_MAX, WAIT_SECONDS_MIN};
use shared::http::wire::event;
use shared::http::{AddressPath, Caller, Id, Query};

/// Where to go on, and how long to wait.
#[derive(Debug, Deserialize)]
pub(super) struct Hold {
    #[serde(default)]
    since: u64,
    wait_seconds: Option<u64>,
}

impl Hold {
    /// The wait, within what the gateway allows. Readers that want more come back by themselves.
    fn wait(&self) -> Duration {
        let seconds = self.wait_seconds.unwrap_or(WAIT_SECONDS_DEFAULT);
        Duration::from_secs(seconds.clamp(WAIT_SECONDS_MIN, WAIT_SECONDS_MAX))
    }
}

/// Events of one intent, as they happen.
pub(super) async fn events(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    let stored = app.visible(&by, id).await?;
    let found = app.hold_events(id, hold.since, hold.wait()).await?;
    Ok(sse::answer(&event::frames(&stored.intent, &found.items), found.next_seq))
}

/// Intents that are an agent's to do, as they come.
pub(super) async fn offers(
    State(app): State<App>,
    Caller(by): Caller,
    AddressPath(agent): AddressPath,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    app.may_listen(&by, &agent)?;
    let found = app.hold_offers(&agent, hold.since, hold.wait()).await?;
    let frame = |(seq, intent): &(u64, _)| event::offer_frame(*seq, intent);
    let frames: Vec<_> = found.items.iter().map(frame).collect();
    Ok(sse::answer(&frames, found.next_seq))
}
