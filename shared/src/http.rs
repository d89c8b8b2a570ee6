//! The HTTP edge.

pub mod page;
