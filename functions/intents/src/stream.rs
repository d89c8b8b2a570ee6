//! Held streams.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::app::App;
use shared::error::Error;
use shared::http::sse::{
    self, WAIT_SECONDS_ASKED_MAX, WAIT_SECONDS_DEFAULT, WAIT_SECONDS_MAX, WAIT_SECONDS_MIN,
};
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
    fn wait(&self) -> Result<Duration, Error> {
        let (min, max) = (WAIT_SECONDS_MIN, WAIT_SECONDS_ASKED_MAX);
        let asked = self.wait_seconds.unwrap_or(WAIT_SECONDS_DEFAULT);
        if !(min..=max).contains(&asked) {
            let detail = format!("is {asked}; send a number from {min} to {max}");
            return Err(Error::field("wait_seconds", detail));
        }
        Ok(Duration::from_secs(asked.min(WAIT_SECONDS_MAX)))
    }
}

/// Events of one intent, as they happen.
pub(super) async fn events(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    let wait = hold.wait()?;
    app.visible(&by, id).await?;
    let found = app.hold_events(id, hold.since, wait).await?;
    let frames: Vec<_> = found.items.iter().map(|record| event::frame(id, record)).collect();
    Ok(sse::answer(&frames, found.next_seq))
}

/// Intents that are an agent's to do, as they come.
pub(super) async fn offers(
    State(app): State<App>,
    Caller(by): Caller,
    AddressPath(agent): AddressPath,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    let wait = hold.wait()?;
    app.may_listen(&by, &agent)?;
    let found = app.hold_offers(&agent, hold.since, wait).await?;
    let frame = |(seq, intent): &(u64, _)| event::offer_frame(*seq, intent);
    let frames: Vec<_> = found.items.iter().map(frame).collect();
    Ok(sse::answer(&frames, found.next_seq))
}
