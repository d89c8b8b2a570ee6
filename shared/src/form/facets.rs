//! What a schema says of one value in the open, wherever in the schema it says so.

use serde_json::{Map, Value};

use super::kinds::Kinds;
use super::pointer;

/// The most schemas that are looked at for one form. Beyond it a value counts as free.
const LOOKS_MAX: u32 = 20_000;
/// How many schemas may stand behind one another for one value.
const DEPTH_MAX: usize = 64;
/// Words under which schemas stand that apply only sometimes.
const CONDITIONAL: [&str; 2] = ["then", "else"];

/// Looks into one schema, and stops when it has looked enough.
pub(super) struct Lens<'a> {
    schema: &'a Value,
    looks_left: u32,
}

/// What is said of one value. Saying nothing leaves it free.
#[derive(Default)]
pub(super) struct Facets<'a> {
    /// Each of these applies.
    all: Vec<&'a Map<String, Value>>,
    /// Of each list at least one applies.
    any: Vec<Vec<Facets<'a>>>,
    /// These apply sometimes.
    sometimes: Vec<Facets<'a>>,
    /// Whether no value is allowed at all.
    never: bool,
}

impl<'a> Lens<'a> {
    pub(super) fn new(schema: &'a Value) -> Self {
        Self { schema, looks_left: LOOKS_MAX }
    }

