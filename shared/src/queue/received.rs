//! A message as its consumer gets it.

use aws_lambda_events::event::sqs::SqsMessage;
use jiff::Timestamp;

use crate::app::App;
use crate::dead_letter::{Content, DeadLetter, DeadLetterId, Origin, Reason};
use crate::message::Queue;
use crate::trace::{Kind, Span, TRACEPARENT, Trace};

/// A message, with what its queue says about it.
#[derive(Clone, Debug)]
pub struct Received {
    /// The queue's name for it.
    pub message_id: String,
    /// What it is answered by; without one there is no way to.
    pub receipt_handle: Option<String>,
    /// Where it was taken from.
    pub arn: String,
    /// What it says.
    pub body: String,
    /// Which attempt this is, from 1.
    pub attempts: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was tried first.
    pub first_tried_at: Timestamp,
    /// The trace that led to it.
    pub trace: Option<Trace>,
}

impl Received {
    /// Reads a record. What the queue does not say is as for a message of this moment.
    pub fn of(record: SqsMessage, app: &App) -> Self {
        let number = |name: &str| record.attributes.get(name)?.parse::<i64>().ok();
        let at = |name: &str| {
            let at = number(name).and_then(|ms| Timestamp::from_millisecond(ms).ok());
            at.unwrap_or_else(|| app.now())
        };
        let attempts = number("ApproximateReceiveCount").and_then(|n| u32::try_from(n).ok());
        let trace = record.message_attributes.get(TRACEPARENT);
        let trace = trace.and_then(|attribute| Trace::parse(attribute.string_value.as_deref()?));
        Self {
            trace,
            attempts: attempts.unwrap_or(1).max(1),
            sent_at: at("SentTimestamp"),
            first_tried_at: at("ApproximateFirstReceiveTimestamp"),
            message_id: record.message_id.unwrap_or_default(),
            receipt_handle: record.receipt_handle,
            arn: record.event_source_arn.unwrap_or_default(),
            body: record.body.unwrap_or_default(),
        }
    }

    /// The span of an attempt at it, by the semantic conventions for messages.
    pub fn tell(&self, span: Span, failure: Option<&Reason>) -> Span {
        let queue = self.arn.rsplit(':').next().unwrap_or_default();
        span.named(Kind::Consumer, format!("process {queue}"))
            .with("messaging.system", "aws_sqs")
            .with("messaging.operation.name", "process")
            .with("messaging.operation.type", "process")
            .with("messaging.destination.name", queue)
            .with("messaging.message.id", self.message_id.as_str())
            .with("faas.trigger", "pubsub")
            .with("holdpoint.attempt", self.attempts)
            .failed(failure.map(Reason::code))
    }

    /// The message as it is buried. A readable one says itself where it belongs.
    pub fn dead_letter(
        &self,
        taken_from: Option<Queue>,
        reason: Reason,
        now: Timestamp,
    ) -> DeadLetter {
        let content = Content::of_body(&self.body);
        let queue = match &content {
            Content::Message(message) => Some(message.queue()),
            Content::Text { .. }
            | Content::Commit { .. }
            | Content::Timer { .. }
            | Content::Record { .. }
            | Content::Batch { .. } => taken_from,
        };
        DeadLetter {
            id: DeadLetterId::new(self.sent_at, &self.message_id),
            origin: queue.map(Origin::from),
            content,
            reason,
            attempts: self.attempts,
            sent_at: self.sent_at,
            first_tried_at: self.first_tried_at,
            last_failed_at: now,
            redriven_at: None,
        }
    }
}
