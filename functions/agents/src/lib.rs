//! `agents`: the registry. Service accounts, agents, routes and API keys, all kept by administrators,
//! and the mesh: which agents are alive, and which are stopped.

mod account;
mod agent;
mod key;
mod mesh;
mod route;

use axum::Router;
use axum::routing::{delete, get, patch, post, put};
use shared::app::App;
use shared::boot::{self, Boot};
use shared::callback::Reach;
use shared::http::{serve, service};

/// This function's routes, for callbacks within `reach`.
pub fn routes(reach: Reach) -> Router<App> {
    Router::new()
        .route("/v1/keys", post(key::create))
        .route("/v1/keys/{key_id}/revoke", post(key::revoke))
        .route("/v1/service-accounts", post(account::create).get(account::list))
        .route("/v1/service-accounts/{id}", get(account::get))
        .route("/v1/service-accounts/{id}", patch(account::change))
        .route("/v1/service-accounts/{id}", delete(account::delete))
        .route("/v1/service-accounts/{id}/keys", post(account::create_key))
        .route("/v1/service-accounts/{id}/keys/{key_id}/revoke", post(account::revoke_key))
        .route("/v1/agents", get(agent::list))
        .route("/v1/agents/{a}", get(agent::get))
        .route("/v1/agents/{a}/{b}", get(agent::get))
        .route("/v1/agents/{a}/{b}/{c}", get(agent::get))
        .route("/v1/mesh/heartbeat", post(mesh::heartbeat))
        .route("/v1/mesh/agents", get(mesh::list))
        .route("/v1/mesh/agents/{*address}", get(mesh::get).post(mesh::switch))
        .route("/v1/mesh/events", get(mesh::events))
        .route("/v1/routes/{*address}", put(route::put).get(route::get))
        .layer(axum::Extension(reach))
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_http::Error> {
    let app = Boot::start().await.app()?;
    serve(service(routes(boot::callback_reach()?), app)).await
}
