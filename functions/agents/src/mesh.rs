//! The mesh: who is alive, and the kill switch.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::mesh::{self, WireHeartbeat, WireMeshAgents, WireMeshEvents};
use shared::http::{AddressPath, Body, Caller, Query, Switch, SwitchPath};

/// Hears an agent.
pub(super) async fn heartbeat(
    State(app): State<App>,
    Caller(by): Caller,
    Body(body): Body<WireHeartbeat>,
) -> Result<Json<Value>, Error> {
    let agent = app.hear(&by, &body.read()?).await?;
    Ok(Json(mesh::present_heartbeat(&agent)))
}

/// Agents with their health.
pub(super) async fn list(
    State(app): State<App>,
    _caller: Caller,
    Query(wanted): Query<WireMeshAgents>,
) -> Result<Json<Value>, Error> {
    wanted.present(&app.mesh_agents().await?).map(Json)
}

/// One agent with its health, its metrics and what happened to it.
pub(super) async fn get(
    State(app): State<App>,
    _caller: Caller,
    AddressPath(address): AddressPath,
) -> Result<Json<Value>, Error> {
    let (agent, events) = app.mesh_agent(&address).await?;
    Ok(Json(mesh::present_agent(&agent, &events)))
}

/// Kills an agent, or lets it go on.
pub(super) async fn switch(
    State(app): State<App>,
    Caller(by): Caller,
    SwitchPath { address, switch }: SwitchPath,
) -> Result<Json<Value>, Error> {
    let agent = match switch {
        Switch::Kill => app.kill(&by, &address).await?,
        Switch::Resume => app.revive(&by, &address).await?,
    };
    Ok(Json(mesh::present(&agent)))
}

/// What happened to agents, newest first.
pub(super) async fn events(
    State(app): State<App>,
    _caller: Caller,
    Query(wanted): Query<WireMeshEvents>,
) -> Result<Json<Value>, Error> {
    let events = app.mesh_events(wanted.event_type.as_deref(), wanted.limit()?).await?;
    Ok(Json(mesh::present_events(&events)))
}
