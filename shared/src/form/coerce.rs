//! Texts that stand for something else.

use serde_json::{Map, Value};

use super::FormSchema;
use super::facets::{Facets, Lens};
use super::kinds::Kinds;
use super::literal;

/// Turns each text into the boolean, number, `null`, array or object that the schema wants in its
/// place, where it wants no text there and the text stands for one exactly.
///
/// What fits already is never changed, and what stands for nothing stays as it is, for
/// [`validate`](super::validate) to refuse.
pub fn coerce(schema: &FormSchema, answer: Map<String, Value>) -> Map<String, Value> {
    let mut lens = Lens::new(schema.as_value());
    let form = lens.form();
    members(&mut lens, &form, answer)
}

fn members<'a>(
    lens: &mut Lens<'a>,
    of: &Facets<'a>,
    object: Map<String, Value>,
) -> Map<String, Value> {
    let coerced = object.into_iter().map(|(name, member)| {
        let facets = lens.member(of, &name);
        let member = value(lens, &facets, member);
        (name, member)
    });
    coerced.collect()
}

fn value<'a>(lens: &mut Lens<'a>, facets: &Facets<'a>, found: Value) -> Value {
    if facets.is_silent() {
        return found;
    }
    let found = match found {
        Value::String(text) => meant(text, facets.kinds()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            found
        }
    };
    match found {
        Value::Object(object) => Value::Object(members(lens, facets, object)),
        Value::Array(items) => {
            let items = items.into_iter().enumerate().map(|(index, item)| {
                let facets = lens.item(facets, index);
                value(lens, &facets, item)
            });
            Value::Array(items.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => found,
    }
}

fn meant(text: String, kinds: Kinds) -> Value {
    let wanted = if kinds.has(Kinds::STRING) { None } else { literal::read(&text, kinds) };
    wanted.unwrap_or(Value::String(text))
}
