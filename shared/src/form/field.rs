//! How a person is best asked for what a schema wants.
//!
//! A description of fields is only a comfort: it may ask for less than the schema wants, never for
//! more, and [`validate`](super::validate) has the last word.

use std::collections::HashSet;

use serde_json::{Map, Number, Value};

use super::facets::{Facets, Lens};
use super::kinds::Kinds;
use super::path::FieldPath;
use super::{FormSchema, PROPERTIES_MAX};

/// The most options of one choice. With more it is asked for as JSON.
const OPTIONS_MAX: usize = 200;

/// One field of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// Where it stands.
    pub path: FieldPath,
    /// Its name in the object around it.
    pub name: &'a str,
    /// Its title, in the words of whoever asks.
    pub title: Option<&'a str>,
    /// What it is for, in the same words.
    pub description: Option<&'a str>,
    /// Whether an answer without it is refused.
    pub required: bool,
    /// Whether it may be `null`.
    pub nullable: bool,
    /// What whoever asks suggests.
    pub suggestion: Option<&'a Value>,
    /// How it is asked for.
    pub control: Control<'a>,
}

/// How a field is asked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Control<'a> {
    /// There is one value only, and it has to be given.
    Fixed(&'a Value),
    /// Yes or no.
    Tick {
        /// Whether no is an answer; else it is the same as none.
        may_be_false: bool,
    },
    /// One of several.
    One(Vec<Choice<'a>>),
    /// Any of several.
    Several(Vec<Choice<'a>>, Length),
    /// A number.
    Number {
        /// Whether it has to be whole.
        whole: bool,
        /// What it may be.
        bounds: Bounds<'a>,
    },
    /// A text.
    Text(Text<'a>),
    /// A list of texts or numbers.
    Lines(Length),
    /// Fields of an object, one level deep.
    Group(Vec<Field<'a>>),
    /// Anything else, as JSON.
    Json,
}

/// Something to choose.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<'a> {
    /// What is chosen.
    pub value: &'a Value,
    /// What it is called, where it has a name.
    pub title: Option<&'a str>,
}

/// What a number may be.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds<'a> {
    /// This or more.
    pub minimum: Option<&'a Number>,
    /// This or less.
    pub maximum: Option<&'a Number>,
    /// More than this.
    pub above: Option<&'a Number>,
    /// Less than this.
    pub below: Option<&'a Number>,
    /// A multiple of this.
    pub multiple_of: Option<&'a Number>,
}

/// How long a text or a list may be, in characters or entries.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Length {
    /// At least.
    pub min: Option<u64>,
    /// At most.
    pub max: Option<u64>,
}

/// What a text may be.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Text<'a> {
    /// The name of its format.
    pub format: Option<&'a str>,
    /// Its pattern.
    pub pattern: Option<&'a str>,
    /// Its length in characters.
    pub length: Length,
}

/// The fields of a form: required ones first, in the order in which the schema requires them, since
/// JSON keeps no other order.
pub fn fields(schema: &FormSchema) -> Vec<Field<'_>> {
    let mut sketch = Sketch { lens: Lens::new(schema.as_value()), fields_left: PROPERTIES_MAX };
    let form = sketch.lens.form();
    sketch.fields(&form, &FieldPath::root())
}

/// What whoever asks suggests for each field: the answer that a form begins with.
pub fn suggestions(schema: &FormSchema) -> Map<String, Value> {
    suggested(&fields(schema))
}

fn suggested(fields: &[Field<'_>]) -> Map<String, Value> {
    let suggestion = |field: &Field<'_>| match (&field.control, field.suggestion) {
        (_, Some(suggestion)) => Some(suggestion.clone()),
        (Control::Group(inner), None) => {
            let inner = suggested(inner);
            (!inner.is_empty()).then_some(Value::Object(inner))
        }
        (_, None) => None,
    };
    fields.iter().filter_map(|field| Some((field.name.to_owned(), suggestion(field)?))).collect()
}

struct Sketch<'a> {
    lens: Lens<'a>,
    fields_left: usize,
}

impl<'a> Sketch<'a> {
    fn fields(&mut self, of: &Facets<'a>, at: &FieldPath) -> Vec<Field<'a>> {
        let mut fields = Vec::new();
        for name in of.names() {
            let Some(fields_left) = self.fields_left.checked_sub(1) else { break };
            self.fields_left = fields_left;
            fields.push(self.field(of, at, name));
        }
        fields
    }

    fn field(&mut self, of: &Facets<'a>, at: &FieldPath, name: &'a str) -> Field<'a> {
        let path = at.then(name);
        let required = of.requires(name);
        let facets = self.lens.member(of, name);
        let nullable = facets.kinds().has(Kinds::NULL) && !facets.is_silent();
        let facets = facets.of_a_value();
        let text = |word| facets.word(word).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (title, description) = (text("title"), text("description"));
        let suggestion = facets.word("default");
        let control = self.control(&facets, &path, required, at.is_root());
        Field { path, name, title, description, required, nullable, suggestion, control }
    }

