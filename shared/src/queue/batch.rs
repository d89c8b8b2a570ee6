//! Working through a batch so that one bad message never blocks or repeats the others.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use tracing::{info, warn};

use crate::message::Message;

/// Runs `work` on each message, and reports those that are to come again.
///
/// A message that cannot be read is reported too: it comes back until the queue moves it to its dead
/// letters, where an alarm shows it.
pub async fn each<E, F>(event: SqsEvent, work: impl Fn(Message) -> F) -> SqsBatchResponse
where
    E: std::fmt::Display,
    F: Future<Output = Result<(), E>>,
{
    let mut response = SqsBatchResponse::default();
    for record in event.records {
        let message_id = record.message_id.unwrap_or_default();
        let body = record.body.unwrap_or_default();
        let outcome = match serde_json::from_str::<Message>(&body) {
            Ok(message) => work(message).await.map_err(|error| error.to_string()),
            Err(error) => Err(format!("the message cannot be read: {error}")),
        };
        match outcome {
            Ok(()) => info!(message_id, "message done"),
            Err(cause) => {
                warn!(message_id, cause, "message failed, it will come again");
                let mut failure = BatchItemFailure::default();
                failure.item_identifier = message_id;
                response.batch_item_failures.push(failure);
            }
        }
    }
    response
}
