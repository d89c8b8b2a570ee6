//! One field of a form as HTML.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};
use serde_json::{Number, Value};

use super::super::arguments::has_marks;
use super::super::untrusted_text::isolated;
use super::hint::hint;
use super::{Drawn, told};
use crate::form::{Bounds, Choice, Control, Text};
use crate::untrusted::visible;

/// With more options a list is shorter than buttons.
const RADIOS_MAX: usize = 6;
/// A text that may be longer gets more than one line.
const LINE_CHARS_MAX: u64 = 120;
/// How much of a text with hidden characters is shown once more, in characters.
const SHOWN_CHARS_MAX: usize = 300;

/// The field with its label, its explanations and its faults.
pub(super) fn control(field: &Drawn<'_>) -> Markup {
    match &field.field.control {
        Control::Fixed(value) => {
            labelled(field, html! { output id=(field.id) { code { (isolated(&text(value))) } } })
        }
        Control::Tick { may_be_false } => tick(field, *may_be_false),
        Control::One(choices) if choices.len() <= RADIOS_MAX => radios(field, choices),
        Control::One(choices) => labelled(field, list(field, choices)),
        Control::Several(choices, _) => several(field, choices),
        Control::Number { bounds, .. } => labelled(field, number(field, bounds)),
        Control::Text(of) => labelled(field, line_or_lines(field, of)),
        Control::Lines(_) => labelled(field, lines(field, &lines_of(field.value), None)),
        Control::Group(_) => {
            grouped(field, html! { @for inner in &field.inner { (control(inner)) } })
        }
        Control::Json => labelled(field, json(field)),
    }
}

/// A label above one control.
fn labelled(field: &Drawn<'_>, control: Markup) -> Markup {
    html! {
        div.field {
            label for=(field.id) { (name_and_need(field)) }
            (about(field))
            (control)
        }
    }
}

/// A legend above several controls.
fn grouped(field: &Drawn<'_>, controls: Markup) -> Markup {
    html! {
        fieldset.field #(field.id) tabindex="-1" aria-describedby=[described_by(field)] {
            legend { (name_and_need(field)) }
            (about(field))
            (controls)
        }
    }
}

fn name_and_need(field: &Drawn<'_>) -> Markup {
    let need = match (&field.field.control, field.field.required) {
        (Control::Fixed(_), _) => "(given)",
        (Control::Tick { may_be_false: true }, _) => "",
        (_, true) => "(required)",
        (_, false) => "(optional)",
    };
    html! { (isolated(field.label())) " " span.muted { (need) } }
}

fn about(field: &Drawn<'_>) -> Markup {
    html! {
        @if let Some(description) = field.field.description {
            p.hint.prose id={ (field.id) "-about" } { (isolated(description)) }
        }
        @if let Some(hint) = hint(field.field) {
            p.hint.muted id={ (field.id) "-hint" } { (hint) }
        }
        @if let Some(value) = field.value.filter(|value| is_marked_here(field, value)) {
            (hidden(field, &text(value)))
        }
        @if !field.faults.is_empty() {
            ul.faults id={ (field.id) "-faults" } {
                @for fault in &field.faults { li { (told(field, fault)) } }
            }
        }
    }
}

/// What a browser would show without the characters that cannot be seen.
fn hidden(field: &Drawn<'_>, text: &str) -> Markup {
    let shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    html! {
        p.hint id={ (field.id) "-hidden" } {
            strong { "This field holds hidden characters. " }
            "Type it anew unless you know why they are there: " (isolated(&shown))
        }
    }
}

/// Whether the value has hidden characters and no field of its own inside this one to say so.
fn is_marked_here(field: &Drawn<'_>, value: &Value) -> bool {
    field.inner.is_empty() && has_marks(value)
}

fn described_by(field: &Drawn<'_>) -> Option<String> {
    let is_hidden = field.value.is_some_and(|value| is_marked_here(field, value));
    let parts = [
        ("about", field.field.description.is_some()),
        ("hint", hint(field.field).is_some()),
        ("hidden", is_hidden),
        ("faults", !field.faults.is_empty()),
    ];
    let there = parts.into_iter().filter(|(_, is_there)| *is_there);
    let ids: Vec<_> = there.map(|(part, _)| format!("{}-{part}", field.id)).collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}

fn invalid(field: &Drawn<'_>) -> Option<&'static str> {
    (!field.faults.is_empty()).then_some("true")
}

fn tick(field: &Drawn<'_>, may_be_false: bool) -> Markup {
    let is_ticked = field.value.is_some_and(|value| text(value).eq_ignore_ascii_case("true"));
    html! {
        div.field {
            div.tick {
                input type="checkbox" id=(field.id) name=(field.name()) value="true"
                    checked[is_ticked] required[field.needed && !may_be_false]
                    aria-describedby=[described_by(field)] aria-invalid=[invalid(field)];
                label for=(field.id) { (name_and_need(field)) }
            }
            (about(field))
        }
    }
}

fn radios(field: &Drawn<'_>, choices: &[Choice<'_>]) -> Markup {
    let chosen = field.value.map(text).unwrap_or_default();
    let radio = |id: String, value: &str, label: Markup| {
        html! {
            div.tick {
                input type="radio" id=(id) name=(field.name()) value=(value)
                    checked[value == chosen] required[field.needed];
                label for=(id) { (label) }
            }
        }
    };
    let options = (1..).zip(choices).map(|(at, choice)| {
        radio(format!("{}-{at}", field.id), &choice.text(), isolated(&option_name(choice)))
    });
    grouped(
        field,
        html! {
            @for option in options { (option) }
            @if !field.field.required {
                (radio(format!("{}-none", field.id), "", html! { span.muted { "No answer" } }))
            }
        },
    )
}

