//! Scenario bundles.

use serde_json::Value;
use shared::callback::Reach;
use shared::http::wire::scenario::{self as wire, Routes};
use shared::principal::Role;

use crate::intent::live;
use crate::request::{arrival, body, now, principal, taken};

const ROUTE: &str = "POST /v1/scenarios/apply";

/// Validation and application say the same of every bundle, and what is applied can begin.
pub fn scenario(bytes: &[u8]) {
    let Some(sent) = taken(ROUTE, bytes, body::<Value>(bytes)) else { return };
    let by = principal(Role::Agent);
    let reading = wire::read(&sent, arrival(&by), Reach::Public);
    let said = reading.present();
    let plan = reading.plan();
    assert_eq!(said["ok"], plan.is_ok(), "{said}");
    let has_faults = said["errors"].as_array().is_some_and(|errors| !errors.is_empty());
    assert_eq!(has_faults, plan.is_err(), "{said}");
    let Some(plan) = taken(ROUTE, bytes, plan) else { return };
    let mut routes = Routes::new();
    for (address, agent) in plan.registrations(now()) {
        // One that lacks the address to post to is refused where it would have to be made.
        if let Ok(agent) = agent {
            routes.insert(address.clone(), agent.route);
        }
    }
    // What was found good without routes is good with those that it makes itself.
    live(plan.envelope(arrival(&by), &routes).expect("a plan has an envelope"));
    live(plan.envelope(arrival(&by), &Routes::new()).expect("a plan has an envelope"));
}
