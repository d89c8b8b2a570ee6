//! A JSON value as a person reads it.

use maud::{Markup, html};
use serde_json::Value;

use super::untrusted_text::{isolated, marked};
use crate::untrusted::visible;

/// One row per field for an object, indented JSON for everything else and for what is nested.
///
/// Each field says what kind of value it has, because `40` and `"40"` are not the same to a tool.
pub(super) fn arguments(value: &Value) -> Markup {
    match value {
        Value::Object(fields) if !fields.is_empty() => html! {
            dl.fields {
                @for (name, value) in fields {
                    div {
                        dt { code { (isolated(name)) } " " span.kind { (kind(value)) } }
                        dd { (field(value)) }
                    }
                }
            }
        },
        Value::Null | Value::Object(_) => html! { p.muted { "None." } },
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => field(value),
    }
}

/// Whether any name or text in the value has characters that had to be made visible.
pub(super) fn has_marks(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => visible(text).has_marks(),
        Value::Array(values) => values.iter().any(has_marks),
        Value::Object(fields) => {
            fields.iter().any(|(name, value)| visible(name).has_marks() || has_marks(value))
        }
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "true/false",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn field(value: &Value) -> Markup {
    match value {
        Value::Null => html! { span.muted { "nothing (null)" } },
        Value::Bool(value) => html! { code { (value) } },
        Value::Number(number) => html! { code { (number) } },
        Value::String(text) if text.is_empty() => html! { span.muted { "empty text" } },
        Value::String(text) => html! { p.prose { (isolated(text)) } },
        Value::Array(_) | Value::Object(_) => html! { pre { code { (json(value, 0)) } } },
    }
}

/// Indented JSON in which every text is isolated: right-to-left text next to punctuation could
/// otherwise swap a name with its value on the screen. The parser bounds the depth.
fn json(value: &Value, depth: usize) -> Markup {
    let inner = "  ".repeat(depth + 1);
    let outer = "  ".repeat(depth);
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => html! { (value) },
        Value::String(text) => quoted(text),
        Value::Array(values) if values.is_empty() => html! { "[]" },
        Value::Object(fields) if fields.is_empty() => html! { "{}" },
        Value::Array(values) => html! {
            "[\n"
            @for (at, value) in values.iter().enumerate() {
                @if at > 0 { ",\n" }
                (inner) (json(value, depth + 1))
            }
            "\n" (outer) "]"
        },
        Value::Object(fields) => html! {
            "{\n"
            @for (at, (name, value)) in fields.iter().enumerate() {
                @if at > 0 { ",\n" }
                (inner) (quoted(name)) ": " (json(value, depth + 1))
            }
            "\n" (outer) "}"
        },
    }
}

/// A JSON string whose quotes, backslashes and line breaks are escaped, so that it cannot seem to
/// end early, and whose hidden characters are marked like everywhere else.
fn quoted(text: &str) -> Markup {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("\\\""),
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\t' => escaped.push_str("\\t"),
            c => escaped.push(c),
        }
    }
    html! { "\"" bdi dir="auto" { (marked(&visible(&escaped))) } "\"" }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The page's text as a reader gets it.
    fn text(markup: &Markup) -> String {
        let mut text = String::new();
        let mut rest = markup.0.as_str();
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            rest = after.split_once('>').unwrap().1;
        }
        text.push_str(rest);
        text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
    }

    #[test]
    fn an_object_has_a_row_for_each_field_with_the_kind_of_its_value() {
        let page = arguments(&json!({"amount": 40, "as_text": "40", "urgent": true, "memo": null}));
        for row in [
            "<dt><code><bdi dir=\"auto\">amount</bdi></code> <span class=\"kind\">number</span></dt>\
             <dd><code>40</code></dd>",
            "<span class=\"kind\">text</span></dt><dd><p class=\"prose\"><bdi dir=\"auto\">40</bdi></p></dd>",
            "<dd><code>true</code></dd>",
            "nothing (null)",
        ] {
            assert!(page.0.contains(row), "{row} in {}", page.0);
        }
    }

    #[test]
    fn nested_values_read_as_the_json_that_they_are() {
        let value = json!([{"a\"b": ["x\ny", 1.5, null, {}, []]}, "c:\\d\te"]);
        let page = arguments(&value);
        assert_eq!(serde_json::from_str::<Value>(&text(&page)).unwrap(), value);
        assert_eq!(text(&page), serde_json::to_string_pretty(&value).unwrap());
    }

    #[test]
    fn a_text_cannot_seem_to_end_before_it_does() {
        let page = arguments(&json!([r#"a", "amount": 1, "b": ""#]));
        assert!(text(&page).contains(r#"a\", \"amount\": 1, \"b\": \""#), "{}", page.0);
    }

    #[test]
    fn names_and_texts_at_any_depth_are_escaped_marked_and_reported() {
        for value in [
            json!({"k\u{202e}": 1}),
            json!({"k": {"n": ["<b>\u{202e}"]}}),
            json!(["\u{202e}"]),
            json!("\u{202e}"),
        ] {
            let page = arguments(&value).into_string();
            assert!(page.contains("<mark>⟨U+202E⟩</mark>"), "{page}");
            assert!(!page.contains('\u{202e}') && !page.contains("<b>"), "{page}");
            assert!(has_marks(&value));
        }
        assert!(!has_marks(&json!({"k": ["v", 1, null, true, {"n": "line\nbreak"}]})));
    }

    #[test]
    fn nothing_to_show_is_said() {
        for value in [json!({}), json!(null)] {
            assert_eq!(text(&arguments(&value)), "None.");
        }
        assert_eq!(text(&arguments(&json!({"a": ""}))), "a textempty text");
        assert_eq!(text(&arguments(&json!([]))), "[]");
    }
}
