//! `holdpoint agents`: who takes intents, and which addresses lead there.

use std::path::PathBuf;

use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};
use shared::address::Address;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::intents::{address, read_object};
use crate::terminal::{Terminal, field, table};

/// What can be done with agents.
#[derive(Debug, Subcommand)]
pub(crate) enum AgentsCommand {
    /// List agents and the addresses that lead to them (key: admin).
    List,
    /// Register an agent (key: admin).
    Register {
        /// Its address.
        #[arg(value_name = "ADDRESS", value_parser = address)]
        agent: Address,
        /// How it gets its intents.
        #[arg(long, value_enum, default_value_t = DeliveryMode::Stream)]
        delivery: DeliveryMode,
        /// A name for people.
        #[arg(long)]
        name: Option<String>,
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
        AgentsCommand::Register { agent, delivery, name } => {
            let mode = match delivery {
                DeliveryMode::Stream => "stream",
                DeliveryMode::Worker => "worker",
            };
            let body = json!({"delivery_mode": mode, "display_name": name});
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
        let within_s = field(&answer, "/effective_within_seconds");
        format!(
            "{} leads to {} by {}{asks}\nin effect everywhere within {within_s} seconds",
            route("/address"),
            route("/to"),
            route("/delivery_mode")
        )
    })
}

fn list(answer: &Value) -> String {
    let routes = answer.get("routes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if routes.is_empty() {
        return "no agents".to_owned();
    }
    let pointers = ["/address", "/to", "/delivery_mode", "/human_task/title", "/display_name"];
    let row = |route: &Value| pointers.map(|pointer| field(route, pointer)).to_vec();
    let rows: Vec<_> = routes.iter().map(row).collect();
    table(&["ADDRESS", "LEADS TO", "DELIVERY", "A PERSON IS ASKED", "NAME"], &rows)
}
