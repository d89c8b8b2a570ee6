//! `inbox`: threads, as agents and reviewers read them and act on them.

mod act;
mod read;

use axum::Router;
use axum::routing::{get, post};
use shared::app::App;
use shared::boot::Boot;
use shared::http::{serve, service};

/// This function's routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/v1/inbox", get(read::list))
        .route("/v1/inbox/changes", get(read::changes))
        .route("/v1/inbox/{id}", get(read::thread))
        .route("/v1/inbox/{id}/reply", post(act::reply))
        .route("/v1/inbox/{id}/delegate", post(act::delegate))
        .route("/v1/inbox/{id}/approve", post(act::approve))
        .route("/v1/inbox/{id}/reject", post(act::reject))
        .route("/v1/inbox/{id}/messages/delete", post(act::delete))
        .route("/v1/inbox/{id}/read", post(act::mark_read))
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
