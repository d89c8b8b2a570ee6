//! AWS on one machine, as far as one SAM template needs it.
//!
//! [`Stack::start`] reads the template and runs what it says, with the deployed code unchanged:
//!
//! - every function is a process of its own behind a Lambda Runtime API, started again when it
//!   ends and ended when this process does;
//! - `HttpApi` events become the routes of a gateway that speaks payload format 2.0;
//! - tables live in an embedded `DynamoDB` on one `SQLite` file, whose every commit reaches the disk,
//!   with streams and TTL;
//! - queues live in an embedded SQS in memory, with delays, redrive and partial batch responses;
//! - streams, queues and rates invoke their functions;
//! - secrets are generated once and kept.
//!
//! Everything listens on loopback addresses only, nothing needs an account or a network, and
//! nothing is reported to anybody.
//!
//! # What survives a crash
//!
//! Tables, stream positions, secrets and notices survive `kill -9` of any process at any moment.
//! Messages in queues do not, by design: at each start the target of every schedule is invoked
//! once with `"restart": true` in its input, which must put back into the queues whatever is due.
//! Stream records may come twice and are never skipped.
//!
//! # What it deliberately does not do
//!
//! - It checks no IAM policy and no signature. Rights are tested against an AWS emulator or AWS.
//! - It runs one process for each function and never scales out; Lambda's freezing, cold starts
//!   and memory limits do not exist. A timeout fails its invocation, and ends the process only if
//!   the function is still stuck some seconds later.
//! - It runs no cron expressions, FIFO queues, authorizers, CORS rules, function URLs or response
//!   streaming, and refuses a template with an event or resource type outside its list by name.
//! - It does not check `AllowedPattern` of parameters, nor SQS's limits on message size.
//! - Reads are always consistent and one shard carries each stream.
//!
//! Without the feature `stack` templates are only read ([`check_template`], [`stream_filters`]), and
//! nothing is run.

#![cfg_attr(
    not(feature = "stack"),
    expect(dead_code, reason = "a template is read whole, and only the stack uses all of it")
)]

mod percent;
#[cfg(feature = "stack")]
mod stack;
mod template;

#[cfg(feature = "stack")]
pub use stack::{CONCURRENCY_PER_FUNCTION, Error, Options, Program, Stack};
pub use template::filter::EventFilter;
pub use template::{TemplateError, check_template, stream_filters};
