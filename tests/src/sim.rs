//! A whole deployment in one thread, in which everything that can go wrong does, by a seed.
//!
//! The routers, the store, `relay`, `wake`, `notify` and `agent-worker` are the real ones, over the
//! embedded database. What is between them is not: every call to the table, to a queue and to a receiver
//! outside waits at a crossing until nothing else in the world can move, and then one of those that wait goes
//! on, or fails in one of the ways in which AWS fails. Time is the runtime's own, which is paused and
//! moves only when everybody waits. So one seed is one story, to the last byte of its trace.
//!
//! What was planned ([`Plan`]) and what is checked ([`check`](crate::check)) know nothing of this.

mod agents;
mod clock;
mod consumers;
mod crossing;
mod errand;
mod functions;
mod mail;
mod mishap;
mod neighbours;
mod operator;
mod outside;
mod people;
mod plan;
mod refusal;
mod run;
mod schedule;
mod senders;
mod shelf;
mod stage;
mod tally;
mod trace;

pub use errand::{Errand, Shape};
pub use mishap::Mishap;
pub use plan::{Plan, Weather};
pub use run::{Report, simulate};
pub use tally::Tally;
