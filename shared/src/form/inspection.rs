//! What is looked at before a schema is let near the validator.

use std::collections::HashMap;
use std::ptr;

use serde_json::{Map, Value};

use super::keyword::{Applied, Part, REFUSED, parts};
use super::kinds::Kinds;
use super::{
    FormSchemaError, NAME_CHARS_MAX, PATTERN_CHARS_MAX, PATTERNS_MAX, PROPERTIES_MAX,
    SCHEMA_BYTES_MAX, SCHEMA_DEPTH_MAX, literal, pointer,
};

/// How many schemas may stand behind one another for the same value.
const CHAIN_MAX: usize = 40;
/// How many schemas may be applied to the same value in all.
const COMBINED_MAX: usize = 2_000;
/// The longest pointer in an error, in characters.
const POINTER_CHARS_MAX: usize = 200;
/// What `$schema` may name. The older ones mean the same where the keywords that changed are refused.
const DIALECTS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];

/// Refuses a schema that is too large, looks elsewhere, or would have no end.
pub(super) fn inspect(schema: &Value) -> Result<(), FormSchemaError> {
    let Value::Object(form) = schema else { return Err(FormSchemaError::NotAnObject) };
    if form.get("type").is_some_and(|word| !Kinds::of_type(word).has(Kinds::OBJECT)) {
        return Err(FormSchemaError::NotAnObject);
    }
    if literal::depth(schema) > SCHEMA_DEPTH_MAX {
        return Err(FormSchemaError::TooDeep);
    }
    if schema.to_string().len() > SCHEMA_BYTES_MAX {
        return Err(FormSchemaError::TooLarge);
    }
    let survey = Survey::of(schema);
    survey.check_keywords()?;
    survey.check_size()?;
    survey.check_chains()
}

/// Every schema in the schema, once.
struct Survey<'a> {
    positions: Vec<Position<'a>>,
    by_address: HashMap<*const Value, usize>,
    root: &'a Value,
}

/// A schema, and how it stands in the one around it.
struct Position<'a> {
    schema: &'a Value,
    outer: Option<(usize, Part<'a>)>,
}

impl<'a> Survey<'a> {
    fn of(root: &'a Value) -> Self {
        let mut positions = vec![Position { schema: root, outer: None }];
        let mut at = 0;
        while let Some(position) = positions.get(at) {
            let inner = position.object().map(parts).unwrap_or_default();
            let inner = inner
                .into_iter()
                .map(|part| Position { schema: part.schema, outer: Some((at, part)) });
            positions.extend(inner);
            at += 1;
        }
        let addresses = positions.iter().map(|position| ptr::from_ref(position.schema));
        let by_address = addresses.enumerate().map(|(at, address)| (address, at)).collect();
        Self { positions, by_address, root }
    }

    fn check_keywords(&self) -> Result<(), FormSchemaError> {
        for (at, position) in self.positions.iter().enumerate() {
            let Some(schema) = position.object() else { continue };
            let refused = |keyword, remedy| FormSchemaError::Keyword {
                at: self.pointer(at),
                keyword,
                remedy,
            };
            for (keyword, remedy) in REFUSED {
                if schema.contains_key(keyword) {
                    return Err(refused(keyword, remedy));
                }
            }
            let is_root = position.outer.is_none();
            if !is_root && schema.contains_key("$id") {
                return Err(refused("$id", "leave it out, and refer to #/$defs/NAME"));
            }
            if let Some(dialect) = schema.get("$schema")
                && !(is_root && is_known(dialect))
            {
                return Err(refused("$schema", "leave it out; it is read as draft 2020-12"));
            }
            if schema.contains_key("$ref") && self.target(schema).is_none() {
                return Err(FormSchemaError::ForeignRef { at: self.pointer(at) });
            }
        }
        Ok(())
    }

