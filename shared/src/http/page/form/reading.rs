//! What was posted, as an answer.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::wire_name;
use crate::form::{self, Choice, Control, Field, FormSchema, Text};

/// The answer that the pairs of a posted form stand for.
///
/// Fields that were left empty are absent, ticks are booleans, and numbers are texts still: the answer
/// goes through [`coerce`](crate::form::coerce) and [`validate`](crate::form::validate) next. Pairs that
/// are no field of the form are passed over.
pub fn read_form(schema: &FormSchema, pairs: &[(String, String)]) -> Map<String, Value> {
    let mut posted = Posted { by_name: HashMap::new() };
    for (name, value) in pairs {
        posted.by_name.entry(name).or_default().push(value);
    }
    posted.object(&form::fields(schema))
}

struct Posted<'a> {
    by_name: HashMap<&'a str, Vec<&'a str>>,
}

impl Posted<'_> {
    fn object(&self, fields: &[Field<'_>]) -> Map<String, Value> {
        let given = |field: &Field<'_>| Some((field.name.to_owned(), self.value(field)?));
        fields.iter().filter_map(given).collect()
    }

    fn value(&self, field: &Field<'_>) -> Option<Value> {
        let nothing = || (field.required && field.nullable).then_some(Value::Null);
        let typed = self.typed(field);
        match &field.control {
            Control::Fixed(value) => Some((*value).clone()),
            Control::Tick { may_be_false } => match typed.map(str::trim) {
                Some("true") => Some(Value::Bool(true)),
                _ => may_be_false.then_some(Value::Bool(false)),
            },
            Control::One(choices) => typed.map(|text| chosen(choices, text)).or_else(nothing),
            Control::Several(choices, _) => {
                let all = self.all(field).map(|text| chosen(choices, text)).collect();
                list(all, field)
            }
            Control::Number { .. } => {
                typed.map(|text| Value::String(text.trim().to_owned())).or_else(nothing)
            }
            Control::Text(of) => typed.map(|text| Value::String(sent(text, of))).or_else(nothing),
            Control::Lines(_) => {
                let lines = typed.unwrap_or_default().lines().map(str::trim);
                let lines = lines.filter(|line| !line.is_empty());
                list(lines.map(|line| Value::String(line.to_owned())).collect(), field)
            }
            Control::Group(inner) => {
                let is_there =
                    field.required || inner.iter().any(|field| self.typed(field).is_some());
                is_there.then(|| Value::Object(self.object(inner))).or_else(nothing)
            }
            Control::Json => typed
                .map(|text| {
                    form::typed_json(text).unwrap_or_else(|| Value::String(text.trim().to_owned()))
                })
                .or_else(nothing),
        }
    }

    /// What was typed or chosen first, unless that is nothing.
    fn typed(&self, field: &Field<'_>) -> Option<&str> {
        self.all(field).next()
    }

    fn all(&self, field: &Field<'_>) -> impl Iterator<Item = &str> {
        let values = self.by_name.get(wire_name(&field.path).as_str());
        values.into_iter().flatten().copied().filter(|text| !text.trim().is_empty())
    }
}

fn chosen(choices: &[Choice<'_>], text: &str) -> Value {
    let choice = choices.iter().find(|choice| choice.text() == text);
    choice.map_or_else(|| Value::String(text.to_owned()), |choice| choice.value.clone())
}

fn list(items: Vec<Value>, field: &Field<'_>) -> Option<Value> {
    (field.required || !items.is_empty()).then_some(Value::Array(items))
}

/// A text as it was meant: browsers send line breaks as two characters, and moments without a zone.
fn sent(text: &str, of: &Text<'_>) -> String {
    let text = text.replace("\r\n", "\n");
    let without_zone = of.format == Some("date-time")
        && text.parse::<jiff::Timestamp>().is_err()
        && text.contains('T');
    match text.parse::<jiff::civil::DateTime>() {
        Ok(moment) if without_zone => format!("{moment}Z"),
        Ok(_) | Err(_) => text,
    }
}
