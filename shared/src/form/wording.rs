//! The validator's errors in words for the person who fills in the form.

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::paths::Location;
use jsonschema::{JsonType, JsonTypeSet, ValidationError};
use serde_json::Value;

use super::fault::FormFault;
use super::path::FieldPath;
use super::{FAULTS_MAX, NAME_CHARS_MAX, pointer};

/// The most options that are named.
const OPTIONS_MAX: usize = 10;
/// The longest word of the schema that is repeated, in characters.
const WORD_CHARS_MAX: usize = 60;

/// What to tell of one error.
pub(super) fn faults(error: &ValidationError<'_>) -> Vec<FormFault> {
    use ValidationErrorKind as Kind;
    let field = path(error.instance_path());
    let kind = error.kind();
    if let Kind::Required { property } = kind {
        let name = property.as_str().unwrap_or_default();
        return vec![FormFault::new(field.then(name), "is required; fill it in")];
    }
    if let Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } =
        kind
    {
        let detail = "is no field of this form; leave it out";
        let names = unexpected.iter().take(FAULTS_MAX).map(|name| cut(name, NAME_CHARS_MAX));
        return names.map(|name| FormFault::new(field.then(name), detail)).collect();
    }
    if let Kind::AnyOf { context } | Kind::OneOfNotValid { context } = kind {
        return alternatives(&field, context);
    }
    vec![FormFault::new(field, detail(kind))]
}

/// At most so many characters of `text`, and a mark where it was cut.
pub(super) fn cut(text: &str, chars_max: usize) -> String {
    let mut chars = text.chars();
    let mut cut: String = chars.by_ref().take(chars_max).collect();
    if chars.next().is_some() {
        cut.push('…');
    }
    cut
}

/// The faults of the one alternative that the answer seems to mean: the only one of the right kind.
fn alternatives(field: &FieldPath, context: &[Vec<ValidationError<'static>>]) -> Vec<FormFault> {
    let of_kind = |errors: &&Vec<ValidationError<'static>>| {
        !errors.iter().any(|error| {
            let is_type = matches!(error.kind(), ValidationErrorKind::Type { .. });
            is_type && path(error.instance_path()) == *field
        })
    };
    let mut meant = context.iter().filter(of_kind);
    match (meant.next(), meant.next()) {
        (Some(errors), None) if !errors.is_empty() => {
            errors.iter().take(FAULTS_MAX).flat_map(faults).collect()
        }
        (Some(_), _) => {
            let detail = "fits none of the ways in which it can be filled in; look at it again";
            vec![FormFault::new(field.clone(), detail)]
        }
        (None, _) => {
            let kinds = context.iter().flatten().filter_map(|error| {
                let ValidationErrorKind::Type { kind } = error.kind() else { return None };
                Some(set(kind))
            });
            let kinds = kinds.fold(JsonTypeSet::empty(), JsonTypeSet::union);
            vec![FormFault::new(field.clone(), of_kinds(kinds))]
        }
    }
}

