//! The whole memory of one run, as it is stored while the run waits.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;
use uuid::Uuid;

/// The layout of a stored run. Raised with every change of the layout; old layouts stay readable.
pub const SCHEMA: u32 = 1;
/// The most model calls that any run may make, whatever its [`Limits`] ask for.
pub const TURNS_MAX: u32 = 100;
/// The most tokens that any run may use, whatever its [`Limits`] ask for.
pub const TOKENS_MAX: u64 = 2_000_000;
/// The largest task, as JSON text.
pub const TASK_BYTES_MAX: usize = 64_000;
/// The largest run, as JSON text: what one stored item can hold beside its own fields.
pub const STATE_BYTES_MAX: usize = 300_000;

/// Everything that one run of an agent knows.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(remote = "Self", deny_unknown_fields)]
pub struct RunState {
    pub(super) schema: u32,
    pub(super) run_id: Uuid,
    pub(super) agent: String,
    pub(super) turn: u32,
    pub(super) turns_max: u32,
    pub(super) tokens_max: u64,
    pub(super) repairs: u32,
    pub(super) usage: Usage,
    /// Raw items of the Responses API. They are never parsed into types of ours and back: that
    /// would drop what a newer model adds, and encrypted reasoning has to return unchanged.
    pub(super) items: Vec<Value>,
    pub(super) refused: Vec<Refusal>,
    pub(super) phase: Phase,
}

/// Where a run stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Phase {
    /// The model has the next word.
    CallModel,
    /// The model asked for tools; it is called again when every call has an output.
    RunTools {
        /// The calls of this turn, in the model's order.
        calls: Vec<Call>,
        /// The agent that takes over when the turn ends.
        handoff: Option<String>,
    },
    /// The run ended with an answer.
    Done {
        /// The answer: an object when the agent declares an output schema, else a string.
        output: Value,
    },
    /// The run ended without an answer.
    Failed {
        /// What went wrong, for programs.
        code: FailureCode,
        /// What went wrong and what to do, for people.
        message: String,
    },
}

/// One tool call of the current turn.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    /// The model's id of the call, unique in the run.
    pub call_id: String,
    /// The tool's name as the model gave it.
    pub tool: String,
    /// The arguments, parsed once; `null` when they could not be parsed.
    pub arguments: Value,
    /// The digest of the arguments' canonical JSON.
    pub args_sha256: String,
    /// How far the call has come.
    pub state: CallState,
}

/// How far a tool call has come.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum CallState {
    /// May run; its policy asks nobody.
    Ready,
    /// Waits for a person.
    AwaitingApproval,
    /// May run; a person said so.
    Approved {
        /// Who said so.
        by: String,
    },
    /// Never runs; a person said so.
    Rejected {
        /// Who said so.
        by: String,
        /// Why, in that person's words.
        reason: Option<String>,
    },
    /// Never runs; nobody answered in time.
    Expired,
    /// A worker claimed it and runs it.
    Running {
        /// Who approved it, where somebody was asked.
        approved_by: Option<String>,
    },
    /// Has its output.
    Done {
        /// What the model is told.
        output: String,
        /// Whether the output tells of a failure.
        is_error: bool,
    },
    /// The worker died while it ran; a person must say whether it happened.
    UnknownOutcome,
}

/// A call that people refused or let lapse: the same call again is answered, not asked again.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// The tool.
    pub tool: String,
    /// The digest of its arguments.
    pub args_sha256: String,
    /// What the model was told.
    pub output: String,
}

/// Why a run ended without an answer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureCode {
    /// A guardrail refused the input, a tool's arguments or the answer.
    Guardrail,
    /// The task is larger than [`TASK_BYTES_MAX`].
    TaskBytesMax,
    /// The run used up its model calls.
    TurnsMax,
    /// The run used up its tokens.
    TokensMax,
    /// The run no longer fits into one stored item.
    StateBytesMax,
    /// The model's reply cannot be used.
    ModelReply,
    /// The model stopped in the middle of its reply.
    ModelIncomplete,
    /// The model declined the task.
    ModelRefused,
    /// The model could not be reached.
    ModelUnavailable,
    /// The run's agent is not part of this build.
    AgentRemoved,
    /// Somebody stopped the run.
    Cancelled,
}

/// Tokens used so far.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that the model wrote.
    pub output_tokens: u64,
    /// What the budget counts.
    pub total_tokens: u64,
}

/// What one run may use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Model calls over the whole life of the run.
    pub turns_max: u32,
    /// Tokens over the whole life of the run.
    pub tokens_max: u64,
}

