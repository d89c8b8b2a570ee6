//! Moving intents on.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::resume;
use shared::http::{Body, Caller, Id};
use shared::intent::EVENT_SEQ_STEP;

/// An agent's result, or a person's answer.
pub(super) async fn resume(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    let intent = resume::read(&by, body)?.perform(&app, &by, id).await?;
    Ok(Json(resume::present(&intent)))
}

/// The end of an intent: completed, failed or canceled.
pub(super) async fn resolve(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    let command = resume::read_resolve(&by, &body)?;
    let intent = app.execute(id, &command, &[]).await?;
    let last = app.events(id, intent.seq.saturating_sub(EVENT_SEQ_STEP)).await?;
    Ok(Json(resume::present_resolved(&intent, last.records.last())))
}
