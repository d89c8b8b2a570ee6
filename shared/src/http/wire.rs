//! The contract's JSON: what is read and what is written. Only these files know its names.

pub mod approval;
pub mod create;
pub mod event;
pub mod human_task;
pub mod intent;
pub mod key;
pub mod resume;
pub mod route;
pub mod scenario;
pub mod suspend;
pub mod task;

mod check;
mod workflow;
