//! `wake`: reminders, deadlines, and the news that related intents have ended.
//!
//! A wake-up carries no decision. Each one makes the core look at the state and the time, so one
//! that comes early, late or twice changes nothing.

mod sweep;
mod work;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use lambda_runtime::{LambdaEvent, service_fn};
use serde::{Deserialize, Serialize};
use shared::app::App;
use shared::boot::Boot;
use shared::dead_letter::Reason;
use shared::error::Error;
use shared::queue::{Failure, QueueError, Queues, each};

pub use sweep::Swept;

/// What the function needs.
#[derive(Clone, Debug)]
pub struct Waker {
    /// The app.
    pub app: App,
    /// Where messages go.
    pub queues: Queues,
}

/// What the function is invoked with: a batch of messages, or the schedule's call.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Call {
    /// Messages.
    Messages(SqsEvent),
    /// The schedule.
    Schedule(Schedule),
}

/// The schedule's call.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Schedule {
    /// Always true; it tells this call from others.
    pub sweep: bool,
    /// Whether the queues have lost what was in them, as after a restart of the local stack.
    #[serde(default)]
    pub restart: bool,
}

/// What the function answers.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The messages that are to come again.
    Messages(SqsBatchResponse),
    /// What the sweep found.
    Swept(Swept),
}

/// Why something was not done; it comes again.
#[derive(Debug, thiserror::Error)]
pub enum WakeError {
    /// The app refused or failed.
    #[error(transparent)]
    App(#[from] Error),
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The message belongs in another queue.
    #[error("the message belongs in another queue")]
    Misplaced,
}

impl Failure for WakeError {
    fn reason(&self) -> Reason {
        match self {
            Self::App(error) => error.reason(),
            Self::Queue(error) => error.reason(),
            Self::Misplaced => Reason::Misplaced,
        }
    }
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::start().await;
    let waker = Waker { app: boot.app()?, queues: boot.queues() };
    let handler = move |event: LambdaEvent<Call>| {
        let waker = waker.clone();
        async move { Box::pin(handle(&waker, event.payload)).await.map_err(lambda_runtime::Error::from) }
    };
    lambda_runtime::run_concurrent(service_fn(handler)).await
}

/// Works through messages, or sweeps.
///
/// # Errors
///
/// A sweep that fails as a whole; the next minute's sweep does what this one did not.
pub async fn handle(waker: &Waker, call: Call) -> Result<Answer, WakeError> {
    match call {
        Call::Messages(event) => {
            let work = |message| waker.work(message);
            let response = each(&waker.app, &waker.queues, event, work).await;
            Ok(Answer::Messages(response))
        }
        Call::Schedule(schedule) => Ok(Answer::Swept(waker.sweep_traced(schedule.restart).await?)),
    }
}
