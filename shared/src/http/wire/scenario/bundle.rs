//! A bundle as a whole.

use serde_json::{Map, Value, json};

use super::cast::{Cast, Who};
use super::fields::{Fields, number_of};
use super::findings::Findings;
use super::gate::{Scene, own_task};
use super::order::Order;
use super::plan::Plan;
use super::step::{Draft, STEP_ID_CHARS_MAX};
use crate::address::Address;
use crate::callback::Reach;
use crate::error::Error;
use crate::http::wire::create::{Arrival, WireCreate};
use crate::intent::envelope::INTENT_TYPE_CHARS_MAX;
use crate::intent::human_task::{HumanTask, TITLE_CHARS_MAX};
use crate::intent::workflow::{STEPS_MAX, Workflow};
use crate::route::Route;

/// The longest name of a scenario or an idempotency key, in characters. The contract's limit.
pub(crate) const NAME_CHARS_MAX: usize = 255;
/// The longest description, in characters. The contract's limit.
pub(crate) const DESCRIPTION_CHARS_MAX: usize = 1000;
/// The fields of the intent that are numbers.
const NUMBERS: [&str; 5] = [
    "ttl_seconds",
    "remind_after_seconds",
    "remind_interval_seconds",
    "max_reminders",
    "max_delivery_attempts",
];

/// A bundle that was read.
#[derive(Debug)]
pub struct Reading {
    plan: Option<Plan>,
    findings: Findings,
}

/// Reads a bundle that `arrival.by` sent. Callbacks lead no further than `reach`.
pub fn read(bundle: &Value, arrival: Arrival<'_>, reach: Reach) -> Reading {
    let mut findings = Findings::default();
    let nothing = Map::new();
    let fields = Fields::new("", bundle.as_object().unwrap_or(&nothing));
    let scenario_id = fields.required_text("scenario_id", NAME_CHARS_MAX, &mut findings);
    let cast = Cast::read(&fields, reach, &mut findings);
    let plan = plan(&fields, scenario_id, cast, arrival, &mut findings);
    let plan = plan.filter(|_| findings.is_valid());
    Reading { plan, findings }
}

impl Reading {
    /// What the bundle comes to, or the refusal of one with faults.
    pub fn plan(self) -> Result<Plan, Error> {
        let refusal = self.findings.refusal();
        let mut plan = self.plan.ok_or(refusal)?;
        plan.warnings = self.findings.warnings();
        Ok(plan)
    }

    /// Writes the answer to a validation: every fault and every warning.
    pub fn present(&self) -> Value {
        self.findings.present()
    }
}

fn plan(
    fields: &Fields<'_>,
    scenario_id: Option<&str>,
    cast: Cast,
    arrival: Arrival<'_>,
    findings: &mut Findings,
) -> Option<Plan> {
    let title = fields.text("title", TITLE_CHARS_MAX, findings);
    fields.text("description", DESCRIPTION_CHARS_MAX, findings);
    let key = fields.text("idempotency_key", NAME_CHARS_MAX, findings);
    let title = title.or(scenario_id).unwrap_or_default();
    let sent = Sent::read(fields, &cast, title, arrival, findings);
    let workflow = fields.object("workflow", findings);
    let drafts = match &workflow {
        Some(workflow) => {
            let scene = Scene { cast: &cast, task: sent.task.as_ref(), title };
            let steps = workflow.objects("steps", STEPS_MAX, findings).into_iter();
            steps.map(|fields| Draft::read(fields, &scene, findings)).collect()
        }
        None => vec![],
    };
    if let Some(workflow) = &workflow {
        macros(workflow, drafts.is_empty(), findings);
    }
    let mut plan = Plan {
        scenario_id: scenario_id.unwrap_or_default().to_owned(),
        idempotency_key: key.map(str::to_owned),
        to: Address::agent_core(),
        create: sent.body,
        workflow: None,
        warnings: vec![],
        agents: vec![],
    };
    if drafts.is_empty() {
        plan.to = only_agent(&cast, sent.task.is_some(), findings)?;
    } else {
        if sent.task.is_some() && !drafts.iter().any(Draft::asks) {
            let detail = "is asked in no step; give one requires_approval, or runtime_type \
                          human_approval";
            findings.fault("intent.human_task", detail);
        }
        let entry = workflow.as_ref();
        let entry = entry.and_then(|it| it.text("entry_step", STEP_ID_CHARS_MAX, findings));
        let order = Order::of(&drafts, entry, findings);
        let mut steps: Vec<_> = drafts.into_iter().filter_map(|draft| draft.step).collect();
        order.apply(&mut steps);
        let scenario_id = plan.scenario_id.clone();
        plan.workflow = Some(Workflow { scenario_id, entry: order.entry, steps });
        findings.take("", plan.exact());
    }
    plan.agents = cast.agents;
    Some(plan)
}

