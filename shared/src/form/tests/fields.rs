//! How the fields of a form are asked for.

use super::*;

/// The field `field` of a form with `schema` there.
#[track_caller]
fn check(schema: Value, control: &Control<'_>) {
    let schema = form(json!({"properties": {"field": schema}}));
    let fields = fields(&schema);
    let [field] = fields.as_slice() else { panic!("{fields:?}") };
    assert_eq!(&field.control, control);
}

fn choices(values: &[Value]) -> Vec<Choice<'_>> {
    values.iter().map(|value| Choice { value, title: None }).collect()
}

const FREE: Length = Length { min: None, max: None };

#[test]
fn each_kind_has_its_control() {
    check(json!({"type": "boolean"}), &Control::Tick { may_be_false: true });
    check(json!({"type": "boolean", "const": true}), &Control::Tick { may_be_false: false });
    check(json!({"type": "integer"}), &Control::Number { whole: true, bounds: Bounds::default() });
    check(json!({"type": "number"}), &Control::Number { whole: false, bounds: Bounds::default() });
    check(json!({"type": "string"}), &Control::Text(Text::default()));
    check(json!({"type": "array", "items": {"type": "string"}}), &Control::Lines(FREE));
    check(json!({"type": "array", "items": {"type": "number"}}), &Control::Lines(FREE));
    let either = [json!("a"), json!("b")];
    check(json!({"enum": either}), &Control::One(choices(&either)));
    check(
        json!({"type": "array", "items": {"enum": either}}),
        &Control::Several(choices(&either), FREE),
    );
}

#[test]
fn what_no_control_is_made_for_is_asked_for_as_json() {
    for schema in [
        json!({}),
        json!(true),
        json!({"type": ["string", "integer"]}),
        json!({"type": "object"}),
        json!({"type": "array"}),
        json!({"type": "array", "items": {"type": "object"}}),
        json!({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "string"}}),
        json!({"enum": [1, "1"]}),
        json!({"enum": ["", "a"]}),
        json!({"enum": [null]}),
    ] {
        check(schema, &Control::Json);
    }
}

#[test]
fn limits_are_read_wherever_they_apply() {
    let schema = form(json!({
        "$defs": {"share": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "title": "Share"}},
        "properties": {
            "code": {"type": "string", "allOf": [{"pattern": "^A"}, {"maxLength": 3, "minLength": 2}]},
            "share": {"$ref": "#/$defs/share", "description": "Of the whole", "multipleOf": 0.5},
        },
    }));
    let fields = fields(&schema);
    let [code, share] = fields.as_slice() else { panic!("{fields:?}") };
    let length = Length { min: Some(2), max: Some(3) };
    assert_eq!(code.control, Control::Text(Text { format: None, pattern: Some("^A"), length }));
    assert_eq!((share.title, share.description), (Some("Share"), Some("Of the whole")));
    let Control::Number { whole: false, bounds } = &share.control else { panic!("{share:?}") };
    let text = |number: Option<&serde_json::Number>| number.map(ToString::to_string);
    assert_eq!(text(bounds.above).as_deref(), Some("0"));
    assert_eq!(text(bounds.maximum).as_deref(), Some("1"));
    assert_eq!(text(bounds.multiple_of).as_deref(), Some("0.5"));
    assert_eq!((bounds.minimum, bounds.below), (None, None));
}

#[test]
fn what_may_be_null_is_asked_for_as_what_else_it_may_be() {
    let schema = form(json!({"properties": {
        "a": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "title": "A"},
        "b": {"type": ["string", "null"]},
        "c": {"enum": ["x", "y", null]},
        "d": {"type": "string"},
    }}));
    let fields = fields(&schema);
    let nullable: Vec<_> = fields.iter().map(|field| field.nullable).collect();
    assert_eq!(nullable, [true, true, true, false]);
    assert!(
        matches!(&fields[0].control, Control::Number { bounds, .. } if bounds.minimum.is_some())
    );
    assert!(matches!(&fields[1].control, Control::Text(_)));
    assert!(matches!(&fields[2].control, Control::One(choices) if choices.len() == 2));
}

#[test]
fn one_value_is_given_without_a_question_only_where_it_is_required() {
    let of = |required: Value| {
        form(json!({"properties": {"kind": {"const": "refund"}}, "required": required}))
    };
    assert_eq!(fields(&of(json!(["kind"])))[0].control, Control::Fixed(&json!("refund")));
    assert_eq!(fields(&of(json!([])))[0].control, Control::One(choices(&[json!("refund")])));
}

#[test]
fn options_may_have_names() {
    let schema = form(json!({"properties": {"speed": {"oneOf": [
        {"const": 1, "title": "Slow"},
        {"const": 2},
    ]}}}));
    let (one, two) = (json!(1), json!(2));
    let named = Choice { value: &one, title: Some("Slow") };
    let plain = Choice { value: &two, title: None };
    assert_eq!(fields(&schema)[0].control, Control::One(vec![named, plain]));
}

#[test]
fn required_fields_come_first_and_in_their_order() {
    let schema = form(json!({
        "required": ["z", "m"],
        "properties": {"a": {}, "m": {}, "z": {}},
        "allOf": [{"properties": {"b": {}, "a": {}}, "required": ["n"]}],
        "if": {}, "then": {"properties": {"reason": {"type": "string"}}},
    }));
    let fields = fields(&schema);
    let told: Vec<_> = fields.iter().map(|field| (field.name, field.required)).collect();
    let required = [("z", true), ("m", true), ("n", true)];
    let other = [("a", false), ("b", false), ("reason", false)];
    assert_eq!(told, [required, other].concat());
    assert_eq!(fields[5].control, Control::Text(Text::default()));
}

#[test]
fn an_object_is_a_group_one_level_deep() {
    let inner =
        json!({"type": "object", "properties": {"x": {"type": "integer"}}, "required": ["x"]});
    let outer = json!({"type": "object", "properties": {"inner": inner, "y": {"type": "string"}}});
    let schema = form(json!({"properties": {"outer": outer}}));
    let fields = fields(&schema);
    let Control::Group(group) = &fields[0].control else { panic!("{fields:?}") };
    let paths: Vec<_> = group.iter().map(|field| field.path.to_string()).collect();
    assert_eq!(paths, ["outer.inner", "outer.y"]);
    assert_eq!(group[0].control, Control::Json);
}

#[test]
fn what_is_suggested_begins_the_answer() {
    let schema = form(json!({"properties": {
        "amount": {"type": "number", "default": 40.5},
        "who": {"type": "object", "properties": {"name": {"default": "Ana"}, "age": {}}},
        "why": {"type": "object", "properties": {"note": {"type": "string"}}},
    }}));
    let begins = json!({"amount": 40.5, "who": {"name": "Ana"}});
    assert_eq!(Value::Object(suggestions(&schema)), begins);
}
