//! What the template's intrinsic functions resolve to.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use serde_yaml_ng::Value as Yaml;

use super::parameter::scalar;
use super::{Template, TemplateError, entries, shape};

/// The region that everything on this machine is said to be in.
pub(crate) const REGION: &str = "us-east-1";
/// The account that everything on this machine is said to belong to.
pub(crate) const ACCOUNT: &str = "123456789012";
/// The domain that AWS gives its endpoints.
pub(crate) const URL_SUFFIX: &str = "amazonaws.com";

/// Nesting of intrinsic functions that is followed before a template is refused.
const DEPTH_MAX: u8 = 32;
/// Parts of one value that are looked at before a template is refused: conditions name each other,
/// so that a few lines of them could otherwise take for ever.
const STEPS_MAX: u32 = 20_000;

/// The values that references may take: parameters, pseudo parameters, conditions, resources.
#[derive(Debug)]
pub(crate) struct Scope<'t> {
    template: &'t Template,
    parameters: BTreeMap<String, String>,
    resources: BTreeMap<String, Names>,
    /// What is left of [`STEPS_MAX`] for the present value.
    steps_left: Cell<u32>,
}

/// What a resource answers to `Ref` and `GetAtt`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    pub(crate) reference: String,
    pub(crate) attributes: BTreeMap<&'static str, String>,
}

impl<'t> Scope<'t> {
    pub(crate) fn new(
        template: &'t Template,
        parameters: BTreeMap<String, String>,
        resources: BTreeMap<String, Names>,
    ) -> Self {
        Self { template, parameters, resources, steps_left: Cell::new(STEPS_MAX) }
    }

    /// Whether a condition holds; a resource without one always exists.
    pub(crate) fn holds(&self, condition: Option<&str>) -> Result<bool, TemplateError> {
        self.steps_left.set(STEPS_MAX);
        condition.map_or(Ok(true), |name| self.condition(name, 0))
    }

    /// The value with every intrinsic function replaced; `None` for `AWS::NoValue`.
    pub(crate) fn resolve(&self, value: &Yaml) -> Result<Option<Json>, TemplateError> {
        self.steps_left.set(STEPS_MAX);
        self.value(value, 0)
    }

    /// As [`Scope::resolve`], for a place that takes a text.
    pub(crate) fn text(&self, place: &str, value: &Yaml) -> Result<String, TemplateError> {
        self.resolve(value)?.as_ref().and_then(text_of).ok_or_else(|| shape(place, "a text"))
    }

    fn value(&self, value: &Yaml, depth: u8) -> Result<Option<Json>, TemplateError> {
        let depth = self.deeper(depth)?;
        match value {
            Yaml::Null => Ok(Some(Json::Null)),
            Yaml::Bool(flag) => Ok(Some(Json::Bool(*flag))),
            Yaml::Number(number) => {
                let json = serde_json::to_value(number);
                json.map(Some).map_err(|_| shape(number.to_string(), "a finite number"))
            }
            Yaml::String(text) => Ok(Some(Json::String(text.clone()))),
            Yaml::Sequence(items) => {
                let items = items.iter().map(|item| self.value(item, depth));
                let items = items.filter_map(Result::transpose).collect::<Result<_, _>>()?;
                Ok(Some(Json::Array(items)))
            }
            Yaml::Mapping(mapping) => match long_form(mapping) {
                Some((name, argument)) => self.call(name, argument, depth),
                None => self.map(value, depth).map(Some),
            },
            Yaml::Tagged(tagged) => {
                let tag = tagged.tag.to_string();
                self.call(tag.trim_start_matches('!'), &tagged.value, depth)
            }
        }
    }

    fn deeper(&self, depth: u8) -> Result<u8, TemplateError> {
        if depth >= DEPTH_MAX {
            return Err(shape("A value", "nested at most 32 levels deep"));
        }
        let left = self.steps_left.get().checked_sub(1);
        self.steps_left.set(left.ok_or_else(|| shape("A value", "of at most 20000 parts"))?);
        Ok(depth + 1)
    }

