//! Looking at intents.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::intent::{LIST_DEFAULT, LIST_MAX};
use shared::http::wire::{check, event, intent};
use shared::http::{Caller, DOCUMENT, Id, Query};

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

/// The API's description. It changes with a deployment only.
pub(super) async fn document() -> impl IntoResponse {
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "public, max-age=300")];
    (headers, DOCUMENT)
}

/// Intents that were sent lately and that the caller may see, newest first.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    Query(list): Query<List>,
) -> Result<Json<Value>, Error> {
    let limit = check::limit(list.limit, LIST_DEFAULT, LIST_MAX)?;
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
    let stored = app.visible(&by, id).await?;
    Ok(Json(intent::envelope(&stored.intent)))
}

/// What happened to an intent.
pub(super) async fn events(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Query(Since { since }): Query<Since>,
) -> Result<Json<Value>, Error> {
    app.visible(&by, id).await?;
    let read = app.events(id, since).await?;
    Ok(Json(event::list(id, since, &read)))
}
