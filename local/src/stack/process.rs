//! One function's process: started, watched, and started again when it ends.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tracing::{info, warn};

use crate::stack::data_folder::open_log;
use crate::stack::host::Host;
use crate::stack::loopback::{ANY_PORT, listen};
use crate::stack::options::Program;
use crate::stack::runtime_api::RuntimeApi;
use crate::{Error, template};

/// The pause before a process is started again grows from the first to the last of these.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);
/// A process that lived this long starts again without a growing pause.
const SETTLED: Duration = Duration::from_secs(10);
/// How long a process may take to end by itself once its standard input has closed.
const FAREWELL_MAX: Duration = Duration::from_millis(500);

/// Where a function finds the system's commands; the caller's own environment is not passed on.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Ends a plain Lambda executable together with us: it does not watch its standard input, so a
/// shell does. Our death, even by SIGKILL, closes that input.
const WATCHED: &str = r#"exec 3<&0
"$0" </dev/null 3<&- & child=$!
{ cat <&3 >/dev/null; kill -9 "$child"; } 2>/dev/null & watcher=$!
exec 3<&-
wait "$child"; status=$?
kill "$watcher" 2>/dev/null
exit "$status""#;

/// The processes that run now, function binary to process id.
pub(crate) type Running = Arc<Mutex<BTreeMap<String, u32>>>;

/// How to start one function's process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) binary: String,
    pub(crate) function_arn: Arc<str>,
    pub(crate) executable: Executable,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) log: PathBuf,
}

/// What is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Executable {
    /// `exe function <binary>`, which ends when its standard input does.
    Function(PathBuf),
    /// A Lambda bootstrap.
    Bootstrap(PathBuf),
}

impl Executable {
    /// Finds a function's executable.
    pub(crate) fn find(program: &Program, binary: &str) -> Result<Self, Error> {
        let missing = |path: PathBuf| Error::NoProgram { function: binary.to_owned(), path };
        match program {
            Program::This { exe } if exe.is_file() => Ok(Self::Function(exe.clone())),
            Program::This { exe } => Err(missing(exe.clone())),
            Program::Bootstraps { dir } => {
                let nested = dir.join(binary).join("bootstrap");
                let candidates = [nested.clone(), dir.join(binary)];
                let found = candidates.into_iter().find(|path| path.is_file());
                found.map(Self::Bootstrap).ok_or_else(|| missing(nested))
            }
        }
    }
}

impl Process {
    /// Keeps the process alive until the stack stops.
    pub(crate) async fn supervise(
        self,
        host: Arc<Host>,
        running: Running,
        mut stopping: watch::Receiver<bool>,
    ) {
        let mut pause = PAUSE_MIN;
        while !*stopping.borrow() {
            let begun = Instant::now();
            if let Err(error) = self.run_once(&host, &running, &mut stopping).await {
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                warn!(function = self.binary, %error, cause, "a function could not be started");
            }
            if begun.elapsed() > SETTLED {
                pause = PAUSE_MIN;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = told_to_stop(&mut stopping) => {}
            }
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// Runs one process to its end. Each has a Runtime API of its own, so that nothing of an
    /// ended process can take an invocation.
    async fn run_once(
        &self,
        host: &Arc<Host>,
        running: &Running,
        stopping: &mut watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let log = open_log(&self.log).map_err(Error::data(&self.log))?;
        let (listener, address) = listen(ANY_PORT)?;
        let generation = host.begin_process();
        let api = RuntimeApi {
            host: Arc::clone(host),
            generation,
            function_arn: Arc::clone(&self.function_arn),
        };
        let (close, closed) = oneshot::channel::<()>();
        let serving = axum::serve(listener, api.router()).with_graceful_shutdown(async {
            // An error means the same: the process is gone.
            let _: Result<(), _> = closed.await;
        });
        let serving = tokio::spawn(async move { serving.await });
        let ended = match self.spawn(log, &address.to_string()) {
            Ok(mut child) => {
                if let Some(pid) = child.id() {
                    set_running(running, &self.binary, Some(pid));
                }
                let status = self.wait(&mut child, host, stopping).await;
                set_running(running, &self.binary, None);
                status.map_err(Error::data(&self.log))
            }
            Err(source) => Err(Error::NotExecutable { function: self.binary.clone(), source }),
        };
        host.end_process();
        drop(close);
        serving.abort();
        ended
    }

    async fn wait(
        &self,
        child: &mut Child,
        host: &Host,
        stopping: &mut watch::Receiver<bool>,
    ) -> io::Result<()> {
        // Waiting closes the input of a child that still has it, and with it ends the process.
        let input = child.stdin.take();
        tokio::select! {
            status = child.wait() => {
                let status = status?;
                warn!(function = self.binary, %status, "a function's process ended");
                return Ok(());
            }
            () = host.condemned() => {
                warn!(function = self.binary, "a function's process is stuck and is ended");
            }
            () = told_to_stop(stopping) => {
                drop(input);
                if tokio::time::timeout(FAREWELL_MAX, child.wait()).await.is_ok() {
                    return Ok(());
                }
                info!(function = self.binary, "a function's process is ended");
            }
        }
        child.kill().await
    }

    fn spawn(&self, log: File, runtime_api: &str) -> io::Result<Child> {
        let mut command = match &self.executable {
            Executable::Function(exe) => {
                let mut command = Command::new(exe);
                command.args(["function", &self.binary]);
                command
            }
            Executable::Bootstrap(path) => {
                let mut command = Command::new("/bin/sh");
                command.args([Path::new("-c"), Path::new(WATCHED), path]);
                command
            }
        };
        command
            .env_clear()
            .envs(&self.environment)
            .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
    }
}

/// The variables that Lambda gives every function, those of the template and the caller's,
/// each over the ones before.
pub(crate) fn environment(
    function: &template::function::Function,
    endpoints: &Endpoints,
    extra: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let name = &function.logical_id;
    let own = [
        ("PATH", SEARCH_PATH.to_owned()),
        ("LANG", "en_US.UTF-8".to_owned()),
        ("TZ", ":UTC".to_owned()),
        ("AWS_LAMBDA_FUNCTION_NAME", name.clone()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mib.to_string()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{name}")),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "local".to_owned()),
        ("AWS_LAMBDA_MAX_CONCURRENCY", endpoints.concurrency.to_string()),
        ("AWS_REGION", template::scope::REGION.to_owned()),
        ("AWS_DEFAULT_REGION", template::scope::REGION.to_owned()),
        // Any will do: the stand-ins check that a request is signed, not by whom.
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_ENDPOINT_URL_DYNAMODB", endpoints.dynamodb.clone()),
        ("AWS_ENDPOINT_URL_SQS", endpoints.sqs.clone()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
    ];
    let own = own.into_iter().map(|(name, value)| (name.to_owned(), value));
    own.chain(function.environment.clone()).chain(extra.clone()).collect()
}

/// Where a function finds the rest of its cloud.
#[derive(Debug, Clone)]
pub(crate) struct Endpoints {
    pub(crate) dynamodb: String,
    pub(crate) sqs: String,
    pub(crate) concurrency: u16,
}

/// Waits for the word; a stack that is gone has stopped as well.
async fn told_to_stop(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stopping| *stopping).await);
}

fn set_running(running: &Running, binary: &str, pid: Option<u32>) {
    let mut running = running.lock().unwrap_or_else(PoisonError::into_inner);
    match pid {
        Some(pid) => running.insert(binary.to_owned(), pid),
        None => running.remove(binary),
    };
}
