//! Start-up of a function: the one place that reads the environment, the clock and the system's
//! randomness.

mod log;
mod otlp;

use std::sync::Arc;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_smithy_http_client::tls;
use jiff::Timestamp;
use tracing_subscriber::EnvFilter;

use crate::app::{App, Clock, Config, Random};
use crate::callback::Reach;
use crate::diagnosis::Settings;
use crate::digest::Digest;
use crate::link::LinkSecret;
use crate::message::Queue;
use crate::metric;
use crate::queue::Queues;
use crate::store::Store;
use crate::trace::Exporter;

/// The tenant of a deployment that serves one.
pub const DEFAULT_TENANT: &str = "default";
/// Life of an intent whose sender names none, unless the deployment says otherwise: seven days.
const DEFAULT_TTL_SECONDS: u32 = 604_800;
/// Days that intents are kept after their deadline, unless the deployment says otherwise.
const DEFAULT_RETENTION_DAYS: u32 = 180;
/// How often a held stream looks at the table, unless the deployment says otherwise.
const DEFAULT_STREAM_POLL_MS: u64 = 500;
/// How long a worker's lease lasts without a step, unless the deployment says otherwise: longer than
/// a model takes to answer.
const DEFAULT_WORKER_LEASE_SECONDS: u64 = 90;
/// How many requests a key may make at each endpoint in a minute, unless the deployment says
/// otherwise. The contract's limit.
const DEFAULT_RATE_LIMIT_PER_MINUTE: u32 = 120;

/// A function cannot start as it was deployed.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    /// A variable is missing.
    #[error("the environment variable {0} is missing; the template sets it")]
    Missing(&'static str),
    /// A variable says something that cannot be.
    #[error("the environment variable {name} is wrong: {detail}")]
    Wrong {
        /// Its name.
        name: &'static str,
        /// What is wrong with it.
        detail: String,
    },
}

/// Everything that functions take from outside, read once at start.
#[derive(Clone, Debug)]
pub struct Boot {
    aws: aws_config::SdkConfig,
}

impl Boot {
    /// Starts the log and finds out how AWS is reached.
    pub async fn start() -> Self {
        start_log();
        let aws = aws_config::defaults(BehaviorVersion::latest());
        let aws = aws.http_client(http_client()).load().await;
        Self { aws }
    }

    /// The app over the deployment's table.
    pub fn app(&self) -> Result<App, BootError> {
        let table = variable("TABLE_NAME").ok_or(BootError::Missing("TABLE_NAME"))?;
        let retention_days = number("RETENTION_DAYS")?.unwrap_or(DEFAULT_RETENTION_DAYS);
        let client = aws_sdk_dynamodb::Client::new(&self.aws);
        let store = Store::new(client, table, retention_days);
        let digest = variable("BOOTSTRAP_ADMIN_KEY_SHA256").map(Digest::try_from).transpose();
        let bootstrap_admin_key = digest.map_err(|error| BootError::Wrong {
            name: "BOOTSTRAP_ADMIN_KEY_SHA256",
            detail: error.to_string(),
        })?;
        let poll_ms = number("STREAM_POLL_MS")?.unwrap_or(DEFAULT_STREAM_POLL_MS);
        let lease_s = number("WORKER_LEASE_SECONDS")?.unwrap_or(DEFAULT_WORKER_LEASE_SECONDS);
        let config = Config {
            tenant: DEFAULT_TENANT.to_owned(),
            default_ttl_s: number("DEFAULT_TTL_SECONDS")?.unwrap_or(DEFAULT_TTL_SECONDS),
            stream_poll: Duration::from_millis(poll_ms),
            bootstrap_admin_key,
            worker_lease: Duration::from_secs(lease_s),
            rate_limit_per_minute: number("RATE_LIMIT_PER_MINUTE")?
                .unwrap_or(DEFAULT_RATE_LIMIT_PER_MINUTE),
            response_streaming: switch("RESPONSE_STREAMING")?,
        };
        let exporter = otlp::exporter(variable)?.map(|it| Arc::new(it) as Arc<dyn Exporter>);
        Ok(App::traced(store, clock(), random(), config, exporter))
    }

    /// The queues that the function may send to.
    pub fn queues(&self) -> Queues {
        let client = aws_sdk_sqs::Client::new(&self.aws);
        let url = variable;
        Queues::new(
            client,
            url("TURNS_QUEUE_URL"),
            url("WAKES_QUEUE_URL"),
            url("NOTICES_QUEUE_URL"),
        )
        .with_deliveries(url("DELIVERIES_QUEUE_URL"))
        .with_dead_letters(dead_letters())
    }
}

