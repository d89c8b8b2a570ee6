//! Queues: messages out by SQS, batches in with partial failures.

mod batch;
mod outgoing;

pub use batch::each;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;

use crate::message::{Message, Queue};
use outgoing::Outgoing;

/// The longest delay that SQS takes, in seconds.
pub const DELAY_SECONDS_MAX: u64 = 900;

/// Where messages go.
#[derive(Clone, Debug)]
pub struct Queues {
    client: Client,
    turns: Option<String>,
    wakes: Option<String>,
    notices: Option<String>,
    deliveries: Option<String>,
}

/// A message could not be sent; later is worth another try.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// SQS did not take it.
    #[error("the queue did not take the message: {0}")]
    Unavailable(String),
    /// SQS took the other messages of a request, and not these.
    #[error("the queue did not take {count} messages, the first for {code}")]
    Refused {
        /// How many.
        count: usize,
        /// SQS's word for why.
        code: String,
    },
    /// The function was deployed without this queue.
    #[error("this function has no address for the queue {0:?}; set its *_QUEUE_URL")]
    Unknown(Queue),
    /// It cannot be written.
    #[error("the message cannot be written")]
    Unwritable(#[source] serde_json::Error),
}

impl Queues {
    /// Queues at these addresses; a function has only those that it sends to.
    pub fn new(
        client: Client,
        turns: Option<String>,
        wakes: Option<String>,
        notices: Option<String>,
    ) -> Self {
        Self { client, turns, wakes, notices, deliveries: None }
    }

    /// The same, for a function that also sends what is posted to webhooks.
    #[must_use]
    pub fn with_deliveries(self, deliveries: Option<String>) -> Self {
        Self { deliveries, ..self }
    }

    /// Sends a message, to be seen after `delay` (at most [`DELAY_SECONDS_MAX`], in whole seconds,
    /// rounded up so that nothing comes early).
    pub async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let url = self.url(message.queue())?;
        let body = serde_json::to_string(message).map_err(QueueError::Unwritable)?;
        self.client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .delay_seconds(whole_seconds(delay))
            .send()
            .await
            .map_err(|error| QueueError::Unavailable(DisplayErrorContext(error).to_string()))?;
        Ok(())
    }

    /// Sends many messages, each to be seen after its own delay, with as few requests as it takes.
    ///
    /// # Errors
    ///
    /// When some of them were not taken, also not when they were sent again. The others were.
    pub async fn send_all(&self, messages: &[(Message, Duration)]) -> Result<(), QueueError> {
        let mut outgoing: BTreeMap<&str, Outgoing> = BTreeMap::new();
        for (message, delay) in messages {
            let url = self.url(message.queue())?;
            let body = serde_json::to_string(message).map_err(QueueError::Unwritable)?;
            outgoing.entry(url).or_default().add(body, whole_seconds(*delay));
        }
        for (url, outgoing) in outgoing {
            outgoing.send(&self.client, url).await?;
        }
        Ok(())
    }

    fn url(&self, queue: Queue) -> Result<&str, QueueError> {
        let url = match queue {
            Queue::Turns => &self.turns,
            Queue::Wakes => &self.wakes,
            Queue::Notices => &self.notices,
            Queue::Deliveries => &self.deliveries,
        };
        url.as_deref().ok_or(QueueError::Unknown(queue))
    }
}

fn whole_seconds(delay: Duration) -> i32 {
    let whole = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(whole.min(DELAY_SECONDS_MAX)).unwrap_or(i32::MAX)
}
