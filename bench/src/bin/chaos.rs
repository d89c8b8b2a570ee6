//! Runs the whole stack while everything goes wrong, and says what came of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bench::chaos::{Settings, run};
use bench::{Program, holdpoint, say};
use clap::Parser;

/// Runs the whole stack on this machine while everything goes wrong: functions are killed, the table
/// and the queues fail, clocks differ. Then holds the table against what callers were told. The exit
/// code is 1 if anything is not as it must be.
#[derive(Debug, Parser)]
struct Arguments {
    /// How long things go wrong.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Where chance begins.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Intents sent in a second.
    #[arg(long, default_value_t = 8.0)]
    per_second: f64,
    /// The program that becomes the functions [default: holdpoint, beside this one].
    #[arg(long, value_name = "FILE")]
    holdpoint: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    Program::run(async {
        let exe = holdpoint(arguments.holdpoint)?;
        let lasts = Duration::from_secs_f64(60.0 * arguments.minutes);
        let settings =
            Settings { exe, lasts, seed: arguments.seed, per_second: arguments.per_second };
        let outcome = run(&settings).await?;
        say(&outcome.to_string());
        Ok(outcome.is_clean())
    })
}
