//! The part of JSON Schema that tool arguments and answers need.
//!
//! It knows `type`, `enum`, `properties`, `required`, `additionalProperties: false`, `items`,
//! `minLength` and `maxLength`. Other keywords are for the model's eyes only: what they would
//! promise belongs in a guardrail.

use serde_json::{Map, Value};

/// The largest integer that every JSON reader keeps exact (RFC 7493).
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// Where a value departs from its schema, and how.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` {fault}")]
pub(super) struct Misfit {
    path: String,
    fault: String,
}

/// Whether `value` has the shape that `schema` asks for.
pub(super) fn fits(value: &Value, schema: &Value) -> Result<(), Misfit> {
    fits_at("$", value, schema)
}

/// Refuses integers that canonical JSON would round: two different ones would share a digest, so an
/// approval of one would fit the other.
pub(super) fn exact(value: &Value) -> Result<(), Misfit> {
    match value {
        Value::Number(number) => {
            let magnitude = number.as_u64().or_else(|| number.as_i64().map(i64::unsigned_abs));
            match magnitude {
                Some(magnitude) if magnitude > INTEGER_MAX => Err(misfit(
                    "$",
                    format!("holds an integer beyond {INTEGER_MAX}; send it as a string"),
                )),
                Some(_) | None => Ok(()),
            }
        }
        Value::Array(values) => values.iter().try_for_each(exact),
        Value::Object(fields) => fields.values().try_for_each(exact),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

/// Whether a schema is one that a model is held to strictly: a closed object whose properties are
/// all required.
pub(super) fn is_strict_object(schema: &Value) -> bool {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return false;
    };
    let required = names(schema);
    schema.get("type").and_then(Value::as_str) == Some("object")
        && schema.get("additionalProperties") == Some(&Value::Bool(false))
        && properties.keys().all(|name| required.contains(&name.as_str()))
}

fn fits_at(path: &str, value: &Value, schema: &Value) -> Result<(), Misfit> {
    if let Some(types) = schema.get("type")
        && !has_type(value, types)
    {
        return Err(misfit(path, format!("is {}, not {types}", type_of(value))));
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        return Err(misfit(path, format!("is none of {}", Value::from(allowed.clone()))));
    }
    match value {
        Value::String(text) => fits_length(path, text, schema),
        Value::Array(values) => match schema.get("items") {
            None => Ok(()),
            Some(items) => values
                .iter()
                .enumerate()
                .try_for_each(|(index, value)| fits_at(&format!("{path}[{index}]"), value, items)),
        },
        Value::Object(fields) => fits_fields(path, fields, schema),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

fn fits_fields(path: &str, fields: &Map<String, Value>, schema: &Value) -> Result<(), Misfit> {
    if let Some(name) = names(schema).into_iter().find(|name| !fields.contains_key(*name)) {
        return Err(misfit(&format!("{path}.{name}"), "is missing".to_owned()));
    }
    let closed = schema.get("additionalProperties") == Some(&Value::Bool(false));
    fields.iter().try_for_each(|(name, value)| {
        let path = format!("{path}.{name}");
        match schema.get("properties").and_then(|properties| properties.get(name)) {
            Some(schema) => fits_at(&path, value, schema),
            None if closed => Err(misfit(&path, "is not a known field".to_owned())),
            None => Ok(()),
        }
    })
}

fn fits_length(path: &str, text: &str, schema: &Value) -> Result<(), Misfit> {
    let limit = |name| schema.get(name).and_then(Value::as_u64);
    let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    match (limit("minLength"), limit("maxLength")) {
        (Some(min), _) if chars < min => {
            Err(misfit(path, format!("has {chars} characters, at least {min} are needed")))
        }
        (_, Some(max)) if chars > max => {
            Err(misfit(path, format!("has {chars} characters, at most {max} are allowed")))
        }
        (Some(_) | None, Some(_) | None) => Ok(()),
    }
}

fn names(schema: &Value) -> Vec<&str> {
    schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

fn has_type(value: &Value, types: &Value) -> bool {
    match types {
        Value::String(name) => is(value, name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(|name| is(value, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

fn is(value: &Value, name: &str) -> bool {
    match name {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        _ => type_of(value) == name,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn misfit(path: &str, fault: String) -> Misfit {
    Misfit { path: path.to_owned(), fault }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(value: Value, fault: Option<&str>) {
        let schema = json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 5},
                "level": {"enum": ["low", "high"]},
                "count": {"type": ["integer", "null"]},
                "tags": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["title"],
            "additionalProperties": false,
        });
        let found = fits(&value, &schema).err().map(|misfit| misfit.to_string());
        assert_eq!(found.as_deref(), fault);
    }

    #[test]
    fn a_value_of_the_right_shape_fits() {
        check(json!({"title": "Q1", "level": "low", "count": 3, "tags": ["a"]}), None);
        check(json!({"title": "äöüßé", "count": null}), None);
    }

    #[test]
    fn a_value_of_another_shape_is_named_with_its_fault() {
        check(json!("text"), Some("`$` is string, not \"object\""));
        check(json!({}), Some("`$.title` is missing"));
        check(json!({"title": ""}), Some("`$.title` has 0 characters, at least 1 are needed"));
        check(
            json!({"title": "123456"}),
            Some("`$.title` has 6 characters, at most 5 are allowed"),
        );
        check(json!({"title": "a", "x": 1}), Some("`$.x` is not a known field"));
        check(
            json!({"title": "a", "level": "mid"}),
            Some("`$.level` is none of [\"low\",\"high\"]"),
        );
        check(
            json!({"title": "a", "count": 1.5}),
            Some("`$.count` is number, not [\"integer\",\"null\"]"),
        );
        check(
            json!({"title": "a", "tags": ["a", 1]}),
            Some("`$.tags[1]` is number, not \"string\""),
        );
    }

    #[test]
    fn an_integer_that_canonical_json_would_round_is_refused() {
        assert!(
            exact(&json!({"a": [9_007_199_254_740_991_u64, -9_007_199_254_740_991_i64]})).is_ok()
        );
        assert!(exact(&json!({"a": [9_007_199_254_740_992_u64]})).is_err());
        assert!(exact(&json!(-9_007_199_254_740_992_i64)).is_err());
    }
}
