//! Looking at intents, at oneself, and at what there is.

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::{capability, event, intent, me};
use shared::http::{Caller, DOCUMENT, Id, Query};

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

/// Who the caller is.
pub(super) async fn me(Caller(by): Caller) -> Json<Value> {
    Json(me::present(&by))
}

/// What is served here.
pub(super) async fn capabilities(_caller: Caller) -> Json<Value> {
    Json(capability::present())
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
    let history = app.events(id, 0).await?.records;
    Ok(Json(intent::envelope_with_steps(&found, &history)))
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
