//! AWS's own Lambda runtime emulator with one function inside.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tests::Python;
use tests::binaries::{checkout, target};

use crate::api::until;

/// How long the emulator may take to listen, and one invocation to end.
const ANSWER_MAX: Duration = Duration::from_mins(1);
/// The function's timeout in the emulator, in seconds.
const TIMEOUT_SECONDS: &str = "40";

/// The emulator's own program, out of the package that AWS ships it in; none on a machine that cannot
/// unpack it.
pub(super) fn program() -> Option<PathBuf> {
    let python = Python::with(&checkout().join("tests/python/sam/requirements.txt"))?;
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    let shipped = format!("samcli/local/rapid/aws-lambda-rie-{machine}");
    let shipped = python.packages().join(shipped);
    // The package does not mark it as a program.
    let folder = target().join("lambda-emulator");
    std::fs::create_dir_all(&folder).expect("the target folder takes folders");
    let own = folder.join("aws-lambda-rie");
    if !own.exists() {
        let next = folder.join("aws-lambda-rie.next");
        std::fs::copy(&shipped, &next).expect("the emulator is in the package");
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&next, mode).expect("the copy is ours");
        std::fs::rename(&next, &own).expect("the copy is ours");
    }
    Some(own)
}

/// One function in the emulator. Both end when this is dropped.
pub(super) struct Emulator {
    process: Child,
    url: String,
    http: reqwest::Client,
    log: PathBuf,
}

impl Emulator {
    /// Starts `binary` as Lambda would, with the variables that the deployment sets.
    pub(super) async fn start(
        program: &Path,
        binary: &Path,
        environment: &BTreeMap<String, String>,
        log: &Path,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (invoke, runtime) = (free_address(), free_address());
        let file = std::fs::File::create(log).expect("a log file");
        // The emulator takes one invocation at a time, and fails if a function asks for more.
        let own =
            |name: &str| !matches!(name, "AWS_LAMBDA_RUNTIME_API" | "AWS_LAMBDA_MAX_CONCURRENCY");
        let process = Command::new(program)
            .args(["--runtime-interface-emulator-address", &invoke])
            .args(["--runtime-api-address", &runtime])
            .arg(binary)
            .env_clear()
            .envs(environment.iter().filter(|(name, _)| own(name)))
            .env("AWS_LAMBDA_FUNCTION_TIMEOUT", TIMEOUT_SECONDS)
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("one more handle"))
            .stderr(file)
            .process_group(0)
            .spawn()
            .expect("the emulator runs");
        let url = format!("http://{invoke}/2015-03-31/functions/function/invocations");
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_MAX).build();
        let emulator = Self { process, url, http: http.expect("a client"), log: log.to_owned() };
        until(ANSWER_MAX, "the emulator listens", async || {
            tokio::net::TcpStream::connect(&invoke).await.ok().map(drop)
        })
        .await;
        emulator
    }

    /// Invokes the function. The emulator says 200 whatever happens, so failures are told from the
    /// answer's form.
    pub(super) async fn invoke(&self, event: &str) -> Result<Value, String> {
        let sent = self.http.post(&self.url).body(event.to_owned()).send().await;
        let text = match sent {
            Ok(answer) => answer.text().await.unwrap_or_default(),
            Err(error) => panic!("{error}\n{}", self.said()),
        };
        match serde_json::from_str::<Value>(&text) {
            Ok(answer) if answer.get("errorType").is_none() => Ok(answer),
            Ok(failed) => Err(failed.to_string()),
            Err(_) => Err(format!("{text}\n{}", self.said())),
        }
    }

    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The function outlives an emulator that is killed alone.
        let group = format!("-{}", self.process.id());
        let _ = Command::new("kill").args(["-9", "--", &group]).output();
        let _ = self.process.wait();
    }
}

/// An address that was free a moment ago.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    listener.local_addr().expect("an address").to_string()
}
