//! The one loop that every entry point runs: load, decide, commit with the expected version.

mod access;
mod account;
mod approval;
mod cleanup;
mod clock;
mod create;
mod dead_letter;
mod decision;
mod delivery;
mod diagnosis;
mod execute;
mod inbox;
mod list;
mod mesh;
mod offers;
mod publication;
mod push;
mod rate;
mod registry;
mod slot;
mod standing;
mod stream;
mod subscription;
mod thread;
mod toolcall;
mod unit;

pub use access::REMEMBERED;
pub use account::{AccountChange, AccountView, NewAccount};
pub use cleanup::{CANCELED_PER_REQUEST_MAX, CleanedUp, Cleanup};
pub use clock::{Clock, Random};
pub use create::Created;
pub use dead_letter::{DEAD_LETTERS_LOOKED_AT_MAX, DeadLetterFilter, DeadLetterPage};
pub use delivery::NewDelivery;
pub use inbox::{Changed, Changes, Inbox, ThreadState};
pub use list::{Filter, Page};
pub use mesh::MeshAgent;
pub use offers::{Offered, OfferedTo};
pub use publication::{NewEvent, Publication};
pub use push::PushedTurn;
pub use rate::Usage;
pub use registry::{NewKey, NewRoute, Routed};
pub use slot::Slot;
pub use stream::{Events, Heard, Listener, OfIntent, Source};
pub use subscription::{NewSubscription, SUBSCRIPTIONS_PER_OWNER_MAX, Standpoint, Subscribed};
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
use crate::trace::Exporter;
use crate::webhook::Subscription;

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
    /// How many requests a key may make at each endpoint in a minute; 0 is any number.
    pub rate_limit_per_minute: u32,
    /// Whether held streams are answered as they go on, rather than whole.
    pub response_streaming: bool,
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
    exporter: Option<Arc<dyn Exporter>>,
    keys: Mutex<HashMap<String, Remembered<Key>>>,
    subscriptions: Mutex<HashMap<String, Remembered<Arc<[Subscription]>>>>,
    routes: Mutex<HashMap<String, Remembered<Option<Route>>>>,
    minute: Mutex<rate::Minute>,
    looks_back: Mutex<HashMap<String, offers::LookBack>>,
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
        Self::traced(store, clock, random, config, None)
    }

    /// The same, where `exporter` collects the spans of units of work.
    pub fn traced(
        store: Store,
        clock: Clock,
        random: Random,
        config: Config,
        exporter: Option<Arc<dyn Exporter>>,
    ) -> Self {
        let inner = Inner {
            store,
            clock,
            random,
            config,
            exporter,
            keys: Mutex::default(),
            routes: Mutex::default(),
            subscriptions: Mutex::default(),
            minute: Mutex::default(),
            looks_back: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
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