/// The HTTP client of the AWS SDKs, on the cryptography that starts quickly.
pub fn http_client() -> aws_sdk_dynamodb::config::SharedHttpClient {
    let ring = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::Ring);
    aws_smithy_http_client::Builder::new().tls_provider(ring).build_https()
}

/// The secret that signs review links.
pub fn link_secret() -> Result<LinkSecret, BootError> {
    let text = variable("LINK_SECRET").ok_or(BootError::Missing("LINK_SECRET"))?;
    let wrong = |error: crate::link::LinkSecretTooShort| BootError::Wrong {
        name: "LINK_SECRET",
        detail: error.to_string(),
    };
    LinkSecret::from_bytes(text.as_bytes()).map_err(wrong)
}

/// The address under which people reach the deployment, where it cannot be read off a request.
pub fn public_url() -> Option<String> {
    variable("PUBLIC_URL").map(|url| url.trim_end_matches('/').to_owned())
}

/// How far callbacks reach.
pub fn callback_reach() -> Result<Reach, BootError> {
    let name = "ALLOW_PRIVATE_CALLBACKS";
    match variable("ALLOW_PRIVATE_CALLBACKS").as_deref() {
        None | Some("false") => Ok(Reach::Public),
        Some("true") => Ok(Reach::Private),
        Some(other) => {
            Err(BootError::Wrong { name, detail: format!("`{other}` is neither true nor false") })
        }
    }
}

/// What the deployer has set that deserves a look.
pub fn settings() -> Result<Settings, BootError> {
    Ok(Settings {
        first_key: variable("BOOTSTRAP_ADMIN_KEY_SHA256").is_some(),
        notices: variable("NOTICE_URL").is_some(),
        private_callbacks: callback_reach()? == Reach::Private,
        scripted_model: switch("SCRIPTED_MODEL")?,
        rate_limit: number("RATE_LIMIT_PER_MINUTE")? != Some(0_u32),
    })
}

/// Any other setting of one function.
pub fn setting(name: &'static str) -> Option<String> {
    variable(name)
}

/// The system's clock.
pub fn clock() -> Clock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the clock")]
    Clock::new(Timestamp::now)
}

/// The system's randomness.
///
/// # Panics
///
/// Where the system has none: without it nothing may start.
pub fn random() -> Random {
    #[expect(
        clippy::expect_used,
        reason = "a key made without randomness would be worse than none"
    )]
    Random::new(|bytes| getrandom::fill(bytes).expect("the system has randomness"))
}

/// The queues' own dead letters, in the function that buries them.
fn dead_letters() -> Vec<(Queue, String)> {
    let all = [
        (Queue::Turns, variable("TURNS_DEAD_LETTERS_URL")),
        (Queue::Wakes, variable("WAKES_DEAD_LETTERS_URL")),
        (Queue::Notices, variable("NOTICES_DEAD_LETTERS_URL")),
        (Queue::Deliveries, variable("DELIVERIES_DEAD_LETTERS_URL")),
    ];
    all.into_iter().filter_map(|(queue, url)| Some((queue, url?))).collect()
}

fn start_log() {
    // The MCP library logs whole messages, and a message may say anything; it stays silent.
    // Metrics go by the log, and are no matter of how much is told in it.
    let always = format!("rmcp=off,{}=info", metric::TARGET);
    let said = format!("{},{always}", variable("HOLDPOINT_LOG").as_deref().unwrap_or("info"));
    let filter = EnvFilter::try_new(said);
    let filter = filter.unwrap_or_else(|_| EnvFilter::new(format!("info,{always}")));
    // A second start in one process (a test, the local command) keeps the first log.
    let lines = tracing_subscriber::fmt().json().with_span_list(false).with_ansi(false);
    let lines = lines.map_event_format(log::Lines);
    let _ = lines.with_env_filter(filter).try_init();
}

/// A variable that is set to something; the template writes unset ones as empty.
fn variable(name: &'static str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
    let value = std::env::var(name);
    value.ok().filter(|value| !value.is_empty())
}

/// Something that is on or off, and off where nobody says.
fn switch(name: &'static str) -> Result<bool, BootError> {
    match variable(name).as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => {
            let detail = format!("`{other}` is neither true nor false");
            Err(BootError::Wrong { name, detail })
        }
    }
}

fn number<N: std::str::FromStr>(name: &'static str) -> Result<Option<N>, BootError> {
    let Some(text) = variable(name) else { return Ok(None) };
    let wrong = |_| BootError::Wrong { name, detail: format!("`{text}` is not a whole number") };
    text.parse().map(Some).map_err(wrong)
}
