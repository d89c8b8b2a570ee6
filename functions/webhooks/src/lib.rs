//! `webhooks`: who wants to hear of what, and events that clients publish.
//!
//! Nothing is posted from here. A publication stores what is owed, `relay` reads it off the stream,
//! and `notify` posts it.

mod event;
mod subscription;

use axum::Router;
use axum::routing::{delete, post};
use shared::app::App;
use shared::boot::{self, Boot};
use shared::callback::Reach;
use shared::http::{serve, service};

/// This function's routes, for callbacks within `reach`.
pub fn routes(reach: Reach) -> Router<App> {
    Router::new()
        .route("/v1/webhooks/subscriptions", post(subscription::upsert).get(subscription::list))
        .route("/v1/webhooks/subscriptions/{id}", delete(subscription::revoke))
        .route("/v1/webhooks/events", post(event::publish))
        .route("/v1/webhooks/events/{event_id}/replay", post(event::replay))
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