    /// What is said of the answer as a whole.
    pub(super) fn form(&mut self) -> Facets<'a> {
        let mut facets = Facets::default();
        self.add(self.schema, &mut facets, 0);
        facets
    }

    /// What is said of the member `name` of an object.
    pub(super) fn member(&mut self, of: &Facets<'a>, name: &str) -> Facets<'a> {
        self.inside(of, &|object| {
            let named = object.get("properties").and_then(|fields| fields.get(name));
            // Which patterns the name has is for the validator to say.
            let other = || {
                let any_name = !object.contains_key("patternProperties");
                object.get("additionalProperties").filter(|_| any_name)
            };
            named.or_else(other)
        })
    }

    /// What is said of the item at `index` of an array.
    pub(super) fn item(&mut self, of: &Facets<'a>, index: usize) -> Facets<'a> {
        self.inside(of, &|array| {
            let first = array.get("prefixItems").and_then(Value::as_array);
            match first.and_then(|first| first.get(index)) {
                Some(schema) => Some(schema),
                None => array.get("items"),
            }
        })
    }

    fn inside(
        &mut self,
        of: &Facets<'a>,
        step: &dyn Fn(&'a Map<String, Value>) -> Option<&'a Value>,
    ) -> Facets<'a> {
        let mut facets = Facets::default();
        for schema in of.all.iter().filter_map(|schema| step(schema)) {
            self.add(schema, &mut facets, 0);
        }
        for alternatives in &of.any {
            let alternatives = alternatives.iter().map(|one| self.inside(one, step)).collect();
            facets.any.push(alternatives);
        }
        facets.sometimes = of.sometimes.iter().map(|one| self.inside(one, step)).collect();
        facets
    }

    fn add(&mut self, schema: &'a Value, facets: &mut Facets<'a>, depth: usize) {
        let Some(looks_left) = self.looks_left.checked_sub(1).filter(|_| depth < DEPTH_MAX) else {
            return;
        };
        self.looks_left = looks_left;
        let schema = match schema {
            Value::Object(schema) => schema,
            Value::Bool(allowed) => {
                facets.never |= !allowed;
                return;
            }
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => return,
        };
        facets.all.push(schema);
        let reference = schema.get("$ref").and_then(Value::as_str);
        let behind = reference.and_then(|reference| pointer::resolve(self.schema, reference));
        for schema in behind.into_iter().chain(list(schema, "allOf")) {
            self.add(schema, facets, depth + 1);
        }
        for keyword in ["anyOf", "oneOf"] {
            let alternatives: Vec<_> =
                list(schema, keyword).map(|schema| self.alone(schema, depth + 1)).collect();
            if !alternatives.is_empty() {
                facets.any.push(alternatives);
            }
        }
        let dependent = schema.get("dependentSchemas").and_then(Value::as_object);
        let conditional = CONDITIONAL.iter().filter_map(|keyword| schema.get(*keyword));
        for schema in conditional.chain(dependent.into_iter().flat_map(Map::values)) {
            let sometimes = self.alone(schema, depth + 1);
            facets.sometimes.push(sometimes);
        }
    }

    fn alone(&mut self, schema: &'a Value, depth: usize) -> Facets<'a> {
        let mut facets = Facets::default();
        self.add(schema, &mut facets, depth);
        facets
    }
}

impl<'a> Facets<'a> {
    /// The kinds of values that may fit: no other kind ever does.
    pub(super) fn kinds(&self) -> Kinds {
        if self.never {
            return Kinds::NONE;
        }
        let all = self.all.iter().fold(Kinds::ALL, |kinds, schema| kinds.and(own_kinds(schema)));
        self.any.iter().fold(all, |kinds, alternatives| {
            let any = alternatives.iter().fold(Kinds::NONE, |any, one| any.or(one.kinds()));
            kinds.and(any)
        })
    }

    /// Whether every value fits, as far as can be seen.
    pub(super) fn is_silent(&self) -> bool {
        self.all.is_empty() && self.any.is_empty() && !self.never
    }

    /// What the first schema with this keyword says; the schema's own words come before those that
    /// it refers to.
    pub(super) fn word(&self, keyword: &str) -> Option<&'a Value> {
        self.all.iter().find_map(|schema| schema.get(keyword))
    }

    /// What all schemas with this keyword say.
    pub(super) fn words(&self, keyword: &str) -> impl Iterator<Item = &'a Value> {
        self.all.iter().filter_map(move |schema| schema.get(keyword))
    }

    /// The lists of alternatives.
    pub(super) fn alternatives(&self) -> &[Vec<Facets<'a>>] {
        &self.any
    }

    /// Every name that a field may have, once each: those that always have to be there first and in
    /// the order in which the schema asks for them.
    pub(super) fn names(&self) -> Vec<&'a str> {
        let mut names = Vec::new();
        let required = self.words("required").filter_map(Value::as_array).flatten();
        for name in required.filter_map(Value::as_str).chain(self.properties()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether the field of this name always has to be there.
    pub(super) fn requires(&self, name: &str) -> bool {
        let mut required = self.words("required").filter_map(Value::as_array).flatten();
        required.any(|required| required == name)
    }

    /// The facets without those that hold only sometimes, and the same for a single alternative to
    /// `null`: what is asked of a value that is there.
    pub(super) fn of_a_value(mut self) -> Self {
        let mut open = Vec::new();
        for mut alternatives in std::mem::take(&mut self.any) {
            alternatives.retain(|one| one.kinds() != Kinds::NULL);
            match (alternatives.pop(), alternatives.is_empty()) {
                (Some(only), true) => self.join(only.of_a_value()),
                (Some(last), false) => {
                    alternatives.push(last);
                    open.push(alternatives);
                }
                (None, _) => {}
            }
        }
        self.any.extend(open);
        if self.is_silent()
            && let Some(first) = (!self.sometimes.is_empty()).then(|| self.sometimes.remove(0))
        {
            return first.of_a_value();
        }
        self
    }

    fn join(&mut self, other: Self) {
        self.all.extend(other.all);
        self.any.extend(other.any);
        self.never |= other.never;
    }

    fn properties(&self) -> Vec<&'a str> {
        let always = self.words("properties").filter_map(Value::as_object).flat_map(Map::keys);
        let mut names: Vec<_> = always.map(String::as_str).collect();
        let elsewhere = self.any.iter().flatten().chain(&self.sometimes);
        names.extend(elsewhere.flat_map(Self::properties));
        names
    }
}

fn own_kinds(schema: &Map<String, Value>) -> Kinds {
    let named = schema.get("type").map_or(Kinds::ALL, Kinds::of_type);
    let constant = schema.get("const").map_or(Kinds::ALL, Kinds::of);
    let listed = schema.get("enum").and_then(Value::as_array).map_or(Kinds::ALL, |options| {
        options.iter().fold(Kinds::NONE, |kinds, option| kinds.or(Kinds::of(option)))
    });
    named.and(constant).and(listed)
}

fn list<'a>(schema: &'a Map<String, Value>, keyword: &str) -> impl Iterator<Item = &'a Value> {
    schema.get(keyword).and_then(Value::as_array).into_iter().flatten()
}
