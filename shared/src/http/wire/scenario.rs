//! Scenario bundles: agents, people and a workflow around one intent.
//!
//! What is served: one agent step, one human step, or one after the other. Anything longer is
//! refused by name, so that nobody believes in a step that will not run.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::create::WireCreate;
use super::human_task::WireHumanTask;
use super::route::delivery;
use crate::address::Address;
use crate::error::Error;
use crate::http::body::of_kind;
use crate::intent::Intent;
use crate::intent::envelope::Envelope;
use crate::intent::human_task::{HoldPoint, Placement};
use crate::intent::record::pending_with;
use crate::route::Route;

/// The most agents that a bundle may name. The contract's limit.
const AGENTS_MAX: usize = 50;

/// A bundle as it is sent. Unknown fields are ignored, as real clients need it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct WireScenario {
    scenario_id: Option<String>,
    /// Repeats of the same bundle under one key are one.
    pub idempotency_key: Option<String>,
    agents: Vec<WireAgent>,
    humans: Vec<WireHuman>,
    workflow: Option<WireWorkflow>,
    intent: Option<Map<String, Value>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WireAgent {
    role: String,
    address: String,
    display_name: Option<String>,
    create_if_missing: bool,
    delivery_mode: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WireHuman {
    role: String,
    contact: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WireWorkflow {
    steps: Vec<WireStep>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct WireStep {
    step_id: String,
    tool_id: Option<String>,
    runtime_type: Option<String>,
    assigned_to: Option<String>,
    requires_approval: bool,
    step_deadline_seconds: Option<u64>,
    #[serde(default, deserialize_with = "crate::http::body::optional_object")]
    human_task: Option<WireHumanTask>,
}

/// What a valid bundle comes to.
#[derive(Debug)]
pub struct Plan {
    scenario_id: String,
    /// Agents that are registered if they are not yet.
    pub registrations: Vec<Route>,
    /// Where the intent goes.
    pub to: Address,
    create: Value,
    hold_point: Option<HoldPoint>,
}

impl WireScenario {
    /// Reads the bundle.
    pub fn from_value(value: Value) -> Result<Self, Error> {
        of_kind(value)
    }

    /// Every fault of the bundle, each naming the step and the field; none for a valid one.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.scenario_id.as_deref().is_none_or(str::is_empty) {
            faults.push("scenario_id: is missing".to_owned());
        }
        if self
            .intent
            .as_ref()
            .and_then(|intent| intent.get("type"))
            .and_then(Value::as_str)
            .is_none()
        {
            faults.push("intent.type: is missing".to_owned());
        }
        self.agent_faults(&mut faults);
        self.step_faults(&mut faults);
        faults
    }

    fn agent_faults(&self, faults: &mut Vec<String>) {
        if self.agents.len() > AGENTS_MAX {
            faults.push(format!("agents: has {}; send at most {AGENTS_MAX}", self.agents.len()));
        }
        let mut roles = BTreeSet::new();
        for agent in &self.agents {
            let name = &agent.role;
            if !roles.insert(name) {
                faults.push(format!("agents.{name}.role: stands twice"));
            }
            if let Err(error) = Address::parse(&agent.address) {
                faults.push(format!("agents.{name}.address: {error}"));
            }
            let mode = agent.delivery_mode.as_deref().unwrap_or("stream");
            if let Err(error) = delivery("delivery_mode", mode) {
                faults.push(format!("agents.{name}.{error}"));
            }
        }
        for human in self.humans.iter().filter(|human| !roles.insert(&human.role)) {
            faults.push(format!("humans.{}.role: stands twice", human.role));
        }
    }

    fn step_faults(&self, faults: &mut Vec<String>) {
        let mut ids = BTreeSet::new();
        for step in self.steps() {
            let id = &step.step_id;
            if id.is_empty() || !ids.insert(id) {
                faults.push(format!("workflow.steps.{id}.step_id: is empty or stands twice"));
            }
            let by_agent = !step.is_human() || step.requires_approval;
            let known = step.assigned_to.as_deref().is_some_and(|role| self.knows(role));
            if by_agent && !step.is_human() && !known {
                let role = step.assigned_to.as_deref().unwrap_or("");
                faults.push(format!(
                    "workflow.steps.{id}.assigned_to: `{role}` is no role of agents or humans"
                ));
            }
            if step.step_deadline_seconds == Some(0) {
                faults.push(format!("workflow.steps.{id}.step_deadline_seconds: must be above 0"));
            }
            if let Some(Err(error)) = step.human_task.as_ref().map(|task| task.read(id)) {
                faults.push(format!("workflow.steps.{id}.{error}"));
            }
        }
        let kinds: Vec<bool> = self.steps().iter().map(WireStep::is_human).collect();
        if !matches!(kinds.as_slice(), [] | [_] | [false, true]) {
            faults.push(
                "workflow.steps: served are one agent step, one human step, or an agent step \
                 followed by a human step; split the rest into further intents"
                    .to_owned(),
            );
        }
        if self.steps().is_empty() && self.agents.len() != 1 {
            faults.push("workflow: without steps a bundle names exactly one agent".to_owned());
        }
    }

    /// Turns the bundle into a plan.
    pub fn plan(&self, now: Timestamp) -> Result<Plan, Error> {
        if let Some(fault) = self.faults().into_iter().next() {
            let (field, detail) = fault.split_once(": ").unwrap_or(("", &fault));
            return Err(Error::field(field, detail));
        }
        let (agent_step, human_step) = self.split();
        let to = match (agent_step, self.agents.first()) {
            (Some(step), _) => self.address_of(step.assigned_to.as_deref().unwrap_or(""))?,
            (None, Some(agent)) if human_step.is_none() => {
                super::check::address("agents", &agent.address)?
            }
            (None, _) => Address::agent_core(),
        };
        let placement = if to.is_agent_core() { Placement::OnArrival } else { Placement::OnResult };
        let hold_point = human_step.map(|step| self.hold_point(step, placement)).transpose()?;
        Ok(Plan {
            scenario_id: self.scenario_id.clone().unwrap_or_default(),
            registrations: self.registrations(now)?,
            create: self.create(&to),
            to,
            hold_point,
        })
    }

    fn steps(&self) -> &[WireStep] {
        self.workflow.as_ref().map_or(&[], |workflow| &workflow.steps)
    }

    /// The agent's step and the step at which a person signs off; one step may be both.
    fn split(&self) -> (Option<&WireStep>, Option<&WireStep>) {
        let agent = self.steps().iter().find(|step| !step.is_human());
        let human = self.steps().iter().find(|step| step.is_human() || step.requires_approval);
        (agent, human)
    }

    fn hold_point(&self, step: &WireStep, placement: Placement) -> Result<HoldPoint, Error> {
        let title = format!("Sign off on {}", step.step_id);
        let sent = step.human_task.clone().unwrap_or_default();
        let mut task = sent.read(&title)?;
        let role = step.assigned_to.as_deref();
        let human = self.humans.iter().find(|human| Some(human.role.as_str()) == role);
        let contact = human.and_then(|human| human.contact.clone()).filter(|c| !c.is_empty());
        task.notify_email = task.notify_email.or(contact);
        Ok(HoldPoint { placement, task })
    }

    fn registrations(&self, now: Timestamp) -> Result<Vec<Route>, Error> {
        let route = |agent: &WireAgent| {
            let address = super::check::address("agents.address", &agent.address)?;
            let mode = agent.delivery_mode.as_deref().unwrap_or("stream");
            Ok(Route {
                delivery: delivery("agents.delivery_mode", mode)?,
                display_name: agent.display_name.clone(),
                updated_at: now,
                ..Route::direct(address)
            })
        };
        self.agents.iter().filter(|agent| agent.create_if_missing).map(route).collect()
    }

    /// The contract's body of the intent that starts it.
    fn create(&self, to: &Address) -> Value {
        let mut body = self.intent.clone().unwrap_or_default();
        if let Some(intent_type) = body.remove("type") {
            body.insert("intent_type".to_owned(), intent_type);
        }
        body.insert("to_agent".to_owned(), json!(to.uri()));
        let seconds: u64 = self.steps().iter().filter_map(|step| step.step_deadline_seconds).sum();
        if seconds > 0 && !body.contains_key("deadline_at") && !body.contains_key("ttl_seconds") {
            body.insert("ttl_seconds".to_owned(), json!(seconds));
        }
        Value::Object(body)
    }

    fn knows(&self, role: &str) -> bool {
        self.agents.iter().any(|agent| agent.role == role)
            || self.humans.iter().any(|human| human.role == role)
    }

    fn address_of(&self, role: &str) -> Result<Address, Error> {
        let addresses: BTreeMap<&str, &str> =
            self.agents.iter().map(|agent| (agent.role.as_str(), agent.address.as_str())).collect();
        let address = addresses.get(role).copied().unwrap_or(role);
        super::check::address("workflow.steps.assigned_to", address)
    }
}

impl WireStep {
    fn is_human(&self) -> bool {
        let tool = self.tool_id.as_deref();
        self.runtime_type.as_deref() == Some("human_approval")
            || matches!(tool, Some("tool.approval.human_signoff" | "tool.human.approval.v1"))
    }
}

impl Plan {
    /// The intent to create.
    pub fn intent(&self) -> Result<WireCreate, Error> {
        WireCreate::from_value(self.create.clone())
    }

    /// Puts the bundle's hold point on the intent.
    pub fn place(&self, mut envelope: Envelope) -> Envelope {
        if let Some(hold_point) = &self.hold_point {
            envelope.hold_point = Some(hold_point.clone());
        }
        envelope
    }

    /// Writes the answer.
    pub fn present(&self, intent: &Intent, repeated: bool, created: &[Address]) -> Value {
        let agents: Vec<_> = self
            .registrations
            .iter()
            .map(|route| {
                let address = route.address.uri();
                json!({"address": address, "created": created.contains(&route.address)})
            })
            .collect();
        let provisioned: Vec<_> = created.iter().map(Address::uri).collect();
        json!({
            "ok": true,
            "scenario_id": self.scenario_id,
            "intent_id": intent.id,
            "status": intent.status().name(),
            "pending_with": pending_with(intent).map(|holder| holder.name),
            "compile_id": intent.id,
            "workflow_compile_id": intent.id,
            "idempotent": repeated,
            "agents": agents,
            "agents_provisioned": provisioned,
            "deadline_at": intent.envelope.deadline_at,
            "created_at": intent.created_at,
        })
    }
}

/// Writes the answer to a validation.
pub fn present_faults(faults: &[String]) -> Value {
    json!({"ok": faults.is_empty(), "errors": faults, "warnings": []})
}
