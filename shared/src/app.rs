//! The one loop that every entry point runs: load, decide, commit with the expected version.

mod access;
mod cleanup;
mod clock;
mod create;
mod decision;
mod execute;
mod inbox;
mod list;
mod registry;
mod stream;
mod thread;
mod toolcall;

pub use access::REMEMBERED;
pub use cleanup::{CANCELED_PER_REQUEST_MAX, CleanedUp, Cleanup};
pub use clock::{Clock, Random};
pub use create::Created;
pub use inbox::{Changed, Changes, Inbox, ThreadState};
pub use list::{Filter, Page};
pub use registry::NewKey;
pub use stream::Held;
pub use thread::{HIDDEN_PER_REQUEST_MAX, Hiding, Message, Reader, Speaker, Thread};
pub use toolcall::{ClaimedCall, ToolCall};

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::digest::Digest;
use crate::key::Key;
use crate::route::Route;
use crate::store::Store;

/// The most bytes that an intent's state may have. An item of the table takes 400 KiB.
pub const STATE_BYTES_MAX: usize = 390 * 1024;

/// What a deployment sets.
#[derive(Clone, Debug)]
pub struct Config {
    /// The tenant that this deployment serves.
    pub tenant: String,
    /// Life of an intent whose sender names none, in seconds.
    pub default_ttl_s: u32,
    /// How often a held stream looks at the table, at the longest.
    pub stream_poll: Duration,
    /// Digest of the first administrator's key, until there are others.
    pub bootstrap_admin_key: Option<Digest>,
    /// How long a worker's lease lasts without a step.
    pub worker_lease: Duration,
}

/// A running function: the store, the clock and the configuration.
#[derive(Clone, Debug)]
pub struct App {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    clock: Clock,
    random: Random,
    config: Config,
    keys: Mutex<HashMap<String, Remembered<Key>>>,
    routes: Mutex<HashMap<String, Remembered<Route>>>,
}

/// Something read from the table a short while ago.
#[derive(Clone, Debug)]
struct Remembered<T> {
    value: T,
    until: Timestamp,
}

impl App {
    /// An app over `store`, reading time and randomness from where the caller says.
    pub fn new(store: Store, clock: Clock, random: Random, config: Config) -> Self {
        let (keys, routes) = (Mutex::default(), Mutex::default());
        Self { inner: Arc::new(Inner { store, clock, random, config, keys, routes }) }
    }

    /// The table.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// What the deployment sets.
    pub fn config(&self) -> &Config {
        &self.inner.config
    }

    /// The tenant that this deployment serves.
    pub fn tenant(&self) -> &str {
        &self.inner.config.tenant
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.inner.random.fill(&mut bytes);
        bytes
    }

    /// A random UUID.
    pub fn random_uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.random()).into_uuid()
    }
}
