//! The whole HTTP surface, in this process.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode};
use jiff::Timestamp;
use serde_json::Value;
use shared::app::{App, Clock, Config, NewKey, Random};
use shared::callback::Reach;
use shared::diagnosis::Settings;
use shared::http::service;
use shared::link::LinkSecret;
use shared::principal::Role;
use shared::queue::Queues;
use shared::store::Store;
use shared::trace::Exporter;
use tower::ServiceExt as _;

use crate::table::{TABLE, Table};

/// When the story begins: 2030-01-01T00:00:00Z.
const BEGINNING_MS: i64 = 1_893_456_000_000;
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 10 * 1024 * 1024;

/// Every HTTP function over one table, with a clock that the test moves and an administrator, an
/// agent and a reviewer who hold keys.
#[derive(Debug)]
pub struct World {
    /// The app under the routes.
    pub app: App,
    /// Signs links.
    pub secret: LinkSecret,
    /// An agent's key that speaks for every address.
    pub agent: String,
    /// A reviewer's key.
    pub reviewer: String,
    /// An administrator's key.
    pub admin: String,
    routes: Router,
    clock_ms: Arc<AtomicI64>,
    /// The table under the app.
    pub table: Table,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as text.
    pub text: String,
}

impl Answer {
    /// Its body, as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The stable word of an error.
    pub fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl World {
    /// A world over an embedded table.
    pub async fn new() -> Self {
        Self::over(Table::embedded().await).await
    }

    /// A world over any table.
    pub async fn over(table: Table) -> Self {
        Self::set_up(table, |_| {}).await
    }

    /// A world over any table, in a deployment that sets something else.
    pub async fn set_up(table: Table, set: impl FnOnce(&mut Config)) -> Self {
        Self::deployed(table, set, None).await
    }

    /// A world over an embedded table, whose spans `exporter` collects.
    pub async fn traced(exporter: Arc<dyn Exporter>) -> Self {
        Self::deployed(Table::embedded().await, |_| {}, Some(exporter)).await
    }

    async fn deployed(
        table: Table,
        set: impl FnOnce(&mut Config),
        exporter: Option<Arc<dyn Exporter>>,
    ) -> Self {
        let clock_ms = Arc::new(AtomicI64::new(BEGINNING_MS));
        let mut config = config();
        set(&mut config);
        let app = app(&table, &clock_ms, config, 0, exporter);
        let secret = LinkSecret::from_bytes(&[7; 32]).expect("long enough");
        let routes = routes(&app, &secret, no_queues());
        let agent = key(&app, "local-agent", Role::Agent).await;
        let reviewer = key(&app, "local-reviewer", Role::Reviewer).await;
        let admin = key(&app, "local-admin", Role::Admin).await;
        Self { app, secret, agent, reviewer, admin, routes, clock_ms, table }
    }

    /// Another instance of every function, over the same table and by the same clock.
    #[must_use]
    pub fn beside(&self) -> Self {
        // It draws other bytes than this one.
        let app = app(&self.table, &self.clock_ms, self.app.config().clone(), 1 << 32, None);
        Self {
            routes: routes(&app, &self.secret, no_queues()),
            app,
            secret: self.secret.clone(),
            agent: self.agent.clone(),
            reviewer: self.reviewer.clone(),
            admin: self.admin.clone(),
            clock_ms: Arc::clone(&self.clock_ms),
            table: self.table.clone(),
        }
    }

    /// Lets time pass.
    pub fn pass(&self, time: Duration) {
        let ms = i64::try_from(time.as_millis()).expect("a span of this world");
        self.clock_ms.fetch_add(ms, Ordering::SeqCst);
    }

    /// Gets as the holder of `key`.
    pub async fn get(&self, key: &str, path: &str) -> Answer {
        self.send(request("GET", key, path), Body::empty()).await
    }

    /// Posts JSON as the holder of `key`.
    pub async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(request("POST", key, path), Body::from(body.to_string())).await
    }

    /// Puts JSON as the holder of `key`.
    pub async fn put(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(request("PUT", key, path), Body::from(body.to_string())).await
    }

    /// Patches with JSON as the holder of `key`.
    pub async fn patch(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.send(request("PATCH", key, path), Body::from(body.to_string())).await
    }

    /// Deletes as the holder of `key`.
    pub async fn delete(&self, key: &str, path: &str) -> Answer {
        self.send(request("DELETE", key, path), Body::empty()).await
    }

    /// Gets as the holder of `key`, and leaves the body to be read as it comes.
    pub async fn open(&self, key: &str, path: &str) -> Response<Body> {
        let request = request("GET", key, path).body(Body::empty()).expect("a whole request");
        let Ok(response) = self.routes.clone().oneshot(request).await;
        response
    }

    /// Sends any request.
    pub async fn send(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request: Request<Body> = request.body(body).expect("a whole request");
        let Ok(response) = self.routes.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.expect("a whole answer");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }
}

/// A JSON request as the holder of `key`; an empty key sends none.
fn request(method: &str, key: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json").header("host", "127.0.0.1");
    if key.is_empty() { request } else { request.header("x-api-key", key) }
}

pub(crate) fn routes(app: &App, secret: &LinkSecret, queues: Queues) -> Router {
    let reviews = approve::Reviews { secret: secret.clone(), public_url: None };
    let routes = send_intent::routes(Reach::Private)
        .merge(intents::routes())
        .merge(approve::routes(reviews))
        .merge(agents::routes(Reach::Private))
        .merge(inbox::routes())
        .merge(dead_letters::routes(queues, SETTINGS))
        .merge(mcp::routes())
        .merge(webhooks::routes(Reach::Private));
    service(routes, app.clone())
}

/// What the deployer of this world has set: nothing that deserves a look.
pub const SETTINGS: Settings = Settings {
    first_key: false,
    notices: true,
    private_callbacks: false,
    scripted_model: false,
    rate_limit: true,
};

/// Queues that nothing reaches: tests that send again bring their own.
pub fn no_queues() -> Queues {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(aws_sdk_sqs::config::BehaviorVersion::latest());
    Queues::new(aws_sdk_sqs::Client::from_conf(config.build()), None, None, None)
}

pub(crate) fn config() -> Config {
    Config {
        tenant: "default".to_owned(),
        default_ttl_s: 604_800,
        stream_poll: Duration::from_millis(5),
        bootstrap_admin_key: None,
        worker_lease: Duration::from_mins(1),
        rate_limit_per_minute: 0,
        response_streaming: false,
    }
}

fn app(
    table: &Table,
    clock_ms: &Arc<AtomicI64>,
    config: Config,
    first_draw: u64,
    exporter: Option<Arc<dyn Exporter>>,
) -> App {
    let store = Store::new(table.client.clone(), TABLE.to_owned(), 30);
    let clock_ms = Arc::clone(clock_ms);
    let now = move || {
        let ms = clock_ms.load(Ordering::SeqCst);
        Timestamp::from_millisecond(ms).expect("a time of this world")
    };
    // Every byte string is a new one, and the same story always gets the same ones.
    let drawn = AtomicU64::new(first_draw);
    let fill = move |bytes: &mut [u8]| {
        let number = drawn.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, digit)| *byte = *digit);
    };
    App::traced(store, Clock::new(now), Random::new(fill), config, exporter)
}

async fn key(app: &App, name: &str, role: Role) -> String {
    let new = NewKey { name: name.to_owned(), role, address: None, expires_at: None };
    let (_, text) = app.create_key(new).await.expect("the table takes a key");
    text.reveal().to_owned()
}
