//! `relay`: reads the table's stream and sends what a commit owes.
//!
//! No other code writes the table and then sends, so a crash between the two loses nothing: the
//! stream is read again from the first record that was not worked through.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_runtime::{LambdaEvent, service_fn};
use shared::app::Clock;
use shared::boot::{self, Boot};
use shared::message::Message;
use shared::queue::{DELAY_SECONDS_MAX, QueueError, Queues};
use shared::store::{Happened, Row, StreamRecord, Timer, Unreadable};
use tracing::{info, warn};

/// Who removes items by TTL, as stream records say it.
const TTL_PRINCIPAL: &str = "dynamodb.amazonaws.com";

/// What the function needs.
#[derive(Clone, Debug)]
pub struct Relay {
    /// Where messages go.
    pub queues: Queues,
    /// The time.
    pub clock: Clock,
}

/// A record that was not worked through.
#[derive(Debug, thiserror::Error)]
enum RecordError {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("the record's item cannot be read")]
    Item(#[from] serde_dynamo::Error),
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Runs the function.
///
/// # Errors
///
/// When it is deployed without what it needs, or loses its runtime.
pub async fn run() -> Result<(), lambda_runtime::Error> {
    let queues = Boot::start().await.queues();
    let relay = Relay { queues, clock: boot::clock() };
    let handler = move |event: LambdaEvent<Event>| {
        let relay = relay.clone();
        async move { Ok::<_, lambda_runtime::Error>(Box::pin(handle(&relay, event.payload)).await) }
    };
    lambda_runtime::run_concurrent(service_fn(handler)).await
}

/// Works through records in order, and stops at the first that fails: later ones of the same intent
/// must not overtake it.
pub async fn handle(relay: &Relay, event: Event) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    let records = event.records.len();
    for record in event.records {
        if let Err(error) = relay.send(&record).await {
            warn!(cause = %error, "a record failed, it will come again");
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = record.change.sequence_number;
            response.batch_item_failures.push(failure);
            break;
        }
    }
    info!(records, failed = response.batch_item_failures.len(), "records relayed");
    response
}

impl Relay {
    async fn send(&self, record: &EventRecord) -> Result<(), RecordError> {
        let happened = happened(record);
        let item = match happened {
            Happened::Expired => &record.change.old_image,
            Happened::Inserted | Happened::Otherwise => &record.change.new_image,
        };
        if happened == Happened::Otherwise {
            return Ok(());
        }
        let row: Row = serde_dynamo::from_item(item.clone())?;
        match StreamRecord::read(happened, &row)? {
            StreamRecord::Committed(commit) => {
                for message in &commit.owed {
                    self.queues.send(message, Duration::ZERO).await?;
                }
                Ok(())
            }
            StreamRecord::TimerSet { tenant, timer } => self.set(tenant, timer).await,
            StreamRecord::TimerExpired { tenant, timer } => {
                Ok(self.queues.send(&wake(tenant, timer), Duration::ZERO).await?)
            }
            StreamRecord::Other => Ok(()),
        }
    }

    /// Hands a wake-up to the queue at once if it falls due within the queue's reach; the schedule
    /// takes care of the others.
    async fn set(&self, tenant: String, timer: Timer) -> Result<(), RecordError> {
        let now = self.clock.now();
        let delay = Duration::try_from(timer.due_at.duration_since(now)).unwrap_or(Duration::ZERO);
        if delay <= Duration::from_secs(DELAY_SECONDS_MAX) {
            self.queues.send(&wake(tenant, timer), delay).await?;
        }
        Ok(())
    }
}

fn wake(tenant: String, timer: Timer) -> Message {
    Message::Wake { tenant, intent: timer.intent, due_at: timer.due_at }
}

fn happened(record: &EventRecord) -> Happened {
    let by_ttl = record
        .user_identity
        .as_ref()
        .is_some_and(|identity| identity.principal_id == TTL_PRINCIPAL);
    match record.event_name.as_str() {
        "INSERT" => Happened::Inserted,
        "REMOVE" if by_ttl => Happened::Expired,
        _ => Happened::Otherwise,
    }
}
