//! The routes that lead to agents.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::route::{self, WireRoute};
use shared::http::{AddressPath, Body, Caller};
use shared::principal::Role;
use shared::route::Route;

/// One route.
pub(super) async fn get(
    State(app): State<App>,
    _caller: Caller,
    AddressPath(address): AddressPath,
) -> Result<Json<Value>, Error> {
    let found = app.store().route(app.tenant(), &address).await?;
    Ok(Json(route::present(&found.ok_or(Error::NotFound("route"))?)))
}

/// Makes or changes a route.
pub(super) async fn put(
    State(app): State<App>,
    caller: Caller,
    AddressPath(address): AddressPath,
    Body(body): Body<WireRoute>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &[Role::Admin])?;
    let to = body.to(&address)?;
    let agent = app.store().route(app.tenant(), &to).await?;
    let agent = agent.unwrap_or_else(|| Route::direct(to));
    let made = app.put_route(&by, body.read(address, &agent, app.now())?).await?;
    Ok(Json(route::present(&made)))
}
