//! `GET /v1/diagnostics`.

use serde_json::{Value, json};

use crate::diagnosis::{Facts, Level, diagnose};

/// Writes what each check finds, and when it was looked.
pub fn present(facts: &Facts) -> Value {
    let findings = diagnose(facts);
    let level = findings.iter().map(|found| found.level).max().unwrap_or(Level::Ok);
    json!({
        "ok": true,
        "version": env!("CARGO_PKG_VERSION"),
        "now": facts.now,
        "level": level,
        "findings": findings,
    })
}
