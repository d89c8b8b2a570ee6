//! What a field takes, in words.

use maud::{Markup, html};

use super::super::untrusted_text::isolated;
use crate::form::{Bounds, Control, Field, Length, Text};

/// What to know before filling it in; nothing where the control itself says it.
pub(super) fn hint(field: &Field<'_>) -> Option<Markup> {
    match &field.control {
        Control::Number { whole, bounds } => {
            let kind = if *whole { "A whole number" } else { "A number" };
            Some(html! { (sentence(kind, &limits(bounds))) })
        }
        Control::Text(text) => of_text(text),
        Control::Lines(length) => Some(html! { "One in each line. " (of_length(*length, "entr")) }),
        Control::Several(_, length) => {
            let told = of_length(*length, "entr");
            (!told.is_empty()).then(|| html! { (told) })
        }
        Control::Json => Some(html! {
            "As JSON, such as " code { "\"a text\"" } ", " code { "40.5" } ", " code { "true" } ", "
            code { "[1, 2]" } " or " code { "{\"name\": \"value\"}" } "."
        }),
        Control::Group(_) if !field.required => {
            Some(html! { "Leave all of it empty if there is nothing to say." })
        }
        Control::Group(_) | Control::Fixed(_) | Control::Tick { .. } | Control::One(_) => None,
    }
}

fn of_text(text: &Text<'_>) -> Option<Markup> {
    let format = match text.format {
        Some("date-time") => "A date and a time in UTC. ",
        Some("time") => "A time with its zone, such as 14:30:00Z. ",
        Some("duration") => "A duration, such as PT15M. ",
        Some("email") => "An e-mail address, such as ana@example.com. ",
        Some("uri") => "A whole address, such as https://example.com/a. ",
        Some(_) | None => "",
    };
    let length = of_length(text.length, "character");
    if format.is_empty() && length.is_empty() && text.pattern.is_none() {
        return None;
    }
    Some(html! {
        (format) (length)
        @if let Some(pattern) = text.pattern { " It has to match " code { (isolated(pattern)) } "." }
    })
}

fn of_length(length: Length, noun: &str) -> String {
    let counted = |count: u64| match (count, noun) {
        (1, "entr") => "1 entry".to_owned(),
        (count, "entr") => format!("{count} entries"),
        (1, noun) => format!("1 {noun}"),
        (count, noun) => format!("{count} {noun}s"),
    };
    match (length.min.filter(|min| *min > 0), length.max) {
        (None, None) => String::new(),
        (Some(min), None) => format!("At least {}.", counted(min)),
        (None, Some(max)) => format!("At most {}.", counted(max)),
        (Some(min), Some(max)) if min == max => format!("Exactly {}.", counted(max)),
        (Some(min), Some(max)) => format!("From {min} to {}.", counted(max)),
    }
}

fn limits(bounds: &Bounds<'_>) -> Vec<String> {
    let limits = [
        bounds.minimum.map(|limit| format!("{limit} or more")),
        bounds.above.map(|limit| format!("more than {limit}")),
        bounds.maximum.map(|limit| format!("{limit} or less")),
        bounds.below.map(|limit| format!("less than {limit}")),
        bounds.multiple_of.map(|step| format!("a multiple of {step}")),
    ];
    limits.into_iter().flatten().collect()
}

fn sentence(kind: &str, limits: &[String]) -> String {
    if limits.is_empty() { format!("{kind}.") } else { format!("{kind}: {}.", limits.join(", ")) }
}
