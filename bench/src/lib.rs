//! Holdpoint's real processes, under faults and under load.
//!
//! [`chaos`] kills functions, spoils what they say to their table and their queues and sets their
//! clocks, and then holds the table against everything that callers were told. [`load`] sends more
//! than a machine can take and reports what came of it.

pub mod chaos;
mod client;
mod clock;
mod failure;
mod ledger;
pub mod load;
mod program;
mod stage;

pub use failure::Failure;
pub use program::{Program, holdpoint, say};
