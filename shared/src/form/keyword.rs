//! The keywords of JSON Schema that hold schemas, and those that are not taken.

use serde_json::{Map, Value};

use super::pointer;

/// How a schema inside another is applied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Applied {
    /// To the same value.
    Here,
    /// To the same value, where one of a list is enough: the library copies the value for each
    /// that fails.
    Alternative,
    /// To something inside the value.
    Inside,
    /// Only where a `$ref` names it.
    ByName,
}

/// A schema inside another.
pub(super) struct Part<'a> {
    pub(super) keyword: &'static str,
    /// The name under the keyword, where it has names.
    pub(super) name: Option<&'a str>,
    /// The place under the keyword, where it has a list.
    pub(super) index: Option<usize>,
    pub(super) schema: &'a Value,
    pub(super) applied: Applied,
}

/// What a keyword holds.
#[derive(Clone, Copy)]
enum Holds {
    One,
    List,
    Named,
}

const KEYWORDS: [(&str, Holds, Applied); 20] = [
    ("allOf", Holds::List, Applied::Here),
    ("anyOf", Holds::List, Applied::Alternative),
    ("oneOf", Holds::List, Applied::Alternative),
    ("not", Holds::One, Applied::Here),
    ("if", Holds::One, Applied::Here),
    ("then", Holds::One, Applied::Here),
    ("else", Holds::One, Applied::Here),
    ("dependentSchemas", Holds::Named, Applied::Here),
    ("properties", Holds::Named, Applied::Inside),
    ("patternProperties", Holds::Named, Applied::Inside),
    ("additionalProperties", Holds::One, Applied::Inside),
    ("propertyNames", Holds::One, Applied::Inside),
    ("unevaluatedProperties", Holds::One, Applied::Inside),
    ("prefixItems", Holds::List, Applied::Inside),
    ("items", Holds::One, Applied::Inside),
    ("contains", Holds::One, Applied::Inside),
    ("unevaluatedItems", Holds::One, Applied::Inside),
    ("contentSchema", Holds::One, Applied::ByName),
    ("$defs", Holds::Named, Applied::ByName),
    ("definitions", Holds::Named, Applied::ByName),
];

/// What is not taken: addresses of a schema's own, references that depend on who refers, and words of
/// older drafts that 2020-12 would silently ignore.
pub(super) const REFUSED: [(&str, &str); 8] = [
    ("$dynamicRef", "use $ref"),
    ("$dynamicAnchor", "use $ref to #/$defs/NAME"),
    ("$recursiveRef", "use $ref"),
    ("$recursiveAnchor", "use $ref to #/$defs/NAME"),
    ("$anchor", "use $ref to #/$defs/NAME"),
    ("$vocabulary", "leave it out"),
    ("dependencies", "use dependentRequired or dependentSchemas"),
    ("additionalItems", "use prefixItems and items"),
];

/// The schemas inside `schema`.
pub(super) fn parts(schema: &Map<String, Value>) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (keyword, holds, applied) in KEYWORDS {
        let Some(held) = schema.get(keyword) else { continue };
        let part = |name, index, schema| Part { keyword, name, index, schema, applied };
        match (holds, held) {
            (Holds::One, schema) => parts.push(part(None, None, schema)),
            (Holds::List, Value::Array(list)) => {
                let list = list.iter().enumerate();
                parts.extend(list.map(|(index, schema)| part(None, Some(index), schema)));
            }
            (Holds::Named, Value::Object(named)) => {
                let named = named.iter();
                parts.extend(named.map(|(name, schema)| part(Some(name.as_str()), None, schema)));
            }
            // Not what the keyword should hold; the library refuses it by name.
            (Holds::List | Holds::Named, _) => {}
        }
    }
    parts
}

impl Part<'_> {
    /// The part's pointer, inside what `base` points to.
    pub(super) fn pointer(&self, base: &str) -> String {
        let keyword = pointer::join(base, self.keyword);
        match (self.name, self.index) {
            (Some(name), _) => pointer::join(&keyword, name),
            (None, Some(index)) => format!("{keyword}/{index}"),
            (None, None) => keyword,
        }
    }
}
