//! Working through a batch so that one bad message never blocks or repeats the others.

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent};
use tracing::field::Empty;
use tracing::{Instrument as _, info, info_span, warn};

use super::{Queues, Received};
use crate::app::App;
use crate::dead_letter::{DeadLetter, Reason};
use crate::message::Message;
use crate::retry::{ATTEMPTS_MAX, Again};
use crate::trace::about;

/// An error that says what becomes of the message that it befell.
pub trait Failure: std::fmt::Display {
    /// Why the attempt failed, and so whether there will be another one.
    fn reason(&self) -> Reason;
}

/// Runs `work` on each message, the oldest first, and reports those that are to come again.
///
/// What fails comes again after a pause that its reason and its attempts decide. What can never
/// succeed, or has failed for the last time, is buried: it is a dead letter in the table, and done
/// for its queue. While the table does not take it, it comes again, until the queue itself moves it
/// to its dead letters.
pub async fn each<E: Failure, F>(
    app: &App,
    queues: &Queues,
    event: SqsEvent,
    work: impl Fn(Message) -> F,
) -> SqsBatchResponse
where
    F: Future<Output = Result<(), E>>,
{
    let mut response = SqsBatchResponse::default();
    let mut failed = Vec::new();
    let mut spans = Vec::new();
    let mut records: Vec<_> = event.records.into_iter().map(|it| Received::of(it, app)).collect();
    records.sort_by_key(|record| record.sent_at);
    for record in records {
        let unit = app.begin(record.trace);
        let lines = info_span!("message", trace_id = unit.trace().id(), intent_id = Empty);
        let message_id = record.message_id.clone();
        let attempted = Box::pin(unit.run(attempt(&record, &work)));
        let attempted = attempted.instrument(lines.clone()).await;
        let failure = attempted.as_ref().err().map(|(reason, _)| reason);
        spans.extend(unit.end(app.now(), |span| record.tell(span, failure)));
        let entered = lines.entered();
        let Err((reason, cause)) = attempted else {
            info!(message_id, "message done");
            continue;
        };
        let (code, attempt) = (reason.code(), record.attempts);
        warn!(message_id, cause, reason = code, attempt, "message failed");
        drop(entered);
        let [draw] = [u64::from_be_bytes(app.random())];
        let pause = match reason.again().pause(record.attempts, draw) {
            Some(pause) => pause,
            None => match app.bury(&dead_letter(app, queues, &record, reason)).await {
                Ok(()) => continue,
                Err(error) => {
                    warn!(message_id, cause = %error, "a message could not be buried");
                    let attempt = record.attempts.min(ATTEMPTS_MAX - 1);
                    Again::Later.pause(attempt, draw).unwrap_or_default()
                }
            },
        };
        failed.push((record, pause));
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = message_id;
        response.batch_item_failures.push(failure);
    }
    if let Err(error) = queues.postpone(&failed).await {
        // They come again when the queue's own visibility timeout has passed.
        warn!(cause = %error, "failed messages could not be given their pauses");
    }
    app.export(spans).await;
    response
}

async fn attempt<E: Failure, F>(
    record: &Received,
    work: &impl Fn(Message) -> F,
) -> Result<(), (Reason, String)>
where
    F: Future<Output = Result<(), E>>,
{
    let message = serde_json::from_str::<Message>(&record.body)
        .map_err(|_| (Reason::Unreadable, Reason::Unreadable.text()))?;
    if let Some(intent) = message.intent() {
        about(intent);
    }
    work(message).await.map_err(|error| (error.reason(), error.to_string()))
}

fn dead_letter(app: &App, queues: &Queues, record: &Received, reason: Reason) -> DeadLetter {
    record.dead_letter(queues.taken_from(&record.arn), reason, app.now())
}
