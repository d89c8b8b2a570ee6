//! Queues: messages out by SQS, batches in with partial failures.

mod batch;
mod outgoing;
mod owed;
mod received;

pub use batch::{Failure, each};
pub use owed::{OwedError, send_owed};
pub use received::Received;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{DisplayErrorContext, SdkError};
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageAttributeValue};

use crate::dead_letter::Reason;
use crate::message::{Message, Queue};
use crate::trace;
use outgoing::Outgoing;

/// The longest delay that SQS takes, in seconds.
pub const DELAY_SECONDS_MAX: u64 = 900;
/// The most messages that one request names. SQS's limit.
const MESSAGES_PER_REQUEST_MAX: usize = 10;

/// Where messages go.
#[derive(Clone, Debug)]
pub struct Queues {
    client: Client,
    turns: Option<String>,
    wakes: Option<String>,
    notices: Option<String>,
    deliveries: Option<String>,
    /// The queues' own dead letters, for the function that buries them.
    dead_letters: Vec<(Queue, String)>,
}

/// A message could not be sent; later is worth another try.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// SQS did not take it.
    #[error("the queue did not take the message: {0}")]
    Unavailable(String),
    /// It did not answer for all messages of a request.
    #[error("the queue did not take the pauses of {0} messages")]
    Partial(usize),
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
        Self { client, turns, wakes, notices, deliveries: None, dead_letters: vec![] }
    }

    /// The same, for a function that also sends what is posted to webhooks.
    #[must_use]
    pub fn with_deliveries(self, deliveries: Option<String>) -> Self {
        Self { deliveries, ..self }
    }

    /// The same, for the function that buries what the queues themselves have given up.
    #[must_use]
    pub fn with_dead_letters(self, dead_letters: Vec<(Queue, String)>) -> Self {
        Self { dead_letters, ..self }
    }

    /// The queue that messages from this ARN were sent to, as far as this function knows queues.
    pub fn taken_from(&self, arn: &str) -> Option<Queue> {
        let name = arn.rsplit(':').next().filter(|name| !name.is_empty())?;
        let all = [Queue::Turns, Queue::Wakes, Queue::Notices, Queue::Deliveries];
        let own = all.into_iter().filter_map(|queue| Some((queue, self.url(queue).ok()?)));
        let dead = self.dead_letters.iter().map(|(queue, url)| (*queue, url.as_str()));
        own.chain(dead)
            .find(|(_, url)| url.rsplit('/').next() == Some(name))
            .map(|(queue, _)| queue)
    }

    /// Sends a message, to be seen after `delay` (at most [`DELAY_SECONDS_MAX`], in whole seconds,
    /// rounded up so that nothing comes early).
    pub async fn send(&self, message: &Message, delay: Duration) -> Result<(), QueueError> {
        let body = serde_json::to_string(message).map_err(QueueError::Unwritable)?;
        self.send_text(message.queue(), body, delay).await
    }

    /// Sends what may be a message of another version.
    pub async fn send_text(
        &self,
        queue: Queue,
        body: String,
        delay: Duration,
    ) -> Result<(), QueueError> {
        let url = self.url(queue)?;
        self.client
            .send_message()
            .queue_url(url)
            .message_body(body)
            .set_message_attributes(carried())
            .delay_seconds(whole_seconds(delay))
            .send()
            .await
            .map_err(unavailable)?;
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

    /// Keeps messages of one batch from coming again for as long as each is to wait. Without a receipt
    /// a message cannot be named.
    async fn postpone(&self, failed: &[(Received, Duration)]) -> Result<(), QueueError> {
        let named: Vec<_> = failed
            .iter()
            .filter_map(|(it, pause)| Some((it.arn.as_str(), it.receipt_handle.as_ref()?, *pause)))
            .collect();
        for request in named.chunks(MESSAGES_PER_REQUEST_MAX) {
            let Some(queue) = request.first().and_then(|(arn, ..)| self.taken_from(arn)) else {
                continue;
            };
            let entries = request.iter().enumerate().map(|(place, (_, handle, pause))| {
                let seconds = i32::try_from(pause.as_secs()).unwrap_or(i32::MAX);
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(place.to_string())
                    .receipt_handle(*handle)
                    .visibility_timeout(seconds)
                    .build()
            });
            let asked = self
                .client
                .change_message_visibility_batch()
                .queue_url(self.url(queue)?)
                .set_entries(Some(entries.filter_map(Result::ok).collect()))
                .send()
                .await
                .map_err(unavailable)?;
            if !asked.failed().is_empty() {
                return Err(QueueError::Partial(asked.failed().len()));
            }
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

impl Failure for QueueError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unavailable(_) | Self::Partial(_) | Self::Refused { .. } => {
                Reason::unanswered("the queue")
            }
            Self::Unknown(_) => Reason::Misdeployed,
            Self::Unwritable(_) => Reason::Defect,
        }
    }
}

fn unavailable<E, R>(error: SdkError<E, R>) -> QueueError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    QueueError::Unavailable(DisplayErrorContext(error).to_string())
}

/// The present trace, as messages carry it on.
fn carried() -> Option<HashMap<String, MessageAttributeValue>> {
    let value = MessageAttributeValue::builder().data_type("String");
    let value = value.string_value(trace::current()?.to_string()).build().ok()?;
    Some(HashMap::from([(trace::TRACEPARENT.to_owned(), value)]))
}

fn whole_seconds(delay: Duration) -> i32 {
    let whole = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
    i32::try_from(whole.min(DELAY_SECONDS_MAX)).unwrap_or(i32::MAX)
}
