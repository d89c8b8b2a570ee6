//! Forms: what a person is asked to fill in, as a JSON Schema (2020-12).
//!
//! A schema comes from whoever asks, and an answer from whoever got a link, so neither is trusted:
//! [`FormSchema::parse`] refuses a schema that could not be judged in bounded time, memory and stack,
//! and [`validate`] stops before an answer that would take too long. Nothing here fetches anything.
//!
//! Clients of the contract send each value as a text, so [`coerce`] comes before [`validate`].
//! [`fields`] says how a person is best asked.

mod coerce;
mod effort;
mod facets;
mod fault;
mod field;
mod inspection;
mod keyword;
mod kinds;
mod literal;
mod path;
mod pointer;
mod validate;
mod wording;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::coerce::coerce;
pub use self::fault::FormFault;
pub use self::field::{Bounds, Choice, Control, Field, Length, Text, fields, suggestions};
pub use self::literal::typed_json;
pub use self::path::FieldPath;
pub use self::validate::validate;

/// The largest schema, in bytes of its JSON.
pub const SCHEMA_BYTES_MAX: usize = 32 * 1024;
/// How deep a schema may be nested, in levels of its JSON.
pub const SCHEMA_DEPTH_MAX: usize = 40;
/// The most fields that a schema may name, nested ones included.
pub const PROPERTIES_MAX: usize = 100;
/// The longest name of a field, in characters.
pub const NAME_CHARS_MAX: usize = 100;
/// The most patterns that a schema may have.
pub const PATTERNS_MAX: usize = 20;
/// The longest pattern, in characters.
pub const PATTERN_CHARS_MAX: usize = 500;
/// The most faults that are told of one answer.
pub const FAULTS_MAX: usize = 20;

/// A form, as whoever asks wrote it.
///
/// It is stored as its JSON. What comes from outside goes through [`FormSchema::parse`]; what was
/// stored is read as it is, and inspected again before it judges an answer.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(transparent)]
pub struct FormSchema(Value);

/// Why a schema cannot be a form. Each says where, what the limit is, and what to do.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FormSchemaError {
    /// It is no JSON object, or one that does not describe an object.
    #[error(
        "a form is a JSON Schema whose type is object; wrap what you ask for as {{\"type\": \
         \"object\", \"properties\": …}}"
    )]
    NotAnObject,
    /// Too many bytes.
    #[error("the schema has more than {SCHEMA_BYTES_MAX} bytes; ask for less")]
    TooLarge,
    /// Too many levels of JSON.
    #[error("the schema is nested deeper than {SCHEMA_DEPTH_MAX} levels; flatten it")]
    TooDeep,
    /// Too many fields.
    #[error("the schema names more than {PROPERTIES_MAX} fields; ask for less")]
    TooManyProperties,
    /// A field's name is too long.
    #[error(
        "{at} has a name of more than {NAME_CHARS_MAX} characters; shorten it, and say the rest \
         in title or description"
    )]
    NameTooLong {
        /// The schema that names the field.
        at: String,
    },
    /// Too many patterns.
    #[error("the schema has more than {PATTERNS_MAX} patterns; use enum or format where they do")]
    TooManyPatterns,
    /// A pattern that would take too long, or none at all.
    #[error(
        "{at} has a pattern that is not taken: a pattern is a regular expression of at most \
         {PATTERN_CHARS_MAX} characters, small repetitions, no look-around and no back-references"
    )]
    Pattern {
        /// The schema with the pattern.
        at: String,
    },
    /// A reference to somewhere else.
    #[error(
        "{at} refers to what is not in the schema itself; put it under $defs and refer to it as \
         #/$defs/NAME"
    )]
    ForeignRef {
        /// The schema with the reference.
        at: String,
    },
    /// A reference that leads back to itself.
    #[error(
        "{at} applies itself to the same value again, without end; refer to it from a property or \
         from items"
    )]
    EndlessRef {
        /// One of the schemas on the way.
        at: String,
    },
    /// A keyword that is not served.
    #[error("{at} uses {keyword}, which is not taken; {remedy}")]
    Keyword {
        /// The schema with the keyword.
        at: String,
        /// The keyword.
        keyword: &'static str,
        /// What to use in its place.
        remedy: &'static str,
    },
    /// Its parts multiply.
    #[error(
        "{at} combines too many schemas for one value; use fewer allOf, anyOf, oneOf and $ref \
         inside one another"
    )]
    TooComplex {
        /// Where it becomes too much.
        at: String,
    },
    /// It is not what JSON Schema says a schema is.
    #[error("{at} is no valid JSON Schema 2020-12: {detail}")]
    Invalid {
        /// Where.
        at: String,
        /// What is wrong.
        detail: String,
    },
}

impl FormSchema {
    /// Reads a schema from outside.
    pub fn parse(schema: Value) -> Result<Self, FormSchemaError> {
        let schema = Self(schema);
        inspection::inspect(&schema.0)?;
        validate::compile(&schema.0)?;
        Ok(schema)
    }

    /// The form without fields of these names, for where something else fills them in.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        let mut schema = self.0.clone();
        if let Some(fields) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            fields.retain(|name, _| !names.contains(&name.as_str()));
        }
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| !name.as_str().is_some_and(|name| names.contains(&name)));
        }
        Self(schema)
    }

    /// The schema as it was written.
    pub fn as_value(&self) -> &Value {
        &self.0
    }
}

#[cfg(test)]
mod tests;