fn macros(workflow: &Fields<'_>, has_no_steps: bool, findings: &mut Findings) {
    let Some(name) = workflow.text("macro_id", NAME_CHARS_MAX, findings) else { return };
    let path = workflow.path("macro_id");
    if has_no_steps {
        findings.fault(path, format!("`{name}` is not served; send the steps themselves"));
    } else {
        findings.warn(path, "is ignored; the steps are taken as they were sent");
    }
}

/// Where an intent without steps goes: to the one agent, or to people.
fn only_agent(cast: &Cast, asks: bool, findings: &mut Findings) -> Option<Address> {
    match cast.agents.as_slice() {
        [agent] => agent.address.clone(),
        [] if asks => Some(Address::agent_core()),
        [..] => {
            let detail = "without steps a bundle names exactly one agent, or none and a human_task";
            findings.fault("workflow", detail);
            None
        }
    }
}

/// The intent of a bundle, as `POST /v1/intents` takes it.
#[derive(Debug)]
struct Sent {
    body: Map<String, Value>,
    task: Option<HumanTask>,
}

impl Sent {
    fn read(
        bundle: &Fields<'_>,
        cast: &Cast,
        title: &str,
        arrival: Arrival<'_>,
        findings: &mut Findings,
    ) -> Self {
        let nothing = Map::new();
        let intent = bundle.object("intent", findings);
        let intent = intent.unwrap_or_else(|| Fields::new("intent", &nothing));
        let intent_type = intent.required_text("type", INTENT_TYPE_CHARS_MAX, findings);
        let mut body = body(&intent);
        let names = body.get("escalate_to").and_then(Value::as_str);
        if let Some(Who::Agent(_) | Who::Human(_)) = names.and_then(|word| cast.who(word)) {
            let to = cast.escalation(&intent, "escalate_to", findings);
            body.extend(to.map(|to| ("escalate_to".to_owned(), json!(to.uri()))));
        }
        // What is wrong with reminders is said below; here it is said what they lack.
        let mut of_reminders = Findings::default();
        intent.reminders(&mut of_reminders);
        findings.adopt_warnings(of_reminders);
        let task = own_task(&intent, title, findings);
        check(&body, arrival, findings);
        body.insert("intent_type".to_owned(), json!(intent_type));
        Self { body, task }
    }
}

/// The intent's fields: texts that stand for numbers as numbers, and nothing that is empty.
fn body(intent: &Fields<'_>) -> Map<String, Value> {
    let mut body = Map::new();
    for (name, value) in intent.map() {
        let is_number = NUMBERS.contains(&name.as_str());
        let is_empty = value.is_null() || value.as_str().is_some_and(|it| it.trim().is_empty());
        if is_empty || matches!(name.as_str(), "type" | "intent_type" | "to_agent") {
            continue;
        }
        let value = if is_number { number_of(value) } else { value.clone() };
        body.insert(name.clone(), value);
    }
    body
}

/// Tries each field by itself, so that no fault hides another, and then all of them together.
fn check(body: &Map<String, Value>, arrival: Arrival<'_>, findings: &mut Findings) {
    let route = Route::direct(Address::agent_core());
    let read = |fields: Map<String, Value>| {
        let mut fields = fields;
        fields.insert("intent_type".to_owned(), json!("t"));
        fields.insert("to_agent".to_owned(), json!(Address::agent_core().uri()));
        fields.remove("human_task");
        WireCreate::from_value(Value::Object(fields))?.without_people(arrival, &route)
    };
    let mut alone_fits = true;
    for (name, value) in body {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        alone_fits &= findings.take("intent", read(alone)).is_some();
    }
    if alone_fits {
        findings.take("intent", read(body.clone()));
    }
}
