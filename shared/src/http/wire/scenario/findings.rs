//! What is found in a bundle: faults, for which it is refused, and warnings.

use serde_json::{Value, json};

use crate::error::{Error, Invalid};

/// What is found in a bundle. Each finding names the step and the field.
#[derive(Debug, Default)]
pub(super) struct Findings {
    faults: Vec<Finding>,
    warnings: Vec<Finding>,
}

#[derive(Debug)]
struct Finding {
    field: String,
    detail: String,
}

impl Findings {
    /// Notes something for which the bundle is refused.
    pub(super) fn fault(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.faults.push(Finding { field: field.into(), detail: detail.into() });
    }

    /// Notes something that is taken, and may not be what was meant.
    pub(super) fn warn(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.warnings.push(Finding { field: field.into(), detail: detail.into() });
    }

    /// Takes over what others were warned of.
    pub(super) fn adopt_warnings(&mut self, others: Self) {
        self.warnings.extend(others.warnings);
    }

    /// The value, or nothing and a fault at the field that the error names, below `at`.
    pub(super) fn take<T>(&mut self, at: &str, read: Result<T, Error>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(Error::Invalid(Invalid { field, detail, .. })) => {
                let parts: Vec<&str> =
                    [at, &field].into_iter().filter(|part| !part.is_empty()).collect();
                self.fault(parts.join("."), detail);
                None
            }
            Err(other) => {
                self.fault(at, other.to_string());
                None
            }
        }
    }

    /// Whether the bundle can be applied.
    pub(super) fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// The refusal of a bundle with faults: the first one, and how many there are.
    pub(super) fn refusal(&self) -> Error {
        let Some(first) = self.faults.first() else {
            return Error::field("", "the bundle cannot be read");
        };
        let detail = match self.faults.len() {
            1 => first.detail.clone(),
            faults => format!(
                "{}; this is one of {faults} faults, and POST /v1/scenarios/validate names them all",
                first.detail
            ),
        };
        Error::field(&*first.field, detail)
    }

    /// The warnings, each with its field.
    pub(super) fn warnings(&self) -> Vec<String> {
        lines(&self.warnings)
    }

    /// Writes the answer to a validation.
    pub(super) fn present(&self) -> Value {
        json!({
            "ok": self.is_valid(),
            "errors": lines(&self.faults),
            "warnings": lines(&self.warnings),
        })
    }
}

fn lines(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}: {}", finding.field, finding.detail)).collect()
}
