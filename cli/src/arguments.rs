//! The command line, and what each command starts.

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tokio::runtime::{Builder, Runtime};

use shared::http::openapi;

use crate::agents::AgentsCommand;
use crate::connection::Deployment;
use crate::dead::DeadCommand;
use crate::demo::DemoArguments;
use crate::doctor::DoctorArguments;
use crate::failure::{Failure, Verdict};
use crate::function::FunctionArguments;
use crate::intents::IntentsCommand;
use crate::keys::KeysCommand;
use crate::scenarios::ScenariosCommand;
use crate::tasks::TasksCommand;
use crate::terminal::Terminal;
use crate::up::UpArguments;
use crate::{
    agents, dead, demo, doctor, environment, function, intents, keys, scenarios, tasks, up,
};

const EXAMPLES: &str = "\
Start here:
  holdpoint demo                    an agent works, you sign off in the browser, it goes on
  holdpoint up                      the whole service on this machine, until Ctrl-C

In a second terminal, beside `holdpoint up`:
  holdpoint intents send --to agent://agent_core --type deploy.request.v1 \\
      --payload '{\"title\": \"Deploy 2.4 to production?\"}' --watch
  holdpoint tasks list
  holdpoint tasks approve ID --comment 'Checked the release notes.'

Exit codes: 0 done; 1 refused by the service or a person, or the intent did not complete;
2 not reachable, wrong usage, or the service failed.";

/// Durable human approval for AI agents: run it on this machine, or talk to a deployment.
#[derive(Debug, Parser)]
#[command(name = "holdpoint", version, after_help = EXAMPLES)]
#[command(propagate_version = true, disable_help_subcommand = true)]
pub(crate) struct Arguments {
    /// Print JSON: one document, or one line for each event.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// A group of commands that talk to a deployment.
#[derive(Args, Debug)]
struct Remote<C: Subcommand> {
    #[command(flatten)]
    deployment: Deployment,
    #[command(subcommand)]
    command: C,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch an agent work, stop at a hold point, and go on with your decision.
    Demo(DemoArguments),
    /// Run the whole service on this machine until Ctrl-C.
    Up(UpArguments),
    /// Become one of the service's functions; the local stack starts these.
    #[command(hide = true)]
    Function(FunctionArguments),
    /// Send, read, watch and cancel intents.
    Intents(Remote<IntentsCommand>),
    /// See what waits for a person, and decide it.
    Tasks(Remote<TasksCommand>),
    /// Register agents, lead addresses to them, and stop them.
    Agents(Remote<AgentsCommand>),
    /// See what was given up and why, and send it again.
    Dead(Remote<DeadCommand>),
    /// Make and revoke API keys.
    Keys(Remote<KeysCommand>),
    /// Apply scenario bundles: agents, a workflow and the intent that starts it.
    Scenarios(Remote<ScenariosCommand>),
    /// Say what is wrong with a deployment, and what to do (key: admin).
    Doctor(DoctorArguments),
    /// Print the API as an OpenAPI document.
    Openapi,
}

/// Runs the command and tells how it ended.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let terminal = Terminal::new(arguments.json, environment::no_color());
    // A second provider could only come from a second call; there is none.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match dispatch(arguments.command, &terminal) {
        Ok(verdict) => verdict.exit_code(),
        Err(failure) if failure.is_closed_output() => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.complain(&failure);
            failure.exit_code()
        }
    }
}

fn dispatch(command: Command, terminal: &Terminal) -> Result<Verdict, Failure> {
    match command {
        Command::Demo(arguments) => many_threads()?.block_on(demo::run(arguments, terminal)),
        Command::Up(arguments) => many_threads()?.block_on(up::run(arguments, terminal)),
        Command::Function(arguments) => one_thread()?.block_on(function::run(&arguments)),
        Command::Intents(Remote { command, deployment }) => {
            one_thread()?.block_on(intents::run(command, &deployment, terminal))
        }
        Command::Tasks(Remote { command, deployment }) => {
            one_thread()?.block_on(tasks::run(command, &deployment, terminal))
        }
        Command::Agents(Remote { command, deployment }) => {
            one_thread()?.block_on(agents::run(command, &deployment, terminal))
        }
        Command::Dead(Remote { command, deployment }) => {
            one_thread()?.block_on(dead::run(command, &deployment, terminal))
        }
        Command::Keys(Remote { command, deployment }) => {
            one_thread()?.block_on(keys::run(command, &deployment, terminal))
        }
        Command::Scenarios(Remote { command, deployment }) => {
            one_thread()?.block_on(scenarios::run(command, &deployment, terminal))
        }
        Command::Doctor(arguments) => one_thread()?.block_on(doctor::run(arguments, terminal)),
        Command::Openapi => {
            terminal.answer(&openapi::document(), openapi::text).map(|()| Verdict::Done)
        }
    }
}

