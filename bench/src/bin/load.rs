//! Sends the stack on this machine more than it can take, and says what came of it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use bench::load::{Settings, run};
use bench::{Program, holdpoint};
use clap::Parser;

/// Runs the whole stack on this machine under load, one part after the other, and says for each how
/// long things took, what failed and what the functions took of the machine. The exit code is 1 if
/// anything that was promised is not in the table. Zero leaves a part out.
#[derive(Debug, Parser)]
struct Arguments {
    /// Intents that wait for a person all the time.
    #[arg(long, default_value_t = 10_000)]
    waiting: usize,
    /// Decisions made in a second.
    #[arg(long, default_value_t = 100)]
    decisions_per_second: u32,
    /// How long decisions are made.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Intents that are sent as quickly as they are taken.
    #[arg(long, default_value_t = 5_000)]
    burst: usize,
    /// Connections over which the burst is sent; `ulimit -n` must allow them.
    #[arg(long, default_value_t = 400)]
    at_once: usize,
    /// Streams that are held on one intent when it is decided.
    #[arg(long, default_value_t = 500)]
    listeners: usize,
    /// Invocations that each function runs at once; with fewer than --listeners some wait for a place.
    #[arg(long, default_value_t = 600)]
    concurrency: u16,
    /// The program that becomes the functions [default: holdpoint, beside this one].
    #[arg(long, value_name = "FILE")]
    holdpoint: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    Program::run(async {
        let exe = holdpoint(arguments.holdpoint)?;
        let settings = Settings {
            exe,
            waiting: arguments.waiting,
            decisions_per_second: arguments.decisions_per_second,
            lasts: Duration::from_secs_f64(60.0 * arguments.minutes),
            burst: arguments.burst,
            at_once: arguments.at_once,
            listeners: arguments.listeners,
            concurrency: arguments.concurrency,
        };
        run(&settings).await
    })
}
