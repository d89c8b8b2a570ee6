//! Registered agents.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::agent::{self, WireAgents};
use shared::http::{AddressPath, Caller, Query};

/// Registered agents, and every route.
pub(super) async fn list(
    State(app): State<App>,
    _caller: Caller,
    Query(wanted): Query<WireAgents>,
) -> Result<Json<Value>, Error> {
    let routes = app.store().routes(app.tenant()).await?;
    wanted.present(&routes).map(Json)
}

/// The agent behind an address.
pub(super) async fn get(
    State(app): State<App>,
    _caller: Caller,
    AddressPath(address): AddressPath,
) -> Result<Json<Value>, Error> {
    Ok(Json(agent::present(&app.registered_agent(&address).await?)))
}
