//! Moving intents on.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::policy::{self, WireChange};
use shared::http::wire::resume;
use shared::http::{Body, Id, OnBehalf};
use shared::intent::{Command, EVENT_SEQ_STEP};

/// An agent's result, or a person's answer.
pub(super) async fn resume(
    State(app): State<App>,
    OnBehalf { by, .. }: OnBehalf,
    Id(id): Id,
    Body(mut body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    let generation = resume::take_generation(&mut body)?;
    let intent = resume::read(&by, body)?.perform(&app, &by, id, generation).await?;
    Ok(Json(resume::present(&intent)))
}

/// The end of an intent: completed, failed or canceled.
pub(super) async fn resolve(
    State(app): State<App>,
    OnBehalf { by, .. }: OnBehalf,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    let command = resume::read_resolve(&by, &body)?;
    let intent = app.execute(id, &command, &[]).await?;
    let last = app.events(id, intent.seq.saturating_sub(EVENT_SEQ_STEP)).await?;
    Ok(Json(resume::present_resolved(&intent, last.records.last())))
}

/// The agent's word that it has it.
pub(super) async fn acknowledge(
    State(app): State<App>,
    OnBehalf { by, .. }: OnBehalf,
    Id(id): Id,
) -> Result<Json<Value>, Error> {
    let intent = app.execute(id, &Command::Acknowledge { by, turn: None }, &[]).await?;
    Ok(Json(resume::present(&intent)))
}

/// Other controls than it was sent with.
pub(super) async fn controls(
    State(app): State<App>,
    OnBehalf { by, .. }: OnBehalf,
    Id(id): Id,
    Body(body): Body<WireChange>,
) -> Result<Json<Value>, Error> {
    let intent = app.execute(id, &body.controls(&by, app.now())?, &[]).await?;
    Ok(Json(policy::present(&intent)))
}

/// Another policy than it was sent with.
pub(super) async fn policy(
    State(app): State<App>,
    OnBehalf { by, .. }: OnBehalf,
    Id(id): Id,
    Body(body): Body<WireChange>,
) -> Result<Json<Value>, Error> {
    let intent = app.execute(id, &body.policy(&by, app.now())?, &[]).await?;
    Ok(Json(policy::present(&intent)))
}
