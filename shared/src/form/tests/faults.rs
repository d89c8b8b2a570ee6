//! What is said about an answer that does not fit.

use super::*;

/// The faults of `value` in a field with `schema`.
#[track_caller]
fn check(schema: Value, value: Value, told: &str) {
    let schema = json!({"properties": {"field": schema}});
    check_in(schema, json!({"field": value}), &[told]);
}

#[track_caller]
fn check_in(schema: Value, answer: Value, told: &[&str]) {
    let faults = validate(&form(schema), &object(answer)).unwrap_err();
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults, told);
}

#[test]
fn a_number_is_told_its_bounds() {
    check(json!({"type": "integer"}), json!("x"), "field must be a whole number, such as 40");
    check(json!({"minimum": 1}), json!(0), "field must be 1 or more; enter a larger number");
    check(json!({"maximum": 9.5}), json!(10), "field must be 9.5 or less; enter a smaller number");
    check(
        json!({"exclusiveMinimum": 0}),
        json!(0),
        "field must be more than 0; enter a larger number",
    );
    check(
        json!({"exclusiveMaximum": 1}),
        json!(1),
        "field must be less than 1; enter a smaller number",
    );
    check(json!({"multipleOf": 0.05}), json!(0.07), "field must be a multiple of 0.05; enter one");
}

#[test]
fn a_text_is_told_its_length_its_format_and_its_pattern() {
    check(json!({"minLength": 1}), json!(""), "field must have at least 1 character; write more");
    check(json!({"maxLength": 2}), json!("abc"), "field may have at most 2 characters; shorten it");
    check(
        json!({"pattern": "^[A-Z]$"}),
        json!("a"),
        "field must match the pattern ^[A-Z]$; correct it",
    );
    check(
        json!({"format": "date"}),
        json!("2026-02-30"),
        "field must be a date, such as 2026-11-22",
    );
    check(
        json!({"format": "email"}),
        json!("Ana <ana@example.com>"),
        "field must be an e-mail address, such as ana@example.com",
    );
    check(
        json!({"format": "uri"}),
        json!("/a"),
        "field must be a whole address, such as https://example.com/a",
    );
    check(
        json!({"format": "date-time"}),
        json!("2026-11-22T14:30"),
        "field must be a date with its time and zone, such as 2026-11-22T14:30:00Z",
    );
    check(json!({"format": "ipv4"}), json!("::1"), "field must have the format ipv4; correct it");
}

#[test]
fn a_choice_is_told_its_options() {
    check(
        json!({"enum": ["a", 1, null]}),
        json!("b"),
        "field must be one of a, 1, null; choose one",
    );
    check(json!({"const": true}), json!(false), "field must be exactly true");
    let many: Vec<_> = (0..12).collect();
    check(
        json!({"enum": many}),
        json!(12),
        "field must be one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, or one of 2 more; choose one",
    );
}

#[test]
fn a_list_is_told_its_length() {
    check(
        json!({"minItems": 1}),
        json!([]),
        "field must have at least 1 entry; add what is missing",
    );
    check(
        json!({"maxItems": 2}),
        json!([1, 2, 3]),
        "field may have at most 2 entries; take some away",
    );
    check(
        json!({"uniqueItems": true}),
        json!([1, 1]),
        "field must not name the same thing twice; take the repeats away",
    );
    check(
        json!({"prefixItems": [{}], "items": false}),
        json!([1, 2]),
        "field.1 cannot be given here; leave it out",
    );
}

#[test]
fn fields_that_are_missing_or_unknown_are_named_themselves() {
    let schema = json!({
        "properties": {"who": {"type": "object", "required": ["name"], "additionalProperties": false, "properties": {"name": {}}}},
        "required": ["why"],
    });
    check_in(
        schema,
        json!({"who": {"nmae": 1}}),
        &[
            "why is required; fill it in",
            "who.nmae is no field of this form; leave it out",
            "who.name is required; fill it in",
        ],
    );
    let dependent = json!({"dependentRequired": {"a": ["b"]}});
    check_in(dependent, json!({"a": 1}), &["b is required; fill it in"]);
    let unevaluated = json!({"allOf": [{"properties": {"a": {}}}], "unevaluatedProperties": false});
    check_in(unevaluated, json!({"a": 1, "b": 1}), &["b is no field of this form; leave it out"]);
}

#[test]
fn a_place_in_a_list_is_part_of_the_path() {
    let schema =
        json!({"properties": {"list": {"items": {"type": "string"}}, "2024": {"type": "null"}}});
    let told = ["2024 must be empty (null)", "list.1 must be text"];
    check_in(schema, json!({"list": ["a", 1], "2024": 1}), &told);
}

#[test]
fn of_alternatives_the_one_of_the_right_kind_is_meant() {
    let optional = json!({"anyOf": [{"type": "integer", "maximum": 9}, {"type": "null"}]});
    check(optional.clone(), json!(10), "field must be 9 or less; enter a smaller number");
    check(optional, json!("x"), "field must be empty (null), or a whole number, such as 40");
    let either = json!({"oneOf": [{"minimum": 5}, {"multipleOf": 2}]});
    check(
        either.clone(),
        json!(1),
        "field fits none of the ways in which it can be filled in; look at it again",
    );
    check(either, json!(6), "field fits several ways that exclude one another; make it fit one");
}

#[test]
fn the_whole_answer_can_be_at_fault() {
    check_in(
        json!({"minProperties": 2}),
        json!({"a": 1}),
        &["the answer must have at least 2 fields; fill in more"],
    );
    check_in(
        json!({"not": {}}),
        json!({}),
        &["the answer must not have this value; enter another"],
    );
}

#[test]
fn an_answer_is_never_repeated_and_never_floods() {
    let long = "s3cret".repeat(1000);
    let schema = json!({
        "properties": {"a": {"type": "integer"}, "b": {"maxLength": 3}, "c": {"enum": ["x".repeat(500)]}, "d": {"format": "email"}},
        "additionalProperties": false,
    });
    let mut answer = object(json!({"a": long, "b": long, "c": long, "d": long}));
    for at in 0..50 {
        answer.insert(format!("{at}{}", "y".repeat(1000)), json!(1));
    }
    let faults = validate(&form(schema), &answer).unwrap_err();
    assert_eq!(faults.len(), FAULTS_MAX);
    for fault in faults {
        let told = fault.to_string();
        assert!(told.chars().count() < 250 && !told.contains("s3cret"), "{told}");
    }
}
