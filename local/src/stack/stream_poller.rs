//! Brings a table's changes to a function, in order, one batch at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use dynoxide::actions::get_records::Record;
use jiff::Timestamp;
use serde_json::{Value as Json, json};
use tokio::sync::watch;
use tracing::{error, warn};

use crate::stack::batch_answer::Failed;
use crate::stack::dynamodb::Tables;
use crate::stack::host::Host;
use crate::stack::sqs::Queues;
use crate::stack::stream_position::StreamPosition;
use crate::template::scope::REGION;
use crate::template::table::{StreamSource, Table};

/// The poller looks again after the first of these, and each time later up to the last, unless a
/// function has finished, as it may have written.
const IDLE_MIN: Duration = Duration::from_millis(2);
const IDLE_MAX: Duration = Duration::from_millis(25);
/// The pause before a failed batch is tried again grows from the first to the last of these.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(5);
/// Passed records are removed after this many batches, or when the stream rests.
const TRIM_EVERY_BATCHES: u32 = 50;

/// One function's subscription to one stream.
pub(crate) struct StreamPoller {
    pub(crate) source: StreamSource,
    pub(crate) function_arn: Arc<str>,
    pub(crate) tables: Tables,
    pub(crate) queues: Queues,
    pub(crate) host: Arc<Host>,
    pub(crate) position: StreamPosition,
    /// Changes when a function has finished or expired items were removed.
    pub(crate) commits: watch::Receiver<u64>,
    /// Whether this is the stream's only consumer, which may remove what it has passed.
    pub(crate) sole_consumer: bool,
    pub(crate) clock: fn() -> Timestamp,
}

/// A batch that failed and is being tried again.
#[derive(Debug, Default)]
struct Retry {
    /// Where the batch began; another beginning is another batch.
    first: String,
    attempts: u32,
    /// Records to try at once, halved by each failure where the template says so.
    count_max: Option<u16>,
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

impl StreamPoller {
    /// Polls until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut retry = Retry::default();
        let mut idle = IDLE_MIN;
        let mut batches = 0_u32;
        loop {
            self.commits.mark_unchanged();
            let count_max = retry.count_max.unwrap_or(self.source.batch_size);
            let records = match self.read(count_max).await {
                Ok(records) => records,
                Err(error) => {
                    warn!(table = self.source.table, error, "a stream could not be read");
                    tokio::time::sleep(RETRY_MAX).await;
                    continue;
                }
            };
            if records.is_empty() {
                if batches > 0 && idle == IDLE_MAX {
                    self.trim().await;
                    batches = 0;
                }
                let changed = tokio::time::timeout(idle, self.commits.changed()).await;
                idle = if changed.is_ok() { IDLE_MIN } else { (idle * 2).min(IDLE_MAX) };
                continue;
            }
            idle = IDLE_MIN;
            let pause = match self.process(&records, &mut retry).await {
                Ok(pause) => pause,
                Err(error) => {
                    error!(table = self.source.table, %error, "a stream's position cannot be kept");
                    Some(RETRY_MAX)
                }
            };
            if let Some(pause) = pause {
                tokio::time::sleep(pause).await;
            }
            batches += 1;
            if batches >= TRIM_EVERY_BATCHES {
                self.trim().await;
                batches = 0;
            }
        }
    }

    async fn read(&self, count_max: u16) -> Result<Vec<Record>, String> {
        let tables = self.tables.clone();
        let table = self.source.table.clone();
        let position = self.position.passed().map(str::to_owned);
        let read = tokio::task::spawn_blocking(move || {
            tables.records_after(&table, position.as_deref(), count_max)
        });
        read.await.map_err(|error| error.to_string())?.map_err(|error: Cause| error.to_string())
    }

