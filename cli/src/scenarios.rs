//! `holdpoint scenarios`: bundles of agents, a workflow and the intent that starts it.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::Value;
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::failure::{Failure, Verdict};
use crate::follow::Follow;
use crate::intents::{intent_id, read_object, sent};
use crate::terminal::{Paint, Terminal, one_line};

/// Where a bundle is checked.
const VALIDATE: &str = "/v1/scenarios/validate";

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
    /// Name every fault of a bundle and every doubt about it, and send nothing (key: agent).
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
            let answer = apply(&client, &bundle, terminal).await?;
            terminal.line(&answer, || sent(&answer))?;
            if !watch {
                return Ok(Verdict::Done);
            }
            let id = intent_id(&answer, &client)?;
            Follow::new(client, id, 0).print(terminal).await
        }
        ScenariosCommand::Validate { file } => {
            let bundle = Value::Object(read_object(&file)?);
            let answer = client.post(VALIDATE, &bundle).await?;
            let valid = answer.get("ok") == Some(&Value::Bool(true));
            terminal.answer(&answer, || {
                let mut lines = findings(&answer, terminal);
                lines.extend(valid.then(|| "valid".to_owned()));
                lines.join("\n")
            })?;
            Ok(if valid { Verdict::Done } else { Verdict::Refused })
        }
    }
}

/// Applies the bundle, and says what whoever wrote it should know: the warnings of one that was taken,
/// every fault of one that was refused.
async fn apply(client: &Client, bundle: &Value, terminal: &Terminal) -> Result<Value, Failure> {
    let (answer, told) = match client.post("/v1/scenarios/apply", bundle).await {
        Ok(answer) => (Ok(answer.clone()), answer),
        Err(failure @ Failure::Answered(_)) => {
            // The refusal names one fault; asking costs little and names them all.
            let checked = client.post(VALIDATE, bundle).await;
            (Err(failure), checked.unwrap_or_default())
        }
        Err(failure) => return Err(failure),
    };
    for line in findings(&told, terminal) {
        terminal.say(&line)?;
    }
    answer
}

/// Faults and warnings, a line each.
fn findings(answer: &Value, terminal: &Terminal) -> Vec<String> {
    let said = |name: &str, label: String| {
        let found = answer.get(name).and_then(Value::as_array).into_iter().flatten();
        let found = found.filter_map(Value::as_str);
        found.map(|finding| format!("{label} {}", one_line(finding))).collect::<Vec<_>>()
    };
    let faults = said("errors", terminal.paint(Paint::Bad, "fault:"));
    let warnings = said("warnings", terminal.paint(Paint::Attention, "warning:"));
    [faults, warnings].concat()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_finding_is_a_line_of_its_own_and_faults_come_first() {
        let answer = json!({
            "warnings": ["workflow.steps.b: is never reached"],
            "errors": ["intent.type: is missing\nvalid\u{1b}[1A", "scenario_id: is missing"],
        });
        let lines = findings(&answer, &Terminal::new(false, true));
        assert_eq!(lines.len(), 3, "{lines:?}");
        assert!(lines[0].starts_with("fault: intent.type: is missing"), "{lines:?}");
        assert!(!lines[0].contains(['\n', '\u{1b}']), "{lines:?}");
        assert_eq!(lines[2], "warning: workflow.steps.b: is never reached");
    }
}
