//! Sending again what was given up.
//!
//! A message may come twice whatever brings it, so to send one again does no harm. What is sent is
//! marked after it was sent: whoever is interrupted in between sends once more.

use std::time::Duration;

use shared::app::App;
use shared::dead_letter::{Content, DeadLetter, DeadLetterId, Origin};
use shared::error::Error;
use shared::message::Message;
use shared::principal::Principal;
use shared::queue::{OwedError, QueueError, Queues, send_owed};

/// Sends a dead letter again, unless that was done before.
pub(super) async fn redrive(
    app: &App,
    queues: &Queues,
    by: &Principal,
    id: &DeadLetterId,
) -> Result<DeadLetter, Error> {
    let letter = app.dead_letter(by, id).await?;
    if letter.redriven_at.is_some() {
        return Ok(letter);
    }
    send(app, queues, &letter).await?;
    app.mark_redriven(id).await
}

async fn send(app: &App, queues: &Queues, letter: &DeadLetter) -> Result<(), Error> {
    let tenant = || app.tenant().to_owned();
    let message = match &letter.content {
        Content::Message(message) => message.clone(),
        Content::Timer { intent } => Message::Recover { tenant: tenant(), intent: *intent },
        Content::Batch { .. } => Message::RecoverAll { tenant: tenant() },
        Content::Text { text, bytes, .. } => {
            let queue = letter.origin.and_then(Origin::queue);
            let queue = queue.filter(|_| text.len() == *bytes).ok_or(Error::NotRedrivable)?;
            return sent(queues.send_text(queue, text.clone(), Duration::ZERO).await);
        }
        Content::Commit { intent, seq } => {
            let found = app.store().committed_at(app.tenant(), *intent, *seq).await?;
            // An intent that has left the table is owed nothing.
            let Some(committed) = found else { return Ok(()) };
            return match send_owed(app, queues, &committed).await {
                Ok(()) => Ok(()),
                Err(OwedError::Queue(error)) => sent(Err(error)),
                Err(OwedError::App(error)) => Err(error),
            };
        }
        Content::Record { .. } => return Err(Error::NotRedrivable),
    };
    sent(queues.send(&message, Duration::ZERO).await)
}

fn sent(outcome: Result<(), QueueError>) -> Result<(), Error> {
    outcome.map_err(|error| Error::Unavailable { dependency: "the queue", source: error.into() })
}
