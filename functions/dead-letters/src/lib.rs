//! `dead-letters`: what was given up, and sending it again; and what is wrong with the deployment.
//!
//! Functions bury what they cannot do, with the reason. What a crash or the end of an invocation kept
//! them from burying ends in the dead letters of its queue, and from there it is buried here. So
//! everything that was given up is in one list, whatever gave it up.

mod bury;
mod diagnosis;
mod letter;
mod redrive;

use aws_lambda_events::event::sqs::SqsEvent;
use axum::routing::{get, post};
use axum::{Extension, Router};
use lambda_http::LambdaEvent;
use lambda_http::request::LambdaRequest;
use lambda_http::tower::Service as _;
use lambda_runtime::service_fn;
use serde_json::value::RawValue;
use shared::app::App;
use shared::boot::{self, Boot};
use shared::diagnosis::Settings;
use shared::http::{answer, service};
use shared::queue::Queues;

pub use bury::bury;

/// This function's routes, which send again through `queues` and know what the deployer has set.
pub fn routes(queues: Queues, settings: Settings) -> Router<App> {
    Router::new()
        .route("/v1/diagnostics", get(diagnosis::show))
        .route("/v1/dead-letters", get(letter::list))
        .route("/v1/dead-letters/{id}", get(letter::show).delete(letter::forget))
        .route("/v1/dead-letters/{id}/redrive", post(letter::redrive))
        .layer(Extension(queues))
        .layer(Extension(settings))
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::start().await;
    let (app, queues) = (boot.app()?, boot.queues());
    let router = service(routes(queues.clone(), boot::settings()?), app.clone());
    let handler = move |event: LambdaEvent<Box<RawValue>>| {
        let (router, app, queues) = (router.clone(), app.clone(), queues.clone());
        Box::pin(async move { handle(router, &app, &queues, event).await })
    };
    lambda_runtime::run_concurrent(service_fn(handler)).await
}

/// Buries a batch, or answers a request. An event of API Gateway has no records.
async fn handle(
    router: Router,
    app: &App,
    queues: &Queues,
    event: LambdaEvent<Box<RawValue>>,
) -> Result<Box<RawValue>, lambda_runtime::Error> {
    let LambdaEvent { payload, context, .. } = event;
    if let Ok(batch) = serde_json::from_str::<SqsEvent>(payload.get()) {
        let response = bury(app, queues, batch).await;
        return Ok(serde_json::value::to_raw_value(&response)?);
    }
    let request: LambdaRequest = serde_json::from_str(payload.get())?;
    let answering = lambda_http::service_fn(move |request| answer(router.clone(), request));
    let mut adapter = lambda_http::Adapter::from(answering);
    let response = adapter.call(LambdaEvent::new(request, context)).await?;
    Ok(serde_json::value::to_raw_value(&response)?)
}
