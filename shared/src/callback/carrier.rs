//! The last step of a post: over the network, or to whoever stands in its place.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Request, RequestBuilder};

use super::Reply;
use super::resolver::Blocked;

/// How long a receiver may take to answer, name and connection included.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);

/// Brings requests to their receivers, and back what those said.
#[derive(Clone)]
pub struct Carrier {
    client: Client,
    carry: Arc<Carry>,
}

type Carry = dyn Fn(Request) -> Carrying + Send + Sync;
type Carrying = Pin<Box<dyn Future<Output = Reply> + Send>>;

impl Carrier {
    /// A carrier that goes over the network by `client`.
    pub fn network(client: Client) -> Self {
        let way = client.clone();
        let carry = move |request| {
            let sent = way.execute(request);
            async move {
                match sent.await {
                    Ok(answer) => Reply::Status(answer.status().as_u16()),
                    Err(error) => no_answer(&error),
                }
            }
        };
        Self { client, carry: Arc::new(move |request| Box::pin(carry(request))) }
    }

    /// The same requests, handed to `carry` in the place of the network.
    #[must_use]
    pub fn instead<F>(self, carry: impl Fn(Request) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        Self { carry: Arc::new(move |request| Box::pin(carry(request))), ..self }
    }

    /// A post to be filled in.
    pub fn post(&self, url: &str) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends it and waits for the answer, but not for ever. Of the answer only the status is looked
    /// at; its body is not read.
    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let Ok(request) = request.build() else { return Reply::Unreachable };
        let carried = tokio::time::timeout(ANSWER_TIME_MAX, (self.carry)(request)).await;
        carried.unwrap_or(Reply::TimedOut)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Carrier")
    }
}

fn no_answer(error: &reqwest::Error) -> Reply {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if inner.is::<Blocked>() {
            return Reply::Blocked;
        }
        cause = inner.source();
    }
    if error.is_timeout() { Reply::TimedOut } else { Reply::Unreachable }
}
