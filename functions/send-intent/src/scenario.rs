//! Scenario bundles.

use axum::Json;
use axum::extract::State;
use serde_json::Value;
use shared::address::Address;
use shared::app::App;
use shared::error::Error;
use shared::http::wire::create;
use shared::http::wire::scenario::{self, Plan, Routes};
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
    let arrival = arrival(&app, &by);
    let plan = scenario::read(&body, arrival).plan()?;
    let key = header.as_deref().or(plan.idempotency_key());
    let missing = missing(&app, &by, &plan).await?;
    let routes = routes(&app, &plan, &missing).await?;
    let envelope = plan.envelope(arrival, &routes)?;
    // The intent first: a bundle that is refused, now or as a changed repeat, registers nobody.
    let fingerprint = create::fingerprint(&body);
    let made = app.create(&by, "/v1/scenarios/apply", key, fingerprint, envelope).await?;
    let created = register(&app, &by, missing).await?;
    Ok(Json(scenario::present(&plan, &made.intent, made.repeated, &created)))
}

/// Says what is wrong with a bundle; an empty list means nothing.
pub(super) async fn validate(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &SENDERS)?;
    Ok(Json(scenario::read(&body, arrival(&app, &by)).present()))
}

/// Those of the bundle's agents that are not registered yet, if `by` may register them.
async fn missing(app: &App, by: &Principal, plan: &Plan) -> Result<Vec<Route>, Error> {
    let mut missing = Vec::new();
    for route in plan.registrations(app.now()) {
        if app.store().route(app.tenant(), &route.address).await?.is_none() {
            app.may_register(by, &route)?;
            missing.push(route);
        }
    }
    Ok(missing)
}

/// Where the plan's addresses lead to, counting the agents that are about to be registered.
async fn routes(app: &App, plan: &Plan, missing: &[Route]) -> Result<Routes, Error> {
    let mut routes = Routes::new();
    for address in plan.addresses() {
        let route = match missing.iter().find(|route| route.address == *address) {
            Some(route) => route.clone(),
            None => app.resolve(address).await?,
        };
        routes.insert(address.clone(), route);
    }
    Ok(routes)
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
