//! The HTTP contract: extractors, answers, and the layers that every HTTP function has.

mod behalf;
mod body;
mod caller;
mod document;
mod exchange;
mod layer;
mod owner;
mod problem;
mod query;
#[cfg(feature = "lambda")]
mod serve;
mod tally;

#[cfg(feature = "openapi")]
pub mod openapi;
pub mod origin;
pub mod page;
pub mod sse;
pub mod wire;

pub use behalf::OnBehalf;
pub use body::{AnyBody, BODY_BYTES_MAX, BODY_DEPTH_MAX, Body, BodyMax, RUN_STATE_BODY_BYTES_MAX};
pub use caller::{Caller, Knock};
pub use document::DOCUMENT;
pub use layer::service;
pub use owner::OwnerAgent;
pub use problem::Problem;
pub use query::{
    AccountPath, AddressPath, CallPath, DeadLetterPath, EventPath, IDEMPOTENCY_KEY_CHARS_MAX, Id,
    IdempotencyKey, KeyPath, Query, SubscriptionPath, Switch, SwitchPath,
};
#[cfg(feature = "lambda")]
pub use serve::{answer, serve, serve_streaming};