    fn check_size(&self) -> Result<(), FormSchemaError> {
        let mut properties = 0;
        let mut patterns = 0;
        for (at, position) in self.positions.iter().enumerate() {
            let named =
                position.outer.as_ref().and_then(|(_, part)| Some((part.keyword, part.name?)));
            let own = position.object().and_then(|schema| schema.get("pattern"));
            let mut of_names = None;
            if let Some((keyword, name)) = named {
                if keyword == "patternProperties" {
                    of_names = Some(name);
                } else if name.chars().count() > NAME_CHARS_MAX {
                    return Err(FormSchemaError::NameTooLong { at: self.pointer(at) });
                }
                properties += usize::from(keyword == "properties");
            }
            for pattern in own.and_then(Value::as_str).into_iter().chain(of_names) {
                patterns += 1;
                if pattern.chars().count() > PATTERN_CHARS_MAX {
                    return Err(FormSchemaError::Pattern { at: self.pointer(at) });
                }
            }
        }
        match (properties > PROPERTIES_MAX, patterns > PATTERNS_MAX) {
            (true, _) => Err(FormSchemaError::TooManyProperties),
            (false, true) => Err(FormSchemaError::TooManyPatterns),
            (false, false) => Ok(()),
        }
    }

    /// Whether what is applied to one value comes to an end, and soon.
    fn check_chains(&self) -> Result<(), FormSchemaError> {
        let mut chains = Chains { survey: self, known: vec![Chain::Unknown; self.positions.len()] };
        (0..self.positions.len()).try_for_each(|at| chains.of(at, 0).map(drop))
    }

    /// The schemas that are applied to the same value as the one at `at`.
    fn applied_with(&self, at: usize) -> Vec<usize> {
        let Some(schema) = self.positions.get(at).and_then(Position::object) else {
            return Vec::new();
        };
        let here = |part: &Part<'a>| match part.applied {
            Applied::Here | Applied::Alternative => self.at(part.schema),
            Applied::Inside | Applied::ByName => None,
        };
        parts(schema).iter().filter_map(here).chain(self.target(schema)).collect()
    }

    /// The schema that the `$ref` names, if it is one in here.
    fn target(&self, schema: &Map<String, Value>) -> Option<usize> {
        let reference = schema.get("$ref")?.as_str()?;
        self.at(pointer::resolve(self.root, reference)?)
    }

    fn at(&self, schema: &Value) -> Option<usize> {
        self.by_address.get(&ptr::from_ref(schema)).copied()
    }

    fn pointer(&self, at: usize) -> String {
        let mut outer = Vec::new();
        let mut position = self.positions.get(at);
        while let Some((next, part)) = position.and_then(|position| position.outer.as_ref()) {
            outer.push(part);
            position = self.positions.get(*next);
        }
        let whole = outer
            .iter()
            .rev()
            .fold(pointer::ROOT.to_owned(), |pointer, part| part.pointer(&pointer));
        whole.chars().take(POINTER_CHARS_MAX).collect()
    }
}

impl<'a> Position<'a> {
    fn object(&self) -> Option<&'a Map<String, Value>> {
        self.schema.as_object()
    }
}

/// What is known of the schemas that are applied together with one.
#[derive(Clone, Copy)]
enum Chain {
    Unknown,
    /// Being looked at: who meets it again has come back to where they were.
    Open,
    Known {
        length: usize,
        combined: usize,
    },
}

struct Chains<'s, 'a> {
    survey: &'s Survey<'a>,
    known: Vec<Chain>,
}

impl Chains<'_, '_> {
    /// The longest way from the schema at `at`, and how many there are on all ways together.
    fn of(&mut self, at: usize, depth: usize) -> Result<(usize, usize), FormSchemaError> {
        match self.known.get(at) {
            Some(Chain::Known { length, combined }) => return Ok((*length, *combined)),
            Some(Chain::Open) => {
                return Err(FormSchemaError::EndlessRef { at: self.survey.pointer(at) });
            }
            Some(Chain::Unknown) | None => {}
        }
        self.set(at, Chain::Open);
        let (mut length, mut combined) = (0, 1_usize);
        for next in self.survey.applied_with(at) {
            // The recursion ends here, before the stack does.
            let (further, more) =
                if depth < CHAIN_MAX { self.of(next, depth + 1)? } else { (CHAIN_MAX, 0) };
            length = length.max(further + 1);
            combined = combined.saturating_add(more);
        }
        if length > CHAIN_MAX || combined > COMBINED_MAX {
            return Err(FormSchemaError::TooComplex { at: self.survey.pointer(at) });
        }
        self.set(at, Chain::Known { length, combined });
        Ok((length, combined))
    }

    fn set(&mut self, at: usize, chain: Chain) {
        if let Some(known) = self.known.get_mut(at) {
            *known = chain;
        }
    }
}

fn is_known(dialect: &Value) -> bool {
    let named = dialect.as_str().map(|text| text.trim_end_matches('#'));
    named.is_some_and(|named| DIALECTS.contains(&named))
}
