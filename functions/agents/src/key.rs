//! API keys.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::key::{self, WireNewKey};
use shared::http::{Body, Caller, KeyPath};
use shared::principal::Role;

/// Makes a key, and shows its text this once.
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<WireNewKey>,
) -> Result<Json<Value>, Error> {
    caller.with_role(&app, &[Role::Admin])?;
    let (made, text) = app.create_key(body.read()?).await?;
    Ok(Json(key::present_new(&made, &text)))
}

/// Revokes a key for good.
pub(super) async fn revoke(
    State(app): State<App>,
    caller: Caller,
    KeyPath(key_id): KeyPath,
) -> Result<Json<Value>, Error> {
    caller.with_role(&app, &[Role::Admin])?;
    let revoked = app.revoke_key(&key_id).await?;
    Ok(Json(key::present(&revoked)))
}
