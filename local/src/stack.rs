//! A running stack: everything that a template asks for, started in order and ended together.

mod batch_answer;
mod data_folder;
mod dynamodb;
mod error;
mod gateway;
mod host;
mod http_answer;
mod http_event;
mod ids;
mod loopback;
mod notices;
mod options;
mod process;
mod queue_poller;
mod runtime_api;
mod scheduler;
mod secrets;
mod sqs;
mod stream_poller;
mod stream_position;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinSet;
use tracing::warn;

pub use error::Error;
pub use options::{CONCURRENCY_PER_FUNCTION, Options, Program};

use crate::template::Template;
use crate::template::blueprint::{Addresses, Blueprint};
use crate::template::function::Function;
use data_folder::DataFolder;
use dynamodb::{Server, Tables};
use gateway::Gateway;
use host::{Host, Limits};
use ids::Ids;
use loopback::{ANY_PORT, listen};
use notices::Notices;
use process::{Endpoints, Executable, Process, Running, environment};
use queue_poller::QueuePoller;
use scheduler::Scheduler;
use secrets::Secrets;
use sqs::Queues;
use stream_poller::StreamPoller;
use stream_position::StreamPosition;

/// How long a function's process may take until it asks for its first invocation.
const START_MAX: Duration = Duration::from_mins(1);
/// Processes of one function that may end before one of them asks for an invocation.
const START_EXITS_MAX: u32 = 3;
/// How long processes may take to end when the stack stops.
const STOP_MAX: Duration = Duration::from_secs(5);

/// AWS on this machine, running one template.
#[derive(Debug)]
pub struct Stack {
    base_url: String,
    dynamodb_endpoint: String,
    sqs_endpoint: String,
    references: BTreeMap<String, String>,
    notices: Notices,
    running: Running,
    stopping: watch::Sender<bool>,
    supervisors: JoinSet<()>,
    /// Listeners and event sources.
    tasks: JoinSet<()>,
    database: Server,
    /// Last, so that the folder is free only when nothing writes to it any more.
    _data: DataFolder,
}

/// What the parts of a starting stack share.
struct Parts {
    options: Options,
    data: DataFolder,
    ids: Arc<Ids>,
    tables: Tables,
    queues: Queues,
    hosts: BTreeMap<String, Arc<Host>>,
    running: Running,
    commits: watch::Sender<u64>,
    stopping: watch::Sender<bool>,
    supervisors: JoinSet<()>,
    tasks: JoinSet<()>,
}

impl Stack {
    /// Starts everything. When this returns, the gateway answers, tables and queues exist, every
    /// function's process has asked for its first invocation, and the targets of schedules know
    /// of the restart.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let template = Template::parse(&options.template)?;
        let data = DataFolder::open(&options.data)?;
        let (gateway_listener, gateway) = listen(options.listen)?;
        let (sqs_listener, sqs) = listen(ANY_PORT)?;
        let (dynamodb_listener, dynamodb) = listen(ANY_PORT)?;
        let addresses = Addresses { api: url(gateway), sqs: url(sqs) };
        let mut parameters = options.parameters.clone();
        if template.parameters.contains_key(notices::URL_PARAMETER) {
            let own = || format!("{}{}", addresses.api, notices::PATH);
            parameters.entry(notices::URL_PARAMETER.to_owned()).or_insert_with(own);
        }
        let mut blueprint = Blueprint::new(&template, &parameters, &addresses)?;
        let secrets = Secrets::open(&data.secrets(), &blueprint.secrets)?;
        for function in &mut blueprint.functions {
            secrets.fill(function)?;
        }
        let notices_path = data.notices();
        let notices = Notices::open(&notices_path).map_err(Error::data(notices_path))?;
        let tables = Tables::open(&data.database(), &blueprint.tables)?;
        let database = tables.serve(dynamodb_listener)?;
        let queues = Queues::create(&blueprint.queues).await?;
        let endpoints = Endpoints {
            dynamodb: url(dynamodb),
            sqs: url(sqs),
            concurrency: options.concurrency_per_function.max(1),
        };
        let mut parts = Parts {
            data,
            ids: Arc::new(Ids::new()?),
            tables,
            queues,
            hosts: BTreeMap::new(),
            running: Running::default(),
            commits: watch::Sender::new(0),
            stopping: watch::Sender::new(false),
            supervisors: JoinSet::new(),
            tasks: JoinSet::new(),
            options,
        };
        let router = parts.queues.router();
        parts.tasks.spawn(serve(sqs_listener, router));
        for function in &blueprint.functions {
            parts.start_process(function, &endpoints)?;
        }
        parts.wait_for_processes(&blueprint.functions).await?;
        parts.start_sources(&blueprint.functions).await?;
        parts.serve_gateway(gateway_listener, &blueprint, &notices);
        Ok(Self {
            base_url: addresses.api,
            dynamodb_endpoint: endpoints.dynamodb,
            sqs_endpoint: endpoints.sqs,
            references: blueprint.references,
            notices,
            running: parts.running,
            stopping: parts.stopping,
            supervisors: parts.supervisors,
            tasks: parts.tasks,
            database,
            _data: parts.data,
        })
    }

    /// Base URL of the HTTP API.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Base URL of the `DynamoDB` API.
    pub fn dynamodb_endpoint(&self) -> &str {
        &self.dynamodb_endpoint
    }

    /// Base URL of the SQS API.
    pub fn sqs_endpoint(&self) -> &str {
        &self.sqs_endpoint
    }

    /// What `Ref` gives for a resource of the template: a table's name, a queue's URL.
    pub fn resource(&self, logical_id: &str) -> Option<&str> {
        self.references.get(logical_id).map(String::as_str)
    }

    /// The functions' processes that run now: the function's binary, and the process id.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.iter().map(|(binary, pid)| (binary.clone(), *pid)).collect()
    }

    /// Notices to reviewers from now on.
    pub fn notices(&self) -> broadcast::Receiver<serde_json::Value> {
        self.notices.listen()
    }

    /// Ends every process, finishes what the database is doing and frees the data folder.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.stopping.send_replace(true);
        let ended = async { while self.supervisors.join_next().await.is_some() {} };
        if tokio::time::timeout(STOP_MAX, ended).await.is_err() {
            warn!("some functions' processes had to be killed");
        }
        // Dropping what is left kills its process.
        self.supervisors.shutdown().await;
        self.database.stop().await;
    }
}

