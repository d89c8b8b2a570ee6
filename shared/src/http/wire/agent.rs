//! Registered agents.

use serde::Deserialize;
use serde_json::{Value, json};

use super::check;
use super::route::{body as route_body, mode};
use crate::error::Error;
use crate::route::Route;

/// The most agents that a list returns, which is also how many it returns unless told otherwise.
pub(crate) const AGENTS_MAX: usize = 1000;

/// Which agents to list.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct WireAgents {
    org_id: Option<String>,
    workspace_id: Option<String>,
    limit: Option<usize>,
}

impl WireAgents {
    /// Writes `{ok, agents, routes}`: the agents that are wanted, and every route that leads to one.
    pub fn present(&self, routes: &[Route]) -> Result<Value, Error> {
        let wanted = |route: &&Route| route.is_agent() && self.wants(route);
        let limit = check::limit(self.limit, AGENTS_MAX, AGENTS_MAX)?;
        let agents: Vec<_> = routes.iter().filter(wanted).take(limit).map(body).collect();
        let routes: Vec<_> = routes.iter().map(route_body).collect();
        Ok(json!({"ok": true, "agents": agents, "routes": routes}))
    }

    /// An agent without a service account belongs to no organization, and so to none that is named.
    fn wants(&self, route: &Route) -> bool {
        let owner = route.registration.owner.as_ref();
        let org_id = owner.and_then(|owner| owner.org_id.as_deref());
        let workspace_id = owner.and_then(|owner| owner.workspace_id.as_deref());
        matches(self.org_id.as_deref(), org_id)
            && matches(self.workspace_id.as_deref(), workspace_id)
    }
}

/// Whether something that may be wanted is there.
pub(super) fn matches(wanted: Option<&str>, found: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| found == Some(wanted))
}

/// Writes `{ok, agent}`.
pub fn present(route: &Route) -> Value {
    json!({"ok": true, "agent": body(route)})
}

/// The fields of one agent.
pub(super) fn body(route: &Route) -> Value {
    let registration = &route.registration;
    let owner = registration.owner.as_ref();
    json!({
        "address": route.address.uri(),
        "service_account_id": owner.map(|owner| owner.id),
        "service_account_name": owner.map(|owner| owner.name.as_str()),
        "display_name": route.display_name,
        "status": registration.standing().name(),
        "delivery_mode": mode(route.delivery),
        // Agents that were registered before this was kept have only the newer of the two.
        "created_at": registration.created_at.unwrap_or(route.updated_at),
        "updated_at": route.updated_at,
    })
}
