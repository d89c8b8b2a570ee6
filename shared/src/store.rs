//! Intents in `DynamoDB`: one table, one transaction per command.
//!
//! An intent's snapshot and one immutable commit (its events and what they owe) are written
//! together, with the pointers that follow from the state: a timer, a place on the agent's stream, a
//! place on the reviewers' list, places in inboxes. Nothing else is the truth, and no other module knows the table.

mod account;
mod attachment;
mod batch;
mod commit;
mod condition;
mod dead_letter;
mod feed;
mod item;
mod latest;
mod list;
mod locked;
mod mesh;
mod offer;
mod place;
mod published;
mod pulse;
mod rate;
mod registry;
mod slot;
mod stream_record;
mod subscription;
mod timer;
mod update;

pub use account::{NewAgent, StoredAccount};
pub use attachment::{Attachment, CallOutput, Checkpoint, Report};
pub use commit::{Change, Commit, CommitError, History, Stored, genesis, owners};
pub use latest::Latest;
pub use list::{ENTRIES_PER_VISIT_MAX, List, ListPlace};
pub use locked::Locked;
pub use mesh::MESH_EVENT_DAYS;
pub use offer::{Marked, Offer, OfferCursor, OfferPage, Shown};
pub use place::due_millis;
pub use published::{Departure, Replay, Underway};
pub use registry::StoredRoute;
pub use stream_record::{Committed, Happened, Row, StreamRecord, Unreadable, owed_for};
pub use subscription::KeptSubscription;
pub use timer::{PUT_BACK_MAX, TIMER_SHARDS, TIMERS_PER_READ_MAX, Timer};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{DisplayErrorContext, SdkError};

/// Version of the shape in which items are written. New code reads what old code wrote.
pub const SCHEMA_VERSION: u32 = 2;

/// The table.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    table: String,
    retention_days: u32,
}

/// The table did not answer, or held something that it should not.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The table did not answer; whether a write happened is unknown. Later is worth another try.
    #[error("the table did not answer")]
    Unavailable(#[source] Unanswered),
    /// An item cannot be read.
    #[error("item {0} cannot be read")]
    Corrupt(String, #[source] Option<serde_json::Error>),
    /// The change is larger than one item may be.
    #[error("the change is larger than the table takes")]
    TooLarge,
}

/// What the AWS SDK said, with its causes. It is for the log, never for a caller.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

impl Store {
    /// A store on `table`, keeping finished intents for `retention_days` after their deadline.
    pub fn new(client: Client, table: String, retention_days: u32) -> Self {
        Self { client, table, retention_days }
    }
}

fn unavailable<E, R>(error: SdkError<E, R>) -> StoreError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    StoreError::Unavailable(Unanswered(DisplayErrorContext(error).to_string()))
}
