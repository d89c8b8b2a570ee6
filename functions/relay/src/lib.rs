//! `relay`: reads the table's stream and sends what a commit owes.
//!
//! No other code writes the table and then sends, so a crash between the two loses nothing: the
//! stream is read again from the first record that was not worked through.
//!
//! What happened to an intent is also posted to whoever subscribed to it. A commit says whose
//! business its intent is, and the subscriptions say the rest, so nothing is written for that.

use std::time::Duration;

use aws_lambda_events::event::dynamodb::{Event, EventRecord};
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use jiff::Timestamp;
use lambda_runtime::{LambdaEvent, service_fn};
use serde_dynamo::AttributeValue;
use shared::app::App;
use shared::boot::Boot;
use shared::dead_letter::{Content, DeadLetter, DeadLetterId, Origin, Reason};
use shared::error::Error;
use shared::message::Message;
use shared::metric;
use shared::queue::{DELAY_SECONDS_MAX, Failure, OwedError, QueueError, Queues, send_owed};
use shared::retry::Again;
use shared::store::{
    Committed, Happened, PUT_BACK_MAX, Row, StreamRecord, Timer, Unreadable, owed_for,
};
use shared::trace::{Kind, Span, Trace, Unit, about};
use shared::webhook::DeliveryDue;
use tracing::{Instrument as _, info, info_span, warn};

/// Who removes items by TTL, as stream records say it.
const TTL_PRINCIPAL: &str = "dynamodb.amazonaws.com";
/// The longest delay that the queue takes.
const DELAY_MAX: Duration = Duration::from_secs(DELAY_SECONDS_MAX);

/// What the function needs.
#[derive(Clone, Debug)]
pub struct Relay {
    /// The app, for the time and the subscriptions.
    pub app: App,
    /// Where messages go.
    pub queues: Queues,
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
    #[error(transparent)]
    Owed(#[from] OwedError),
}

impl Failure for RecordError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unreadable(_) | Self::Item(_) => Reason::Corrupt,
            Self::Queue(error) => error.reason(),
            Self::Owed(error) => error.reason(),
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
    let relay = Relay { app: boot.app()?, queues: boot.queues() };
    let handler = move |event: LambdaEvent<Event>| {
        let relay = relay.clone();
        async move { Ok::<_, lambda_runtime::Error>(Box::pin(handle(&relay, event.payload)).await) }
    };
    lambda_runtime::run_concurrent(service_fn(handler)).await
}

/// Works through records in order, and stops at the first that fails: later ones of the same intent
/// must not overtake it. What can never be worked through is buried, since all that comes after it
/// would wait for as long as the stream keeps it.
pub async fn handle(relay: &Relay, event: Event) -> DynamoDbEventResponse {
    let mut response = DynamoDbEventResponse::default();
    let mut spans = Vec::new();
    let records = event.records.len();
    for record in event.records {
        if let Err(error) = Box::pin(relay.send_or_bury(&record, &mut spans)).await {
            warn!(cause = %error, "a record failed, it will come again");
            let mut failure = DynamoDbBatchItemFailure::default();
            failure.item_identifier = record.change.sequence_number;
            response.batch_item_failures.push(failure);
            break;
        }
    }
    info!(records, failed = response.batch_item_failures.len(), "records relayed");
    relay.app.export(spans).await;
    response
}

impl Relay {
    async fn send_or_bury(
        &self,
        record: &EventRecord,
        spans: &mut Vec<Span>,
    ) -> Result<(), RecordError> {
        let Err(error) = self.send(record, spans).await else { return Ok(()) };
        let reason = error.reason();
        match reason.again() {
            Again::Soon | Again::Later => Err(error),
            Again::Never => {
                warn!(cause = %error, "a record can never be worked through");
                Ok(self
                    .app
                    .bury(&self.dead_letter(record, reason))
                    .await
                    .map_err(OwedError::from)?)
            }
        }
    }

    fn dead_letter(&self, record: &EventRecord, reason: Reason) -> DeadLetter {
        let (change, now) = (&record.change, self.app.now());
        let number = change.sequence_number.clone().unwrap_or_default();
        let written_at = change.approximate_creation_date_time.timestamp_millis();
        let written_at = Timestamp::from_millisecond(written_at).unwrap_or(now);
        let owed = owed_for(partition(record), key(record, "sk"));
        DeadLetter {
            id: DeadLetterId::new(written_at, &number),
            origin: Some(Origin::Stream),
            content: owed.unwrap_or(Content::Record { sequence_number: number }),
            reason,
            attempts: 1,
            sent_at: written_at,
            first_tried_at: now,
            last_failed_at: now,
            redriven_at: None,
        }
    }

