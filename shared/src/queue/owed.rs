//! Sending what a commit owes.

use std::time::Duration;

use super::{Failure, QueueError, Queues};
use crate::app::App;
use crate::dead_letter::Reason;
use crate::error::Error;
use crate::message::Message;
use crate::store::Committed;
use crate::webhook;

/// Why something owed was not sent.
#[derive(Debug, thiserror::Error)]
pub enum OwedError {
    /// The queue failed.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// The app failed.
    #[error(transparent)]
    App(#[from] Error),
}

impl Failure for OwedError {
    fn reason(&self) -> Reason {
        match self {
            Self::Queue(error) => error.reason(),
            Self::App(error) => error.reason(),
        }
    }
}

/// Sends what a commit owes, and tells whoever subscribed to what happened to an intent that is their
/// business.
pub async fn send_owed(app: &App, queues: &Queues, committed: &Committed) -> Result<(), OwedError> {
    for message in &committed.commit.owed {
        queues.send(message, Duration::ZERO).await?;
    }
    let Committed { tenant, intent, parties: Some(parties), commit, .. } = committed else {
        return Ok(());
    };
    let subscriptions = app.active_subscriptions().await?;
    let about = (tenant.as_str(), *intent);
    for news in webhook::news(about, parties, &commit.records, &subscriptions, app.now()) {
        queues.send(&Message::News(news), Duration::ZERO).await?;
    }
    Ok(())
}