/// A list to choose from. An option is text and nothing else, so that the marks stand in the text.
fn list(field: &Drawn<'_>, choices: &[Choice<'_>]) -> Markup {
    let chosen = field.value.map(text).unwrap_or_default();
    html! {
        select id=(field.id) name=(field.name()) required[field.needed]
            aria-describedby=[described_by(field)] aria-invalid=[invalid(field)] {
            option value="" { @if field.field.required { "Choose one" } @else { "No answer" } }
            @for choice in choices {
                @let value = choice.text();
                option value=(value) dir="auto" selected[value == chosen] {
                    (visible(&option_name(choice)).to_string())
                }
            }
        }
    }
}

fn several(field: &Drawn<'_>, choices: &[Choice<'_>]) -> Markup {
    let chosen: Vec<_> = match field.value {
        Some(Value::Array(items)) => items.iter().map(text).collect(),
        Some(one) => vec![text(one)],
        None => Vec::new(),
    };
    grouped(
        field,
        html! {
            @for (at, choice) in (1..).zip(choices) {
                @let id = format!("{}-{at}", field.id);
                @let value = choice.text();
                div.tick {
                    input type="checkbox" id=(id) name=(field.name()) value=(value)
                        checked[chosen.contains(&value)];
                    label for=(id) { (isolated(&option_name(choice))) }
                }
            }
        },
    )
}

/// A number is typed as text: a browser's own number field rounds, scrolls away and refuses what the
/// schema may take.
fn number(field: &Drawn<'_>, bounds: &Bounds<'_>) -> Markup {
    let is_positive = |limit: &Number| limit.as_f64().is_some_and(|limit| limit >= 0.0);
    let no_sign = bounds.minimum.is_some_and(is_positive) || bounds.above.is_some_and(is_positive);
    let value = field.value.map(text).unwrap_or_default();
    html! {
        input type="text" inputmode=[no_sign.then_some("decimal")] autocomplete="off"
            id=(field.id) name=(field.name()) value=(value) required[field.needed]
            aria-describedby=[described_by(field)] aria-invalid=[invalid(field)];
    }
}

fn line_or_lines(field: &Drawn<'_>, of: &Text<'_>) -> Markup {
    let value = field.value.map(text).unwrap_or_default();
    let is_short = of.length.max.is_some_and(|max| max <= LINE_CHARS_MAX);
    let (kind, value) = match of.format {
        Some("date") => ("date", value),
        Some("date-time") => ("datetime-local", local(&value)),
        Some("email") => ("email", value),
        Some("uri") => ("url", value),
        // A line field would drop the line breaks.
        None if !is_short || value.contains('\n') => return lines(field, &value, of.length.max),
        Some(_) | None => ("text", value),
    };
    html! {
        input type=(kind) step=[(kind == "datetime-local").then_some("any")] autocomplete="off"
            id=(field.id) name=(field.name()) value=(value) required[field.needed] dir="auto"
            minlength=[of.length.min] maxlength=[of.length.max]
            aria-describedby=[described_by(field)] aria-invalid=[invalid(field)];
    }
}

fn lines(field: &Drawn<'_>, value: &str, chars_max: Option<u64>) -> Markup {
    html! {
        textarea id=(field.id) name=(field.name()) rows="3" maxlength=[chars_max]
            required[field.needed] dir="auto"
            aria-describedby=[described_by(field)] aria-invalid=[invalid(field)] {
            // The parser drops one line break here, so that it must not be the text's own.
            "\n" (value)
        }
    }
}

fn json(field: &Drawn<'_>) -> Markup {
    let value = match field.value {
        // What could not be read is shown as it was typed.
        Some(Value::String(text)) if crate::form::typed_json(text).is_none() => text.clone(),
        Some(value) => format!("{value:#}"),
        None => String::new(),
    };
    html! {
        textarea.code id=(field.id) name=(field.name()) rows="4" spellcheck="false"
            required[field.needed]
            aria-describedby=[described_by(field)] aria-invalid=[invalid(field)] { "\n" (value) }
    }
}

fn option_name(choice: &Choice<'_>) -> String {
    choice.title.map_or_else(|| choice.text(), str::to_owned)
}

fn lines_of(value: Option<&Value>) -> String {
    match value {
        Some(Value::Array(items)) => items.iter().map(text).collect::<Vec<_>>().join("\n"),
        Some(value) => text(value),
        None => String::new(),
    }
}

/// A value as it stands in a field of text.
fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// An instant as a browser's field for date and time wants it; anything else as it is.
fn local(text: &str) -> String {
    let Ok(instant) = text.parse::<Timestamp>() else { return text.to_owned() };
    instant.to_zoned(TimeZone::UTC).datetime().to_string()
}
