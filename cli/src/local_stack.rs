//! The whole service on this machine, with keys to use it.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use local::{CONCURRENCY_PER_FUNCTION, Options, Program, Stack};
use serde_json::{Value, json};
use shared::digest::Digest;
use shared::principal::Role;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::broadcast;

use crate::client::{Client, Target};
use crate::connection::{ApiKey, Connection, FILE};
use crate::environment;
use crate::failure::{Failure, Problem};
use crate::terminal::one_line;

/// What is deployed is what is run here.
const TEMPLATE: &str = include_str!("../../template.yaml");
/// One machine's table is free to look at, so held streams look often.
const STREAM_POLL_MS: &str = "20";
/// Whoever tries webhooks here listens on this machine.
const ALLOW_PRIVATE_CALLBACKS: &str = "true";
/// One machine's own programs may ask as often as they like; that there is a limit shows in headers.
const RATE_LIMIT_PER_MINUTE: &str = "1000000";
/// A worker that is killed here is missed soon.
const WORKER_LEASE_SECONDS: &str = "10";

/// What the user decides about a local stack.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where it answers; port 0 for any.
    pub(crate) listen: SocketAddr,
    /// Everything that it keeps.
    pub(crate) data: PathBuf,
    /// A template other than the one that this program was built with.
    pub(crate) template: Option<PathBuf>,
    /// Deployable binaries to run in place of this program.
    pub(crate) bootstraps: Option<PathBuf>,
    /// Values for the template's parameters.
    pub(crate) parameters: Vec<(String, String)>,
}

/// A running stack.
#[derive(Debug)]
pub(crate) struct LocalStack {
    stack: Stack,
    connection: Connection,
    connection_file: PathBuf,
    model: Option<String>,
}

/// The user's or the system's wish that this program ends.
#[derive(Debug)]
pub(crate) struct StopSignals {
    interrupt: Signal,
    terminate: Signal,
}

