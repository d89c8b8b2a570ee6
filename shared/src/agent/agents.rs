//! The agents of one deployment, checked once when they are put together.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    guardrail::{Guardrail, InputCheck, OutputCheck, Trip},
    schema,
    tool::Tool,
};

/// The start of the name of each tool that hands the conversation to another agent.
pub const HANDOFF_PREFIX: &str = "transfer_to_";

/// The longest name of an agent or a tool, in bytes: with the handoff prefix it still fits the
/// Responses API's 64.
const NAME_BYTES_MAX: usize = 50;

/// Agents that can hand work to each other, the guardrails around them, and the model behind them.
#[derive(Clone, Debug)]
pub struct Agents {
    model: Model,
    root: String,
    by_name: BTreeMap<String, Agent>,
    input: Vec<Guardrail<InputCheck>>,
    output: Vec<Guardrail<OutputCheck>>,
}

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Its name: letters, digits, `_` and `-`.
    pub name: String,
    /// What other agents' models read about it when they may hand over to it.
    pub purpose: String,
    /// What its model is told to be.
    pub instructions: String,
    /// What it may call.
    pub tools: Vec<Tool>,
    /// The agents that it may hand over to.
    pub handoffs: Vec<String>,
    /// The JSON Schema that its final answer must fit; without one the answer is text.
    pub output_schema: Option<Value>,
}

/// The model that answers.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its name in the request.
    pub name: String,
    /// Whether it is a reasoning model. Its encrypted reasoning is then asked for, so that it can go
    /// back days later; other models refuse a request that asks for it.
    pub reasoning: bool,
    /// The most tokens that one reply may have.
    pub output_tokens_max: u64,
}

/// Agents that do not fit together.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AgentsError {
    /// The name cannot be sent to a model, or is kept for handoffs.
    #[error(
        "`{name}` cannot be the name of an agent or a tool: use 1 to {NAME_BYTES_MAX} letters, digits, `_` or `-`, and not the start `{HANDOFF_PREFIX}`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Two agents, or two tools of one agent, share a name.
    #[error("there are two of the name `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// An agent is named and not given.
    #[error(
        "agent `{name}` is named as the first agent or in a handoff and is not among the agents"
    )]
    Unknown {
        /// The name.
        name: String,
    },
    /// A schema that models are not held to.
    #[error(
        "the schema of `{name}` must be an object with `additionalProperties: false` that requires each property"
    )]
    Schema {
        /// The tool, or the agent whose answer it describes.
        name: String,
    },
}

impl Agents {
    /// Puts agents together; a run starts with `root`.
    pub fn new(model: Model, root: &str, agents: Vec<Agent>) -> Result<Self, AgentsError> {
        let mut by_name = BTreeMap::new();
        for agent in agents {
            agent.check()?;
            let name = agent.name.clone();
            if by_name.insert(name.clone(), agent).is_some() {
                return Err(AgentsError::Twice { name });
            }
        }
        let handoffs = by_name.values().flat_map(|agent| agent.handoffs.iter().map(String::as_str));
        if let Some(name) = handoffs.chain([root]).find(|name| !by_name.contains_key(*name)) {
            return Err(AgentsError::Unknown { name: name.to_owned() });
        }
        let root = root.to_owned();
        Ok(Self { model, root, by_name, input: Vec::new(), output: Vec::new() })
    }

    /// Adds a check on the task.
    #[must_use]
    pub fn with_input_guardrail(mut self, guardrail: Guardrail<InputCheck>) -> Self {
        self.input.push(guardrail);
        self
    }

    /// Adds a check on the final answer.
    #[must_use]
    pub fn with_output_guardrail(mut self, guardrail: Guardrail<OutputCheck>) -> Self {
        self.output.push(guardrail);
        self
    }

    /// The model behind the agents.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The agent that a run starts with.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The agent of that name.
    pub fn agent(&self, name: &str) -> Option<&Agent> {
        self.by_name.get(name)
    }

    pub(super) fn check_input(&self, task: &Value) -> Result<(), Trip> {
        self.input.iter().try_for_each(|guardrail| {
            (guardrail.check)(task).map_err(|why| guardrail.trip("task", why))
        })
    }

    pub(super) fn check_output(&self, output: &Value, items: &[Value]) -> Result<(), Trip> {
        self.output.iter().try_for_each(|guardrail| {
            (guardrail.check)(output, items).map_err(|why| guardrail.trip("answer", why))
        })
    }
}

impl Agent {
    /// The tool of that name.
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    fn check(&self) -> Result<(), AgentsError> {
        check_name(&self.name)?;
        if self.output_schema.as_ref().is_some_and(|schema| !schema::is_strict_object(schema)) {
            return Err(AgentsError::Schema { name: self.name.clone() });
        }
        let mut seen = BTreeSet::new();
        self.tools.iter().try_for_each(|tool| {
            let name = tool.name.clone();
            check_name(&name)?;
            if !schema::is_strict_object(&tool.parameters) {
                return Err(AgentsError::Schema { name });
            }
            if !seen.insert(tool.name.as_str()) {
                return Err(AgentsError::Twice { name });
            }
            Ok(())
        })
    }
}

fn check_name(name: &str) -> Result<(), AgentsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let good = (1..=NAME_BYTES_MAX).contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with(HANDOFF_PREFIX);
    if good { Ok(()) } else { Err(AgentsError::Name { name: name.to_owned() }) }
}