    async fn send(&self, record: &EventRecord, spans: &mut Vec<Span>) -> Result<(), RecordError> {
        let happened = happened(record);
        let item = match happened {
            Happened::Expired => &record.change.old_image,
            Happened::Inserted | Happened::Changed | Happened::Otherwise => {
                &record.change.new_image
            }
        };
        if !happened.may_matter(partition(record)) {
            return Ok(());
        }
        let row: Row = serde_dynamo::from_item(item.clone())?;
        match StreamRecord::read(happened, &row)? {
            StreamRecord::Committed(committed) => {
                Ok(Box::pin(self.send_owed(&committed, spans)).await?)
            }
            StreamRecord::TimerSet { tenant, timer } => self.set(tenant, timer).await,
            StreamRecord::TimerExpired { tenant, timer } => {
                Ok(Box::pin(self.put_back(tenant, timer)).await?)
            }
            StreamRecord::DeliverySet { due, trace } => {
                Ok(Box::pin(self.send_due(due, trace, spans)).await?)
            }
            StreamRecord::Other => Ok(()),
        }
    }

    /// Sends what a commit owes, as a part of the trace that led to it, and counts what happened.
    async fn send_owed(
        &self,
        committed: &Committed,
        spans: &mut Vec<Span>,
    ) -> Result<(), OwedError> {
        let unit = self.app.begin(committed.trace);
        let trace_id = unit.trace().id();
        let lines = info_span!("commit", trace_id, intent_id = %committed.intent);
        let sent = async {
            about(committed.intent);
            send_owed(&self.app, &self.queues, committed).await?;
            info!(owed = committed.commit.owed.len(), "commit relayed");
            Ok::<_, OwedError>(())
        };
        let is = ("relay commit", "insert");
        Box::pin(self.end(&unit, is, sent.instrument(lines), spans)).await?;
        metric::happened(&committed.commit.records, self.app.now());
        Ok(())
    }

    /// Sends an attempt at a delivery, as a part of the trace that led to it.
    async fn send_due(
        &self,
        due: DeliveryDue,
        trace: Option<Trace>,
        spans: &mut Vec<Span>,
    ) -> Result<(), QueueError> {
        let unit = self.app.begin(trace);
        let trace_id = unit.trace().id();
        let lines = info_span!("delivery", trace_id, event_id = %due.event, attempt = due.attempt);
        let is_first = (due.round, due.attempt) == (1, 1);
        let is = ("relay delivery", if is_first { "insert" } else { "edit" });
        let delay = self.until(due.due_at).min(DELAY_MAX);
        let sent = async {
            self.queues.send(&Message::Delivery(due), delay).await?;
            info!("delivery relayed");
            Ok(())
        };
        Box::pin(self.end(&unit, is, sent.instrument(lines), spans)).await
    }

    /// Does a unit's work, and puts its span to the others: its name, and what had happened to the item.
    async fn end<E: Failure>(
        &self,
        unit: &Unit,
        is: (&'static str, &'static str),
        work: impl Future<Output = Result<(), E>>,
        spans: &mut Vec<Span>,
    ) -> Result<(), E> {
        let done = unit.run(work).await;
        let failure = done.as_ref().err().map(Failure::reason);
        spans.extend(unit.end(self.app.now(), |span| tell(span, is, failure.as_ref())));
        done
    }

    /// Hands a wake-up to the queue at once if it falls due within the queue's reach; the schedule
    /// takes care of the others.
    async fn set(&self, tenant: String, timer: Timer) -> Result<(), RecordError> {
        let delay = self.until(timer.due_at);
        if delay <= DELAY_MAX {
            self.queues.send(&wake(tenant, timer), delay).await?;
        }
        Ok(())
    }

    /// Puts a timer back that was removed before anything woke its intent, so that the wake-up is no
    /// mere message: what is written here comes by the stream again, and is sent then.
    async fn put_back(&self, tenant: String, timer: Timer) -> Result<(), OwedError> {
        if timer.put_back >= PUT_BACK_MAX {
            return Ok(self.queues.send(&wake(tenant, timer), Duration::ZERO).await?);
        }
        let put = self.app.store().put_timer_back(&tenant, &timer, self.app.now()).await;
        Ok(put.map_err(Error::from)?)
    }

    fn until(&self, at: Timestamp) -> Duration {
        Duration::try_from(at.duration_since(self.app.now())).unwrap_or(Duration::ZERO)
    }
}

/// The span of a record that was relayed, by the semantic conventions for functions.
fn tell(span: Span, (name, operation): (&str, &'static str), failure: Option<&Reason>) -> Span {
    span.named(Kind::Consumer, name.to_owned())
        .with("faas.trigger", "datasource")
        .with("faas.document.operation", operation)
        .failed(failure.map(Reason::code))
}

fn wake(tenant: String, timer: Timer) -> Message {
    let Timer { intent, due_at, put_back } = timer;
    Message::Wake { tenant, intent, due_at, put_back }
}

fn partition(record: &EventRecord) -> &str {
    key(record, "pk")
}

fn key<'a>(record: &'a EventRecord, attribute: &str) -> &'a str {
    match record.change.keys.inner().get(attribute) {
        Some(AttributeValue::S(text)) => text,
        Some(_) | None => "",
    }
}

fn happened(record: &EventRecord) -> Happened {
    let by_ttl = record
        .user_identity
        .as_ref()
        .is_some_and(|identity| identity.principal_id == TTL_PRINCIPAL);
    match record.event_name.as_str() {
        "INSERT" => Happened::Inserted,
        "MODIFY" => Happened::Changed,
        "REMOVE" if by_ttl => Happened::Expired,
        _ => Happened::Otherwise,
    }
}
