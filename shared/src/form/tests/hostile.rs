//! Schemas and answers that were made to do harm: each is refused, or judged with a bounded amount of
//! work. The stack of a test is two MiB.

use super::*;

#[track_caller]
fn refuse(schema: Value, because: &str) {
    let error = FormSchema::parse(schema).unwrap_err().to_string();
    assert!(error.contains(because), "{error}");
}

/// `{"a": {"a": …}}`, so many levels deep.
fn nested(depth: usize) -> Map<String, Value> {
    object((0..depth).fold(json!({}), |inner, _| json!({"a": inner})))
}

#[track_caller]
fn assert_too_much(schema: &FormSchema, answer: &Map<String, Value>) {
    let faults = validate(schema, answer).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].detail.starts_with("is too long or too deeply nested"), "{faults:?}");
}

#[test]
fn what_does_not_describe_an_object_is_no_form() {
    let schemas = [json!(true), json!([]), json!({"type": "string"}), json!({"type": ["null"]})];
    for schema in schemas {
        refuse(schema, "whose type is object");
    }
    form(json!({}));
    form(json!({"type": ["object", "null"]}));
}

#[test]
fn size_depth_and_number_are_bounded() {
    let one_too_many = SCHEMA_BYTES_MAX + 1 - json!({"title": ""}).to_string().len();
    refuse(json!({"title": "x".repeat(one_too_many)}), "32768 bytes");
    form(json!({"title": "x".repeat(one_too_many - 1)}));
    let deep = |levels| (1..levels).fold(json!({}), |inner, _| json!({"not": inner}));
    refuse(deep(SCHEMA_DEPTH_MAX + 1), "40 levels");
    let fields = |count: usize| {
        let fields = (0..count).map(|at| (at.to_string(), json!({})));
        json!({"properties": fields.collect::<Map<_, _>>()})
    };
    form(fields(PROPERTIES_MAX));
    refuse(fields(PROPERTIES_MAX + 1), "100 fields");
    let name = "x".repeat(NAME_CHARS_MAX);
    form(json!({"properties": {&name: {}}}));
    refuse(json!({"properties": {format!("{name}x"): {}}}), "100 characters");
}

#[test]
fn references_stay_inside() {
    for reference in [
        "https://example.com/schema.json",
        "file:///etc/passwd",
        "other.json",
        "//example.com/a#/b",
        "#anchor",
        "#/$defs/missing",
        "#/$defs/a%62",
        "#/default",
        "#/$defs",
        "",
    ] {
        let schema =
            json!({"default": {}, "$defs": {"ab": {}}, "properties": {"a": {"$ref": reference}}});
        refuse(schema, "#/properties/a refers to what is not in the schema itself");
    }
    refuse(json!({"$ref": 1}), "refers to what is not in the schema");
    refuse(json!({"$schema": "https://example.com/dialect"}), "$schema, which is not taken");
    refuse(json!({"properties": {"a": {"$id": "https://example.com/"}}}), "uses $id");
    refuse(
        json!({"properties": {"a": {"$schema": "https://json-schema.org/draft/2020-12/schema"}}}),
        "uses $schema",
    );
    form(json!({"$id": "no address at all", "$ref": "#/$defs/a~1b", "$defs": {"a/b": {}}}));
    // Only data: nothing is fetched for it, and nothing refused.
    form(json!({"properties": {"$ref": {"const": {"$ref": "https://example.com/"}}}}));
}

#[test]
fn a_schema_that_applies_itself_to_the_same_value_is_refused() {
    refuse(json!({"$ref": "#"}), "without end");
    refuse(json!({"allOf": [{"not": {"$ref": "#"}}]}), "without end");
    refuse(
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"if": {"$ref": "#/$defs/b"}}, "b": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}}}),
        "without end",
    );
    refuse(json!({"properties": {"a": {"anyOf": [{"$ref": "#/properties/a"}]}}}), "without end");
    for keyword in ["$dynamicRef", "$recursiveRef"] {
        refuse(json!({keyword: "#"}), "use $ref");
    }
    refuse(json!({"$dynamicAnchor": "x", "properties": {"a": {"$dynamicRef": "#x"}}}), "not taken");
}

