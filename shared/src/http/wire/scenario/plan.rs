//! What a valid bundle comes to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::cast::Agent;
use super::step::asks;
use crate::address::Address;
use crate::app::NewRoute;
use crate::error::Error;
use crate::http::wire::check;
use crate::http::wire::create::{Arrival, WireCreate};
use crate::intent::envelope::{Delivery, Envelope};
use crate::intent::workflow::{Work, Workflow};
use crate::route::Route;

/// Where the addresses of a plan lead to.
pub type Routes = BTreeMap<Address, Route>;

/// What a valid bundle comes to.
#[derive(Debug)]
pub struct Plan {
    pub(super) scenario_id: String,
    pub(super) idempotency_key: Option<String>,
    /// Where an intent without steps goes.
    pub(super) to: Address,
    /// The intent, as `POST /v1/intents` takes it.
    pub(super) create: Map<String, Value>,
    pub(super) workflow: Option<Workflow>,
    pub(super) warnings: Vec<String>,
    pub(super) agents: Vec<Agent>,
}

/// An agent of a plan.
#[derive(Debug)]
pub struct Member<'a> {
    /// Its role in the bundle.
    pub role: &'a str,
    /// Its address.
    pub address: &'a Address,
}

impl Plan {
    /// The key that stands in the bundle; repeats of the same bundle under one key are one.
    pub fn idempotency_key(&self) -> Option<&str> {
        self.idempotency_key.as_deref()
    }

    /// The agents that take part.
    pub fn members(&self) -> impl Iterator<Item = Member<'_>> {
        self.agents.iter().filter_map(|agent| {
            Some(Member { role: &agent.role, address: agent.address.as_ref()? })
        })
    }

    /// The agents that are registered if they are not yet, as they are registered then. One that lacks
    /// the address to post to is refused only then: real clients leave it out of their bundles.
    pub fn registrations(
        &self,
        now: Timestamp,
    ) -> impl Iterator<Item = (&Address, Result<NewRoute, Error>)> {
        let wanted = self.agents.iter().filter(|agent| agent.create_if_missing);
        wanted.filter_map(move |agent| Some((agent.address.as_ref()?, agent.registration(now)?)))
    }

    /// The addresses that something is sent to; a route is wanted for each.
    pub fn addresses(&self) -> Vec<&Address> {
        let Some(workflow) = &self.workflow else { return vec![&self.to] };
        let mut addresses: Vec<_> = workflow
            .steps
            .iter()
            .filter_map(|step| match &step.work {
                Work::Agent { to, .. } => Some(to),
                Work::Human { .. }
                | Work::Delay { .. }
                | Work::Timeout { .. }
                | Work::Notify { .. }
                | Work::Escalate { .. } => None,
            })
            .collect();
        addresses.sort();
        addresses.dedup();
        addresses
    }

    /// The intent to create, with every step sent where `routes` lead. The sign-off that the
    /// deployer put on a route is kept whatever a bundle says of its step: a sender cannot pick
    /// other reviewers.
    pub fn envelope(&self, arrival: Arrival<'_>, routes: &Routes) -> Result<Envelope, Error> {
        let mut body = self.create.clone();
        body.insert("to_agent".to_owned(), json!(self.to.uri()));
        let create = WireCreate::from_value(Value::Object(body))?;
        let direct = Route::direct(self.to.clone());
        let Some(workflow) = &self.workflow else {
            return create.read(arrival, routes.get(&self.to).unwrap_or(&direct));
        };
        let mut envelope = create.without_people(arrival, &direct)?;
        let mut workflow = workflow.clone();
        for step in &mut workflow.steps {
            let Work::Agent { to, handler, delivery, hold_point, .. } = &mut step.work else {
                continue;
            };
            let Some(route) = routes.get(to) else { continue };
            (*handler, *delivery) = (route.to.clone(), route.delivery);
            *hold_point = route.hold_point.clone().or_else(|| hold_point.take());
        }
        exact(&workflow, &envelope.payload)?;
        envelope.workflow = Some(workflow);
        Ok(envelope)
    }

    /// Refuses numbers that the digest of what a person is shown could not hold.
    pub(super) fn exact(&self) -> Result<(), Error> {
        let payload = self.create.get("payload").and_then(Value::as_object);
        let nothing = Map::new();
        let workflow = self.workflow.as_ref();
        workflow.map_or(Ok(()), |workflow| exact(workflow, payload.unwrap_or(&nothing)))
    }
}

impl Agent {
    fn registration(&self, now: Timestamp) -> Option<Result<NewRoute, Error>> {
        let delivery = self.delivery.clone();
        if delivery.mode == Some(Delivery::Push) && delivery.callback_url.is_none() {
            let field = format!("agents.{}.callback_url", self.role);
            let detail = "is missing; the agent is not registered yet, and delivery_mode http posts \
                          to it";
            return Some(Err(Error::field(field, detail)));
        }
        let route = Route {
            display_name: self.display_name.clone(),
            updated_at: now,
            ..Route::direct(self.address.clone()?)
        };
        Some(Ok(NewRoute { route, delivery }))
    }
}

fn exact(workflow: &Workflow, payload: &Map<String, Value>) -> Result<(), Error> {
    if workflow.steps.iter().any(asks) {
        check::exact("intent.payload", payload)?;
    }
    for step in &workflow.steps {
        if let Work::Agent { hold_point: Some(_), input, .. } = &step.work {
            check::exact(&format!("workflow.steps.{}.input", step.id), input)?;
        }
    }
    Ok(())
}
