//! A parameter of the template: its default and the values it allows.

use std::collections::BTreeMap;

use serde_yaml_ng::Value as Yaml;

use super::TemplateError;

/// One entry of `Parameters`.
#[derive(Debug)]
pub(crate) struct Parameter {
    default: Option<String>,
    number: bool,
    min: Option<f64>,
    max: Option<f64>,
    allowed: Vec<String>,
}

impl Parameter {
    pub(crate) fn parse(name: &str, value: &Yaml) -> Result<Self, TemplateError> {
        let kind = value.get("Type").and_then(Yaml::as_str);
        let kind = kind.ok_or_else(|| {
            super::shape(format!("Parameters.{name}.Type"), "the name of a parameter type")
        })?;
        let allowed = value.get("AllowedValues").and_then(Yaml::as_sequence);
        Ok(Self {
            default: value.get("Default").and_then(scalar),
            number: kind == "Number",
            min: value.get("MinValue").and_then(Yaml::as_f64),
            max: value.get("MaxValue").and_then(Yaml::as_f64),
            allowed: allowed
                .map(|list| list.iter().filter_map(scalar).collect())
                .unwrap_or_default(),
        })
    }

    /// The value that counts: what was given, or else the default.
    fn value(&self, name: &str, given: Option<&String>) -> Result<String, TemplateError> {
        let missing = || TemplateError::MissingParameter { name: name.to_owned() };
        let value = given.cloned().or_else(|| self.default.clone()).ok_or_else(missing)?;
        match self.objection(&value) {
            None => Ok(value),
            Some(expected) => {
                Err(TemplateError::ParameterValue { name: name.to_owned(), expected })
            }
        }
    }

    fn objection(&self, value: &str) -> Option<String> {
        if !self.allowed.is_empty() && !self.allowed.iter().any(|allowed| allowed == value) {
            return Some(format!("one of {}", self.allowed.join(", ")));
        }
        if !self.number {
            return None;
        }
        let Ok(number) = value.parse::<f64>() else {
            return Some("a number".to_owned());
        };
        match (self.min, self.max) {
            (Some(min), _) if number < min => Some(format!("at least {min}")),
            (_, Some(max)) if number > max => Some(format!("at most {max}")),
            (_, _) => None,
        }
    }
}

/// Every parameter's value, defaults overridden by what was given.
pub(crate) fn values(
    parameters: &BTreeMap<String, Parameter>,
    given: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    if let Some(name) = given.keys().find(|name| !parameters.contains_key(*name)) {
        let known = parameters.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(TemplateError::UnknownParameter { name: name.clone(), known });
    }
    parameters
        .iter()
        .map(|(name, parameter)| {
            parameter.value(name, given.get(name)).map(|value| (name.clone(), value))
        })
        .collect()
}

/// A YAML scalar as the text that CloudFormation would make of it.
pub(crate) fn scalar(value: &Yaml) -> Option<String> {
    match value {
        Yaml::String(text) => Some(text.clone()),
        Yaml::Number(number) => Some(number.to_string()),
        Yaml::Bool(flag) => Some(flag.to_string()),
        Yaml::Null | Yaml::Sequence(_) | Yaml::Mapping(_) | Yaml::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str, given: &[(&str, &str)]) -> Result<BTreeMap<String, String>, String> {
        let yaml: Yaml = serde_yaml_ng::from_str(yaml).unwrap();
        let parameters = crate::template::entries("Parameters", &yaml)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.clone(), Parameter::parse(&name, &value).unwrap()))
            .collect();
        let given = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        values(&parameters, &given).map_err(|error| error.to_string())
    }

    #[test]
    fn a_given_value_replaces_the_default() {
        let yaml = "{A: {Type: Number, Default: 5}, B: {Type: String, Default: x}}";
        let values = check(yaml, &[("B", "y")]).unwrap();
        assert_eq!(values["A"], "5");
        assert_eq!(values["B"], "y");
    }

    #[test]
    fn an_unknown_name_is_answered_with_the_known_ones() {
        let yaml = "{A: {Type: String, Default: x}, B: {Type: String, Default: x}}";
        let message = check(yaml, &[("C", "y")]).unwrap_err();
        assert_eq!(message, "the template has no parameter C; it has A, B");
    }

    #[test]
    fn values_outside_what_the_template_allows_are_refused() {
        let table = [
            ("{A: {Type: Number, Default: 5, MinValue: 1}}", "0", "A must be at least 1"),
            ("{A: {Type: Number, Default: 5, MaxValue: 9}}", "10", "A must be at most 9"),
            ("{A: {Type: Number, Default: 5}}", "many", "A must be a number"),
            (
                "{A: {Type: String, Default: a, AllowedValues: [a, b]}}",
                "c",
                "A must be one of a, b",
            ),
        ];
        for (yaml, value, expected) in table {
            let message = check(yaml, &[("A", value)]).unwrap_err();
            assert_eq!(message, format!("parameter {expected}"));
        }
    }

    #[test]
    fn a_parameter_without_default_needs_a_value() {
        let message = check("{A: {Type: String}}", &[]).unwrap_err();
        assert_eq!(message, "parameter A has no default; give it a value");
    }
}
