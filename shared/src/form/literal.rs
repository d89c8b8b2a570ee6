//! Values that a client sent as texts.

use serde_json::{Number, Value};

use super::kinds::Kinds;
use crate::digest::{INTEGER_MAX, is_exact};

/// The longest text that is read as a number, in characters.
const NUMBER_CHARS_MAX: usize = 64;
/// How deep JSON in a text may be nested. An answer may hold no more in all.
const DEPTH_MAX: usize = 32;

/// The value of one of these kinds that `text` stands for, if it stands for exactly one.
pub(super) fn read(text: &str, kinds: Kinds) -> Option<Value> {
    let text = text.trim();
    // Some languages capitalise these.
    let value = if text.eq_ignore_ascii_case("true") {
        Value::Bool(true)
    } else if text.eq_ignore_ascii_case("false") {
        Value::Bool(false)
    } else {
        typed_json(text)?
    };
    kinds.has(Kinds::of(&value)).then_some(value)
}

/// The value of a JSON text that somebody typed, if an answer may hold it: exact, and not too deep.
pub fn typed_json(text: &str) -> Option<Value> {
    let text = text.trim();
    if text.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return number(text).map(Value::Number);
    }
    let value: Value = serde_json::from_str(text).ok()?;
    (is_exact(&value) && depth(&value) <= DEPTH_MAX).then_some(value)
}

/// How deep a value is nested. The parser has bounded it already.
pub(super) fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
    }
}

/// The number that a JSON number's text stands for, unless it would have to be rounded.
fn number(text: &str) -> Option<Number> {
    if text.chars().count() > NUMBER_CHARS_MAX {
        return None;
    }
    let read: Number = serde_json::from_str(text).ok()?;
    let written = Decimal::of(text)?;
    if written != Decimal::of(&read.to_string())? {
        return None;
    }
    match written.whole() {
        Some(whole) => Some(Number::from(whole)),
        // Beyond what canonical JSON keeps exact.
        None if written.exponent >= 0 => None,
        None => Some(read),
    }
}

/// A number as it is written, without the zeros that say nothing.
#[derive(Debug, Eq, PartialEq)]
struct Decimal {
    negative: bool,
    digits: String,
    /// The power of ten of the last digit.
    exponent: i64,
}

impl Decimal {
    /// Reads the text of a JSON number.
    fn of(text: &str) -> Option<Self> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (negative, mantissa) =
            mantissa.strip_prefix('-').map_or((false, mantissa), |rest| (true, rest));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let fraction_digits = i64::try_from(fraction.len()).ok()?;
        let written = format!("{whole}{fraction}");
        let significant = written.trim_end_matches('0');
        let zeros = i64::try_from(written.len() - significant.len()).ok()?;
        let digits = significant.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { negative: false, digits, exponent: 0 });
        }
        let exponent = exponent.checked_sub(fraction_digits)?.checked_add(zeros)?;
        Some(Self { negative, digits, exponent })
    }

    /// The whole number that it is, if it is one that every reader keeps exact.
    fn whole(&self) -> Option<i64> {
        let zeros =
            usize::try_from(self.exponent).ok().filter(|zeros| *zeros < NUMBER_CHARS_MAX)?;
        let digits = format!("0{}{}", self.digits, "0".repeat(zeros));
        let magnitude: u64 = digits.parse().ok().filter(|magnitude| *magnitude <= INTEGER_MAX)?;
        let magnitude = i64::try_from(magnitude).ok()?;
        Some(if self.negative { -magnitude } else { magnitude })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, value: Option<Value>) {
        assert_eq!(read(text, Kinds::ALL.without(Kinds::STRING)), value, "{text:?}");
    }

    #[test]
    fn a_number_keeps_its_exact_value() {
        check("40", Some(json!(40)));
        check(" -7 ", Some(json!(-7)));
        check("40.0", Some(json!(40)));
        check("4e1", Some(json!(40)));
        check("0.1", Some(json!(0.1)));
        check("40.50", Some(json!(40.5)));
        check("-0", Some(json!(0)));
        check("0.000e9", Some(json!(0)));
        check("1e-7", Some(json!(0.000_000_1)));
        check("9007199254740991", Some(json!(9_007_199_254_740_991_i64)));
    }

    #[test]
    fn a_number_that_would_be_rounded_stays_a_text() {
        for text in [
            "9007199254740992",
            "-9007199254740993",
            "1e300",
            "1e400",
            "1e-400",
            "1e999999999999999999999",
            "0.1000000000000000055511151231257827",
            "3.00000000000000000001",
        ] {
            check(text, None);
        }
        check(&format!("0.{}1", "0".repeat(100)), None);
    }

    #[test]
    fn what_json_does_not_call_a_number_is_none() {
        for text in ["", "-", "+1", "1.", ".5", "007", "1_000", "1,5", "0x10", "NaN", "Infinity"] {
            check(text, None);
        }
    }

    #[test]
    fn other_literals_are_read_whole_or_not_at_all() {
        check("true", Some(json!(true)));
        check("False", Some(json!(false)));
        check("null", Some(json!(null)));
        check("NULL", None);
        check("yes", None);
        check("[1, {\"a\": null}]", Some(json!([1, {"a": null}])));
        check("[1, 2] 3", None);
        check("[9007199254740993]", None);
        check(&format!("{}{}", "[".repeat(33), "]".repeat(33)), None);
    }

    #[test]
    fn a_kind_that_was_not_asked_for_is_not_given() {
        assert_eq!(read("40.5", Kinds::INTEGER), None);
        assert_eq!(read("40", Kinds::FRACTION), None);
        assert_eq!(read("{}", Kinds::ARRAY), None);
    }
}
