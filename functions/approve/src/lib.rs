//! `approve`: the reviewer's side. Pages behind signed links, decisions by API, and what waits.

mod decision;
mod draft;
mod page;
mod reply;
mod task;

use axum::Router;
use axum::routing::{get, post};
use shared::app::App;
use shared::boot::{self, Boot};
use shared::http::{serve, service};
use shared::link::LinkSecret;

/// What the reviewer's side needs beside the app.
#[derive(Clone, Debug)]
pub struct Reviews {
    /// Signs links and forms.
    pub secret: LinkSecret,
    /// What links begin with, if it is not what requests name.
    pub public_url: Option<String>,
}

/// This function's routes.
pub fn routes(reviews: Reviews) -> Router<App> {
    Router::new()
        .route("/approve/{token}", get(page::show).post(page::decide))
        .route("/v1/approvals/{id}/decision", post(decision::decide))
        .route("/v1/me/tasks", get(task::list))
        .layer(axum::Extension(reviews))
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_http::Error> {
    let app = Boot::start().await.app()?;
    let secret = boot::link_secret()?;
    let reviews = Reviews { secret, public_url: boot::public_url() };
    serve(service(routes(reviews), app)).await
}
