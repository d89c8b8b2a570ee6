//! Scenario bundles: agents, people and a workflow around one intent.
//!
//! A bundle is read in one pass that keeps going after a fault, so that validating and applying never
//! differ, and whoever wrote it hears of everything at once. Real clients send much that the
//! contract's schema does not allow: what can be understood is taken, with a warning where it may
//! not be what was meant.

mod answer;
mod bundle;
mod cast;
mod fields;
mod findings;
mod gate;
mod order;
mod plan;
mod step;
mod work;

#[cfg(feature = "openapi")]
pub(crate) use bundle::{DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX};
#[cfg(feature = "openapi")]
pub(crate) use cast::{AGENTS_MAX, CONTACT_CHARS_MAX, HUMANS_MAX, ROLE_CHARS_MAX};
#[cfg(feature = "openapi")]
pub(crate) use step::STEP_ID_CHARS_MAX;

pub use answer::present;
pub use bundle::{Reading, read};
pub use plan::{Member, Plan, Routes};
pub(super) use step::asks;
