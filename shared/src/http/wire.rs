//! The contract's JSON: what is read and what is written. Only these files know its names.

pub mod account;
pub mod agent;
pub mod approval;
pub mod capability;
pub mod create;
pub mod dead_letter;
pub mod diagnosis;
pub mod event;
pub mod human_task;
pub mod inbox;
pub mod intent;
pub mod key;
pub mod list;
pub mod mcp;
pub mod me;
pub mod mesh;
pub mod page;
pub mod policy;
pub mod resume;
pub mod route;
pub mod scenario;
pub mod suspend;
pub mod task;
pub mod webhook;

mod check;
mod workflow;
mod working_hours;
