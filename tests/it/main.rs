//! Whole stories through the real parts, in one binary.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod access;
mod accounts;
mod agents_api;
mod api;
mod bad_input;
mod browser;
mod cli;
mod concurrency;
mod contract;
mod crash;
mod dead_letters;
mod deadline;
mod emulator;
mod events;
mod fuzz;
mod harness;
mod inbox;
mod leniency;
mod licences;
mod lists;
mod mcp;
mod mesh;
mod openai_agents;
mod openapi;
mod operators;
mod orphans;
mod otel;
mod processes;
mod pump;
mod push;
mod rate_limits;
mod redelivery;
mod response_streaming;
mod review_page;
mod runbook;
mod scenarios;
mod schemathesis;
mod sdk;
mod seed;
mod steering;
mod store_contract;
mod stream_filter;
mod streams;
mod template;
mod tidy;
mod timers;
mod webhooks;
