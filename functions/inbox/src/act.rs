//! What readers of a thread do there.

use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value};
use shared::app::{App, Reader};
use shared::error::Error;
use shared::http::wire::inbox::{self, WireDelegate, WireHiding, WireReply};
use shared::http::{Body, Id, IdempotencyKey, OnBehalf};
use shared::id::IntentId;

/// Leaves a message.
pub(super) async fn reply(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Id(id): Id,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<WireReply>,
) -> Result<Json<Value>, Error> {
    let reader = Reader { by: &by, named: owner.as_ref() };
    let thread = app.reply(reader, id, body.read()?, key.as_deref()).await?;
    Ok(Json(inbox::present(&thread)))
}

/// Passes the thread on.
pub(super) async fn delegate(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Id(id): Id,
    Body(body): Body<WireDelegate>,
) -> Result<Json<Value>, Error> {
    let (to, note) = body.read()?;
    let thread = app.delegate(Reader { by: &by, named: owner.as_ref() }, id, &to, note).await?;
    Ok(Json(inbox::present(&thread)))
}

/// Says yes to what the thread asks.
pub(super) async fn approve(
    State(app): State<App>,
    who: OnBehalf,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    answer(&app, &who, id, &body, true).await
}

/// Says no to what the thread asks.
pub(super) async fn reject(
    State(app): State<App>,
    who: OnBehalf,
    Id(id): Id,
    Body(body): Body<Map<String, Value>>,
) -> Result<Json<Value>, Error> {
    answer(&app, &who, id, &body, false).await
}

async fn answer(
    app: &App,
    OnBehalf { by, owner }: &OnBehalf,
    id: IntentId,
    body: &Map<String, Value>,
    approves: bool,
) -> Result<Json<Value>, Error> {
    let said = inbox::read_answer(body, approves)?;
    let reader = Reader { by, named: owner.as_ref() };
    let thread = app.answer_thread(reader, id, said.answer, said.seen).await?;
    Ok(Json(inbox::present(&thread)))
}

/// Hides messages, from oneself or from everybody; history keeps them.
pub(super) async fn delete(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Id(id): Id,
    Body(body): Body<WireHiding>,
) -> Result<Json<Value>, Error> {
    let hiding = body.read()?;
    let reader = Reader { by: &by, named: owner.as_ref() };
    let (thread, message_ids) = app.hide(reader, id, &hiding).await?;
    Ok(Json(inbox::present_hidden(&thread, &hiding, &message_ids)))
}

/// Notes that the agent has seen it.
pub(super) async fn mark_read(
    State(app): State<App>,
    OnBehalf { by, owner }: OnBehalf,
    Id(id): Id,
) -> Result<Json<Value>, Error> {
    let thread = app.mark_read(Reader { by: &by, named: owner.as_ref() }, id).await?;
    Ok(Json(inbox::present(&thread)))
}
