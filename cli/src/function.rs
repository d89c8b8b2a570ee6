//! Becoming one of the functions: the local stack starts this program once for each of them.

use std::io;
use std::process;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::environment;
use crate::failure::{Failure, Verdict};

/// Which function to become.
#[derive(Args, Debug)]
pub(crate) struct FunctionArguments {
    /// The function's binary, as the template names it.
    #[arg(value_enum)]
    name: Function,
}

/// The functions.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Function {
    SendIntent,
    Intents,
    Approve,
    Agents,
    DeadLetters,
    Mcp,
    Inbox,
    AgentWorker,
    Relay,
    Wake,
    Notify,
    Webhooks,
}

/// Runs the function until its runtime or its parent ends.
pub(crate) async fn run(arguments: &FunctionArguments) -> Result<Verdict, Failure> {
    if !environment::is_function() {
        return Err(Failure::Usage(
            "a function needs a Lambda runtime; `holdpoint up` starts them all".to_owned(),
        ));
    }
    std::thread::spawn(end_with_parent);
    // Ctrl-C and the like reach the whole group of a terminal; the parent ends us in good order.
    let _interrupts = signal(SignalKind::interrupt()).map_err(Failure::Runtime)?;
    let _terminations = signal(SignalKind::terminate()).map_err(Failure::Runtime)?;
    let ended = match arguments.name {
        Function::SendIntent => ::send_intent::run().await,
        Function::Intents => ::intents::run().await,
        Function::Approve => ::approve::run().await,
        Function::Agents => ::agents::run().await,
        Function::DeadLetters => ::dead_letters::run().await,
        Function::Mcp => ::mcp::run().await,
        Function::Inbox => ::inbox::run().await,
        Function::AgentWorker => ::agent_worker::run().await,
        Function::Relay => ::relay::run().await,
        Function::Wake => ::wake::run().await,
        Function::Notify => ::notify::run().await,
        Function::Webhooks => ::webhooks::run().await,
    };
    ended.map(|()| Verdict::Done).map_err(Failure::Function)
}

/// Our standard input closes when the parent ends, however it ends.
fn end_with_parent() {
    // An unreadable input means the same as a closed one.
    let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
    process::exit(0);
}