    fn control(
        &mut self,
        facets: &Facets<'a>,
        path: &FieldPath,
        required: bool,
        is_outermost: bool,
    ) -> Control<'a> {
        let kinds = facets.kinds().without(Kinds::NULL);
        if kinds == Kinds::BOOLEAN {
            let may_be_false = choices(facets).is_none_or(|choices| {
                choices.iter().any(|choice| *choice.value == Value::Bool(false))
            });
            return Control::Tick { may_be_false };
        }
        if let Some(choices) = choices(facets) {
            return match choices.as_slice() {
                [only] if required => Control::Fixed(only.value),
                _ if can_be_told_apart(&choices) => Control::One(choices),
                _ => Control::Json,
            };
        }
        if kinds.are_only(Kinds::NUMBER) {
            return Control::Number { whole: kinds == Kinds::INTEGER, bounds: bounds(facets) };
        }
        if kinds == Kinds::STRING {
            let text = |word| facets.word(word).and_then(Value::as_str);
            let length = length(facets, "minLength", "maxLength");
            return Control::Text(Text {
                format: text("format"),
                pattern: text("pattern"),
                length,
            });
        }
        if kinds == Kinds::ARRAY {
            return self.list(facets);
        }
        if kinds == Kinds::OBJECT && is_outermost {
            let inner = self.fields(facets, path);
            if !inner.is_empty() {
                return Control::Group(inner);
            }
        }
        Control::Json
    }

    fn list(&mut self, facets: &Facets<'a>) -> Control<'a> {
        let length = length(facets, "minItems", "maxItems");
        let item = self.lens.item(facets, 0).of_a_value();
        if facets.word("prefixItems").is_some() || facets.word("contains").is_some() {
            return Control::Json;
        }
        match choices(&item) {
            Some(choices) if can_be_told_apart(&choices) => Control::Several(choices, length),
            None if item.kinds().are_only(Kinds::STRING) => Control::Lines(length),
            None if item.kinds().are_only(Kinds::NUMBER) => Control::Lines(length),
            Some(_) | None => Control::Json,
        }
    }
}

impl Choice<'_> {
    /// What stands for it where only texts can be sent: a text for itself, all else as JSON.
    pub fn text(&self) -> String {
        self.value.as_str().map_or_else(|| self.value.to_string(), str::to_owned)
    }
}

/// What can be chosen, if it is a choice at all; `null` is none.
fn choices<'a>(facets: &Facets<'a>) -> Option<Vec<Choice<'a>>> {
    let named = || match facets.alternatives() {
        [alternatives] => {
            let choice = |one: &Facets<'a>| {
                let title = one.word("title").and_then(Value::as_str);
                one.word("const").map(|value| Choice { value, title })
            };
            alternatives.iter().map(choice).collect()
        }
        _ => None,
    };
    let plain = |value| Choice { value, title: None };
    let constant = facets.word("const").map(|value| vec![plain(value)]);
    let listed = || facets.word("enum")?.as_array().map(|list| list.iter().map(plain).collect());
    let mut choices: Vec<_> = constant.or_else(listed).or_else(named)?;
    choices.retain(|choice| !choice.value.is_null());
    Some(choices)
}

fn can_be_told_apart(choices: &[Choice<'_>]) -> bool {
    let texts: HashSet<_> = choices.iter().map(Choice::text).collect();
    let told = texts.len() == choices.len() && !texts.contains("");
    told && (1..=OPTIONS_MAX).contains(&choices.len())
}

fn bounds<'a>(facets: &Facets<'a>) -> Bounds<'a> {
    let number = |word| match facets.word(word) {
        Some(Value::Number(number)) => Some(number),
        _ => None,
    };
    Bounds {
        minimum: number("minimum"),
        maximum: number("maximum"),
        above: number("exclusiveMinimum"),
        below: number("exclusiveMaximum"),
        multiple_of: number("multipleOf"),
    }
}

fn length(facets: &Facets<'_>, min: &str, max: &str) -> Length {
    let number = |word| facets.word(word).and_then(Value::as_u64);
    Length { min: number(min), max: number(max) }
}
