//! Whether an answer fits.

use jsonschema::{Draft, EmailOptions, PatternOptions, ValidationError, Validator};
use serde_json::{Map, Value};

use super::fault::FormFault;
use super::path::FieldPath;
use super::wording::{self, cut};
use super::{FAULTS_MAX, FormSchema, FormSchemaError, effort, inspection, pointer};

/// The largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 512 * 1024;
/// The longest explanation of the library that is passed on, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// Holds an answer against the schema. Every fault names a field, what it may hold and what to do,
/// at most [`FAULTS_MAX`] of them.
pub fn validate(schema: &FormSchema, answer: &Map<String, Value>) -> Result<(), Vec<FormFault>> {
    let whole = |detail: String| vec![FormFault::new(FieldPath::root(), detail)];
    let schema = schema.as_value();
    let validator = inspection::inspect(schema)
        .and_then(|()| compile(schema))
        .map_err(|error| whole(format!("cannot be judged, since {error}")))?;
    let answer = Value::Object(answer.clone());
    if !effort::is_bounded(schema, &answer) {
        return Err(whole("is too long or too deeply nested for this form; send less".to_owned()));
    }
    if validator.is_valid(&answer) {
        return Ok(());
    }
    let mut faults = Vec::new();
    for error in validator.iter_errors(&answer) {
        for fault in wording::faults(&error) {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        }
        if faults.len() >= FAULTS_MAX {
            break;
        }
    }
    faults.truncate(FAULTS_MAX);
    Err(faults)
}

/// Compiles a schema that was inspected.
pub(super) fn compile(schema: &Value) -> Result<Validator, FormSchemaError> {
    let mut schema = schema.clone();
    if let Value::Object(form) = &mut schema {
        // The dialect is always the same, and an address would only make references to itself long.
        form.remove("$schema");
        form.remove("$id");
    }
    let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .offline()
        .with_pattern_options(patterns)
        .with_email_options(EmailOptions::default().without_display_text())
        .should_validate_formats(true)
        // To judge a pattern in an answer would be to compile it.
        .with_format("regex", |_| true)
        .build(&schema)
        .map_err(refused)
}

fn refused(error: ValidationError<'static>) -> FormSchemaError {
    let names: Vec<_> = pointer::names(error.instance_path().as_str()).collect();
    let is_pattern = names.iter().rev().take(2).any(|name| name.starts_with("pattern"));
    let outer = names.len().saturating_sub(usize::from(is_pattern));
    let at = names
        .iter()
        .take(outer)
        .fold(pointer::ROOT.to_owned(), |at, name| pointer::join(&at, name));
    let at = cut(&at, DETAIL_CHARS_MAX);
    if is_pattern {
        FormSchemaError::Pattern { at }
    } else {
        let detail = cut(&error.masked().to_string(), DETAIL_CHARS_MAX);
        FormSchemaError::Invalid { at, detail }
    }
}
