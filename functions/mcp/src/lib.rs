//! `mcp`: asks people on behalf of agents that speak the Model Context Protocol.
//!
//! It serves streamable HTTP without sessions: each message is answered whole, as JSON, by whichever
//! instance gets it. `rmcp` knows the protocol's versions; the tools are ours, and none of them can
//! decide.

mod batch;
mod desk;
mod exchange;
mod refusal;
mod tool;

use axum::Router;
use axum::routing::post;
use shared::app::App;
use shared::boot::Boot;
use shared::http::{serve, service};

/// This function's routes.
pub fn routes() -> Router<App> {
    Router::new().route("/mcp", post(exchange::take).get(exchange::refuse).delete(exchange::refuse))
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
