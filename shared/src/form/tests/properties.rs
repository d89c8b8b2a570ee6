//! What holds for every schema and every answer.

use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["a", "b", "c.d", "1"];

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(&NAMES).prop_map(str::to_owned)
}

/// Values of every kind, and texts that look like them.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        (-3..4_i64).prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        proptest::sample::select(vec![
            "",
            "true",
            "null",
            "7",
            "-0.50",
            "1e3",
            "[\"1\", 2]",
            "{\"a\": \"1\"}",
            "x"
        ])
        .prop_map(|text| json!(text)),
        ".{0,6}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::btree_map(name(), inner, 0..4).prop_map(|fields| json!(fields)),
        ]
    })
}

/// Keywords that say something about a value by itself.
fn assertion() -> impl Strategy<Value = (String, Value)> {
    let kind = proptest::sample::select(vec![
        "null", "boolean", "integer", "number", "string", "array", "object",
    ]);
    let number = proptest::sample::select(vec![
        "minimum",
        "exclusiveMaximum",
        "maxLength",
        "minItems",
        "maxProperties",
    ]);
    prop_oneof![
        kind.clone().prop_map(|kind| ("type".to_owned(), json!(kind))),
        prop::collection::btree_set(kind, 1..4).prop_map(|kinds| ("type".to_owned(), json!(kinds))),
        value().prop_map(|value| ("const".to_owned(), value)),
        prop::collection::vec(value(), 1..4).prop_map(|values| ("enum".to_owned(), json!(values))),
        prop::collection::btree_set(name(), 0..3)
            .prop_map(|names| ("required".to_owned(), json!(names))),
        (number, 0..4_u8).prop_map(|(word, limit)| (word.to_owned(), json!(limit))),
        Just(("pattern".to_owned(), json!("^[0-9a-z]*$"))),
        Just(("format".to_owned(), json!("date"))),
        Just(("$ref".to_owned(), json!("#/$defs/a"))),
        Just(("$ref".to_owned(), json!("#"))),
        value().prop_map(|value| ("default".to_owned(), value)),
    ]
}

/// Schemas, and what is none.
fn schema() -> impl Strategy<Value = Value> {
    let of = |keywords: Vec<(String, Value)>| Value::Object(keywords.into_iter().collect());
    let leaf = prop_oneof![
        6 => prop::collection::vec(assertion(), 0..3).prop_map(of),
        1 => any::<bool>().prop_map(|value| json!(value)),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let one = proptest::sample::select(vec![
            "not",
            "if",
            "then",
            "else",
            "additionalProperties",
            "propertyNames",
            "items",
            "contains",
            "unevaluatedProperties",
        ]);
        let many = proptest::sample::select(vec!["allOf", "anyOf", "oneOf", "prefixItems"]);
        let named = proptest::sample::select(vec![
            "properties",
            "dependentSchemas",
            "$defs",
            "patternProperties",
        ]);
        let keyword = prop_oneof![
            assertion(),
            (one, inner.clone()).prop_map(|(word, schema)| (word.to_owned(), schema)),
            (many, prop::collection::vec(inner.clone(), 1..4))
                .prop_map(|(word, schemas)| (word.to_owned(), json!(schemas))),
            (named, prop::collection::btree_map(name(), inner, 0..4))
                .prop_map(|(word, schemas)| (word.to_owned(), json!(schemas))),
        ];
        prop::collection::vec(keyword, 0..5).prop_map(of)
    })
}

/// Answers to them.
fn answer() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map(name(), value(), 0..4)
        .prop_map(|fields| fields.into_iter().collect())
}

/// A schema of an object around another, so that most are forms.
fn form_schema() -> impl Strategy<Value = FormSchema> {
    (schema(), schema(), schema()).prop_filter_map("a form", |(a, b, rest)| {
        let mut whole =
            json!({"properties": {"a": a, "b": b}, "$defs": {"a": {"type": ["integer", "null"]}}});
        if let (Value::Object(whole), Value::Object(rest)) = (&mut whole, rest) {
            for (keyword, value) in rest {
                whole.entry(keyword).or_insert(value);
            }
        }
        FormSchema::parse(whole).ok()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn to_coerce_twice_is_to_coerce_once(schema in form_schema(), answer in answer()) {
        let once = coerce(&schema, answer);
        prop_assert_eq!(coerce(&schema, once.clone()), once);
    }

    #[test]
    fn a_valid_answer_is_left_as_it_is(schema in form_schema(), answer in answer()) {
        if validate(&schema, &answer).is_ok() {
            prop_assert_eq!(coerce(&schema, answer.clone()), answer);
        }
    }

    #[test]
    fn every_refusal_has_a_fault_and_not_too_many(schema in form_schema(), answer in answer()) {
        let faults = validate(&schema, &answer).err();
        prop_assert!(faults.is_none_or(|faults| (1..=FAULTS_MAX).contains(&faults.len())));
    }

    #[test]
    fn a_form_has_each_field_once(schema in form_schema()) {
        let fields = fields(&schema);
        let paths: std::collections::BTreeSet<_> = fields.iter().map(|field| field.path.to_string()).collect();
        prop_assert_eq!(paths.len(), fields.len());
        prop_assert!(suggestions(&schema).len() <= fields.len());
    }

    #[test]
    fn whatever_comes_as_a_schema_is_taken_or_refused(schema in prop_oneof![schema(), value()], answer in answer()) {
        if let Ok(schema) = FormSchema::parse(schema) {
            let coerced = coerce(&schema, answer);
            let _ = validate(&schema, &coerced);
        }
    }
}
