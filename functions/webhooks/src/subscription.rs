//! Subscriptions.

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::Value;
use shared::app::App;
use shared::callback::Reach;
use shared::error::Error;
use shared::http::wire::webhook::{self, WireSubscription};
use shared::http::{Body, Caller, OwnerAgent, Query, SubscriptionPath};

/// Which subscriptions to list.
#[derive(Debug, Deserialize)]
pub(super) struct List {
    #[serde(default)]
    include_inactive: bool,
}

/// Makes a subscription, or changes the one for the same address.
pub(super) async fn upsert(
    State(app): State<App>,
    Extension(reach): Extension<Reach>,
    Caller(by): Caller,
    OwnerAgent(named): OwnerAgent,
    Body(body): Body<WireSubscription>,
) -> Result<Json<Value>, Error> {
    let standpoint = app.standpoint(&by, named.as_deref())?;
    let subscribed = app.subscribe(&standpoint, body.read(reach)?).await?;
    Ok(Json(webhook::present_subscribed(&subscribed)))
}

/// An owner's subscriptions.
pub(super) async fn list(
    State(app): State<App>,
    Caller(by): Caller,
    OwnerAgent(named): OwnerAgent,
    Query(list): Query<List>,
) -> Result<Json<Value>, Error> {
    let standpoint = app.standpoint(&by, named.as_deref())?;
    let found = app.subscriptions(&standpoint.owner, list.include_inactive).await?;
    Ok(Json(webhook::list(&found)))
}

/// Ends a subscription for good.
pub(super) async fn revoke(
    State(app): State<App>,
    Caller(by): Caller,
    OwnerAgent(named): OwnerAgent,
    SubscriptionPath(id): SubscriptionPath,
) -> Result<Json<Value>, Error> {
    let standpoint = app.standpoint(&by, named.as_deref())?;
    let revoked = app.unsubscribe(&standpoint.owner, id).await?;
    Ok(Json(webhook::present_revoked(&revoked)))
}
