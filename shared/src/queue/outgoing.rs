//! Messages to one queue that go out together.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{BuildError, DisplayErrorContext};
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};

use super::{MESSAGES_PER_REQUEST_MAX, QueueError, carried};

/// The most bytes that the messages of one request may have together. SQS takes no less anywhere.
const BYTES_PER_REQUEST_MAX: usize = 256 * 1024;
/// How often a message is sent that SQS refuses while it takes others of the same request.
const ATTEMPTS_MAX: usize = 3;

/// Messages that wait to be sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    requests: Vec<Request>,
}

/// The messages of one request.
#[derive(Debug, Default)]
struct Request {
    messages: Vec<(String, i32)>,
    bytes: usize,
}

impl Outgoing {
    /// Adds a message, to be seen after so many seconds.
    pub(super) fn add(&mut self, body: String, delay_s: i32) {
        let fits = |request: &&mut Request| {
            request.messages.len() < MESSAGES_PER_REQUEST_MAX
                && request.bytes + body.len() <= BYTES_PER_REQUEST_MAX
        };
        if let Some(request) = self.requests.last_mut().filter(fits) {
            return request.add(body, delay_s);
        }
        let mut request = Request::default();
        request.add(body, delay_s);
        self.requests.push(request);
    }

    /// Sends them all. A request that fails ends it; what is refused of one is sent again first.
    pub(super) async fn send(self, client: &Client, url: &str) -> Result<(), QueueError> {
        for request in self.requests {
            request.send(client, url).await?;
        }
        Ok(())
    }
}

impl Request {
    fn add(&mut self, body: String, delay_s: i32) {
        self.bytes += body.len();
        self.messages.push((body, delay_s));
    }

    async fn send(self, client: &Client, url: &str) -> Result<(), QueueError> {
        let mut left = self.entries().map_err(|error| unavailable(&error))?;
        let mut refused: Vec<BatchResultErrorEntry> = vec![];
        for _ in 0..ATTEMPTS_MAX {
            let request = client.send_message_batch().queue_url(url);
            let sent = request.set_entries(Some(left.clone())).send().await;
            refused =
                sent.map_err(DisplayErrorContext).map_err(|error| unavailable(&error))?.failed;
            left.retain(|entry| refused.iter().any(|refusal| refusal.id == entry.id));
            if left.is_empty() {
                return Ok(());
            }
        }
        let code = refused.into_iter().next().map(|refusal| refusal.code).unwrap_or_default();
        Err(QueueError::Refused { count: left.len(), code })
    }

    fn entries(self) -> Result<Vec<SendMessageBatchRequestEntry>, BuildError> {
        let entry = |(place, (body, delay_s)): (usize, (String, i32))| {
            SendMessageBatchRequestEntry::builder()
                .id(place.to_string())
                .message_body(body)
                .set_message_attributes(carried())
                .delay_seconds(delay_s)
                .build()
        };
        self.messages.into_iter().enumerate().map(entry).collect()
    }
}

fn unavailable(error: &impl std::fmt::Display) -> QueueError {
    QueueError::Unavailable(error.to_string())
}
