//! Whole stories of the worker: a real table on this machine, a clock that the test moves, and
//! people who answer. The functions around it are played by the stage.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets what it does not expect must fail there"
)]

mod crashes;
mod gate;
mod host;
mod models;
mod stage;
mod stops;
mod stories;
