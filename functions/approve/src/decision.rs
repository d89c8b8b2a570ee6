//! Decisions by API.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::approval;
use shared::http::{Body, Caller, Id};

/// Decides an approval. What a repeated request says has been said already, so it changes nothing.
pub(super) async fn decide(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    let intent = approval::read(&body)?.perform(&app, &by, id).await?;
    Ok(Json(approval::present(id, &intent)))
}
