//! Service accounts and their keys.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use shared::app::App;
use shared::callback::Reach;
use shared::error::Error;
use shared::http::wire::account::{
    self, WireAccount, WireAccountChange, WireAccountKey, WireAccounts,
};
use shared::http::wire::key;
use shared::http::{AccountPath, Body, Caller, KeyPath, Query};

/// Makes an account, and registers its agent.
pub(super) async fn create(
    State(app): State<App>,
    Extension(reach): Extension<Reach>,
    Caller(by): Caller,
    Body(body): Body<WireAccount>,
) -> Result<Json<Value>, Error> {
    let made = app.create_account(&by, body.read(reach)?).await?;
    Ok(Json(account::present(&made)))
}

/// The accounts that are not deleted.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    Query(wanted): Query<WireAccounts>,
) -> Result<Json<Value>, Error> {
    Ok(Json(wanted.present(&app.accounts(&by).await?)))
}

/// One account.
pub(super) async fn get(
    State(app): State<App>,
    Caller(by): Caller,
    AccountPath(id): AccountPath,
) -> Result<Json<Value>, Error> {
    Ok(Json(account::present(&app.account(&by, id).await?)))
}

/// Changes an account, and its agent with it.
pub(super) async fn change(
    State(app): State<App>,
    Extension(reach): Extension<Reach>,
    Caller(by): Caller,
    AccountPath(id): AccountPath,
    Body(body): Body<WireAccountChange>,
) -> Result<Json<Value>, Error> {
    let changed = app.change_account(&by, id, body.read(reach)?).await?;
    Ok(Json(account::present(&changed)))
}

/// Deletes an account, and revokes its keys.
pub(super) async fn delete(
    State(app): State<App>,
    Caller(by): Caller,
    AccountPath(id): AccountPath,
) -> Result<Json<Value>, Error> {
    Ok(Json(account::present(&app.delete_account(&by, id).await?)))
}

/// Makes a key for an account's agent, and shows its text this once.
pub(super) async fn create_key(
    State(app): State<App>,
    Caller(by): Caller,
    AccountPath(id): AccountPath,
    Body(body): Body<WireAccountKey>,
) -> Result<Json<Value>, Error> {
    let (made, text) = app.create_account_key(&by, id, body.read(app.now())?).await?;
    Ok(Json(key::present_new(&made, &text)))
}

/// Revokes a key of an account for good.
pub(super) async fn revoke_key(
    State(app): State<App>,
    Caller(by): Caller,
    AccountPath(id): AccountPath,
    KeyPath(key_id): KeyPath,
) -> Result<Json<Value>, Error> {
    let revoked = app.revoke_account_key(&by, id, &key_id).await?;
    Ok(Json(key::present(&revoked)))
}
