//! Scenario bundles: what is wrong with one is named, and a valid one is applied once and runs.

mod apply;
mod faults;
mod order;
mod people;
mod readers;
mod seeds;
mod stories;
mod time;
mod warnings;

use serde_json::{Value, json};
use tests::{Answer, World};

use crate::pump::Pump;

const APPLY: &str = "/v1/scenarios/apply";
const VALIDATE: &str = "/v1/scenarios/validate";

/// An agent, and a person who signs off on its result.
fn bundle() -> Value {
    json!({
        "scenario_id": "expense-approval",
        "agents": [{
            "role": "processor",
            "address": "agent://expenses",
            "display_name": "Expenses",
            "create_if_missing": true,
        }],
        "humans": [{"role": "manager", "contact": ""}],
        "workflow": {"steps": [
            {"step_id": "process", "tool_id": "tool.agent.task.v1", "assigned_to": "processor"},
            {
                "step_id": "sign_off",
                "tool_id": "tool.approval.human_signoff",
                "assigned_to": "manager",
                "step_deadline_seconds": 3600,
                "human_task": {"title": "Pay it?"},
            },
        ]},
        "intent": {"type": "expense.process.v1", "payload": {"amount": 40}},
    })
}

/// The same with other steps.
fn with_steps(steps: Value) -> Value {
    let mut bundle = bundle();
    bundle["workflow"]["steps"] = steps;
    bundle
}

/// A step of the one agent.
fn agents(step_id: &str) -> Value {
    json!({"step_id": step_id, "tool_id": "tool.agent.task.v1", "assigned_to": "processor"})
}

/// A step of any reviewer.
fn persons(step_id: &str) -> Value {
    json!({
        "step_id": step_id,
        "runtime_type": "human_approval",
        "human_task": {"title": format!("Is {step_id} right?")},
    })
}

/// A step with more fields than it had.
fn with(mut step: Value, more: Value) -> Value {
    let more = more.as_object().cloned().unwrap();
    step.as_object_mut().unwrap().extend(more);
    step
}

/// The faults and the warnings of a bundle.
async fn findings(world: &World, bundle: &Value) -> (Vec<String>, Vec<String>) {
    let answer = world.post(&world.agent, VALIDATE, bundle).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    let body = answer.json();
    let texts = |name: &str| -> Vec<String> {
        let list = body[name].as_array().unwrap().iter();
        list.map(|text| text.as_str().unwrap().to_owned()).collect()
    };
    let (errors, warnings) = (texts("errors"), texts("warnings"));
    assert_eq!(body["ok"], errors.is_empty());
    (errors, warnings)
}

/// Applies a bundle that must be taken.
async fn apply(world: &World, bundle: &Value) -> Value {
    let answer = world.post(&world.agent, APPLY, bundle).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// A running workflow, seen from outside.
struct Story<'a> {
    world: &'a World,
    pump: Pump<'a>,
    id: String,
}

impl<'a> Story<'a> {
    async fn of(world: &'a World, bundle: &Value) -> Self {
        let id = apply(world, bundle).await["intent_id"].as_str().unwrap().to_owned();
        let mut story = Self { world, pump: Pump::of(world).await, id };
        story.pump.run().await;
        story
    }

    /// The intent, as its sender reads it.
    async fn read(&self) -> Value {
        let answer = self.world.get(&self.world.agent, &format!("/v1/intents/{}", self.id)).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        answer.json()["intent"].clone()
    }

    /// Its status and the step that it is at.
    async fn at(&self) -> (String, String) {
        let intent = self.read().await;
        let text = |name: &str| intent[name].as_str().unwrap_or_default().to_owned();
        (text("status"), text("current_step"))
    }

    /// The states of the steps.
    async fn states(&self) -> Vec<String> {
        let intent = self.read().await;
        let steps = intent["workflow"]["steps"].as_array().unwrap();
        let state = |step: &Value| {
            format!("{} {}", step["step_id"].as_str().unwrap(), step["state"].as_str().unwrap())
        };
        steps.iter().map(state).collect()
    }

    /// What the agent's stream shows last.
    async fn offered(&self, address: &str) -> Value {
        let path = format!("/v1/agents/{address}/intents/stream?since=0&wait_seconds=1");
        let answer = self.world.get(&self.world.agent, &path).await;
        let data = answer.text.lines().filter_map(|line| line.strip_prefix("data: "));
        let mut offers = data.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let offer = offers.rfind(|offer| offer["intent_id"].is_string());
        let id = offer.expect("something to do")["intent_id"].as_str().unwrap().to_owned();
        self.world.get(&self.world.agent, &format!("/v1/intents/{id}")).await.json()["intent"]
            .clone()
    }

    /// The agent at `address` does what it is offered, and everybody hears of it.
    async fn agent_ends(&mut self, address: &str, body: &Value) -> Answer {
        let child = self.offered(address).await["intent_id"].as_str().unwrap().to_owned();
        let path = format!("/v1/intents/{child}/resume");
        let answer = self.world.post(&self.world.agent, &path, body).await;
        assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
        self.pump.run().await;
        answer
    }

    /// A reviewer answers on the intent that people know.
    async fn reviewer_says(&mut self, outcome: &str) -> Answer {
        self.says(&self.world.reviewer.clone(), outcome).await
    }

    async fn says(&mut self, key: &str, outcome: &str) -> Answer {
        let path = format!("/v1/intents/{}/resume", self.id);
        let body = json!({"task_result": {"outcome": outcome}});
        let answer = self.world.post(key, &path, &body).await;
        self.pump.run().await;
        answer
    }
}
