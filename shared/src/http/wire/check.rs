//! Checks of single fields. Each refusal names the field, the limit and the remedy.

use serde_json::{Map, Value};

use crate::address::Address;
use crate::digest::is_exact;
use crate::error::Error;
use crate::intent::ask::CALL_ID_CHARS_MAX;

pub(super) fn text(field: &str, value: &str, chars_max: usize) -> Result<String, Error> {
    let chars = value.chars().count();
    if value.trim().is_empty() {
        return Err(Error::field(field, format!("is empty; send 1 to {chars_max} characters")));
    }
    if chars > chars_max {
        let detail = format!("has {chars} characters; send at most {chars_max}");
        return Err(Error::field(field, detail));
    }
    Ok(value.to_owned())
}

/// An agent's name for a tool call. It stands in paths, which gateways decode each in their own way,
/// so it has only characters that mean the same before and after.
pub(super) fn call_id(field: &str, value: &str) -> Result<String, Error> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '~' | '-');
    let fits = value.starts_with(|c: char| c.is_ascii_alphanumeric())
        && value.chars().all(plain)
        && value.len() <= CALL_ID_CHARS_MAX;
    let detail = || {
        format!(
            "must have 1 to {CALL_ID_CHARS_MAX} of letters, digits, `.`, `_`, `:`, `~` and `-`, \
             the first a letter or digit"
        )
    };
    if fits { Ok(value.to_owned()) } else { Err(Error::field(field, detail())) }
}

pub(super) fn optional_text(
    field: &str,
    value: Option<&str>,
    chars_max: usize,
) -> Result<Option<String>, Error> {
    let value = value.filter(|value| !value.trim().is_empty());
    value.map(|value| text(field, value, chars_max)).transpose()
}

pub(super) fn number(field: &str, value: u64, min: u64, max: u64) -> Result<u32, Error> {
    let fits = u32::try_from(value).ok().filter(|_| (min..=max).contains(&value));
    fits.ok_or_else(|| {
        Error::field(field, format!("is {value}; send a number from {min} to {max}"))
    })
}

/// How many to list: `default` unless a number from 1 to `max` is given.
pub(super) fn limit(given: Option<usize>, default: usize, max: usize) -> Result<usize, Error> {
    match given {
        None => Ok(default),
        Some(given) if (1..=max).contains(&given) => Ok(given),
        Some(given) => {
            Err(Error::field("limit", format!("is {given}; send a number from 1 to {max}")))
        }
    }
}

pub(super) fn address(field: &str, value: &str) -> Result<Address, Error> {
    Address::parse(value).map_err(|error| Error::field(field, error.to_string()))
}

/// Refuses numbers that a digest cannot hold exactly.
pub(super) fn exact(field: &str, fields: &Map<String, Value>) -> Result<(), Error> {
    if fields.values().all(is_exact) {
        return Ok(());
    }
    let detail = "has a whole number beyond ±9007199254740991, which no digest can hold exactly; \
                  send it as a string";
    Err(Error::field(field, detail))
}

/// An unsigned number; JSON clients that send `30.0` mean 30, and those that write every value as text
/// mean the number in it.
pub(super) fn whole(field: &str, value: &Value) -> Result<u64, Error> {
    let of_text = || value.as_str().and_then(|text| text.trim().parse().ok());
    let of_float = || {
        let float = value.as_f64().filter(|float| float.fract() == 0.0)?;
        format!("{float:.0}").parse().ok()
    };
    let whole = value.as_u64().or_else(of_text).or_else(of_float);
    whole.ok_or_else(|| Error::field(field, "is not a whole number of at least 0"))
}
