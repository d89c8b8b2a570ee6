//! What agents of their own need to stop at a hold point and to go on later, in another process.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::suspend::{self, WireClaim, WireFinish, WireSuspend};
use shared::http::{Body, BodyMax, CallPath, Caller, Id, RUN_STATE_BODY_BYTES_MAX};

/// Stores the agent's run state and asks people, in one transaction.
pub(super) async fn suspend(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
    BodyMax(body): BodyMax<RUN_STATE_BODY_BYTES_MAX, WireSuspend>,
) -> Result<Json<Value>, Error> {
    let (command, attachments) = body.read(&by, app.now())?;
    let intent = app.execute(id, &command, &attachments).await?;
    let children = app.children(&intent).await?;
    Ok(Json(suspend::present(&intent, &children)))
}

/// The run state, and what became of the questions.
pub(super) async fn checkpoint(
    State(app): State<App>,
    Caller(by): Caller,
    Id(id): Id,
) -> Result<Json<Value>, Error> {
    let stored = app.visible(&by, id).await?;
    let checkpoint = app.store().checkpoint(app.tenant(), id).await?;
    let children = app.children(&stored.intent).await?;
    Ok(Json(suspend::present_checkpoint(&stored.intent, checkpoint.as_ref(), &children)))
}

/// Claims a tool call: what may run once runs at most once.
pub(super) async fn claim(
    State(app): State<App>,
    Caller(by): Caller,
    CallPath { intent, call_id }: CallPath,
    Body(body): Body<WireClaim>,
) -> Result<Json<Value>, Error> {
    let call = body.read(call_id)?;
    let claimed = app.claim(&by, None, intent, &call).await?;
    Ok(Json(suspend::present_claim(&claimed)))
}

/// Takes what a claimed tool call gave.
pub(super) async fn complete(
    State(app): State<App>,
    Caller(by): Caller,
    CallPath { intent, call_id }: CallPath,
    Body(body): Body<WireFinish>,
) -> Result<Json<Value>, Error> {
    let claim_token = body.claim_token.clone();
    app.finish_call(&by, intent, &claim_token, body.read(call_id)?).await?;
    Ok(Json(serde_json::json!({"ok": true})))
}
