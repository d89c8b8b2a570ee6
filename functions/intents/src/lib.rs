//! `intents`: reads and steers intents, and holds event streams.

mod agents;
mod list;
mod read;
mod steer;
mod stream;

use axum::Router;
use axum::routing::{get, post};
use shared::app::App;
use shared::boot::Boot;
use shared::http::{serve, serve_streaming, service};

/// This function's routes.
pub fn routes() -> Router<App> {
    streams()
        .route("/openapi.json", get(read::document))
        .route("/v1/me", get(read::me))
        .route("/v1/capabilities", get(read::capabilities))
        .route("/v1/intents", get(list::list))
        .route("/v1/intents/bulk-cancel", post(list::bulk_cancel))
        .route("/v1/intents/{id}", get(read::get))
        .route("/v1/intents/{id}/events", get(read::events))
        .route("/v1/intents/{id}/resume", post(steer::resume))
        .route("/v1/intents/{id}/resolve", post(steer::resolve))
        .route("/v1/intents/{id}/acknowledge", post(steer::acknowledge))
        .route("/v1/intents/{id}/controls", post(steer::controls))
        .route("/v1/intents/{id}/policy", post(steer::policy))
        .route("/v1/intents/{id}/suspend", post(agents::suspend))
        .route("/v1/intents/{id}/checkpoint", get(agents::checkpoint))
        .route("/v1/intents/{id}/tool-calls/{call_id}/claim", post(agents::claim))
        .route("/v1/intents/{id}/tool-calls/{call_id}/complete", post(agents::complete))
}

/// The routes that hold, which are all that the function has where it streams its answers.
pub fn streams() -> Router<App> {
    Router::new()
        .route("/health", get(read::health))
        .route("/v1/health", get(read::health))
        .route("/v1/intents/{id}/events/stream", get(stream::events))
        .route("/v1/agents/{a}/intents/stream", get(stream::offers))
        .route("/v1/agents/{a}/{b}/intents/stream", get(stream::offers))
        .route("/v1/agents/{a}/{b}/{c}/intents/stream", get(stream::offers))
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_http::Error> {
    let app = Boot::start().await.app()?;
    if app.config().response_streaming {
        serve_streaming(service(streams(), app)).await
    } else {
        serve(service(routes(), app)).await
    }
}
