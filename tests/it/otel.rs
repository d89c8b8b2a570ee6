//! Traces by OpenTelemetry: one for an intent's life, over every hop, and none that anybody waits for.

mod collector;
mod life;
mod lost;
mod published;
mod tree;
mod units;
