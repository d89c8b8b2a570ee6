//! The routes that lead to agents.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use shared::app::App;
use shared::callback::Reach;
use shared::error::Error;
use shared::http::wire::route::{self, WireRoute};
use shared::http::{AddressPath, Body, Caller};
use shared::principal::Role;

/// One route.
pub(super) async fn get(
    State(app): State<App>,
    Caller(by): Caller,
    AddressPath(address): AddressPath,
) -> Result<Json<Value>, Error> {
    let found = app.store().route(app.tenant(), &address).await?;
    let found = found.ok_or(Error::NotFound("route"))?;
    Ok(Json(match by.role {
        Role::Admin => route::present_kept(&found),
        Role::Agent | Role::Reviewer => route::present(&found),
    }))
}

/// Makes or changes a route.
pub(super) async fn put(
    State(app): State<App>,
    Extension(reach): Extension<Reach>,
    caller: Caller,
    AddressPath(address): AddressPath,
    Body(body): Body<WireRoute>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &[Role::Admin])?;
    let made = app.put_route(&by, body.read(address, app.now(), reach)?).await?;
    Ok(Json(route::present_routed(&made)))
}