/// A stored run that this build cannot read.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The layout's number is absent, so nothing else can be trusted.
    #[error("the stored run has no `schema` number; this build reads schema {SCHEMA}")]
    NoSchema,
    /// Another build wrote it.
    #[error(
        "the stored run has schema {found}, this build reads schema {SCHEMA}: deploy a build that reads it"
    )]
    UnknownSchema {
        /// The number in the stored run.
        found: u64,
    },
    /// The layout is ours and the content is not.
    #[error("the stored run does not have the layout of schema {SCHEMA}")]
    Malformed(#[source] serde_json::Error),
}

impl RunState {
    pub(super) fn new(run_id: Uuid, agent: &str, limits: Limits) -> Self {
        Self {
            schema: SCHEMA,
            run_id,
            agent: agent.to_owned(),
            turn: 0,
            turns_max: limits.turns_max.min(TURNS_MAX),
            tokens_max: limits.tokens_max.min(TOKENS_MAX),
            repairs: 0,
            usage: Usage::default(),
            items: Vec::new(),
            refused: Vec::new(),
            phase: Phase::CallModel,
        }
    }

    /// Reads a stored run and refuses what another build wrote in another layout.
    pub fn parse(json: &str) -> Result<Self, StateError> {
        let value: Value = serde_json::from_str(json).map_err(StateError::Malformed)?;
        Self::try_from(value)
    }

    /// The run's id, which is part of each call's idempotency key.
    pub fn run_id(&self) -> Uuid {
        self.run_id
    }

    /// The agent whose turn it is.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// How many replies the model has given.
    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// Tokens used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The conversation, as raw items of the Responses API.
    pub fn items(&self) -> &[Value] {
        &self.items
    }

    /// Where the run stands.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// The calls of the current turn; none unless tools are running.
    pub fn calls(&self) -> &[Call] {
        match &self.phase {
            Phase::RunTools { calls, .. } => calls,
            Phase::CallModel | Phase::Done { .. } | Phase::Failed { .. } => &[],
        }
    }

    /// Whether the run has ended.
    pub fn is_finished(&self) -> bool {
        match self.phase {
            Phase::Done { .. } | Phase::Failed { .. } => true,
            Phase::CallModel | Phase::RunTools { .. } => false,
        }
    }

    pub(super) fn fail(&mut self, code: FailureCode, message: impl Into<String>) {
        self.phase = Phase::Failed { code, message: message.into() };
    }

    /// How large the run is when stored.
    pub(super) fn bytes(&self) -> usize {
        serde_json::to_vec(self).map_or(usize::MAX, |bytes| bytes.len())
    }
}

impl CallState {
    /// Whether the model can be told how the call ended.
    pub fn is_settled(&self) -> bool {
        match self {
            Self::Rejected { .. } | Self::Expired | Self::Done { .. } => true,
            Self::Ready
            | Self::AwaitingApproval
            | Self::Approved { .. }
            | Self::Running { .. }
            | Self::UnknownOutcome => false,
        }
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }
}

impl FailureCode {
    /// The code as it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Guardrail => "guardrail",
            Self::TaskBytesMax => "task_bytes_max",
            Self::TurnsMax => "turns_max",
            Self::TokensMax => "tokens_max",
            Self::StateBytesMax => "state_bytes_max",
            Self::ModelReply => "model_reply",
            Self::ModelIncomplete => "model_incomplete",
            Self::ModelRefused => "model_refused",
            Self::ModelUnavailable => "model_unavailable",
            Self::AgentRemoved => "agent_removed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Usage {
    pub(super) fn add(&mut self, more: Self) {
        self.input_tokens = self.input_tokens.saturating_add(more.input_tokens);
        self.output_tokens = self.output_tokens.saturating_add(more.output_tokens);
        self.total_tokens = self.total_tokens.saturating_add(more.total_tokens);
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { turns_max: 20, tokens_max: 200_000 }
    }
}

impl TryFrom<Value> for RunState {
    type Error = StateError;

    fn try_from(value: Value) -> Result<Self, StateError> {
        match value.get("schema").and_then(Value::as_u64) {
            None => Err(StateError::NoSchema),
            Some(found) if found != u64::from(SCHEMA) => Err(StateError::UnknownSchema { found }),
            // The derived function, which `remote` makes an inherent one.
            Some(_) => RunState::deserialize(value).map_err(StateError::Malformed),
        }
    }
}

impl<'de> Deserialize<'de> for RunState {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // The number is read before anything else, so that a newer layout is called that and not a
        // missing field.
        let value = <Value as Deserialize>::deserialize(deserializer)?;
        Self::try_from(value).map_err(|error| match error {
            StateError::NoSchema | StateError::UnknownSchema { .. } => D::Error::custom(error),
            StateError::Malformed(cause) => D::Error::custom(cause),
        })
    }
}

impl Serialize for RunState {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RunState::serialize(self, serializer)
    }
}