impl StopSignals {
    /// Listens from now on; the process no longer ends by itself.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let on = |kind| signal(kind).map_err(Failure::Runtime);
        Ok(Self {
            interrupt: on(SignalKind::interrupt())?,
            terminate: on(SignalKind::terminate())?,
        })
    }

    /// Waits for the wish.
    pub(crate) async fn stop(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

impl LocalStack {
    /// Starts it, and keeps keys for it in the data folder.
    pub(crate) async fn start(settings: Settings) -> Result<Self, Failure> {
        let connection_file = settings.data.join(FILE);
        let kept = Connection::read(&connection_file)?;
        let admin_key = kept.as_ref().map(|kept| kept.admin_key.clone());
        let admin_key =
            admin_key.unwrap_or_else(|| ApiKey::new(environment::new_key_text().reveal()));
        let (options, model) = options(settings, &admin_key)?;
        let stack = Stack::start(options).await?;
        let connected = connect(stack.base_url(), admin_key, kept.as_ref()).await;
        let written = connected.and_then(|connection| {
            connection.write(&connection_file)?;
            Ok(connection)
        });
        match written {
            Ok(connection) => Ok(Self { stack, connection, connection_file, model }),
            Err(failure) => {
                stack.stop().await;
                Err(failure)
            }
        }
    }

    /// The keys, and where it answers.
    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Where the keys are kept.
    pub(crate) fn connection_file(&self) -> &Path {
        &self.connection_file
    }

    /// Notices to reviewers from now on.
    pub(crate) fn notices(&self) -> broadcast::Receiver<Value> {
        self.stack.notices()
    }

    /// Says which model the agents use.
    pub(crate) fn model(&self) -> String {
        match &self.model {
            Some(model) => format!("{} (OPENAI_API_KEY is set)", one_line(model)),
            None => "scripted: fixed rules, no LLM (set OPENAI_API_KEY for a real one)".to_owned(),
        }
    }

    /// Ends it in good order.
    pub(crate) async fn stop(self) {
        self.stack.stop().await;
    }
}

/// The stack's options, and the model's name if one is configured.
fn options(settings: Settings, admin_key: &ApiKey) -> Result<(Options, Option<String>), Failure> {
    let template = match &settings.template {
        Some(path) => fs::read_to_string(path)
            .map_err(|source| Failure::Read { path: path.clone(), source })?,
        None => TEMPLATE.to_owned(),
    };
    let mut parameters = BTreeMap::new();
    // Another template may have other parameters; the user knows them.
    if settings.template.is_none() {
        parameters.insert("StreamPollMilliseconds".to_owned(), STREAM_POLL_MS.to_owned());
        parameters.insert("AllowPrivateCallbacks".to_owned(), ALLOW_PRIVATE_CALLBACKS.to_owned());
        parameters.insert("RateLimitPerMinute".to_owned(), RATE_LIMIT_PER_MINUTE.to_owned());
        parameters.extend(environment::openai());
        parameters.extend(environment::otlp());
    }
    parameters.extend(settings.parameters);
    let has_key = parameters.get("OpenAiApiKey").is_some_and(|key| !key.is_empty());
    let model = parameters.get("OpenAiModel").map_or("the template's model", String::as_str);
    let model = has_key.then(|| model.to_owned());
    let admin_digest = Digest::of_bytes(admin_key.reveal().as_bytes());
    let mut environment = BTreeMap::from([
        ("BOOTSTRAP_ADMIN_KEY_SHA256".to_owned(), admin_digest.to_string()),
        ("WORKER_LEASE_SECONDS".to_owned(), WORKER_LEASE_SECONDS.to_owned()),
    ]);
    environment.extend(environment::log_filter().map(|f| ("HOLDPOINT_LOG".to_owned(), f)));
    let options = Options {
        listen: settings.listen,
        data: settings.data,
        template,
        parameters,
        environment,
        program: match settings.bootstraps {
            Some(dir) => Program::Bootstraps { dir },
            None => Program::This { exe: environment::own_executable()? },
        },
        concurrency_per_function: CONCURRENCY_PER_FUNCTION,
        clock: environment::clock(),
    };
    Ok((options, model))
}

/// The keys of an earlier start where they still work, and new ones where not.
async fn connect(
    base_url: &str,
    admin_key: ApiKey,
    kept: Option<&Connection>,
) -> Result<Connection, Failure> {
    let admin = Client::new(&Target { base_url: base_url.to_owned(), key: admin_key.clone() })?;
    let agent = kept.map(|kept| &kept.agent_key);
    let reviewer = kept.map(|kept| &kept.reviewer_key);
    Ok(Connection {
        agent_key: key(&admin, agent, Role::Agent, "/v1/intents?limit=1").await?,
        reviewer_key: key(&admin, reviewer, Role::Reviewer, "/v1/me/tasks").await?,
        base_url: base_url.to_owned(),
        admin_key,
    })
}

/// The kept key if the service takes it for `path`, or else a new one.
async fn key(
    admin: &Client,
    kept: Option<&ApiKey>,
    role: Role,
    path: &str,
) -> Result<ApiKey, Failure> {
    if let Some(kept) = kept {
        let target = Target { base_url: admin.base_url().to_owned(), key: kept.clone() };
        match Client::new(&target)?.get(path).await {
            Ok(_) => return Ok(kept.clone()),
            Err(Failure::Answered(Problem { status: 401 | 403, .. })) => {}
            Err(failure) => return Err(failure),
        }
    }
    let body = json!({"role": role.name(), "name": format!("local-{}", role.name())});
    let made = admin.post("/v1/keys", &body).await?;
    let token = made.pointer("/key/token").and_then(Value::as_str);
    token.map(ApiKey::new).ok_or_else(|| admin.unreadable("a new key has no token"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(parameters: &[(&str, &str)]) -> Settings {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Settings {
            listen: ([127, 0, 0, 1], 0).into(),
            data: PathBuf::from("data"),
            template: None,
            bootstraps: None,
            parameters: parameters.iter().map(owned).collect(),
        }
    }

    #[test]
    fn functions_learn_the_digest_of_the_admin_key_and_never_the_key() {
        let (options, _) = options(settings(&[]), &ApiKey::new("hp_secret")).unwrap();
        let digest = options.environment.get("BOOTSTRAP_ADMIN_KEY_SHA256").unwrap();
        assert_eq!(*digest, Digest::of_bytes(b"hp_secret").to_string());
        assert!(!format!("{options:?}").contains("hp_secret"));
    }

    #[test]
    fn the_users_parameters_count_more_than_ours() {
        let given =
            [("StreamPollMilliseconds", "100"), ("OpenAiApiKey", "k"), ("OpenAiModel", "m")];
        let (options, model) = options(settings(&given), &ApiKey::new("hp_secret")).unwrap();
        assert_eq!(options.parameters.get("StreamPollMilliseconds").unwrap(), "100");
        assert_eq!(model.as_deref(), Some("m"));
    }

    #[test]
    fn an_unreadable_template_is_named() {
        let template = Some(PathBuf::from("/nonexistent/template.yaml"));
        let settings = Settings { template, ..settings(&[]) };
        let message = options(settings, &ApiKey::new("k")).unwrap_err().to_string();
        assert!(message.contains("/nonexistent/template.yaml"), "{message}");
    }
}
