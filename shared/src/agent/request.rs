//! The request body for the model: the conversation, and what this agent may do with it.

use serde_json::{Value, json};

use super::{
    agents::{Agent, Agents, HANDOFF_PREFIX},
    run::RunState,
    tool::{Policy, Tool},
};

/// The fewest output tokens that the Responses API takes as a limit.
pub(super) const OUTPUT_TOKENS_MIN: u64 = 16;

/// The request for the next reply. It names no stored response, so that a run does not depend on
/// how long the model's host keeps one.
pub(super) fn body(state: &RunState, agent: &Agent, agents: &Agents) -> Value {
    let model = agents.model();
    let left = state.tokens_max.saturating_sub(state.usage.total_tokens);
    let mut body = json!({
        "model": model.name,
        "instructions": agent.instructions,
        "input": state.items,
        "tools": tools(agent, agents),
        "parallel_tool_calls": true,
        "store": false,
        "max_output_tokens": model.output_tokens_max.min(left).max(OUTPUT_TOKENS_MIN),
    });
    if let Some(fields) = body.as_object_mut() {
        if model.reasoning {
            fields.insert("include".to_owned(), json!(["reasoning.encrypted_content"]));
        }
        if let Some(schema) = &agent.output_schema {
            let format = json!({
                "type": "json_schema",
                "name": format!("{}_answer", agent.name),
                "schema": schema,
                "strict": true,
            });
            fields.insert("text".to_owned(), json!({ "format": format }));
        }
    }
    body
}

fn tools(agent: &Agent, agents: &Agents) -> Vec<Value> {
    let offered = agent.tools.iter().filter(|tool| !matches!(tool.policy, Policy::Deny)).map(tool);
    let handoffs = agent.handoffs.iter().filter_map(|name| agents.agent(name)).map(handoff);
    offered.chain(handoffs).collect()
}

fn tool(tool: &Tool) -> Value {
    json!({
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": true,
    })
}

fn handoff(agent: &Agent) -> Value {
    json!({
        "type": "function",
        "name": format!("{HANDOFF_PREFIX}{}", agent.name),
        "description": format!("Hands the conversation to `{}`. {}", agent.name, agent.purpose),
        "parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": false},
        "strict": true,
    })
}
