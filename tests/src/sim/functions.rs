//! One instance of every function, with a clock of its own.

use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::config::retry::{RetryConfig, RetryPartition};
use aws_sdk_dynamodb::config::{
    BehaviorVersion, Credentials, Region, StalledStreamProtectionConfig,
};
use axum::Router;
use fastrand::Rng;
use shared::app::{App, Clock, Config, Random};
use shared::callback::{Courier, Lookup, Reach};
use shared::link::LinkSecret;
use shared::queue::Queues;
use shared::store::Store;

use super::clock::WorldClock;
use super::crossing::{Crossing, Service};
use super::mail::QueueName;
use crate::table::TABLE;
use crate::world;

/// Where notices go, and what signs them.
pub(super) const NOTICES: &str = "https://notices.example.com/";
pub(super) const NOTICE_SECRET: &str = "what the mailer knows";

/// The functions of one instance.
#[derive(Clone)]
pub(super) struct Functions {
    pub(super) app: App,
    pub(super) routes: Router,
    pub(super) relay: relay::Relay,
    pub(super) waker: wake::Waker,
    pub(super) notifier: notify::Notifier,
    pub(super) worker: agent_worker::Worker,
}

impl Functions {
    /// An instance whose clock is this far from the world's.
    pub(super) fn new(crossing: &Crossing, clock: WorldClock, skew_ms: i64, rng: &mut Rng) -> Self {
        let store = Store::new(tables(crossing), TABLE.to_owned(), 30);
        let drawn = Mutex::new(rng.fork());
        let fill = move |bytes: &mut [u8]| drawn.lock().expect("nobody panics with it").fill(bytes);
        let config =
            Config { stream_poll: std::time::Duration::from_millis(500), ..world::config() };
        let app =
            App::new(store, Clock::new(move || clock.now(skew_ms)), Random::new(fill), config);
        let secret = LinkSecret::from_bytes(&[7; 32]).expect("long enough");
        let queues = queues(crossing);
        // Another test in this process may have chosen the provider already; it is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let carrier = crossing.carrier();
        let courier = Courier::new(Reach::Public, Lookup::system()).expect("a courier");
        let target = notify::Target {
            url: NOTICES.to_owned(),
            secret: NOTICE_SECRET.as_bytes().to_vec(),
            carrier: carrier.clone(),
        };
        let notifier = notify::Notifier {
            app: app.clone(),
            secret: secret.clone(),
            target: Some(target),
            public_url: "http://127.0.0.1".to_owned(),
            courier: courier.by(carrier),
            queues: queues.clone(),
        };
        let model = Arc::new(agent_worker::model::Scripted);
        Self {
            routes: world::routes(&app, &secret, queues.clone()),
            relay: relay::Relay { app: app.clone(), queues: queues.clone() },
            waker: wake::Waker { app: app.clone(), queues: queues.clone() },
            notifier,
            worker: agent_worker::Worker::new(app.clone(), queues, model)
                .expect("the built-in agents"),
            app,
        }
    }
}

/// The SDK's own pauses between attempts, without their jitter, which no seed would reach.
fn retries() -> RetryConfig {
    RetryConfig::standard().with_use_static_exponential_base(true)
}

/// Each instance has its own store of attempts, as each process has.
fn partition() -> RetryPartition {
    RetryPartition::custom("simulated").build()
}

fn tables(crossing: &Crossing) -> aws_sdk_dynamodb::Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(retries())
        .retry_partition(partition())
        .http_client(crossing.way(Service::Table));
    aws_sdk_dynamodb::Client::from_conf(config.build())
}

fn queues(crossing: &Crossing) -> Queues {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:9")
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .retry_config(retries())
        .retry_partition(partition())
        .http_client(crossing.way(Service::Queue));
    let url = |queue: QueueName| Some(queue.url());
    let client = aws_sdk_sqs::Client::from_conf(config.build());
    let (turns, wakes) = (url(QueueName::Turns), url(QueueName::Wakes));
    Queues::new(client, turns, wakes, url(QueueName::Notices))
        .with_deliveries(url(QueueName::Deliveries))
}
