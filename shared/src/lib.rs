//! placeholder

pub mod agent;
