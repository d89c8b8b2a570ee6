//! `agents`: the registry. Agents, routes and API keys, all kept by administrators.

mod key;
mod route;

use axum::Router;
use axum::routing::{get, post, put};
use shared::app::App;
use shared::boot::Boot;
use shared::http::{serve, service};

/// This function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/keys", post(key::create))
        .route("/v1/keys/{key_id}/revoke", post(key::revoke))
        .route("/v1/agents", get(route::list))
        .route("/v1/routes/{*address}", put(route::put).get(route::get))
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_http::Error> {
    let app = Boot::start().await.app()?;
    serve(service(routes(), app)).await
}
