//! Scenario bundles.

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::Value;
use shared::app::{App, Routed};
use shared::callback::Reach;
use shared::error::Error;
use shared::http::wire::create;
use shared::http::wire::scenario::{self, Plan, Routes};
use shared::http::{Body, Caller, IdempotencyKey};
use shared::principal::Principal;

use super::{SENDERS, arrival};

/// Registers what the bundle names and sends its intent.
pub(super) async fn apply(
    State(app): State<App>,
    Extension(reach): Extension<Reach>,
    caller: Caller,
    IdempotencyKey(header): IdempotencyKey,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &SENDERS)?;
    let arrival = arrival(&app, &by);
    let plan = scenario::read(&body, arrival, reach).plan()?;
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
    Extension(reach): Extension<Reach>,
    caller: Caller,
    Body(body): Body<Value>,
) -> Result<Json<Value>, Error> {
    let by = caller.with_role(&app, &SENDERS)?;
    Ok(Json(scenario::read(&body, arrival(&app, &by), reach).present()))
}

/// Those of the bundle's agents that are not registered yet, if `by` may register them.
async fn missing(app: &App, by: &Principal, plan: &Plan) -> Result<Vec<Routed>, Error> {
    let mut missing = Vec::new();
    for (address, agent) in plan.registrations(app.now()) {
        if app.store().route(app.tenant(), address).await?.is_none() {
            missing.push(app.registrable(by, agent?)?);
        }
    }
    Ok(missing)
}

/// Where the plan's addresses lead to, counting the agents that are about to be registered.
async fn routes(app: &App, plan: &Plan, missing: &[Routed]) -> Result<Routes, Error> {
    let mut routes = Routes::new();
    for address in plan.addresses() {
        let route = match missing.iter().find(|agent| agent.route.address == *address) {
            Some(agent) => agent.route.clone(),
            None => app.resolve(address).await?,
        };
        routes.insert(address.clone(), route);
    }
    Ok(routes)
}

async fn register(app: &App, by: &Principal, missing: Vec<Routed>) -> Result<Vec<Routed>, Error> {
    let mut created = Vec::with_capacity(missing.len());
    for agent in missing {
        if app.register(by, &agent).await? {
            created.push(agent);
        }
    }
    Ok(created)
}
