//! What is wrong with an answer.

use std::fmt;

use super::path::FieldPath;

/// One thing that is wrong with an answer: which field, what it may hold, and what to do. It never
/// repeats the answer; the words of the schema in it are cut, and as untrusted as the schema.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FormFault {
    /// The field; the root where it is about the answer as a whole.
    pub field: FieldPath,
    /// What would be right, as the end of a sentence that begins with the field's name.
    pub detail: String,
}

impl FormFault {
    /// A fault of a field.
    pub fn new(field: FieldPath, detail: impl Into<String>) -> Self {
        Self { field, detail: detail.into() }
    }
}

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.field.is_root() {
            write!(f, "the answer {}", self.detail)
        } else {
            write!(f, "{} {}", self.field, self.detail)
        }
    }
}
