//! Held streams.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use shared::app::App;
use shared::error::Error;
use shared::http::sse::{
    self, STREAMED_WAIT_SECONDS_MAX, WAIT_SECONDS_DEFAULT, WAIT_SECONDS_MAX, WAIT_SECONDS_MIN,
};
use shared::http::wire::event;
use shared::http::{AddressPath, Id, Knock, Query};
use shared::intent::Status;
use shared::intent::status::UnknownStatus;

/// Where to go on, how long to wait, and for what.
#[derive(Debug, Deserialize)]
pub(super) struct Hold {
    #[serde(default)]
    since: u64,
    wait_seconds: Option<u64>,
    status: Option<String>,
}

impl Hold {
    /// The wait, within what the platform allows. Readers that want more come back by themselves.
    fn wait(&self, app: &App) -> Result<Duration, Error> {
        let streamed = app.config().response_streaming;
        let seconds_max = if streamed { STREAMED_WAIT_SECONDS_MAX } else { WAIT_SECONDS_MAX };
        let (least, most) = (WAIT_SECONDS_MIN, STREAMED_WAIT_SECONDS_MAX);
        let asked = self.wait_seconds.unwrap_or(WAIT_SECONDS_DEFAULT);
        if !(least..=most).contains(&asked) {
            let detail = format!("is {asked}; send a number from {least} to {most}");
            return Err(Error::field("wait_seconds", detail));
        }
        Ok(Duration::from_secs(asked.min(seconds_max)))
    }

    /// The statuses that are named, with commas between them; `None` for whatever is live.
    fn statuses(&self) -> Result<Option<Vec<Status>>, Error> {
        let Some(list) = self.status.as_deref().filter(|list| !list.is_empty()) else {
            return Ok(None);
        };
        let statuses = list.split(',').map(|word| word.trim().parse());
        let wrong = |error: UnknownStatus| Error::field("status", error.to_string());
        statuses.collect::<Result<_, _>>().map(Some).map_err(wrong)
    }
}

/// Events of one intent, as they happen.
pub(super) async fn events(
    State(app): State<App>,
    knock: Knock,
    Id(id): Id,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    let mut listener = app.listen_to(id, hold.since, hold.wait(&app)?);
    knock.enter(&mut listener).await?;
    let as_it_comes = app.config().response_streaming;
    sse::answer(listener, as_it_comes, move |record| event::frame(id, record)).await
}

/// Intents that are an agent's to do, as they come.
pub(super) async fn offers(
    State(app): State<App>,
    knock: Knock,
    AddressPath(agent): AddressPath,
    Query(hold): Query<Hold>,
) -> Result<Response, Error> {
    let mut listener = app.listen_for(agent, hold.statuses()?, hold.since, hold.wait(&app)?);
    knock.enter(&mut listener).await?;
    let as_it_comes = app.config().response_streaming;
    sse::answer(listener, as_it_comes, |offered| event::offer_frame(offered.seq, &offered.intent))
        .await
}
