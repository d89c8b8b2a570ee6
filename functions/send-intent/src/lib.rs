//! `send-intent`: takes intents and scenarios.

mod scenario;

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use shared::app::{App, Created};
use shared::boot::{self, Boot};
use shared::callback::Reach;
use shared::error::Error;
use shared::http::wire::create::{self, Arrival, WireCreate};
use shared::http::{Body, Caller, IdempotencyKey, serve, service};
use shared::principal::{Principal, Role};

/// Who may send.
const SENDERS: [Role; 2] = [Role::Agent, Role::Admin];

/// This function's routes, for callbacks within `reach`.
pub fn routes(reach: Reach) -> Router<App> {
    Router::new()
        .route("/v1/intents", post(send))
        .route("/v1/scenarios/apply", post(scenario::apply))
        .route("/v1/scenarios/validate", post(scenario::validate))
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

async fn send(
    State(app): State<App>,
    caller: Caller,
    IdempotencyKey(key): IdempotencyKey,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &SENDERS)?;
    let fingerprint = create::fingerprint(&body);
    let intent = WireCreate::from_value(body)?;
    let route = app.resolve(&intent.to()?).await?;
    let envelope = intent.read(arrival(&app, &by), &route)?;
    let Created { intent, .. } =
        app.create(&by, "/v1/intents", key.as_deref(), fingerprint, envelope).await?;
    Ok(Json(create::present(&intent)))
}

fn arrival<'a>(app: &App, by: &'a Principal) -> Arrival<'a> {
    let correlation_id = app.random_uuid();
    Arrival { by, now: app.now(), correlation_id, default_ttl_s: app.config().default_ttl_s }
}
