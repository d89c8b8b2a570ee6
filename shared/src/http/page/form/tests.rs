use serde_json::json;

use super::*;
use crate::form::{coerce, suggestions, validate};

fn schema(schema: Value) -> FormSchema {
    FormSchema::parse(schema).unwrap()
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("{value} is no object") };
    object
}

/// The fields of a form whose one field has this schema, filled in with `value`.
fn page(field: Value, value: Option<Value>) -> String {
    let values = value.map(|value| ("it".to_owned(), value)).into_iter().collect();
    fields(&schema(json!({"properties": {"it": field}})), &values, &[]).into_string()
}

#[track_caller]
fn assert_in_order(page: &str, parts: &[&str]) {
    let mut rest = page;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is missing, or comes too early, in {page}");
        };
        rest = after;
    }
}

/// What comes of posting these pairs.
#[track_caller]
fn check_read(form: Value, pairs: &[(&str, &str)], answer: Value) {
    let pairs: Vec<_> =
        pairs.iter().map(|(name, value)| (format!("field.{name}"), (*value).to_owned())).collect();
    assert_eq!(Value::Object(read_form(&schema(form), &pairs)), answer);
}

#[test]
fn a_field_has_a_label_and_its_explanations_belong_to_it() {
    let form = schema(json!({
        "required": ["amount"],
        "properties": {
            "amount": {"type": "number", "title": "Amount", "description": "In euro", "minimum": 0, "maximum": 500},
            "note": {"type": "string", "maxLength": 30},
        },
    }));
    let page = fields(&form, &object(json!({"amount": 40.5})), &[]).into_string();
    assert_in_order(
        &page,
        &[
            "<label for=\"field-1\"><bdi dir=\"auto\">Amount</bdi> <span class=\"muted\">(required)</span></label>",
            "<p class=\"hint prose\" id=\"field-1-about\"><bdi dir=\"auto\">In euro</bdi></p>",
            "<p class=\"hint muted\" id=\"field-1-hint\">A number: 0 or more, 500 or less.</p>",
            "<input type=\"text\" inputmode=\"decimal\" autocomplete=\"off\" id=\"field-1\" name=\"field.amount\" value=\"40.5\" required aria-describedby=\"field-1-about field-1-hint\">",
            "<bdi dir=\"auto\">note</bdi> <span class=\"muted\">(optional)</span>",
            "At most 30 characters.",
            "id=\"field-2\" name=\"field.note\" value=\"\" dir=\"auto\" maxlength=\"30\" aria-describedby=\"field-2-hint\">",
        ],
    );
}

#[test]
fn enter_in_a_field_presses_a_button_that_does_nothing() {
    let page = page(json!({"type": "string"}), None);
    assert!(page.starts_with("<button type=\"submit\" disabled hidden></button>"), "{page}");
    assert_eq!(page.matches("<button").count(), 1);
    assert_eq!(fields(&schema(json!({})), &Map::new(), &[]).into_string(), "");
}

#[test]
fn formats_have_their_own_fields() {
    let of =
        |format: &str, value: Value| page(json!({"type": "string", "format": format}), Some(value));
    assert!(of("date", json!("2026-11-22")).contains("<input type=\"date\""));
    assert!(of("email", json!("")).contains("<input type=\"email\""));
    assert!(of("uri", json!("")).contains("<input type=\"url\""));
    let moment = of("date-time", json!("2026-11-22T14:30:00+02:00"));
    assert_in_order(
        &moment,
        &[
            "A date and a time in UTC.",
            "<input type=\"datetime-local\" step=\"any\"",
            "value=\"2026-11-22T12:30:00\"",
        ],
    );
    assert!(of("uuid", json!("")).contains("<input type=\"text\""));
}

#[test]
fn a_browser_never_runs_a_pattern() {
    let page = page(json!({"type": "string", "pattern": "^(a+)+$"}), None);
    assert!(!page.contains(" pattern="), "{page}");
    assert!(
        page.contains("It has to match <code><bdi dir=\"auto\">^(a+)+$</bdi></code>."),
        "{page}"
    );
}

#[test]
fn a_long_text_has_lines_and_keeps_the_first_line_break() {
    let page = page(json!({"type": "string"}), Some(json!("\na")));
    assert!(page.contains(">\n\na</textarea>"), "{page}");
}

#[test]
fn few_options_are_buttons_and_many_a_list() {
    let few = page(json!({"enum": ["red", 7], "title": "Colour"}), Some(json!(7)));
    assert_in_order(
        &few,
        &[
            "<fieldset class=\"field\" id=\"field-1\" tabindex=\"-1\"><legend><bdi dir=\"auto\">Colour</bdi>",
            "<input type=\"radio\" id=\"field-1-1\" name=\"field.it\" value=\"red\"><label for=\"field-1-1\">",
            "value=\"7\" checked>",
            "value=\"\"><label for=\"field-1-none\"><span class=\"muted\">No answer</span>",
        ],
    );
    let options: Vec<_> =
        (0..7).map(|at| json!({"const": at, "title": format!("No. {at}")})).collect();
    let many = page(json!({"oneOf": options}), Some(json!(3)));
    assert_in_order(
        &many,
        &[
            "<select id=\"field-1\" name=\"field.it\"",
            "<option value=\"\">No answer</option>",
            "<option value=\"3\" dir=\"auto\" selected>No. 3</option>",
        ],
    );
}