    fn map(&self, value: &Yaml, depth: u8) -> Result<Json, TemplateError> {
        let mut map = Map::new();
        for (key, value) in entries("A value", value)? {
            if let Some(value) = self.value(&value, depth)? {
                map.insert(key, value);
            }
        }
        Ok(Json::Object(map))
    }

    fn call(&self, name: &str, argument: &Yaml, depth: u8) -> Result<Option<Json>, TemplateError> {
        let text = |text: String| Some(Json::String(text));
        match name {
            "Ref" => match argument.as_str() {
                Some("AWS::NoValue") => Ok(None),
                Some(target) => self.reference(target).map(text),
                None => Err(shape("Ref", "the name of a parameter or resource")),
            },
            "GetAtt" => self.attribute(argument).map(text),
            "Sub" => self.substitute(argument, depth).map(text),
            "Join" => self.join(argument, depth).map(text),
            "If" => match argument.as_sequence().map(Vec::as_slice) {
                Some([condition, yes, no]) => {
                    let condition = condition.as_str();
                    let condition = condition.ok_or_else(|| shape("If", "led by a condition"))?;
                    let chosen = if self.condition(condition, depth)? { yes } else { no };
                    self.value(chosen, depth)
                }
                Some(_) | None => Err(shape("If", "a list of a condition and two values")),
            },
            "Equals" | "Not" | "And" | "Or" | "Condition" => {
                self.test(name, argument, depth).map(|holds| Some(Json::Bool(holds)))
            }
            other => Err(TemplateError::Intrinsic { tag: other.to_owned() }),
        }
    }

    fn condition(&self, name: &str, depth: u8) -> Result<bool, TemplateError> {
        let condition = self.template.conditions.get(name);
        let condition =
            condition.ok_or_else(|| TemplateError::Reference { reference: name.to_owned() })?;
        self.truth(condition, depth)
    }

    fn truth(&self, value: &Yaml, depth: u8) -> Result<bool, TemplateError> {
        match self.value(value, depth)? {
            Some(Json::Bool(holds)) => Ok(holds),
            Some(_) | None => Err(shape("A condition", "Equals, Not, And, Or or Condition")),
        }
    }

    fn test(&self, name: &str, argument: &Yaml, depth: u8) -> Result<bool, TemplateError> {
        if let ("Condition", Some(condition)) = (name, argument.as_str()) {
            return self.condition(condition, depth);
        }
        let list = argument.as_sequence().map(Vec::as_slice);
        match (name, list) {
            ("Equals", Some([left, right])) => {
                let left = self.value(left, depth)?;
                let right = self.value(right, depth)?;
                Ok(left.as_ref().and_then(text_of) == right.as_ref().and_then(text_of))
            }
            ("Not", Some([inner])) => self.truth(inner, depth).map(|holds| !holds),
            ("And", Some(all)) => {
                all.iter().try_fold(true, |so_far, one| Ok(so_far & self.truth(one, depth)?))
            }
            ("Or", Some(any)) => {
                any.iter().try_fold(false, |so_far, one| Ok(so_far | self.truth(one, depth)?))
            }
            (_, _) => Err(shape("A condition", "Equals, Not, And, Or or Condition")),
        }
    }

    fn reference(&self, target: &str) -> Result<String, TemplateError> {
        let pseudo = match target {
            "AWS::Region" => Some(REGION),
            "AWS::AccountId" => Some(ACCOUNT),
            "AWS::URLSuffix" => Some(URL_SUFFIX),
            "AWS::Partition" => Some("aws"),
            "AWS::StackName" => Some("local"),
            _ => None,
        };
        pseudo
            .map(str::to_owned)
            .or_else(|| self.parameters.get(target).cloned())
            .or_else(|| self.resources.get(target).map(|names| names.reference.clone()))
            .ok_or_else(|| TemplateError::Reference { reference: target.to_owned() })
    }

