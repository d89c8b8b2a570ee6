//! Events that clients publish.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use shared::app::App;
use shared::error::Error;
use shared::http::wire::create;
use shared::http::wire::webhook::{self, WireEvent};
use shared::http::{Body, Caller, EventPath, IdempotencyKey, OwnerAgent};

/// Publishes an event to its owner's subscriptions.
pub(super) async fn publish(
    State(app): State<App>,
    Caller(by): Caller,
    OwnerAgent(named): OwnerAgent,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let owner = app.standpoint(&by, named.as_deref())?.owner;
    let fingerprint = create::fingerprint(&json!({"owner": owner, "event": body}));
    let new = WireEvent::from_value(body)?.read()?;
    let published = app.publish(&by, &owner, new, key.as_deref(), fingerprint).await?;
    Ok(Json(webhook::present_published(&published)))
}

/// Sends an event once more.
pub(super) async fn replay(
    State(app): State<App>,
    Caller(by): Caller,
    OwnerAgent(named): OwnerAgent,
    IdempotencyKey(key): IdempotencyKey,
    EventPath(event): EventPath,
) -> Result<Json<Value>, Error> {
    let owner = app.standpoint(&by, named.as_deref())?.owner;
    let (publication, replayed_at) = app.replay(&by, &owner, event, key.as_deref()).await?;
    Ok(Json(webhook::present_replayed(&publication, replayed_at)))
}