fn detail(kind: &ValidationErrorKind) -> String {
    use ValidationErrorKind as Kind;
    match kind {
        Kind::Type { kind } => of_kinds(set(kind)),
        Kind::Enum { options } => of_options(options),
        Kind::Constant { expected_value } => format!("must be exactly {}", word(expected_value)),
        Kind::Minimum { limit } => format!("must be {limit} or more; enter a larger number"),
        Kind::Maximum { limit } => format!("must be {limit} or less; enter a smaller number"),
        Kind::ExclusiveMinimum { limit } => {
            format!("must be more than {limit}; enter a larger number")
        }
        Kind::ExclusiveMaximum { limit } => {
            format!("must be less than {limit}; enter a smaller number")
        }
        Kind::MultipleOf { multiple_of } => {
            format!("must be a multiple of {multiple_of}; enter one")
        }
        Kind::MinLength { limit } => {
            format!("must have at least {}; write more", counted(*limit, "character"))
        }
        Kind::MaxLength { limit } => {
            format!("may have at most {}; shorten it", counted(*limit, "character"))
        }
        Kind::Pattern { pattern } => {
            format!("must match the pattern {}; correct it", cut(pattern, WORD_CHARS_MAX))
        }
        Kind::Format { format } => of_format(format),
        Kind::MinItems { limit } => {
            format!("must have at least {}; add what is missing", counted(*limit, "entry"))
        }
        Kind::MaxItems { limit } => {
            format!("may have at most {}; take some away", counted(*limit, "entry"))
        }
        Kind::AdditionalItems { limit } => {
            let limit = u64::try_from(*limit).unwrap_or(u64::MAX);
            format!("may have at most {}; take some away", counted(limit, "entry"))
        }
        Kind::UniqueItems => "must not name the same thing twice; take the repeats away".to_owned(),
        Kind::Contains => "does not have the entries that it needs; add what is missing".to_owned(),
        Kind::UnevaluatedItems { .. } => "has more entries than it may; take some away".to_owned(),
        Kind::MinProperties { limit } => {
            format!("must have at least {}; fill in more", counted(*limit, "field"))
        }
        Kind::MaxProperties { limit } => {
            format!("may have at most {}; leave some out", counted(*limit, "field"))
        }
        Kind::PropertyNames { .. } => {
            "has a field whose name is not allowed; leave it out".to_owned()
        }
        Kind::FalseSchema => "cannot be given here; leave it out".to_owned(),
        Kind::Not { .. } => "must not have this value; enter another".to_owned(),
        Kind::OneOfMultipleValid { .. } => {
            "fits several ways that exclude one another; make it fit one".to_owned()
        }
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            "could not be held against its pattern; shorten it".to_owned()
        }
        Kind::ContentEncoding { .. }
        | Kind::ContentMediaType { .. }
        | Kind::FromUtf8 { .. }
        | Kind::Custom { .. }
        | Kind::Referencing(_)
        | Kind::Required { .. }
        | Kind::AdditionalProperties { .. }
        | Kind::UnevaluatedProperties { .. }
        | Kind::AnyOf { .. }
        | Kind::OneOfNotValid { .. } => "does not fit the form; look at it again".to_owned(),
    }
}

fn path(location: &Location) -> FieldPath {
    let names = pointer::names(location.as_str());
    names.fold(FieldPath::root(), |path, name| path.then(cut(&name, NAME_CHARS_MAX)))
}

fn set(kind: &TypeKind) -> JsonTypeSet {
    match kind {
        TypeKind::Single(one) => JsonTypeSet::empty().insert(*one),
        TypeKind::Multiple(several) => *several,
    }
}

fn of_kinds(kinds: JsonTypeSet) -> String {
    let names: Vec<_> = kinds.iter().map(kind_name).collect();
    match names.as_slice() {
        [] => "does not fit the form; look at it again".to_owned(),
        names => format!("must be {}", names.join(", or ")),
    }
}

fn kind_name(kind: JsonType) -> &'static str {
    match kind {
        JsonType::Null => "empty (null)",
        JsonType::Boolean => "yes or no (true or false)",
        JsonType::Integer => "a whole number, such as 40",
        JsonType::Number => "a number, such as 40.5",
        JsonType::String => "text",
        JsonType::Array => "a list, such as [\"a\", \"b\"]",
        JsonType::Object => "an object, such as {\"name\": \"value\"}",
    }
}

fn of_options(options: &Value) -> String {
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let named: Vec<_> = options.iter().take(OPTIONS_MAX).map(word).collect();
    let more = options.len().saturating_sub(OPTIONS_MAX);
    let more = if more > 0 { format!(", or one of {more} more") } else { String::new() };
    format!("must be one of {}{more}; choose one", named.join(", "))
}

fn of_format(format: &str) -> String {
    let example = match format {
        "date" => "a date, such as 2026-11-22",
        "date-time" => "a date with its time and zone, such as 2026-11-22T14:30:00Z",
        "time" => "a time with its zone, such as 14:30:00Z",
        "duration" => "a duration, such as PT15M",
        "email" => "an e-mail address, such as ana@example.com",
        "uri" => "a whole address, such as https://example.com/a",
        "uuid" => "a UUID, such as 018f3c2e-7c9a-7d3e-8f21-5b6c7d8e9f10",
        other => return format!("must have the format {}; correct it", cut(other, WORD_CHARS_MAX)),
    };
    format!("must be {example}")
}

fn word(value: &Value) -> String {
    match value {
        Value::String(text) => cut(text, WORD_CHARS_MAX),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            cut(&value.to_string(), WORD_CHARS_MAX)
        }
    }
}

fn counted(count: u64, noun: &str) -> String {
    match (count, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (count, Some(stem)) => format!("{count} {stem}ies"),
        (count, None) => format!("{count} {noun}s"),
    }
}
