//! Putting agents together, and the request that comes of them.

use serde_json::json;

use super::team::{agents, agents_with, model, started, tool};
use crate::agent::{Agent, Agents, AgentsError, Effect, Model, Policy, RunState, Step, next};

fn agent(name: &str, handoffs: &[&str]) -> Agent {
    Agent {
        name: name.into(),
        purpose: String::new(),
        instructions: String::new(),
        tools: Vec::new(),
        handoffs: handoffs.iter().map(|name| (*name).to_owned()).collect(),
        output_schema: None,
    }
}

#[track_caller]
fn check(root: &str, agents: Vec<Agent>, expected: Option<AgentsError>) {
    assert_eq!(Agents::new(model(), root, agents).err(), expected);
}

#[test]
fn agents_that_do_not_fit_together_are_refused() {
    let name = |name: &str| name.to_owned();
    check("a", vec![agent("a", &["b"]), agent("b", &["a"])], None);
    check("x", vec![agent("a", &[])], Some(AgentsError::Unknown { name: name("x") }));
    check("a", vec![agent("a", &["b"])], Some(AgentsError::Unknown { name: name("b") }));
    check(
        "a",
        vec![agent("a", &[]), agent("a", &[])],
        Some(AgentsError::Twice { name: name("a") }),
    );
    check("a b", vec![agent("a b", &[])], Some(AgentsError::Name { name: name("a b") }));

    let twin = tool("t", Policy::Auto, Effect::Pure);
    let twins = Agent { tools: vec![twin.clone(), twin], ..agent("a", &[]) };
    check("a", vec![twins], Some(AgentsError::Twice { name: name("t") }));

    let posing = tool("transfer_to_b", Policy::Auto, Effect::Pure);
    let posing = Agent { tools: vec![posing], ..agent("a", &[]) };
    check("a", vec![posing], Some(AgentsError::Name { name: name("transfer_to_b") }));

    let mut open = tool("t", Policy::Auto, Effect::Pure);
    open.parameters = json!({"type": "object", "properties": {"n": {}}, "required": []});
    let open = Agent { tools: vec![open], ..agent("a", &[]) };
    check("a", vec![open], Some(AgentsError::Schema { name: name("t") }));
}

#[track_caller]
fn request(state: &RunState, agents: &Agents) -> serde_json::Value {
    let Step::AskModel(body) = next(state, agents) else { panic!("the model is not asked") };
    body
}

#[test]
fn the_model_is_offered_its_tools_and_handoffs_and_nothing_that_is_denied() {
    let agents = agents();
    let body = request(&started(&agents), &agents);
    let names: Vec<_> = body["tools"].as_array().expect("tools").iter().collect();
    let names: Vec<_> = names.iter().map(|tool| tool["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["read", "put", "charge", "deploy", "scale", "transfer_to_second"]);
    assert_eq!(body["input"][0]["content"][0]["text"], r#"{"task":"t"}"#);
    assert_eq!(body["store"], false);
    assert_eq!(body["max_output_tokens"], 1_000);
    assert_eq!(body.get("include"), None);
}

#[test]
fn a_reasoning_model_is_asked_for_its_encrypted_reasoning() {
    let model = Model { reasoning: true, ..model() };
    let agents = Agents::new(model, "a", vec![agent("a", &[])]).expect("the agents fit together");
    let body = request(&started(&agents), &agents);
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn the_request_never_asks_for_more_tokens_than_the_budget_has() {
    let agents = agents_with(Vec::new());
    let mut state = started(&agents);
    state.usage.total_tokens = state.tokens_max - 600;
    assert_eq!(request(&state, &agents)["max_output_tokens"], 600);
}
