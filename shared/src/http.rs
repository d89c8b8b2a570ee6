//! The HTTP contract: extractors, answers, and the layers that every HTTP function has.

mod body;
mod caller;
mod layer;
mod owner;
mod problem;
mod query;
#[cfg(feature = "lambda")]
mod serve;

pub mod origin;
pub mod page;
pub mod sse;
pub mod wire;

pub use body::{BODY_BYTES_MAX, BODY_DEPTH_MAX, Body, BodyMax, RUN_STATE_BODY_BYTES_MAX};
pub use caller::Caller;
pub use layer::service;
pub use owner::OnBehalf;
pub use problem::Problem;
pub use query::{AddressPath, CallPath, Id, IdempotencyKey, KeyPath, Query};
#[cfg(feature = "lambda")]
pub use serve::serve;