    fn attribute(&self, argument: &Yaml) -> Result<String, TemplateError> {
        let path = match (argument.as_str(), argument.as_sequence().map(Vec::as_slice)) {
            (Some(path), _) => path.to_owned(),
            (None, Some([resource, attribute])) => match (resource.as_str(), attribute.as_str()) {
                (Some(resource), Some(attribute)) => format!("{resource}.{attribute}"),
                (_, _) => return Err(shape("GetAtt", "a resource and an attribute")),
            },
            (None, _) => return Err(shape("GetAtt", "a resource and an attribute")),
        };
        path.split_once('.')
            .and_then(|(resource, name)| self.resources.get(resource)?.attributes.get(name))
            .cloned()
            .ok_or(TemplateError::Reference { reference: path })
    }

    fn substitute(&self, argument: &Yaml, depth: u8) -> Result<String, TemplateError> {
        let (pattern, own) = match (argument.as_str(), argument.as_sequence().map(Vec::as_slice)) {
            (Some(pattern), _) => (pattern, BTreeMap::new()),
            (None, Some([pattern, own])) => match pattern.as_str() {
                Some(pattern) => (pattern, entries("Sub", own)?),
                None => return Err(shape("Sub", "a text, or a text and a map")),
            },
            (None, _) => return Err(shape("Sub", "a text, or a text and a map")),
        };
        let mut result = String::with_capacity(pattern.len());
        let mut rest = pattern;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let (name, tail) = after
                .split_once('}')
                .ok_or_else(|| shape("Sub", "a text with a } for every ${"))?;
            rest = tail;
            // `${!Name}` is how a template writes a literal `${Name}`.
            if let Some(literal) = name.strip_prefix('!') {
                result.extend(["${", literal, "}"]);
            } else if let Some(value) = own.get(name) {
                let value = self.value(value, depth)?;
                let text = value.as_ref().and_then(text_of);
                result.push_str(&text.ok_or_else(|| shape("Sub", "given texts"))?);
            } else if name.contains('.') {
                result.push_str(&self.attribute(&Yaml::String(name.to_owned()))?);
            } else {
                result.push_str(&self.reference(name)?);
            }
        }
        result.push_str(rest);
        Ok(result)
    }

    fn join(&self, argument: &Yaml, depth: u8) -> Result<String, TemplateError> {
        let wrong = || shape("Join", "a separator and a list of texts");
        let Some([separator, list]) = argument.as_sequence().map(Vec::as_slice) else {
            return Err(wrong());
        };
        let separator = separator.as_str().ok_or_else(wrong)?;
        let list = self.value(list, depth)?;
        let list = list.as_ref().and_then(Json::as_array).ok_or_else(wrong)?;
        let texts = list.iter().map(text_of).collect::<Option<Vec<_>>>().ok_or_else(wrong)?;
        Ok(texts.join(separator))
    }
}

