//! Burying what the queues themselves have given up.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use serde::Deserialize;
use shared::app::App;
use shared::dead_letter::{Content, DeadLetter, Origin, Reason};
use shared::error::Error;
use shared::queue::{Queues, Received};
use shared::retry::ATTEMPTS_MAX;
use tracing::warn;

/// What the stream's source says of records that it has passed over.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PassedOver {
    #[serde(rename = "requestContext", default)]
    context: Option<Context>,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: Batch,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Context {
    #[serde(default)]
    approximate_invoke_count: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    #[serde(rename = "batchSize")]
    records: u64,
}

/// Buries each message of a batch, the oldest first, and reports those that the table did not take:
/// they stay where they are, and an alarm shows them.
pub async fn bury(app: &App, queues: &Queues, event: SqsEvent) -> SqsBatchResponse {
    let mut response = SqsBatchResponse::default();
    let mut records: Vec<_> = event.records.into_iter().map(|it| Received::of(it, app)).collect();
    records.sort_by_key(|record| record.sent_at);
    let mut spans = Vec::new();
    for record in records {
        let unit = app.begin(record.trace);
        let buried = app.bury(&letter(app, queues, &record)).await;
        let failure = buried.as_ref().err().map(Error::reason);
        let told = |span| record.tell(span, failure.as_ref());
        spans.extend(unit.end(app.now(), told));
        if let Err(error) = buried {
            warn!(message_id = record.message_id, cause = %error, "a message could not be buried");
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = record.message_id;
            response.batch_item_failures.push(failure);
        }
    }
    app.export(spans).await;
    response
}

fn letter(app: &App, queues: &Queues, record: &Received) -> DeadLetter {
    let taken_from = queues.taken_from(&record.arn);
    let letter = record.dead_letter(taken_from, Reason::Unfinished, app.now());
    if let Ok(PassedOver { context, batch }) = serde_json::from_str(&record.body) {
        let content = Content::Batch {
            shard: batch.shard_id,
            first_sequence_number: batch.start_sequence_number,
            last_sequence_number: batch.end_sequence_number,
            records: batch.records,
        };
        let attempts = context.unwrap_or_default().approximate_invoke_count;
        return DeadLetter { origin: Some(Origin::Stream), content, attempts, ..letter };
    }
    // The count of the dead letters' own queue says nothing about the attempts before.
    DeadLetter { attempts: ATTEMPTS_MAX, ..letter }
}
