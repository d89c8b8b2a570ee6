//! What a form takes, and what it says about what it does not take.

mod coercion;
mod faults;
mod fields;
mod hostile;
mod properties;

use serde_json::{Map, Value, json};

use super::*;

fn form(schema: Value) -> FormSchema {
    FormSchema::parse(schema).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is no object") };
    object
}

#[test]
fn a_schema_is_stored_as_the_json_that_it_is() {
    let json = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "https://example.com/refund",
        "type": "object",
        "properties": {"amount": {"$ref": "#/$defs/amount"}},
        "$defs": {"amount": {"type": "number", "minimum": 0}},
    });
    let schema = form(json.clone());
    assert_eq!(schema.as_value(), &json);
    assert_eq!(serde_json::to_value(&schema).unwrap(), json);
    assert_eq!(serde_json::from_value::<FormSchema>(json).unwrap(), schema);
    assert!(validate(&schema, &object(json!({"amount": 1}))).is_ok());
    assert!(validate(&schema, &object(json!({"amount": -1}))).is_err());
}

#[test]
fn a_path_names_one_field_only() {
    let nested = FieldPath::root().then("a").then("b");
    let dotted = FieldPath::root().then("a.b");
    assert_eq!((nested.to_string(), dotted.to_string()), ("a.b".to_owned(), "a~1b".to_owned()));
    assert_ne!(FieldPath::root().then("a~1b").to_string(), dotted.to_string());
    assert!(nested.is_within(&FieldPath::root().then("a")) && nested.is_within(&nested));
    assert!(!dotted.is_within(&FieldPath::root().then("a")));
}

#[test]
fn what_a_client_sends_as_texts_fits_once_it_is_coerced() {
    let schema = form(json!({
        "type": "object",
        "required": ["approved", "amount"],
        "properties": {
            "approved": {"type": "boolean"},
            "amount": {"type": "number", "maximum": 100},
            "copies": {"type": "integer"},
            "note": {"type": "string"},
        },
    }));
    let sent = json!({"approved": "true", "amount": "40.50", "copies": "2", "note": "7"});
    let coerced = coerce(&schema, object(sent));
    let meant = json!({"approved": true, "amount": 40.5, "copies": 2, "note": "7"});
    assert_eq!(Value::Object(coerced.clone()), meant);
    assert_eq!(validate(&schema, &coerced), Ok(()));
}
