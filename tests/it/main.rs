//! Whole stories through the real parts, in one binary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod access;
mod agents_api;
mod api;
mod bad_input;
mod browser;
mod cli;
mod contract;
mod crash;
mod deadline;
mod emulator;
mod events;
mod harness;
mod licences;
mod openai_agents;
mod processes;
mod pump;
mod review_page;
mod scenarios;
mod seed;
mod store_contract;
mod template;
mod tidy;
