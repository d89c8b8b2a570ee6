//! `holdpoint`: runs the whole service on one machine, and talks to any deployment of it.

mod agents;
mod arguments;
mod client;
mod connection;
mod dead;
mod demo;
mod doctor;
mod environment;
mod event_line;
mod failure;
mod follow;
mod function;
mod intents;
mod keys;
mod local_stack;
mod scenarios;
mod tasks;
mod terminal;
mod up;
mod watch;

use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::Arguments;

fn main() -> ExitCode {
    arguments::run(Arguments::parse())
}
