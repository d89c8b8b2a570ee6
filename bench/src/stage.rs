//! The stack that is put to the test, with keys for everybody.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use local::{Options, Program, Stack};
use serde_json::json;
use shared::key::{ID_BYTES, KeyText, SECRET_BYTES};
use shared::principal::Role;

use crate::Failure;
use crate::client::{Call, Client};
use crate::clock::clock;

/// What is deployed is what is tested.
const TEMPLATE: &str = include_str!("../../template.yaml");
/// One machine's table is free to look at, so held streams look often.
const STREAM_POLL_MS: &str = "50";
/// A worker that is killed is missed soon.
const WORKER_LEASE_SECONDS: &str = "10";
/// How often a start is tried while the stack before still lets go of its folder and port, or because
/// the machine was too busy for the first one.
const STARTS_MAX: u32 = 50;
/// How often a start may fail by itself.
const FAILURES_MAX: u32 = 3;
/// The pause between two tries.
const START_AGAIN: Duration = Duration::from_millis(200);

/// How a stack is started.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The folder that it keeps everything in.
    pub(crate) data: PathBuf,
    /// What becomes each function when it is started as `exe function NAME`.
    pub(crate) exe: PathBuf,
    /// Where it answers; port 0 for any.
    pub(crate) listen: SocketAddr,
    /// The administrator's key, whose digest the functions learn.
    pub(crate) admin: KeyText,
    /// Invocations that each function runs at once.
    pub(crate) concurrency: u16,
}

/// A running stack.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) stack: Stack,
    setup: Setup,
}

impl Setup {
    pub(crate) fn new(data: &Path, exe: &Path) -> Self {
        let mut id = [0; ID_BYTES];
        let mut secret = [0; SECRET_BYTES];
        let random = shared::boot::random();
        random.fill(&mut id);
        random.fill(&mut secret);
        Self {
            data: data.to_owned(),
            exe: exe.to_owned(),
            listen: SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0),
            admin: KeyText::new(id, secret),
            concurrency: local::CONCURRENCY_PER_FUNCTION,
        }
    }

    fn options(&self) -> Options {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let digest = self.admin.digest().to_string();
        Options {
            listen: self.listen,
            data: self.data.clone(),
            template: TEMPLATE.to_owned(),
            parameters: BTreeMap::from(
                [("StreamPollMilliseconds", STREAM_POLL_MS), ("RateLimitPerMinute", "0")]
                    .map(owned),
            ),
            environment: BTreeMap::from(
                [
                    ("BOOTSTRAP_ADMIN_KEY_SHA256", digest.as_str()),
                    ("WORKER_LEASE_SECONDS", WORKER_LEASE_SECONDS),
                ]
                .map(owned),
            ),
            program: Program::This { exe: self.exe.clone() },
            concurrency_per_function: self.concurrency,
            clock: clock(),
        }
    }
}

impl Stage {
    /// Starts a stack; every later one of this setup answers at the same port.
    pub(crate) async fn start(mut setup: Setup) -> Result<Self, Failure> {
        let (mut starts, mut failures) = (0, 0);
        let stack = loop {
            starts += 1;
            let error = match Stack::start(setup.options()).await {
                Ok(stack) => break stack,
                Err(error) => error,
            };
            let in_the_way =
                matches!(error, local::Error::Listen { .. } | local::Error::AlreadyRunning { .. });
            failures += u32::from(!in_the_way);
            if starts == STARTS_MAX || failures == FAILURES_MAX {
                return Err(error.into());
            }
            tokio::time::sleep(START_AGAIN).await;
        };
        if let Ok(address) = stack.base_url().trim_start_matches("http://").parse() {
            setup.listen = address;
        }
        Ok(Self { stack, setup })
    }

    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Client::new(self.stack.base_url())
    }

    pub(crate) fn data(&self) -> &Path {
        &self.setup.data
    }

    /// The text of a new key with this role.
    pub(crate) async fn key(&self, role: Role, name: &str) -> Result<String, Failure> {
        let body = json!({"role": role.name(), "name": name});
        let call = Call::post(self.setup.admin.reveal(), "/v1/keys", body);
        let made = self.client()?.taken(&call).await?;
        let token = made.pointer("/key/token").and_then(serde_json::Value::as_str);
        Ok(token.unwrap_or_default().to_owned())
    }

    /// Says where intents for an address go.
    pub(crate) async fn route(
        &self,
        address: &str,
        body: serde_json::Value,
    ) -> Result<(), Failure> {
        let path = format!("/v1/routes/{address}");
        let call = Call::put(self.setup.admin.reveal(), path, body);
        self.client()?.taken(&call).await.map(drop)
    }

    /// Ends everything as a power cut does, and starts it again on what is on the disk.
    pub(crate) async fn power_cut(self) -> Result<Self, Failure> {
        for (_, pid) in self.stack.processes() {
            kill(pid).await;
        }
        let Self { stack, setup } = self;
        drop(stack);
        Self::start(setup).await
    }

    /// Ends everything in good order.
    pub(crate) async fn stop(self) {
        self.stack.stop().await;
    }
}

/// Ends one process as the system's killer does; it may have ended by itself.
pub(crate) async fn kill(pid: u32) {
    let mut command = tokio::process::Command::new("kill");
    let _ = command.args(["-9", &pid.to_string()]).output().await;
}
