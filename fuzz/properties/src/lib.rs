//! What holds for everything that comes from outside, whatever its bytes are.
//!
//! Each target is one function of bytes, and panics where a property does not hold. The fuzzer
//! calls them from `fuzz/fuzz_targets`, and `tests/it/fuzz.rs` with the seeds, with changed seeds and
//! with anything.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a property fails by panicking"
)]

mod answer;
mod callback;
mod digest;
mod form;
mod intent;
mod message;
mod name;
mod query;
mod registry;
mod request;
mod scenario;
mod sse;
mod steering;
mod template;
mod token;
mod untrusted;

pub use answer::answer;
pub use callback::callback;
pub use digest::digest;
pub use form::form;
pub use intent::{create, mcp};
pub use message::message;
pub use name::name;
pub use query::query;
pub use registry::registry;
pub use scenario::scenario;
pub use sse::sse;
pub use steering::steering;
pub use template::template;
pub use token::token;
pub use untrusted::untrusted;

/// A target: its name, which its file and its seeds have as well, and what must hold.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 16] = [
    ("answer", answer),
    ("callback", callback),
    ("create", create),
    ("digest", digest),
    ("form", form),
    ("mcp", mcp),
    ("message", message),
    ("name", name),
    ("query", query),
    ("registry", registry),
    ("scenario", scenario),
    ("sse", sse),
    ("steering", steering),
    ("template", template),
    ("token", token),
    ("untrusted", untrusted),
];