#[test]
fn a_schema_may_come_back_to_itself_inside_the_value() {
    let tree = form(json!({
        "properties": {"a": {"$ref": "#"}, "leaf": {"type": "integer"}},
        "additionalProperties": false,
    }));
    assert_eq!(validate(&tree, &nested(58)), Ok(()));
    let answer = object(json!({"a": {"a": {"leaf": "7"}}}));
    let faults = validate(&tree, &answer).unwrap_err();
    assert_eq!(faults[0].field.to_string(), "a.a.leaf");
    assert_eq!(validate(&tree, &coerce(&tree, answer)), Ok(()));
    assert_too_much(&tree, &nested(100));
}

#[test]
fn parts_that_multiply_are_refused_or_counted() {
    let twice = |name: &str| json!([{"$ref": format!("#/$defs/{name}")}, {"$ref": format!("#/$defs/{name}")}]);
    let mut defs: Map<_, _> = (0..30)
        .map(|at| (at.to_string(), json!({"allOf": twice(&(at + 1).to_string())})))
        .collect();
    defs.insert("30".to_owned(), json!({}));
    refuse(json!({"$ref": "#/$defs/0", "$defs": defs}), "combines too many schemas");

    // Each level of the answer has two ways down.
    let schema = form(json!({"properties": {"a": {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}}}));
    assert_eq!(validate(&schema, &nested(8)), Ok(()));
    assert_too_much(&schema, &nested(40));
    assert_eq!(coerce(&schema, nested(40)), nested(40));

    // As many names as there are ways through the definitions.
    let pair = |at: usize| {
        let next = json!({"$ref": format!("#/$defs/{}", at + 1)});
        (at.to_string(), json!({"properties": {"a": next, "b": next}}))
    };
    let mut defs: Map<_, _> = (0..30).map(pair).collect();
    defs.insert("30".to_owned(), json!({}));
    let schema = form(json!({"$ref": "#/$defs/0", "$defs": defs}));
    assert_eq!(validate(&schema, &nested(25)), Ok(()));
    assert!(fields(&schema).len() <= PROPERTIES_MAX);
}

#[test]
fn the_stack_is_enough_for_whatever_is_not_refused() {
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let deep = (0..17).fold(
            json!({"properties": {"a": {"$ref": "#"}}}),
            |inner, _| json!({keyword: [inner]}),
        );
        let schema = form(json!({"allOf": [deep], "unevaluatedProperties": false}));
        let judged = (0..30).map(|depth| validate(&schema, &nested(depth)));
        let (taken, refused): (Vec<_>, Vec<_>) = judged.partition(Result::is_ok);
        assert!(!taken.is_empty() && !refused.is_empty());
    }
}

#[test]
fn a_long_chain_of_references_is_refused() {
    let link = |at: usize| (at.to_string(), json!({"$ref": format!("#/$defs/{}", at + 1)}));
    let mut defs: Map<_, _> = (0..800).map(link).collect();
    defs.insert("800".to_owned(), json!({}));
    refuse(json!({"$ref": "#/$defs/0", "$defs": defs}), "combines too many schemas");
}

#[test]
fn a_pattern_cannot_hang() {
    let text = format!("{}!", "a".repeat(1_999));
    for pattern in
        ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "(.*a){12}$", "^([a-z]+)*$", "(a?){100}a{100}$"]
    {
        let schema = form(json!({"properties": {"a": {"pattern": pattern}}}));
        let faults = validate(&schema, &object(json!({"a": text}))).unwrap_err();
        assert!(faults[0].detail.starts_with("must match the pattern"), "{pattern}: {faults:?}");
    }
    let schema = form(json!({"patternProperties": {"^(a+)+$": false}}));
    assert_eq!(validate(&schema, &object(json!({&text: 1}))), Ok(()));
    let schema = form(json!({"properties": {"a": {"pattern": "[ab]*a[ab]{2000}z"}}}));
    assert_too_much(&schema, &object(json!({"a": "ab".repeat(10_000)})));
}

