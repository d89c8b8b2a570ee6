//! Looking at intents.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::{event, intent};
use shared::http::{Caller, Id, Query};

/// The most intents that a list returns.
const LIST_MAX: usize = 100;
/// How many intents a list returns if its reader names no number.
const LIST_DEFAULT: usize = 20;

/// Which intents to list.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    status: Option<String>,
    limit: Option<usize>,
}

/// Where to go on reading events.
#[derive(Debug, Deserialize)]
pub(super) struct Since {
    #[serde(default)]
    since: u64,
}

/// Whether the function answers. It says nothing about who asks, and takes no key.
pub(super) async fn health() -> Json<Value> {
    Json(json!({"ok": true}))
}

/// Intents that were sent lately and that the caller may see, newest first.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    Query(list): Query<List>,
) -> Result<Json<Value>, Error> {
    let limit = list.limit.unwrap_or(LIST_DEFAULT).clamp(1, LIST_MAX);
    let status = list.status.as_deref().map(str::parse).transpose();
    let status = status.map_err(|error: shared::intent::status::UnknownStatus| {
        Error::field("status", error.to_string())
    })?;
    let found = app.recent(&by, status, limit).await?;
    Ok(Json(intent::list(&found)))
}

/// One intent.
pub(super) async fn get(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
) -> Result<Json<Value>, Error> {
    let found = app.visible(&by, id).await?.intent;
    if found.envelope.workflow.is_none() {
        return Ok(Json(intent::envelope(&found)));
    }
    let history = app.events_until(id, found.seq).await?;
    Ok(Json(intent::envelope_with_steps(&found, &history)))
}

/// What happened to an intent.
pub(super) async fn events(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Value>, Error> {
    let stored = app.visible(&by, id).await?;
    let records = app.events(id, since).await?;
    Ok(Json(event::list(&stored.intent, &records)))
}
