//! Digests over JSON: what a decision names.

use serde_json::Value;
use shared::digest::{Digest, is_exact};

/// Two texts have one digest exactly if they are one value, whatever their spelling.
pub fn digest(bytes: &[u8]) {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<Value>();
    let mut exact = || values.next().and_then(Result::ok).filter(is_exact);
    let Some(one) = exact() else { return };
    let digest = Digest::of_json(&one);
    let spelled = spelled(&one);
    let again: Value = serde_json::from_str(&spelled).expect("it is spelled as JSON");
    assert!(is_exact(&again), "{spelled} is not exact");
    assert_eq!(Digest::of_json(&again), digest, "{spelled} is another value than {one}");
    let stored: Value = serde_json::from_str(&one.to_string()).expect("it is stored as JSON");
    assert_eq!(Digest::of_json(&stored), digest, "the table changes {one}");
    if let Some(other) = exact() {
        let same = is_same(&one, &other);
        assert_eq!(Digest::of_json(&other) == digest, same, "{one} and {other}");
    }
    if let Value::Object(fields) = &one
        && let Some(name) = fields.keys().next()
    {
        let mut fields = fields.clone();
        fields.remove(&name.clone());
        assert_ne!(Digest::of_json(&Value::Object(fields)), digest, "{one} without a member");
    }
    assert_ne!(Digest::of_json(&Value::Array(vec![one])), digest, "one in a list is another");
}

/// Another spelling: members in another order, numbers with a fraction or a power, letters as escapes.
fn spelled(value: &Value) -> String {
    match value {
        Value::Null | Value::Bool(_) => format!(" {value} "),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => format!("{float:e}"),
            Some(_) => format!("{number}.0e0"),
            None => number.to_string(),
        },
        Value::String(text) => text_spelled(text),
        Value::Array(items) => {
            format!("[\n{}]", items.iter().map(spelled).collect::<Vec<_>>().join("\t,"))
        }
        Value::Object(fields) => {
            let members = fields.iter().rev();
            let members =
                members.map(|(name, it)| format!("{} :{}", text_spelled(name), spelled(it)));
            format!("{{{}\r}}", members.collect::<Vec<_>>().join(" , "))
        }
    }
}

fn text_spelled(text: &str) -> String {
    let escapes: Vec<_> = text.encode_utf16().map(|unit| format!("\\u{unit:04X}")).collect();
    format!("\"{}\"", escapes.concat())
}

/// Whether two exact values are one. Every exact number is a float as well.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| is_same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            let has = |(name, a)| other.get(name).is_some_and(|b| is_same(a, b));
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}
