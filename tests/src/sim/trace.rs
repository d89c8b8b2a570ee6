//! Everything that happened, line by line.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use shared::digest::Digest;

/// A trace. Clones write the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Trace(Arc<Mutex<String>>);

impl Trace {
    /// Writes one line.
    pub(super) fn line(&self, passed: std::time::Duration, line: std::fmt::Arguments<'_>) {
        let mut text = self.0.lock().expect("nobody panics with it");
        writeln!(text, "{:>9} {line}", passed.as_millis()).expect("memory takes text");
    }

    /// The whole text.
    pub(super) fn text(&self) -> String {
        self.0.lock().expect("nobody panics with it").clone()
    }

    /// Its digest.
    pub(super) fn digest(&self) -> String {
        Digest::of_bytes(self.text().as_bytes()).to_string()
    }
}
