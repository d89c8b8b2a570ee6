//! What every Holdpoint function shares.
//!
//! Without features this crate is the pure core: [`intent`] knows no clock, no network and no AWS.
//! The edges are features: `store` (`DynamoDB` and the loop around the core), `queue` (SQS), `http`
//! (the contract), `callback` (posting to others), `lambda` (start-up inside a function). `ARCHITECTURE.md` has the whole map.

pub mod account;
pub mod address;
pub mod agent;
pub mod ascii;
pub mod callback;
pub mod csrf;
pub mod dead_letter;
pub mod diagnosis;
pub mod digest;
pub mod form;
pub mod id;
pub mod intent;
pub mod key;
pub mod link;
pub mod mesh;
pub mod message;
#[cfg(feature = "store")]
pub mod metric;
pub mod principal;
pub mod registration;
pub mod retry;
pub mod route;
pub mod trace;
pub mod untrusted;
pub mod webhook;

#[cfg(feature = "store")]
pub mod app;
#[cfg(feature = "lambda")]
pub mod boot;
#[cfg(feature = "store")]
pub mod error;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "queue")]
pub mod queue;
#[cfg(feature = "store")]
pub mod store;
