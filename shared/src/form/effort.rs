//! How much work it is to judge one answer, counted before it is done.
//!
//! The count goes the way of the validator and overestimates it: every alternative, every branch of
//! a condition, and every pattern for every name. So it bounds time, memory and stack, whatever the
//! schema and the answer are.

use serde_json::{Map, Value};

use super::keyword::{Applied, Part, parts};
use super::pointer;

/// The most work for one answer: one unit for each keyword that looks at a value, and for what a
/// keyword compares, copies or searches.
const UNITS_MAX: usize = 100_000;
/// How many schemas may look at a value and at what is inside it, one within the other.
const DEPTH_MAX: usize = 120;
/// Bytes of text that count as one unit where they are compared or copied.
const COPIED_BYTES: usize = 64;
/// What each byte of text counts where a pattern searches it: the engine takes time in proportion to
/// the pattern as well.
const SEARCHED_BYTE_UNITS: usize = 10;

/// Whether `answer` can be judged by `schema` with a bounded amount of work.
pub(super) fn is_bounded(schema: &Value, answer: &Value) -> bool {
    let mut effort = Effort { schema, units_left: UNITS_MAX };
    effort.visit(schema, answer, 0).is_some()
}

struct Effort<'a> {
    schema: &'a Value,
    units_left: usize,
}

impl<'a> Effort<'a> {
    /// `None` once it is too much.
    fn visit(&mut self, schema: &'a Value, value: &Value, depth: usize) -> Option<()> {
        let Value::Object(schema) = schema else { return self.spend(1) };
        if depth >= DEPTH_MAX {
            return None;
        }
        self.spend(1 + schema.len())?;
        self.assertions(schema, value)?;
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = pointer::resolve(self.schema, reference)?;
            self.visit(target, value, depth + 1)?;
        }
        // What is unevaluated is found by going all the ways once more.
        let again = ["unevaluatedProperties", "unevaluatedItems"];
        let rounds = if again.iter().any(|word| schema.contains_key(*word)) { 2 } else { 1 };
        let parts = parts(schema);
        for _ in 0..rounds {
            for part in &parts {
                self.part(part, value, depth)?;
            }
        }
        Some(())
    }

    fn part(&mut self, part: &Part<'a>, value: &Value, depth: usize) -> Option<()> {
        match part.applied {
            Applied::ByName => return Some(()),
            Applied::Here => return self.visit(part.schema, value, depth + 1),
            Applied::Alternative => {
                self.spend(weight(value))?;
                return self.visit(part.schema, value, depth + 1);
            }
            Applied::Inside => {}
        }
        match (part.keyword, value) {
            ("properties", Value::Object(members)) => {
                let member = part.name.and_then(|name| members.get(name));
                member.map_or(Some(()), |member| self.visit(part.schema, member, depth + 1))
            }
            ("propertyNames", Value::Object(members)) => members.keys().try_for_each(|name| {
                self.visit(part.schema, &Value::String(name.clone()), depth + 1)
            }),
            (keyword, Value::Object(members)) if is_about_members(keyword) => {
                members.iter().try_for_each(|(name, member)| {
                    let searched = keyword == "patternProperties";
                    self.spend(if searched { searching(name) } else { 0 })?;
                    self.visit(part.schema, member, depth + 1)
                })
            }
            ("prefixItems", Value::Array(items)) => {
                let item = part.index.and_then(|index| items.get(index));
                item.map_or(Some(()), |item| self.visit(part.schema, item, depth + 1))
            }
            ("items" | "contains" | "unevaluatedItems", Value::Array(items)) => {
                items.iter().try_for_each(|item| self.visit(part.schema, item, depth + 1))
            }
            (_, _) => Some(()),
        }
    }

    fn assertions(&mut self, schema: &Map<String, Value>, value: &Value) -> Option<()> {
        if let Some(options) = schema.get("enum").and_then(Value::as_array) {
            self.spend(options.len())?;
            self.spend(weight(value))?;
        }
        for list in ["required", "dependentRequired"] {
            self.spend(schema.get(list).map_or(0, weight))?;
        }
        if let (Value::Array(items), true) = (value, schema.contains_key("uniqueItems")) {
            // Small lists are compared each with each, and no list takes longer than that.
            let pairs = items.len().saturating_mul(items.len());
            self.spend(pairs.min(items.len().saturating_mul(64)))?;
            self.spend(weight(value))?;
        }
        let Value::String(text) = value else { return Some(()) };
        if schema.contains_key("pattern") {
            self.spend(searching(text))?;
        }
        self.spend(text.len() / COPIED_BYTES)
    }

    fn spend(&mut self, units: usize) -> Option<()> {
        self.units_left = self.units_left.checked_sub(units)?;
        Some(())
    }
}

fn is_about_members(keyword: &str) -> bool {
    matches!(keyword, "patternProperties" | "additionalProperties" | "unevaluatedProperties")
}

fn searching(text: &str) -> usize {
    text.len().saturating_mul(SEARCHED_BYTE_UNITS)
}

/// The units that a value counts where it is compared or copied whole.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        Value::String(text) => 1 + text.len() / COPIED_BYTES,
        Value::Array(items) => 1 + items.iter().map(weight).sum::<usize>(),
        Value::Object(members) => {
            let named =
                |(name, member): (&String, &Value)| name.len() / COPIED_BYTES + weight(member);
            1 + members.iter().map(named).sum::<usize>()
        }
    }
}
