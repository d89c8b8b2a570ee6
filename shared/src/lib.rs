//! What every Holdpoint function shares.
//!
//! Without features this crate is the pure core: [`intent`] knows no clock, no network and no AWS.
//! The edges are features: `store` (`DynamoDB` and the loop around the core), `queue` (SQS), `http`
//! (the contract), `lambda` (start-up inside a function). `ARCHITECTURE.md` has the whole map.

pub mod address;
pub mod digest;
pub mod id;
pub mod intent;
pub mod key;
pub mod message;
pub mod principal;
pub mod route;

#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "store")]
pub mod app;
#[cfg(feature = "store")]
pub mod error;