/// For the local stack, which serves databases and queues beside the command.
fn many_threads() -> Result<Runtime, Failure> {
    Builder::new_multi_thread().enable_all().build().map_err(Failure::Runtime)
}

/// For everything else: starts at once and stays small.
fn one_thread() -> Result<Runtime, Failure> {
    Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    const ID: &str = "0190a1b2-0000-7000-8000-000000000001";

    #[track_caller]
    fn accepts(line: &str) {
        let words = std::iter::once("holdpoint").chain(line.split_whitespace());
        if let Err(error) = Arguments::try_parse_from(words) {
            panic!("`{line}` was refused: {error}");
        }
    }

    #[track_caller]
    fn refuses(line: &str, why: &str) {
        let words = std::iter::once("holdpoint").chain(line.split_whitespace());
        let error = Arguments::try_parse_from(words).expect_err(line).to_string();
        assert!(error.contains(why), "`{line}`: {error}");
    }

    #[test]
    fn the_command_tree_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_command_is_read() {
        for line in [
            "demo",
            "demo --approve --data /tmp/x --listen 127.0.0.1:0 --keep",
            "demo --reject --json",
            "up",
            "up --listen [::1]:9000 --parameter RetentionDays=3 --parameter OpenAiModel=a=b",
            "up --bootstraps target/lambda --template template.yaml",
            "function agent-worker",
            "intents send --to agent://a/b/c --type t.v1 --payload {} --ttl 60 --watch",
            "intents send --to a --type t --payload-file x.json --idempotency-key k",
            "intents list --status WAITING --limit 5",
            "tasks list --json",
            "--json tasks list",
            "agents list",
            "agents show deployer",
            "agents kill agent://team/production/deployer",
            "agents resume deployer",
            "agents register deployer --delivery worker --name Deployer",
            "agents register deployer --delivery http --callback-url https://a.example.com/in",
            "agents alias agent://approver deployer --human-task task.json",
            "dead list --queue turns --include-redriven",
            "dead show 1893456000000-0123456789abcdef01234567",
            "dead redrive 1893456000000-0123456789abcdef01234567",
            "dead redrive --all --queue stream",
            "dead drop 1893456000000-0123456789abcdef01234567 0-0123456789abcdef01234567",
            "keys create --role reviewer --name alice --expires-at 2030-01-31T17:00:00Z",
            "keys create --role agent --name bot --address bot",
            "keys create --service-account 0190a1b2-0000-7000-8000-000000000001",
            "keys revoke 0123456789abcdef",
            "keys bootstrap",
            "scenarios apply scenario.json --watch",
            "scenarios validate scenario.json",
            "doctor",
            "doctor --no-probe --url http://127.0.0.1:1 --api-key k",
            "openapi",
            "tasks --url http://127.0.0.1:1 list",
            "tasks list --url http://127.0.0.1:1 --api-key k",
            "tasks list --connection c.json",
        ] {
            accepts(line);
        }
        for line in
            ["intents get", "intents watch --since 4", "intents cancel --reason no", "tasks show"]
        {
            accepts(&format!("{line} {ID}"));
        }
        accepts(&format!("tasks approve {ID} -c fine"));
        accepts(&format!("tasks reject {ID} --comment no"));
        accepts(&format!("tasks answer {ID} submitted -c done --data amount=5 --data a=b=c"));
        accepts(&format!("tasks answer {ID} submitted --data-json {{\"amount\":5}}"));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
        refuses("", "Usage");
        refuses("demo --approve --reject", "cannot be used with");
        refuses("up --url http://127.0.0.1:1", "unexpected argument");
        refuses("up --listen 8080", "--listen");
        refuses("up --parameter RetentionDays", "NAME=VALUE");
        refuses("function login", "send-intent");
        refuses("intents get ../keys", "ID");
        refuses("intents list --status ASLEEP", "WAITING");
        refuses("intents list --limit 0", "--limit");
        refuses("intents send --to a --type t --payload [1]", "JSON object");
        refuses("intents send --to a --type t --payload {} --payload-file f", "cannot be used");
        refuses("intents send --to a/b/c/d --type t", "one to three segments");
        refuses(&format!("tasks answer {ID} submitted --data amount"), "NAME=VALUE");
        refuses(&format!("tasks answer {ID} submitted --data-json [1]"), "JSON object");
        refuses("agents register a --delivery http", "--callback-url");
        refuses("dead redrive", "<ID>");
        refuses("dead redrive --all 0-0123456789abcdef01234567", "cannot be used with");
        refuses("dead redrive --queue wakes", "--all");
        refuses("dead drop", "ID");
        refuses("dead show ../keys", "dead letter's ID");
        refuses("keys create --role king --name x", "reviewer");
        refuses("keys create --name x", "--role");
        refuses("keys create --service-account ../keys", "--service-account");
        refuses(&format!("keys create --service-account {ID} --role admin"), "cannot be used");
        refuses("keys revoke a/../b", "hex digits");
        refuses("keys create --role admin --name x --expires-at tomorrow", "RFC 3339");
    }
}
