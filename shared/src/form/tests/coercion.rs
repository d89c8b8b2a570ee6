//! Which texts are turned into what.

use super::*;

/// What becomes of a text where `schema` stands.
#[track_caller]
fn check(schema: Value, text: &str, becomes: Value) {
    check_in(json!({"properties": {"field": schema}}), text, becomes);
}

#[track_caller]
fn check_in(schema: Value, text: &str, becomes: Value) {
    let schema = form(schema);
    let coerced = coerce(&schema, object(json!({"field": text})));
    assert_eq!(Value::Object(coerced), json!({"field": becomes}), "{schema:?}");
}

#[test]
fn a_text_becomes_what_the_type_says() {
    check(json!({"type": "boolean"}), "true", json!(true));
    check(json!({"type": "boolean"}), "False", json!(false));
    check(json!({"type": "integer"}), "40", json!(40));
    check(json!({"type": "integer"}), "40.0", json!(40));
    check(json!({"type": "number"}), "0.1", json!(0.1));
    check(json!({"type": "null"}), "null", json!(null));
    check(json!({"type": ["integer", "null"]}), "null", json!(null));
    check(json!({"type": "array"}), "[1, \"a\"]", json!([1, "a"]));
    check(json!({"type": "object"}), "{\"a\": 1}", json!({"a": 1}));
}

#[test]
fn a_text_stays_where_a_text_fits() {
    for schema in
        [json!({}), json!(true), json!({"type": "string"}), json!({"type": ["boolean", "string"]})]
    {
        for text in ["true", "1", "null", "[1]"] {
            check(schema.clone(), text, json!(text));
        }
    }
}

#[test]
fn a_text_that_stands_for_nothing_wanted_stays() {
    check(json!({"type": "boolean"}), "yes", json!("yes"));
    check(json!({"type": "boolean"}), "1", json!("1"));
    check(json!({"type": "integer"}), "1.5", json!("1.5"));
    check(json!({"type": "integer"}), "true", json!("true"));
    check(json!({"type": "integer"}), "9007199254740993", json!("9007199254740993"));
    check(json!({"type": "number"}), "0.30000000000000000001", json!("0.30000000000000000001"));
    check(json!({"type": "object"}), "[1]", json!("[1]"));
    check(json!(false), "1", json!("1"));
}

#[test]
fn the_kind_of_the_options_decides_where_no_type_is_named() {
    check(json!({"const": true}), "true", json!(true));
    check(json!({"enum": [1, 2, null]}), "2", json!(2));
    check(json!({"enum": [1, "2"]}), "2", json!("2"));
}

#[test]
fn references_and_combinations_are_followed() {
    let schema = json!({
        "$defs": {"amount": {"allOf": [{"minimum": 0}, {"$ref": "#/$defs/number"}]}, "number": {"type": "number"}},
        "allOf": [{"properties": {"field": {"$ref": "#/$defs/amount"}}}],
    });
    check_in(schema, "40", json!(40));
    check(json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}), "7", json!(7));
    check(json!({"oneOf": [{"type": "boolean"}, {"type": "integer"}]}), "true", json!(true));
    check(json!({"anyOf": [{"type": "integer"}, {"type": "string"}]}), "7", json!("7"));
    check_in(json!({"additionalProperties": {"type": "integer"}}), "7", json!(7));
    let by_pattern = json!({
        "patternProperties": {"^f": {"type": "string"}},
        "additionalProperties": {"type": "integer"},
    });
    check_in(by_pattern, "7", json!("7"));
}

#[test]
fn alternatives_of_the_whole_answer_count_together() {
    let schema = json!({"oneOf": [
        {"properties": {"field": {"type": "integer"}}},
        {"properties": {"field": {"type": "boolean"}}},
    ]});
    check_in(schema.clone(), "7", json!(7));
    check_in(schema, "true", json!(true));
    let free =
        json!({"oneOf": [{"properties": {"field": {"type": "integer"}}}, {"minProperties": 9}]});
    check_in(free, "7", json!("7"));
}

#[test]
fn items_and_members_are_coerced_too_also_those_of_a_text() {
    let list = json!({"type": "array", "prefixItems": [{"type": "boolean"}], "items": {"type": "integer"}});
    check(list.clone(), "[\"true\", \"2\", 3]", json!([true, 2, 3]));
    let nested = json!({"type": "object", "properties": {"list": list}});
    check(nested, "{\"list\": \"[\\\"false\\\"]\"}", json!({"list": [false]}));
}

#[test]
fn what_is_no_text_is_left_alone() {
    let schema = form(json!({"properties": {"a": {"type": "string"}, "b": {"type": "boolean"}}}));
    let answer = object(json!({"a": 1, "b": 0, "c": "true"}));
    assert_eq!(coerce(&schema, answer.clone()), answer);
}
