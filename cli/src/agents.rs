//! `holdpoint agents`: who takes intents, which addresses lead there, and the switch that stops one.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use shared::address::Address;
use shared::principal::Role;
use shared::route::CONCURRENT_TURNS_MAX;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::intents::{address, read_object};
use crate::terminal::{Terminal, field, instant, table};

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentsCommand {
    /// List agents and the addresses that lead to them (key: admin).
    List,
    /// Show an agent: whether it is alive, what it reports, and what happened to it (key: admin).
    Show {
        /// Its address, or one that leads to it.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        agent: Address,
    },
    /// Stop an agent: it neither sends nor receives until it is resumed (key: admin).
    ///
    /// Nothing is lost: what is in its hands waits there, each intent until its deadline.
    Kill {
        /// Its address, or one that leads to it.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        agent: Address,
    },
    /// Let a killed agent go on (key: admin).
    Resume {
        /// Its address, or one that leads to it.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        agent: Address,
    },
    /// Register an agent (key: admin).
    Register {
        /// Its address.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        agent: Address,
        /// How it gets its intents.
        #[arg(long, value_enum, default_value_t = DeliveryMode::Stream)]
        delivery: DeliveryMode,
        /// Where its intents are posted, with --delivery http.
        #[arg(long, value_name = "URL", required_if_eq("delivery", "http"))]
        callback_url: Option<String>,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
        /// How many of its turns the worker runs at once.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=i64::from(CONCURRENT_TURNS_MAX)))]
        max_concurrent_turns: Option<u32>,
    },
    /// Lead one address to another, with a person's sign-off if wanted (key: admin).
    ///
    /// With --human-task, a person must sign off on what goes through the alias. The file holds
    /// what is asked, such as `{"title": "Deploy?", "required_comment": true}`.
    Alias {
        /// The address that senders use.
        #[arg(value_name = "FROM", value_parser = address)]
        from: Address,
        /// The agent that gets their intents.
        #[arg(value_name = "TO", value_parser = address)]
        to: Address,
        /// File with what a person is asked.
        #[arg(long, value_name = "FILE")]
        human_task: Option<PathBuf>,
        /// When the person is asked: on the agent's result, or at once and instead of the agent.
        #[arg(long, value_enum, requires = "human_task")]
        human_task_when: Option<When>,
    },
}

/// How an agent gets its intents.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DeliveryMode {
    /// It holds the event stream of its address.
    Stream,
    /// Each is posted to its callback URL, signed.
    Http,
    /// Holdpoint's own worker runs it.
    Worker,
}

/// When a person is asked.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum When {
    /// Once the agent has a result.
    OnResult,
    /// At once: the decision is the whole answer, and no agent gets the intent.
    OnArrival,
}

/// Runs the command.
pub(crate) async fn run(
    command: AgentsCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&deployment.target(Role::Admin)?)?;
    match command {
        AgentsCommand::List => {
            let answer = client.get("/v1/agents").await?;
            terminal.answer(&answer, || list(&answer))?;
        }
        AgentsCommand::Show { agent } => {
            let answer = client.get(&format!("/v1/mesh/agents/{}", agent.path())).await?;
            terminal.answer(&answer, || show(&answer))?;
        }
        AgentsCommand::Kill { agent } => switch(&client, &agent, "kill", terminal).await?,
        AgentsCommand::Resume { agent } => switch(&client, &agent, "resume", terminal).await?,
        AgentsCommand::Register { agent, delivery, callback_url, name, max_concurrent_turns } => {
            let mode = match delivery {
                DeliveryMode::Stream => "stream",
                DeliveryMode::Http => "http",
                DeliveryMode::Worker => "worker",
            };
            let body = json!({
                "delivery_mode": mode,
                "callback_url": callback_url,
                "display_name": name,
                "max_concurrent_turns": max_concurrent_turns,
            });
            put(&client, &agent, &body, terminal).await?;
        }
        AgentsCommand::Alias { from, to, human_task, human_task_when } => {
            let task = human_task.as_deref().map(read_object).transpose()?;
            let when = human_task_when.map(|when| match when {
                When::OnResult => "on_result",
                When::OnArrival => "on_arrival",
            });
            let body = json!({"to": to.uri(), "human_task": task, "human_task_when": when});
            put(&client, &from, &body, terminal).await?;
        }
    }
    Ok(Verdict::Done)
}

async fn put(
    client: &Client,
    address: &Address,
    body: &Value,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let answer = client.put(&format!("/v1/routes/{}", address.path()), body).await?;
    terminal.answer(&answer, || {
        let route = |pointer: &str| field(&answer, &format!("/route{pointer}"));
        let asks = match route("/human_task/title").as_str() {
            "-" => String::new(),
            title => format!("; a person is asked: {title}"),
        };
        let secret = match route("/secret").as_str() {
            "-" => String::new(),
            secret => format!("\nsigned with {secret} (shown only now)"),
        };
        let within_s = field(&answer, "/effective_within_seconds");
        format!(
            "{} leads to {} by {}{asks}{secret}\nin effect everywhere within {within_s} seconds",
            route("/address"),
            route("/to"),
            route("/delivery_mode")
        )
    })
}

async fn switch(
    client: &Client,
    agent: &Address,
    switch: &str,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let path = format!("/v1/mesh/agents/{}/{switch}", agent.path());
    let answer = client.post(&path, &json!({})).await?;
    terminal.answer(&answer, || {
        let (agent, status) = (field(&answer, "/agent/address"), field(&answer, "/agent/status"));
        let within_s = field(&answer, "/effective_within_seconds");
        format!("{agent} is {status}, in effect everywhere within {within_s} seconds")
    })
}

fn show(answer: &Value) -> String {
    let agent = |pointer: &str| field(answer, &format!("/agent{pointer}"));
    let metric = |name: &str| agent(&format!("/metrics/{name}"));
    let mut lines = vec![
        format!("address          {}", agent("/address")),
        format!("name             {}", agent("/display_name")),
        format!("status           {}", agent("/status")),
        format!("health           {}", agent("/health_status")),
        format!("last heard       {}", instant(answer, "/agent/last_heartbeat_at")),
        format!("delivery         {}", agent("/delivery_mode")),
        format!("service account  {}", agent("/service_account_id")),
        format!(
            "reported         {} intents, {} succeeded, {} failed, {} ms each, {} USD",
            metric("intents_total"),
            metric("intents_succeeded"),
            metric("intents_failed"),
            metric("avg_latency_ms"),
            metric("cost_usd")
        ),
    ];
    let events = answer.get("events").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    lines.extend(events.iter().map(|event| {
        let (at, kind) = (instant(event, "/at"), field(event, "/event_type"));
        format!("{at}  {kind} by {}", field(event, "/actor"))
    }));
    lines.join("\n")
}

fn list(answer: &Value) -> String {
    let routes = answer.get("routes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if routes.is_empty() {
        return "no agents".to_owned();
    }
    let pointers =
        ["/address", "/to", "/delivery_mode", "/status", "/human_task/title", "/display_name"];
    let row = |route: &Value| pointers.map(|pointer| field(route, pointer)).to_vec();
    let rows: Vec<_> = routes.iter().map(row).collect();
    table(&["ADDRESS", "LEADS TO", "DELIVERY", "STATUS", "A PERSON IS ASKED", "NAME"], &rows)
}
