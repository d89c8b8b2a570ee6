//! Invokes a function at a fixed rate.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tracing::warn;

use crate::stack::host::{Failure, Host};
use crate::template::schedule::Schedule;

/// Attempts at one due invocation, as Lambda makes for an asynchronous one.
const ATTEMPTS_MAX: u32 = 3;
const ATTEMPT_PAUSE: Duration = Duration::from_secs(1);

/// One function's schedule.
#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) schedule: Schedule,
    pub(crate) host: Arc<Host>,
}

impl Scheduler {
    /// Tells the function that this machine has started.
    pub(crate) async fn restart(&self) -> Result<(), Failure> {
        self.invoke(self.schedule.restart_input().to_string()).await
    }

    /// Invokes when due until it is dropped.
    pub(crate) async fn run(self) {
        let every = self.schedule.every;
        let mut due = interval_at(Instant::now() + every, every);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            if let Err(failure) = self.invoke(self.schedule.input.to_string()).await {
                warn!(schedule = self.schedule.name, %failure, "a scheduled invocation failed");
            }
        }
    }

    async fn invoke(&self, input: String) -> Result<(), Failure> {
        let input = Bytes::from(input);
        let mut attempts = 1;
        loop {
            match self.host.invoke(input.clone()).await {
                Ok(_) => return Ok(()),
                Err(failure) if attempts == ATTEMPTS_MAX => return Err(failure),
                Err(_) => attempts += 1,
            }
            tokio::time::sleep(ATTEMPT_PAUSE).await;
        }
    }
}