#[test]
fn ticks_show_what_is_chosen() {
    let yes = page(json!({"type": "boolean"}), Some(json!(true)));
    assert_in_order(
        &yes,
        &[
            "<input type=\"checkbox\" id=\"field-1\" name=\"field.it\" value=\"true\" checked>",
            "<label for=\"field-1\">",
        ],
    );
    assert!(!page(json!({"type": "boolean"}), Some(json!(false))).contains("checked"));
    let list =
        json!({"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 1, "maxItems": 2});
    let several = page(list, Some(json!(["b"])));
    assert_in_order(
        &several,
        &["From 1 to 2 entries.", "value=\"a\"><label", "value=\"b\" checked><label"],
    );
}

#[test]
fn a_consent_that_is_required_has_to_be_ticked() {
    let of = |schema: Value| {
        let form =
            FormSchema::parse(json!({"properties": {"it": schema}, "required": ["it"]})).unwrap();
        fields(&form, &Map::new(), &[]).into_string()
    };
    let consent = of(json!({"type": "boolean", "const": true}));
    assert!(consent.contains(" required>") && consent.contains("(required)"), "{consent}");
    let answer = of(json!({"type": "boolean"}));
    assert!(!answer.contains("required"), "{answer}");
}

#[test]
fn a_group_that_may_stay_empty_makes_no_field_in_it_necessary() {
    let of = |required: &[&str]| {
        let who = json!({"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}});
        let form = schema(json!({"properties": {"who": who}, "required": required}));
        fields(&form, &object(json!({"who": {"name": "Ana"}})), &[]).into_string()
    };
    let optional = of(&[]);
    assert_in_order(
        &optional,
        &[
            "<legend>",
            "who",
            "Leave all of it empty",
            "<label for=\"field-1-1\">",
            "(required)",
            "name=\"field.who.name\"",
            "Ana</textarea>",
            "</fieldset>",
        ],
    );
    assert!(!optional.contains(" required "), "{optional}");
    assert!(of(&["who"]).contains(" required "));
}

#[test]
fn anything_else_is_typed_as_json_and_shown_as_it_was_typed() {
    let of = |value: Value| page(json!({"type": "object"}), Some(value));
    assert!(of(json!({"a": [1]})).contains("\n{\n  &quot;a&quot;: [\n    1\n  ]\n}</textarea>"));
    assert!(of(json!("{\"a\": ")).contains("\n{&quot;a&quot;: </textarea>"));
    let text = page(json!({"type": ["string", "integer"]}), Some(json!("7")));
    assert!(text.contains("\n&quot;7&quot;</textarea>"), "{text}");
}

#[test]
fn what_was_refused_comes_back_with_what_is_wrong() {
    let form = schema(json!({
        "required": ["amount", "reason"],
        "properties": {
            "amount": {"type": "integer", "maximum": 100, "title": "Amount"},
            "reason": {"type": "string"},
            "lines": {"type": "array", "items": {"type": "integer"}},
        },
        "maxProperties": 1,
    }));
    let pairs = [
        ("field.amount".to_owned(), "400".to_owned()),
        ("field.lines".to_owned(), "1\nx".to_owned()),
    ];
    let answer = coerce(&form, read_form(&form, &pairs));
    let faults = validate(&form, &answer).unwrap_err();
    let page = fields(&form, &answer, &faults).into_string();
    assert_in_order(
        &page,
        &[
            "role=\"alert\" aria-labelledby=\"faults\"><h2 id=\"faults\">There are some things to correct</h2>",
            "<a href=\"#field-1\"><bdi dir=\"auto\">Amount</bdi> <bdi dir=\"auto\">must be 100 or less; enter a smaller number</bdi>.</a>",
            "<a href=\"#field-2\"><bdi dir=\"auto\">reason</bdi> <bdi dir=\"auto\">is required; fill it in</bdi>.</a>",
            "<a href=\"#field-3\"><bdi dir=\"auto\">lines</bdi> (<bdi dir=\"auto\">lines.1</bdi>) ",
            "the answer may have at most 1 field; leave some out",
            "<ul class=\"faults\" id=\"field-1-faults\">",
            "value=\"400\" required aria-describedby=\"field-1-hint field-1-faults\" aria-invalid=\"true\">",
            "name=\"field.lines\"",
            "\n1\nx</textarea>",
        ],
    );
}

#[test]
fn hostile_words_are_escaped_and_marked_everywhere() {
    let form = schema(json!({
        "required": [HOSTILE],
        "properties": {
            HOSTILE: {"type": "string", "title": HOSTILE, "description": HOSTILE, "pattern": HOSTILE.replace(['(', ')'], "")},
            "few": {"enum": [HOSTILE]},
            "many": {"enum": [HOSTILE, 1, 2, 3, 4, 5, 6, 7]},
            "several": {"type": "array", "items": {"enum": [HOSTILE]}},
            "fixed": {"const": HOSTILE},
            "json": {"default": [HOSTILE]},
            "lines": {"type": "array", "items": {"type": "string"}, "default": [HOSTILE]},
            "text": {"type": "string", "default": HOSTILE},
            "group": {"type": "object", "title": HOSTILE, "properties": {HOSTILE: {"type": "integer"}}},
        },
    }));
    let faults =
        validate(&form, &object(json!({"group": {HOSTILE: HOSTILE}, "few": 1}))).unwrap_err();
    let page = fields(&form, &suggestions(&form), &faults).into_string();
    for part in ["<script", "<img", "</textarea></code>", "\u{1b}"] {
        assert!(!page.contains(part), "{part} in {page}");
    }
    // What a field is filled in with is exact; a mark beside the field says what cannot be seen.
    assert_eq!(page.matches("This field holds hidden characters.").count(), 3);
    assert!(page.contains("<mark>⟨U+202E⟩</mark>"), "{page}");
}

const HOSTILE: &str =
    "</textarea></code><script>alert(1)</script>\"'><img src=x onerror=y>\u{202e}";

#[test]
fn what_is_posted_is_read_as_the_field_means_it() {
    let form = json!({
        "required": ["ok", "list", "kind"],
        "properties": {
            "ok": {"type": "boolean"},
            "sure": {"const": true},
            "kind": {"const": "refund"},
            "size": {"enum": ["s", 1, true]},
            "amount": {"type": "number"},
            "text": {"type": "string"},
            "when": {"type": "string", "format": "date-time"},
            "list": {"type": "array", "items": {"type": "string"}},
            "several": {"type": "array", "items": {"enum": ["a", 2]}},
            "any": {},
        },
    });
    let nothing = json!({"ok": false, "list": [], "kind": "refund"});
    check_read(form.clone(), &[], nothing.clone());
    let empty = [
        ("size", ""),
        ("amount", " "),
        ("text", "\r\n"),
        ("when", ""),
        ("list", "\r\n"),
        ("any", ""),
    ];
    check_read(form.clone(), &empty, nothing);
    check_read(
        form,
        &[
            ("ok", "true"),
            ("sure", "true"),
            ("kind", "something else"),
            ("size", "1"),
            ("amount", " 40.50 "),
            ("text", "one\r\ntwo "),
            ("when", "2026-11-22T14:30"),
            ("list", "a\r\n\r\n b \r\n"),
            ("several", "a"),
            ("several", "2"),
            ("any", "{\"a\": 1}"),
            ("unknown", "1"),
        ],
        json!({
            "ok": true, "sure": true, "kind": "refund", "size": 1, "amount": "40.50", "text": "one\ntwo ",
            "when": "2026-11-22T14:30:00Z", "list": ["a", "b"], "several": ["a", 2], "any": {"a": 1},
        }),
    );
}

#[test]
fn what_cannot_be_read_stays_as_it_was_typed() {
    let form = json!({"properties": {
        "size": {"enum": ["s", "m"]},
        "when": {"type": "string", "format": "date-time"},
        "json": {"type": "object"},
    }});
    let pairs = [("size", "xxl"), ("when", "tomorrow"), ("json", "{\"a\": ")];
    check_read(form, &pairs, json!({"size": "xxl", "when": "tomorrow", "json": "{\"a\":"}));
}

#[test]
fn a_group_is_absent_until_something_is_filled_in() {
    let who = json!({"type": "object", "properties": {"name": {"type": "string"}, "vip": {"type": "boolean"}}});
    let optional = json!({"properties": {"who": who}});
    check_read(optional.clone(), &[("who.name", "")], json!({}));
    check_read(optional.clone(), &[("who.vip", "true")], json!({"who": {"vip": true}}));
    check_read(optional, &[("who.name", "Ana")], json!({"who": {"name": "Ana", "vip": false}}));
    let required = json!({"properties": {"who": who}, "required": ["who"]});
    check_read(required, &[], json!({"who": {"vip": false}}));
}

#[test]
fn nothing_is_null_only_where_something_is_required() {
    let amount = json!({"type": ["integer", "null"]});
    check_read(json!({"properties": {"amount": amount}}), &[], json!({}));
    check_read(
        json!({"properties": {"amount": amount}, "required": ["amount"]}),
        &[],
        json!({"amount": null}),
    );
}

#[test]
fn names_with_dots_are_told_from_groups() {
    let form = json!({"properties": {
        "a.b": {"type": "string"},
        "a": {"type": "object", "properties": {"b": {"type": "string"}}},
    }});
    check_read(form, &[("a~1b", "1"), ("a.b", "2")], json!({"a.b": "1", "a": {"b": "2"}}));
}
