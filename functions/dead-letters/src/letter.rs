//! Dead letters, as administrators see them.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::dead_letter::{self, WireDeadLetters};
use shared::http::{Caller, DeadLetterPath, Query};
use shared::queue::Queues;

use super::redrive;

/// What was given up, oldest first.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    Query(wanted): Query<WireDeadLetters>,
) -> Result<Json<Value>, Error> {
    let (filter, after, limit) = wanted.read()?;
    let page = app.dead_letters(&by, filter, after, limit).await?;
    Ok(Json(dead_letter::list(&page)))
}

/// One dead letter, with what was to be done.
pub(super) async fn show(
    State(app): State<App>,
    Caller(by): Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> Result<Json<Value>, Error> {
    let letter = app.dead_letter(&by, &id).await?;
    Ok(Json(dead_letter::present(&letter)))
}

/// Sends a dead letter to its queue again.
pub(super) async fn redrive(
    State(app): State<App>,
    Extension(queues): Extension<Queues>,
    Caller(by): Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> Result<Json<Value>, Error> {
    let letter = redrive::redrive(&app, &queues, &by, &id).await?;
    Ok(Json(dead_letter::present(&letter)))
}

/// Forgets a dead letter.
pub(super) async fn forget(
    State(app): State<App>,
    Caller(by): Caller,
    DeadLetterPath(id): DeadLetterPath,
) -> Result<Json<Value>, Error> {
    app.drop_dead_letter(&by, &id).await?;
    Ok(Json(dead_letter::present_dropped(&id)))
}
