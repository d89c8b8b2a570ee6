//! Brings a queue's messages to a function, several batches at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use data_encoding::BASE64;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tracing::{debug, warn};
use winterbaume_sqs::types::{Message, MessageAttribute};

use crate::stack::batch_answer::Failed;
use crate::stack::host::Host;
use crate::stack::sqs::Queues;
use crate::template::queue::{Queue, QueueSource};
use crate::template::scope::REGION;

/// The longest time between two looks at a queue whose next message is not due for longer.
const IDLE_MAX: Duration = Duration::from_secs(1);
/// The shortest, as due times have no finer grain.
const IDLE_MIN: Duration = Duration::from_millis(1);
/// A failed message comes back after one second, then two, four, ... up to this, where its function
/// does not say when. On AWS that would be the whole visibility timeout, and nobody likes to wait here.
const BACKOFF_MAX_S: u32 = 30;

/// One function's subscription to one queue. Clones share it.
#[derive(Clone)]
pub(crate) struct QueuePoller {
    pub(crate) source: QueueSource,
    pub(crate) queues: Queues,
    pub(crate) host: Arc<Host>,
    /// Batches that may be with the function at once.
    pub(crate) concurrency: u16,
    pub(crate) clock: fn() -> Timestamp,
}

impl QueuePoller {
    /// Polls until it is dropped.
    pub(crate) async fn run(self) {
        let places = Arc::new(Semaphore::new(usize::from(self.concurrency)));
        let mut arrivals = self.queues.arrivals();
        let mut batches = JoinSet::new();
        loop {
            // The semaphore is never closed, so this waits for a batch to end and no longer.
            let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                return;
            };
            while batches.try_join_next().is_some() {}
            arrivals.mark_unchanged();
            let received = self.queues.receive(&self.source.queue, self.source.batch_size).await;
            let messages = received.unwrap_or_else(|error| {
                warn!(queue = self.source.queue, %error, "a queue could not be read");
                Vec::new()
            });
            if messages.is_empty() {
                drop(place);
                // Either a message was announced or it is time to look again.
                let _: Result<_, _> = tokio::time::timeout(self.idle(), arrivals.changed()).await;
                continue;
            }
            let poller = self.clone();
            batches.spawn(async move {
                poller.process(messages).await;
                drop(place);
            });
        }
    }

    /// How long nothing is due, unless a message arrives: the rest of a delay or invisibility.
    fn idle(&self) -> Duration {
        let Some(due_ms) = self.queues.next_visible_ms(&self.source.queue) else {
            return IDLE_MAX;
        };
        let left_ms = due_ms.saturating_sub((self.clock)().as_millisecond());
        u64::try_from(left_ms).map_or(IDLE_MIN, Duration::from_millis).clamp(IDLE_MIN, IDLE_MAX)
    }

    async fn process(&self, messages: Vec<Message>) {
        let event = json!({"Records": self.records(&messages)}).to_string();
        let failed = match self.host.invoke(Bytes::from(event)).await {
            Ok(answer) if self.source.reports_failures => {
                let known: Vec<_> = messages.iter().map(|one| one.message_id.as_str()).collect();
                Failed::parse(&answer, &known)
            }
            Ok(_) => Failed::None,
            Err(failure) => {
                warn!(queue = self.source.queue, %failure, "a batch of messages failed");
                Failed::All
            }
        };
        for message in messages {
            let Some(handle) = message.receipt_handle else {
                continue;
            };
            let settled = if failed.contains(&message.message_id) {
                let delay_s = backoff_s(message.approximate_receive_count);
                let until_ms = message.visible_at;
                self.queues.postpone(&self.source.queue, handle, until_ms, delay_s).await
            } else {
                self.queues.delete(&self.source.queue, handle).await
            };
            if let Err(error) = settled {
                // Its invisibility ended and somebody else has it, or it was purged.
                debug!(queue = self.source.queue, %error, "a message was settled too late");
            }
        }
    }

    fn records(&self, messages: &[Message]) -> Vec<Json> {
        messages.iter().map(|message| record(&self.source.queue, message)).collect()
    }
}

/// A message as Lambda hands it over.
fn record(queue: &str, message: &Message) -> Json {
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.approximate_receive_count.to_string(),
            "SentTimestamp": message.sent_timestamp.to_string(),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp":
                message.approximate_first_receive_timestamp.unwrap_or_default().to_string(),
        },
        "messageAttributes": attributes(&message.message_attributes),
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": Queue::arn(queue),
        "awsRegion": REGION,
    })
}

fn attributes(attributes: &HashMap<String, MessageAttribute>) -> HashMap<&str, Json> {
    let attributes = attributes.iter().map(|(name, attribute)| {
        let value = json!({
            "stringValue": attribute.string_value,
            "binaryValue": attribute.binary_value.as_ref().map(|bytes| BASE64.encode(bytes)),
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute.data_type,
        });
        (name.as_str(), value)
    });
    attributes.collect()
}

fn backoff_s(receive_count: u32) -> u32 {
    let doublings = receive_count.saturating_sub(1).min(BACKOFF_MAX_S);
    1_u32.checked_shl(doublings).unwrap_or(BACKOFF_MAX_S).min(BACKOFF_MAX_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_message_comes_back_later_each_time() {
        let delays: Vec<_> = [1, 2, 3, 4, 5, 6, 7, 40, u32::MAX].map(backoff_s).into();
        assert_eq!(delays, [1, 2, 4, 8, 16, 30, 30, 30, 30]);
    }
}
