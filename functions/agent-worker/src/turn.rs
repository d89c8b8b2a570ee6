//! One turn: from the lease to the next question, or to the end.

mod call;
mod ending;
mod outcome;
mod room;

pub use outcome::TurnError;

use jiff::Timestamp;
use serde_json::{Map, Value};
use shared::agent::{self, FailureCode, Limits, RunState, Step};
use shared::app::{App, Slot};
use shared::digest::Digest;
use shared::error::Error;
use shared::id::IntentId;
use shared::intent::envelope::Delivery;
use shared::intent::{Command, Intent};
use shared::principal::Principal;
use tracing::{info, warn};

use crate::model::ModelError;
use crate::worker::Worker;
use crate::{checkpoint, question};
use outcome::Outcome;

/// Runs the turn of an intent, and logs one line about it.
pub(crate) async fn run(worker: &Worker, id: IntentId, until: Timestamp) -> Result<(), TurnError> {
    let slot = match slot(worker, id, until).await {
        Ok(Slot::Full) => {
            return told(id, 0, Box::pin(ending::wait_for_slot(&worker.app, id)).await);
        }
        Ok(slot @ (Slot::Unlimited | Slot::Held { .. })) => slot,
        Err(error) => return told(id, 0, Err(error)),
    };
    let (steps, result) = Box::pin(run_in_slot(worker, id, until)).await;
    worker.app.give_slot_back(&slot).await;
    told(id, steps, result)
}

/// A slot for the turn, if the agent has a limit and the turn is a worker's to run.
async fn slot(worker: &Worker, id: IntentId, until: Timestamp) -> Result<Slot, TurnError> {
    let found = worker.app.load(id).await?.intent;
    if found.delivery() != Delivery::Worker || !found.is_agents_turn() {
        return Ok(Slot::Unlimited);
    }
    Ok(worker.app.take_slot(found.handler(), until).await?)
}

async fn run_in_slot(
    worker: &Worker,
    id: IntentId,
    until: Timestamp,
) -> (u32, Result<Outcome, TurnError>) {
    let (steps, fence, result) = match Turn::begin(worker, id, until).await {
        Ok(Some(mut turn)) => {
            let result = turn.work().await;
            (turn.steps, Some(turn.fence), result)
        }
        Ok(None) => (0, None, Ok(Outcome::NotItsTurn)),
        Err(error) => (0, None, Err(error)),
    };
    let result = match result {
        Err(TurnError::App(Error::AgentStopped { standing, .. })) => {
            Box::pin(ending::put_off(&worker.app, id, fence, standing)).await
        }
        other => other,
    };
    (steps, result)
}

/// Logs how a turn came out; a refusal is no failure.
fn told(id: IntentId, steps: u32, result: Result<Outcome, TurnError>) -> Result<(), TurnError> {
    match result.or_else(TurnError::acknowledged) {
        Ok(outcome) => {
            info!(intent = %id, steps, %outcome, "turn");
            Ok(())
        }
        Err(error) => {
            warn!(intent = %id, steps, outcome = "error", cause = error.causes(), "turn");
            Err(error)
        }
    }
}

/// A turn that this worker holds the lease of.
struct Turn<'a> {
    worker: &'a Worker,
    by: Principal,
    intent: Intent,
    fence: u64,
    /// The run as it is now; what is stored may be one step behind.
    state: RunState,
    /// Digest of the run as it is stored.
    stored: Option<Digest>,
    steps: u32,
    until: Timestamp,
}

impl<'a> Turn<'a> {
    /// Takes the lease and the run; `None` if the turn is not a worker's to run.
    async fn begin(
        worker: &'a Worker,
        id: IntentId,
        until: Timestamp,
    ) -> Result<Option<Self>, TurnError> {
        let app = &worker.app;
        let found = app.load(id).await?.intent;
        if found.delivery() != Delivery::Worker || !found.is_agents_turn() {
            return Ok(None);
        }
        let by = agent_of(&found);
        let start = Command::Start { by: by.clone(), lease_until: lease_until(app) };
        let intent = app.execute(id, &start, &[]).await?;
        let state = resume(worker, &intent).await?;
        let (fence, stored) = (intent.fence, intent.checkpoint.clone());
        Ok(Some(Self { worker, by, intent, fence, state, stored, steps: 0, until }))
    }