    /// Hands over those of the records that the function wants, and moves past what succeeded and what
    /// nobody wants; says how long to rest before the next attempt if something did not.
    async fn process(
        &mut self,
        records: &[Record],
        retry: &mut Retry,
    ) -> std::io::Result<Option<Duration>> {
        let arn = Table::stream_arn(&self.source.table);
        let (wanted, events): (Vec<_>, Vec<_>) = records
            .iter()
            .map(|record| (record, stream_event(record, &arn)))
            .filter(|(_, event)| self.source.filter.takes(event))
            .unzip();
        let Some(newest) = records.last().map(number) else { return Ok(None) };
        if wanted.is_empty() {
            self.position.pass(newest)?;
            return Ok(None);
        }
        let numbers: Vec<_> = wanted.iter().map(|record| number(record)).collect();
        let event = json!({"Records": events}).to_string();
        let (failed, function_failed) = match self.host.invoke(Bytes::from(event)).await {
            Ok(answer) if self.source.reports_failures => (Failed::parse(&answer, &numbers), false),
            Ok(_) => (Failed::None, false),
            Err(failure) => {
                warn!(table = self.source.table, %failure, "a batch of stream records failed");
                (Failed::All, true)
            }
        };
        let succeeded = numbers.iter().take_while(|number| !failed.contains(number)).count();
        let Some(first) = numbers.get(succeeded) else {
            self.position.pass(newest)?;
            *retry = Retry::default();
            return Ok(None);
        };
        let before = records.iter().map(number).take_while(|number| number != first).last();
        if let Some(before) = before {
            self.position.pass(before)?;
        }
        let rest = wanted.get(succeeded..).unwrap_or_default();
        retry.fail(first);
        if self.source.retries_max.is_some_and(|max| retry.attempts > max) {
            // One bad record must not take its batch along where the template says to bisect.
            let given_up =
                if self.source.bisects { rest.get(..1).unwrap_or_default() } else { rest };
            self.give_up(given_up).await?;
            *retry = Retry::default();
            return Ok(None);
        }
        if self.source.bisects && function_failed {
            retry.halve(wanted.len());
        }
        Ok(Some(retry.pause()))
    }

    /// Moves past records that failed too often and tells the template's queue about them.
    async fn give_up(&mut self, records: &[&Record]) -> std::io::Result<()> {
        let (Some(first), Some(last)) = (records.first(), records.last()) else {
            return Ok(());
        };
        error!(
            table = self.source.table,
            records = records.len(),
            "stream records are given up after too many attempts"
        );
        if let Some(queue) = &self.source.on_failure {
            let notice = json!({
                "version": "1.0",
                "timestamp": (self.clock)().to_string(),
                "requestContext": {
                    "functionArn": &*self.function_arn,
                    "condition": "RetryAttemptsExhausted",
                },
                "DDBStreamBatchInfo": {
                    "shardId": dynoxide::streams::shard_id(&self.source.table),
                    "startSequenceNumber": first.dynamodb.sequence_number,
                    "endSequenceNumber": last.dynamodb.sequence_number,
                    "batchSize": records.len(),
                    "streamArn": Table::stream_arn(&self.source.table),
                },
            });
            if let Err(error) = self.queues.send(queue, notice.to_string()).await {
                error!(queue, %error, "a queue could not be told of given-up stream records");
            }
        }
        self.position.pass(&last.dynamodb.sequence_number)
    }

    async fn trim(&self) {
        if !self.sole_consumer {
            return;
        }
        let Some(position) = self.position.passed().map(str::to_owned) else {
            return;
        };
        let (tables, table) = (self.tables.clone(), self.source.table.clone());
        let trimmed = tokio::task::spawn_blocking(move || {
            // Several short statements let writers in between.
            while tables.trim(&table, &position)? > 0 {}
            Ok::<_, Cause>(())
        });
        match trimmed.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "passed stream records could not be removed"),
            Err(error) => warn!(%error, "the removal of passed stream records ended"),
        }
    }
}

impl Retry {
    fn fail(&mut self, first: &str) {
        if self.first != first {
            let count_max = self.count_max;
            *self = Self { first: first.to_owned(), attempts: 0, count_max };
        }
        self.attempts = self.attempts.saturating_add(1);
    }

    fn halve(&mut self, tried: usize) {
        self.count_max = Some(u16::try_from(tried / 2).unwrap_or(u16::MAX).max(1));
    }

    fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(16);
        RETRY_MIN.saturating_mul(1 << doublings).min(RETRY_MAX)
    }
}

fn number(record: &Record) -> &str {
    &record.dynamodb.sequence_number
}

/// A record as Lambda hands it over. The database's own form differs in what says where.
fn stream_event(record: &Record, stream_arn: &str) -> Json {
    let mut event = serde_json::to_value(record).unwrap_or_default();
    if let Some(event) = event.as_object_mut() {
        event.insert("awsRegion".to_owned(), json!(REGION));
        event.insert("eventSourceARN".to_owned(), json!(stream_arn));
    }
    event
}

#[cfg(test)]
mod tests;
