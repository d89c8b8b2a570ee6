//! Scenario bundles.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::address::Address;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::create;
use shared::http::wire::scenario::{Plan, WireScenario, present_faults};
use shared::http::{Body, Caller, IdempotencyKey};
use shared::principal::Principal;
use shared::route::Route;

use super::{SENDERS, arrival};

/// Registers what the bundle names and sends its intent.
pub(super) async fn apply(
    State(app): State<App>,
    caller: Caller,
    IdempotencyKey(header): IdempotencyKey,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &SENDERS)?;
    let fingerprint = create::fingerprint(&body);
    let bundle = WireScenario::from_value(body)?;
    let key = header.or_else(|| bundle.idempotency_key.clone());
    let plan = bundle.plan(app.now())?;
    let intent = plan.intent()?;
    let missing = missing(&app, &by, &plan).await?;
    let route = match missing.iter().find(|route| route.address == plan.to) {
        Some(route) => route.clone(),
        None => app.resolve(&plan.to).await?,
    };
    let envelope = plan.place(intent.read(arrival(&app, &by), &route)?);
    // The intent first: a bundle that is refused, now or as a changed repeat, registers nobody.
    let made =
        app.create(&by, "/v1/scenarios/apply", key.as_deref(), fingerprint, envelope).await?;
    let created = register(&app, &by, missing).await?;
    Ok(Json(plan.present(&made.intent, made.repeated, &created)))
}

/// Says what is wrong with a bundle; an empty list means nothing.
pub(super) async fn validate(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    caller.with_role(&app, &SENDERS)?;
    Ok(Json(present_faults(&WireScenario::from_value(body)?.faults())))
}

/// Those of the bundle's agents that are not registered yet, if `by` may register them.
async fn missing(app: &App, by: &Principal, plan: &Plan) -> Result<Vec<Route>, Error> {
    let mut missing = Vec::new();
    for route in &plan.registrations {
        if app.store().route(app.tenant(), &route.address).await?.is_none() {
            app.may_register(by, route)?;
            missing.push(route.clone());
        }
    }
    Ok(missing)
}

async fn register(app: &App, by: &Principal, missing: Vec<Route>) -> Result<Vec<Address>, Error> {
    let mut created = Vec::with_capacity(missing.len());
    for route in missing {
        if app.register(by, &route).await? {
            created.push(route.address);
        }
    }
    Ok(created)
}
