//! `holdpoint scenarios`: bundles of agents, a workflow and the intent that starts it.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::intents::{intent_id, read_object, sent};
use crate::terminal::{Terminal, one_line};
use crate::watch::Watch;

/// What can be done with scenarios.
#[derive(Debug, Subcommand)]
pub(crate) enum ScenariosCommand {
    /// Register the bundle's agents and send its intent (key: agent).
    Apply {
        /// The bundle.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Then watch the intent to its end.
        #[arg(long)]
        watch: bool,
    },
    /// Name every fault of a bundle, and send nothing (key: agent).
    Validate {
        /// The bundle.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// Runs the command.
pub(crate) async fn run(
    command: ScenariosCommand,
    deployment: &Deployment,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&deployment.target(Role::Agent)?)?;
    match command {
        ScenariosCommand::Apply { file, watch } => {
            let bundle = Value::Object(read_object(&file)?);
            let answer = client.post("/v1/scenarios/apply", &bundle).await?;
            terminal.line(&answer, || sent(&answer))?;
            if !watch {
                return Ok(Verdict::Done);
            }
            let id = intent_id(&answer, &client)?;
            Watch::new(client, id, 0).print(terminal).await
        }
        ScenariosCommand::Validate { file } => {
            let bundle = Value::Object(read_object(&file)?);
            let answer = client.post("/v1/scenarios/validate", &bundle).await?;
            let faults = answer.get("errors").and_then(Value::as_array);
            let faults: Vec<_> = faults.into_iter().flatten().filter_map(Value::as_str).collect();
            let lines: Vec<_> = faults.iter().map(|fault| one_line(fault)).collect();
            let valid = answer.get("ok") == Some(&Value::Bool(true));
            terminal
                .answer(&answer, || if valid { "valid".to_owned() } else { lines.join("\n") })?;
            Ok(if valid { Verdict::Done } else { Verdict::Refused })
        }
    }
}
