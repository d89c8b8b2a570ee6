//! Many intents at once.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::list::{self, WireCleanup, WireList};
use shared::http::{Body, Caller, Query};

/// Intents that were sent lately and that the caller may see, newest first.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    Query(query): Query<WireList>,
) -> Result<Json<Value>, Error> {
    let page = app.sent(&by, &query.filter()?, query.from()?, query.limit()).await?;
    Ok(Json(list::present(&page)))
}

/// Cancels what has been live for too long.
pub(super) async fn bulk_cancel(
    State(app): State<App>,
    Caller(by): Caller,
    Body(body): Body<WireCleanup>,
) -> Result<Json<Value>, Error> {
    let is_dry_run = body.is_dry_run();
    let done = app.clean_up(&by, body.read(&by, app.now())?).await?;
    Ok(Json(list::present_cleanup(&done, is_dry_run)))
}