    /// Steps until people are asked, the run ends or the time does.
    async fn work(&mut self) -> Result<Outcome, TurnError> {
        loop {
            match agent::next(&self.state, &self.worker.agents) {
                // The first step runs in any case, so that every invocation gets somewhere.
                Step::AskModel(_) | Step::CallTool(_) if self.steps > 0 && self.is_late() => {
                    return self.go_on_at(self.app().now(), Outcome::GoesOn).await;
                }
                Step::AskModel(request) => match self.ask_model(&request).await {
                    Err(TurnError::Model(unavailable)) => return self.pause(unavailable).await,
                    asked => asked?,
                },
                Step::CallTool(call) => self.call_tool(&call).await?,
                Step::AskPeople(requests) => return self.ask_people(&requests).await,
                Step::Finish(finish) => return self.finish(finish).await,
            }
        }
    }

    async fn ask_model(&mut self, request: &Value) -> Result<(), TurnError> {
        let (model, agents) = (&self.worker.model, &self.worker.agents);
        let answer = tokio::time::timeout(self.patience(), model.respond(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(refused @ ModelError::Refused(_))) => {
                let code = FailureCode::ModelUnavailable;
                let state = agent::stopped(&self.state, code, &refused.to_string());
                return self.store(state, "the model's host refused the request".into()).await;
            }
            Ok(Err(unavailable @ ModelError::Unavailable(_))) => return Err(unavailable.into()),
            Err(_) => return Err(ModelError::Unavailable("it took too long".to_owned()).into()),
        };
        let state = agent::model_replied(&self.state, agents, &response)?;
        let mut note = format!("asked the model (turn {})", state.turn());
        if state.agent() != self.state.agent() {
            note = format!("{note}, handed over to {}", state.agent());
        }
        self.store(state, note).await
    }

    /// Makes `state` the stored one, under the fence and with a fresh lease.
    async fn store(&mut self, state: RunState, note: String) -> Result<(), TurnError> {
        let (attachment, digest) = checkpoint::write(&state, self.app().now())?;
        let step = Command::Step {
            by: self.by.clone(),
            fence: self.fence,
            lease_until: lease_until(self.app()),
            checkpoint: digest.clone(),
            note,
        };
        self.intent = self.app().execute(self.intent.id, &step, &[attachment]).await?;
        self.state = state;
        self.stored = Some(digest);
        self.steps = self.steps.saturating_add(1);
        Ok(())
    }

    fn app(&self) -> &'a App {
        &self.worker.app
    }
}

/// The run as this worker goes on with it: what its predecessor left, and what people have said.
///
/// Nothing of this needs a step of its own. Both come from what is stored, so a worker that dies
/// here leaves the next one the same.
async fn resume(worker: &Worker, intent: &Intent) -> Result<RunState, TurnError> {
    let agents = &worker.agents;
    let Some(found) = checkpoint::read(&worker.app, intent).await? else {
        let task = Value::Object(task_of(intent));
        return Ok(agent::start(intent.id.uuid(), &task, agents, Limits::default()));
    };
    let mut state = agent::settle(agent::recovered(found, agents), agents);
    for answer in question::answers(intent, &state) {
        // An answer that does not fit is one that was heard before, or one about a call whose state
        // says more by now.
        state = agent::decided(&state, agents, &answer).unwrap_or(state);
    }
    Ok(state)
}

/// What the agent is to do. The child that has a step of a workflow wraps what was sent, and has
/// beside it what the step adds.
fn task_of(intent: &Intent) -> Map<String, Value> {
    let payload = &intent.envelope.payload;
    let part = |name: &str| payload.get(name).and_then(Value::as_object).cloned();
    let is_step = intent.envelope.parent.as_ref().is_some_and(|parent| parent.is_step);
    if !is_step {
        return payload.clone();
    }
    let mut task = part("parent_payload").unwrap_or_default();
    task.extend(part("input").unwrap_or_default());
    task
}

/// The agent that handles the intent, as whom the worker acts.
fn agent_of(intent: &Intent) -> Principal {
    Principal::agent(&intent.envelope.tenant, intent.handler())
}

fn lease_until(app: &App) -> Timestamp {
    app.now().checked_add(app.config().worker_lease).unwrap_or(Timestamp::MAX)
}
