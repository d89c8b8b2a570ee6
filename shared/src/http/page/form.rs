//! The fields of a form on a page, and what comes back from them.
//!
//! Names, explanations and options are the words of whoever asks, so they are shown like any other
//! untrusted text. A browser is told what a field is for, and never a pattern: a person's browser
//! must not hang on one. What is sent goes through [`read_form`], [`coerce`](crate::form::coerce)
//! and [`validate`](crate::form::validate), whatever a browser has checked.

mod control;
mod hint;
mod reading;

use maud::{Markup, html};
use serde_json::{Map, Value};

pub use self::reading::read_form;
use super::untrusted_text::isolated;
use crate::form::{self, Control, Field, FieldPath, FormFault, FormSchema};

/// What the names of a form's fields begin with on the wire, before the field's path.
pub const NAME_PREFIX: &str = "field.";

/// The fields, filled in with `values`: for a new page the
/// [`suggestions`](crate::form::suggestions) of the schema, after a refused post what was posted,
/// together with what is wrong with it.
///
/// They belong in front of the buttons of the page's form.
pub fn fields(schema: &FormSchema, values: &Map<String, Value>, faults: &[FormFault]) -> Markup {
    let fields = form::fields(schema);
    let mut drawn: Vec<_> = (1..)
        .zip(&fields)
        .map(|(at, field)| Drawn::new(field, &format!("field-{at}"), values.get(field.name), true))
        .collect();
    let mut elsewhere: Vec<_> = faults.iter().collect();
    Drawn::take_faults(&mut drawn, &mut elsewhere);
    html! {
        @if !drawn.is_empty() {
            // Enter in a field presses the first button of a form. This one does nothing.
            button type="submit" disabled hidden {}
        }
        @if !faults.is_empty() { (summary(&drawn, &elsewhere, faults.len())) }
        @if !drawn.is_empty() {
            p.hint.muted {
                "The fields, their explanations and what is filled in at first are the words of \
                 whoever asks."
            }
        }
        @for field in &drawn { (control::control(field)) }
    }
}

/// A field with its place on the page.
struct Drawn<'a> {
    field: &'a Field<'a>,
    id: String,
    value: Option<&'a Value>,
    /// Whether a browser may refuse to send the form without it: not in a group that may stay empty.
    needed: bool,
    faults: Vec<&'a FormFault>,
    inner: Vec<Drawn<'a>>,
}

impl<'a> Drawn<'a> {
    fn new(field: &'a Field<'a>, id: &str, value: Option<&'a Value>, within: bool) -> Self {
        let inner = match &field.control {
            Control::Group(inner) => inner.as_slice(),
            Control::Fixed(_)
            | Control::Tick { .. }
            | Control::One(_)
            | Control::Several(..)
            | Control::Number { .. }
            | Control::Text(_)
            | Control::Lines(_)
            | Control::Json => &[],
        };
        let needed = within && field.required && !field.nullable;
        let members = value.and_then(Value::as_object);
        let member = |name: &str| members.and_then(|members| members.get(name));
        let inner = (1..)
            .zip(inner)
            .map(|(at, field)| Drawn::new(field, &format!("{id}-{at}"), member(field.name), needed))
            .collect();
        Self { field, id: id.to_owned(), value, needed, faults: Vec::new(), inner }
    }

    /// Gives each field the faults of its own and of what is inside it and has no field.
    fn take_faults(drawn: &mut [Self], faults: &mut Vec<&'a FormFault>) {
        for one in drawn {
            Self::take_faults(&mut one.inner, faults);
            let is_mine = |fault: &FormFault| fault.field.is_within(&one.field.path);
            one.faults = faults.iter().filter(|fault| is_mine(fault)).copied().collect();
            faults.retain(|fault| !is_mine(fault));
        }
    }

    fn name(&self) -> String {
        wire_name(&self.field.path)
    }

    fn label(&self) -> &'a str {
        self.field.title.unwrap_or(self.field.name)
    }

    /// Every field in the order of the page, groups before what is in them.
    fn flat(drawn: &[Self]) -> Vec<&Self> {
        drawn.iter().flat_map(|one| [vec![one], Self::flat(&one.inner)].concat()).collect()
    }
}

/// What is wrong, with a link to each field that is.
fn summary(drawn: &[Drawn<'_>], elsewhere: &[&FormFault], count: usize) -> Markup {
    let things = if count == 1 { "There is one thing" } else { "There are some things" };
    html! {
        section.warning role="alert" aria-labelledby="faults" {
            h2 #faults { (things) " to correct" }
            ul {
                @for field in Drawn::flat(drawn) {
                    @for fault in &field.faults {
                        li { a href={ "#" (field.id) } { (told(field, fault)) } }
                    }
                }
                @for fault in elsewhere { li { (isolated(&fault.to_string())) } }
            }
        }
    }
}

/// A fault as a sentence that begins with the field's name, and with the place inside the field that
/// it is about.
fn told(field: &Drawn<'_>, fault: &FormFault) -> Markup {
    html! {
        (isolated(field.label())) " "
        @if fault.field != field.field.path {
            "(" (isolated(&fault.field.to_string())) ") "
        }
        (isolated(&fault.detail)) "."
    }
}

/// The name that a field is posted under.
fn wire_name(path: &FieldPath) -> String {
    format!("{NAME_PREFIX}{path}")
}

#[cfg(test)]
mod tests;
