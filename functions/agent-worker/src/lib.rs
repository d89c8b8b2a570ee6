//! `agent-worker`: runs the turns of the built-in agents, from a queue.
//!
//! ```text
//! Message::Turn ─► Start: a lease with a fence ─► load the run ─► hear what people decided
//!                                                                      │
//!        ┌──────────────── one durable step at a time ◄────────────────┘
//!        │  ask the model ─► store        claim a call ─► run it ─► report it ─► store
//!        ▼
//!   Suspend: people are asked, or it goes on in the next invocation     Complete or Fail
//! ```
//!
//! The loop itself is [`shared::agent`], which does nothing but think; this crate does what it says
//! and stores what comes of it. What it promises:
//!
//! - **A step is stored before the next one begins**, under the fence of the worker's lease. A worker
//!   that lost its lease can store nothing any more, so two of them never mix their runs.
//! - **A tool that changes something runs only after a stored claim** (`App::claim`), which also
//!   checks the person's yes. A claim is given once: after a crash the call is not run again but
//!   people are asked whether it happened.
//! - **Every refusal by the core acknowledges the message.** Another worker has the intent, a person
//!   must decide, or it has ended; whatever it is, the intent's own wake-up offers the turn again when
//!   that is needed. Every other error fails the message, so that the queue brings it again or it is
//!   buried as a dead letter, which raises the alarm; the lease's end offers the turn anew as well.
//! - **Out of time is no failure.** A turn that nears the end of its invocation suspends itself until
//!   now: the wake-up that follows starts the next invocation at once, and no delivery attempt is
//!   used up, as it would be by letting the lease run out. A model that does not answer now is waited
//!   for in the same way, the longer the older the intent is, at most until its deadline.
//! - **A stopped agent's turn is put off** in that way too, and goes on by itself once the agent does.
//!
//! One set of agents is built in, and it serves every address that workers handle: see
//! [`shared::agent::sales`].

mod checkpoint;
pub mod model;
mod question;
mod tools;
mod turn;
mod worker;

pub use turn::TurnError;
pub use worker::Worker;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, run_concurrent, service_fn};
use shared::boot::Boot;
use shared::queue::each;

/// Runs the function until its environment ends.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let boot = Boot::start().await;
    let worker = Worker::new(boot.app()?, boot.queues(), model::configured()?)?;
    run_concurrent(service_fn(move |event: LambdaEvent<SqsEvent>| {
        let worker = worker.clone();
        // Boxed, because the compiler would nest the future too deeply into the runtime's own.
        Box::pin(async move {
            let until = deadline_of(event.context.deadline);
            Ok::<_, lambda_runtime::Error>(handle(&worker, event.payload, until).await)
        })
    }))
    .await
}

/// Runs the turns of one batch; `until` is when the invocation is ended from outside.
pub async fn handle(worker: &Worker, event: SqsEvent, until: Timestamp) -> SqsBatchResponse {
    let work = |message| worker.take(message, until);
    each(&worker.app, &worker.queues, event, work).await
}

/// The invocation's deadline, from milliseconds since 1970.
fn deadline_of(millis: u64) -> Timestamp {
    let millis = i64::try_from(millis).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}