/// A resolved scalar as text.
pub(crate) fn text_of(value: &Json) -> Option<String> {
    match value {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(flag) => Some(flag.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// A whole number, whether written as a number or as text.
pub(crate) fn whole_of(value: &Json) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

/// `{"Fn::Name": argument}` and `{"Ref": name}` are calls written in long form.
fn long_form(mapping: &serde_yaml_ng::Mapping) -> Option<(&str, &Yaml)> {
    let mut pairs = mapping.iter();
    let (Some((key, argument)), None) = (pairs.next(), pairs.next()) else {
        return None;
    };
    let key = key.as_str()?;
    let name = key.strip_prefix("Fn::");
    let name = name.or_else(|| ["Ref", "Condition"].into_iter().find(|known| *known == key))?;
    // `Condition: {...}` is also an ordinary key of a policy statement.
    (name != "Condition" || scalar(argument).is_some()).then_some((name, argument))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn resolve(value: &str) -> Result<Option<Json>, String> {
        let text = "
Conditions:
  Yes: !Equals [!Ref Name, Ada]
  No: !Not [!Condition Yes]
  Both: !And [!Condition Yes, !Condition No]
  Loop: !Condition Loop
Resources: {Queue: {Type: 'AWS::SQS::Queue'}}";
        let template = Template::parse(text).unwrap();
        let parameters = [("Name".to_owned(), "Ada".to_owned())].into();
        let names =
            Names { reference: "url".to_owned(), attributes: [("Arn", "arn".into())].into() };
        let scope = Scope::new(&template, parameters, [("Queue".to_owned(), names)].into());
        scope.resolve(&serde_yaml_ng::from_str(value).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn intrinsic_functions_resolve_in_short_and_long_form() {
        let table = [
            ("!Ref Name", json!("Ada")),
            ("{Ref: Queue}", json!("url")),
            ("!GetAtt Queue.Arn", json!("arn")),
            ("!GetAtt [Queue, Arn]", json!("arn")),
            ("{'Fn::GetAtt': [Queue, Arn]}", json!("arn")),
            ("!Sub '${Name} at ${Queue.Arn} in ${AWS::Region}'", json!("Ada at arn in us-east-1")),
            ("!Sub ['${A}-${!Name}', {A: !Ref Name}]", json!("Ada-${Name}")),
            ("!Join ['/', [a, !Ref Name]]", json!("a/Ada")),
            ("!If [Yes, 1, 2]", json!(1)),
            ("!If [No, 1, 2]", json!(2)),
            ("!If [Both, 1, 2]", json!(2)),
            ("[a, !Ref 'AWS::NoValue', b]", json!(["a", "b"])),
            ("{a: !If [No, x, !Ref 'AWS::NoValue'], b: 1}", json!({"b": 1})),
        ];
        for (value, expected) in table {
            assert_eq!(resolve(value).unwrap(), Some(expected), "{value}");
        }
    }

    #[test]
    fn conditions_that_multiply_are_refused() {
        let names: Vec<_> = (0..12).map(|level| format!("Level{level}")).collect();
        let doubled = names.windows(2).map(|pair| {
            let [before, name] = pair else { panic!("two of them") };
            format!("  {name}: !And [{}]\n", vec![format!("!Condition {before}"); 9].join(", "))
        });
        let text = format!(
            "Conditions:\n  Level0: !Equals [1, 1]\n{}Resources: {{Queue: {{Type: 'AWS::SQS::Queue'}}}}",
            doubled.collect::<String>()
        );
        let template = Template::parse(&text).unwrap();
        let scope = Scope::new(&template, BTreeMap::new(), BTreeMap::new());
        assert!(scope.holds(Some("Level3")).unwrap(), "each value has its own limit");
        assert!(scope.holds(Some("Level3")).unwrap());
        assert_eq!(
            scope.holds(Some("Level11")).unwrap_err().to_string(),
            "A value in the template must be of at most 20000 parts"
        );
    }

    #[test]
    fn what_cannot_be_resolved_is_named() {
        let table = [
            ("!Ref Nobody", "Nobody in the template refers to nothing that exists here"),
            (
                "!GetAtt Queue.Color",
                "Queue.Color in the template refers to nothing that exists here",
            ),
            ("!If [Maybe, 1, 2]", "Maybe in the template refers to nothing that exists here"),
            ("!Sub '${Name'", "Sub in the template must be a text with a } for every ${"),
            ("!If [Loop, 1, 2]", "A value in the template must be nested at most 32 levels deep"),
        ];
        for (value, expected) in table {
            assert_eq!(resolve(value).unwrap_err(), expected, "{value}");
        }
        let message = resolve("!ImportValue x").unwrap_err();
        assert!(message.starts_with("the template uses ImportValue"), "{message}");
    }
}
