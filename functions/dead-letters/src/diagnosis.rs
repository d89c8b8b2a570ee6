//! What is wrong with the deployment.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use shared::app::App;
use shared::diagnosis::Settings;
use shared::error::Error;
use shared::http::Caller;
use shared::http::wire::diagnosis;

/// What each check finds.
pub(super) async fn show(
    State(app): State<App>,
    Extension(settings): Extension<Settings>,
    Caller(by): Caller,
) -> Result<Json<Value>, Error> {
    let facts = app.facts(&by, settings).await?;
    Ok(Json(diagnosis::present(&facts)))
}
