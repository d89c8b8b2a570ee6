//! What every part of Holdpoint shares: the pure core, and its edges behind cargo features.

pub mod csrf;
pub mod link;
pub mod untrusted;

#[cfg(feature = "http")]
pub mod http;
