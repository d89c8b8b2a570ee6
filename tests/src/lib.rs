//! The harness of the tests: the whole HTTP surface in this process, over a real table.
//!
//! [`Table`] is an embedded `DynamoDB` behind its ordinary HTTP interface. [`World`] puts the real
//! routers of every HTTP function over it, with a clock that the test moves. [`sim`] adds everything
//! else of a deployment, and all that can go wrong with it; [`check`] says what must be true then.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a harness fails its test by panicking"
)]

pub mod binaries;
pub mod check;
mod engine;
mod gate;
mod program;
mod python;
mod running;
pub mod sim;
mod table;
mod way;
mod world;

pub use gate::{Gate, Manner};
pub use program::{Ended, Program};
pub use python::Python;
pub use running::{Connection, Running};
pub use table::Table;
pub use world::{Answer, SETTINGS, World, no_queues};