#[test]
fn a_pattern_that_would_be_slow_or_is_none_is_refused_where_it_stands() {
    for pattern in
        ["(", "(?=a)b", r"(a)\1", "((a{100}){100}){100}", &"a".repeat(501), &"(".repeat(400)]
    {
        let told = "has a pattern that is not taken";
        refuse(
            json!({"properties": {"p": {"pattern": pattern}}}),
            &format!("#/properties/p {told}"),
        );
        refuse(json!({"patternProperties": {pattern: {}}}), told);
    }
    let many: Vec<_> = (0..=PATTERNS_MAX).map(|at| json!({"pattern": at.to_string()})).collect();
    refuse(json!({"properties": {"a": {"allOf": many}}}), "20 patterns");
}

#[test]
fn a_format_that_would_compile_what_is_sent_is_not_checked() {
    let schema = form(json!({"properties": {"a": {"format": "regex"}}}));
    let answer = object(json!({"a": "((a{100}){100}){100}("}));
    assert_eq!(validate(&schema, &answer), Ok(()));
}

#[test]
fn work_that_grows_with_the_answer_is_counted() {
    let many = json!({"a": vec![1; 60_000]});
    for items in [
        json!({"items": {"type": "string"}}),
        json!({"contains": {"type": "string"}}),
        json!({"uniqueItems": true}),
    ] {
        let schema = form(json!({"properties": {"a": items}}));
        assert_too_much(&schema, &object(many.clone()));
    }
    let schema = form(json!({"propertyNames": {"maxLength": 2}}));
    let names: Map<_, _> = (0..60_000).map(|at| (at.to_string(), json!(1))).collect();
    assert_too_much(&schema, &names);
    let branches: Vec<_> = (0..1_000).map(|at| json!({"required": [at.to_string()]})).collect();
    let schema = form(json!({"anyOf": branches}));
    assert_too_much(&schema, &object(json!({"a": vec![1; 1_000]})));
}

#[test]
fn what_is_unevaluated_is_counted_each_time() {
    let schema = (0..9).fold(json!({}), |inner, at| {
        let own = json!({format!("p{at}"): {}});
        json!({"allOf": [inner], "properties": own, "unevaluatedProperties": {"type": "string"}})
    });
    let schema = form(schema);
    assert!(validate(&schema, &object(json!({"p1": 1, "other": 2}))).is_err());
    let wide: Map<_, _> = (0..100).map(|at| (at.to_string(), json!(1))).collect();
    assert_too_much(&schema, &wide);
}

#[test]
fn what_is_no_schema_is_refused_where_it_stands() {
    refuse(
        json!({"properties": {"a": {"type": "text"}}}),
        "#/properties/a/type is no valid JSON Schema",
    );
    refuse(json!({"properties": []}), "#/properties is no valid JSON Schema");
    refuse(json!({"properties": {"a": {"items": [{}]}}}), "#/properties/a/items is no valid");
    refuse(json!({"properties": {"a": 1}}), "#/properties/a is no valid");
    refuse(json!({"dependencies": {}}), "use dependentRequired");
    let long = json!({"required": "s".repeat(5_000)});
    assert!(FormSchema::parse(long).unwrap_err().to_string().chars().count() < 600);
}

#[test]
fn a_stored_schema_that_was_never_taken_judges_nothing() {
    let endless: FormSchema = serde_json::from_value(json!({"$ref": "#"})).unwrap();
    let answer = object(json!({"a": "1"}));
    let faults = validate(&endless, &answer).unwrap_err();
    assert!(faults[0].to_string().starts_with("the answer cannot be judged"), "{faults:?}");
    assert_eq!(coerce(&endless, answer.clone()), answer);
    assert_eq!(fields(&endless), []);
}