impl Parts {
    fn start_process(&mut self, function: &Function, endpoints: &Endpoints) -> Result<(), Error> {
        let limits = Limits::new(function.timeout, endpoints.concurrency);
        let clock = self.options.clock;
        let host = Host::new(limits, Arc::clone(&self.ids), clock, self.commits.clone());
        self.hosts.insert(function.logical_id.clone(), Arc::clone(&host));
        let process = Process {
            binary: function.binary.clone(),
            function_arn: Function::arn(&function.logical_id).into(),
            executable: Executable::find(&self.options.program, &function.binary)?,
            environment: environment(function, endpoints, &self.options.environment),
            log: self.data.log(&function.binary),
        };
        let running = Arc::clone(&self.running);
        self.supervisors.spawn(process.supervise(host, running, self.stopping.subscribe()));
        Ok(())
    }

    async fn wait_for_processes(&self, functions: &[Function]) -> Result<(), Error> {
        let until = tokio::time::Instant::now() + START_MAX;
        for function in functions {
            let Some(host) = self.hosts.get(&function.logical_id) else {
                continue;
            };
            let silent = |reason: String| Error::FunctionSilent {
                function: function.binary.clone(),
                reason,
                log: self.data.log(&function.binary),
            };
            let mut progress = host.progress();
            let settled = progress.wait_for(|now| now.asked || now.exits >= START_EXITS_MAX);
            match tokio::time::timeout_at(until, settled).await {
                Ok(Ok(progress)) if progress.asked => {}
                Ok(_) => return Err(silent(format!("in {START_EXITS_MAX} attempts"))),
                Err(_) => return Err(silent(format!("within {} s", START_MAX.as_secs()))),
            }
        }
        Ok(())
    }

    async fn start_sources(&mut self, functions: &[Function]) -> Result<(), Error> {
        for function in functions {
            let Some(host) = self.hosts.get(&function.logical_id).cloned() else {
                continue;
            };
            for source in &function.queue_sources {
                let poller = QueuePoller {
                    source: source.clone(),
                    queues: self.queues.clone(),
                    host: Arc::clone(&host),
                    concurrency: self.options.concurrency_per_function.max(1),
                    clock: self.options.clock,
                };
                self.tasks.spawn(poller.run());
            }
            for source in &function.stream_sources {
                let consumers = functions.iter().flat_map(|other| &other.stream_sources);
                let consumers = consumers.filter(|other| other.table == source.table).count();
                let path = self.data.position(&source.table, &function.logical_id);
                let poller = StreamPoller {
                    source: source.clone(),
                    function_arn: Function::arn(&function.logical_id).into(),
                    tables: self.tables.clone(),
                    queues: self.queues.clone(),
                    host: Arc::clone(&host),
                    position: StreamPosition::open(path.clone()).map_err(Error::data(path))?,
                    commits: self.commits.subscribe(),
                    sole_consumer: consumers == 1,
                    clock: self.options.clock,
                };
                self.tasks.spawn(poller.run());
            }
        }
        self.start_schedules(functions).await?;
        self.tasks.spawn(self.tables.clone().sweep(self.commits.clone()));
        Ok(())
    }

    async fn start_schedules(&mut self, functions: &[Function]) -> Result<(), Error> {
        for function in functions {
            for schedule in &function.schedules {
                let Some(host) = self.hosts.get(&function.logical_id).cloned() else {
                    continue;
                };
                let scheduler = Scheduler { schedule: schedule.clone(), host };
                scheduler.restart().await.map_err(|failure| Error::Restart {
                    function: function.binary.clone(),
                    reason: failure.to_string(),
                    log: self.data.log(&function.binary),
                })?;
                self.tasks.spawn(scheduler.run());
            }
        }
        Ok(())
    }

    fn serve_gateway(&mut self, listener: TcpListener, blueprint: &Blueprint, notices: &Notices) {
        let gateway = Gateway {
            routes: Arc::new(blueprint.routes.clone()),
            hosts: Arc::new(std::mem::take(&mut self.hosts)),
            notices: notices.clone(),
            ids: Arc::clone(&self.ids),
            clock: self.options.clock,
        };
        let service = gateway.router().into_make_service_with_connect_info::<SocketAddr>();
        self.tasks.spawn(async move {
            if let Err(error) = axum::serve(listener, service).await {
                warn!(%error, "the gateway ended");
            }
        });
    }
}

async fn serve(listener: TcpListener, router: axum::Router) {
    if let Err(error) = axum::serve(listener, router).await {
        warn!(%error, "the queues' server ended");
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
