//! The SAM template as it is written: sections and resources, nothing resolved yet.

use std::collections::BTreeMap;

use serde_yaml_ng::Value as Yaml;

pub(crate) mod blueprint;
pub(crate) mod filter;
pub(crate) mod function;
pub(crate) mod parameter;
pub(crate) mod queue;
pub(crate) mod route;
pub(crate) mod schedule;
pub(crate) mod scope;
pub(crate) mod secret;
pub(crate) mod table;

use blueprint::{Addresses, Blueprint};
use filter::EventFilter;
use parameter::Parameter;

/// A template that parsed, with every resource of a kind that this machine can run.
#[derive(Debug)]
pub(crate) struct Template {
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) conditions: BTreeMap<String, Yaml>,
    /// What `Globals.Function` gives to every function.
    pub(crate) function_globals: Yaml,
    pub(crate) resources: BTreeMap<String, Resource>,
}

/// One resource under its logical id.
#[derive(Debug)]
pub(crate) struct Resource {
    pub(crate) kind: Kind,
    pub(crate) properties: Yaml,
    pub(crate) metadata: Yaml,
    pub(crate) condition: Option<String>,
}

/// The resource types that mean something on one machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Function,
    HttpApi,
    Table,
    Queue,
    Secret,
    /// An alarm has nobody to call here, so it is read over.
    Alarm,
}

/// Why a template cannot be run here.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// The text is not YAML.
    #[error("the template is not valid YAML; correct it and start again")]
    Yaml(#[source] serde_yaml_ng::Error),
    /// A part is missing or has the wrong shape.
    #[error("{place} in the template must be {expected}")]
    Shape {
        /// Where in the template.
        place: String,
        /// What belongs there.
        expected: &'static str,
    },
    /// A resource type that has no stand-in on this machine.
    #[error(
        "resource {resource} has type {kind}, which cannot run on one machine; supported are {}",
        Kind::NAMES.map(|(name, _)| name).join(", ")
    )]
    ResourceType {
        /// The resource's logical id.
        resource: String,
        /// Its type.
        kind: String,
    },
    /// An event source that has no stand-in on this machine.
    #[error(
        "event {event} of function {function} has type {kind}, which cannot run on one machine; \
         supported are HttpApi, SQS, DynamoDB, Schedule and ScheduleV2"
    )]
    EventType {
        /// The function's logical id.
        function: String,
        /// The event's name.
        event: String,
        /// Its type.
        kind: String,
    },
    /// A value was given for a parameter that the template does not have.
    #[error("the template has no parameter {name}; it has {known}")]
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// The names that exist.
        known: String,
    },
    /// A parameter has neither a value nor a default.
    #[error("parameter {name} has no default; give it a value")]
    MissingParameter {
        /// The parameter.
        name: String,
    },
    /// A parameter's value is outside what the template allows.
    #[error("parameter {name} must be {expected}")]
    ParameterValue {
        /// The parameter.
        name: String,
        /// What the template allows.
        expected: String,
    },
    /// A reference to something that does not exist or has no value here.
    #[error("{reference} in the template refers to nothing that exists here")]
    Reference {
        /// What was referred to.
        reference: String,
    },
    /// An intrinsic function outside the supported set.
    #[error(
        "the template uses {tag}, which is not supported on one machine; supported are Ref, \
         GetAtt, Sub, If, Not, And, Or, Equals, Join and Condition"
    )]
    Intrinsic {
        /// The function's name.
        tag: String,
    },
    /// A schedule other than a rate.
    #[error("schedule {expression} is not supported on one machine; use rate(N minutes)")]
    Schedule {
        /// The expression.
        expression: String,
    },
    /// A rule of an event source's filter that this machine does not know.
    #[error(
        "{place} in the template has {rule}, which is not supported on one machine; supported are \
         texts, prefix and exists"
    )]
    FilterRule {
        /// Where in the template.
        place: String,
        /// The rule.
        rule: String,
    },
    /// Two routes that cannot be told apart.
    #[error("route {route} is given to both {first} and {second}; keep one of them")]
    DuplicateRoute {
        /// Method and path.
        route: String,
        /// The function that has it.
        first: String,
        /// The function that wants it too.
        second: String,
    },
}

/// Reads a template as [`Stack::start`](crate::Stack::start) does, with these values of its
/// parameters, and starts nothing.
pub fn check_template(text: &str, given: &BTreeMap<String, String>) -> Result<(), TemplateError> {
    blueprint(text, given).map(|_| ())
}

/// What the function with this logical id is invoked with, of all that tables' streams say: a filter
/// for each of its streams.
pub fn stream_filters(text: &str, function: &str) -> Result<Vec<EventFilter>, TemplateError> {
    let functions = blueprint(text, &BTreeMap::new())?.functions.into_iter();
    let sources = functions.filter(|it| it.logical_id == function).flat_map(|it| it.stream_sources);
    Ok(sources.map(|source| source.filter).collect())
}

fn blueprint(text: &str, given: &BTreeMap<String, String>) -> Result<Blueprint, TemplateError> {
    let anywhere = || "http://127.0.0.1".to_owned();
    let addresses = Addresses { api: anywhere(), sqs: anywhere() };
    Blueprint::new(&Template::parse(text)?, given, &addresses)
}

impl Template {
    /// Reads a template's text.
    pub(crate) fn parse(text: &str) -> Result<Self, TemplateError> {
        let root: Yaml = serde_yaml_ng::from_str(text).map_err(TemplateError::Yaml)?;
        let resources = section(&root, "Resources")?
            .into_iter()
            .map(|(id, value)| Resource::parse(&id, &value).map(|resource| (id, resource)))
            .collect::<Result<BTreeMap<_, _>, _>>()?;
        if resources.is_empty() {
            return Err(shape("Resources", "a map with at least one resource"));
        }
        let parameters = section(&root, "Parameters")?
            .into_iter()
            .map(|(name, value)| Parameter::parse(&name, &value).map(|value| (name, value)))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            parameters,
            conditions: section(&root, "Conditions")?,
            function_globals: root
                .get("Globals")
                .and_then(|globals| globals.get("Function"))
                .cloned()
                .unwrap_or(Yaml::Null),
            resources,
        })
    }
}

impl Resource {
    fn parse(id: &str, value: &Yaml) -> Result<Self, TemplateError> {
        let name = value
            .get("Type")
            .and_then(Yaml::as_str)
            .ok_or_else(|| shape(format!("Resources.{id}.Type"), "the name of a resource type"))?;
        let kind = Kind::parse(name).ok_or_else(|| TemplateError::ResourceType {
            resource: id.to_owned(),
            kind: name.to_owned(),
        })?;
        Ok(Self {
            kind,
            properties: value.get("Properties").cloned().unwrap_or(Yaml::Null),
            metadata: value.get("Metadata").cloned().unwrap_or(Yaml::Null),
            condition: value.get("Condition").and_then(Yaml::as_str).map(str::to_owned),
        })
    }
}

impl Kind {
    const NAMES: [(&'static str, Self); 6] = [
        ("AWS::Serverless::Function", Self::Function),
        ("AWS::Serverless::HttpApi", Self::HttpApi),
        ("AWS::DynamoDB::Table", Self::Table),
        ("AWS::SQS::Queue", Self::Queue),
        ("AWS::SecretsManager::Secret", Self::Secret),
        ("AWS::CloudWatch::Alarm", Self::Alarm),
    ];

    fn parse(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, kind)| kind)
    }
}

/// The error for a part that is missing or misshapen.
pub(crate) fn shape(place: impl Into<String>, expected: &'static str) -> TemplateError {
    TemplateError::Shape { place: place.into(), expected }
}

/// A top-level section as a map; absent means empty.
fn section(root: &Yaml, name: &str) -> Result<BTreeMap<String, Yaml>, TemplateError> {
    match root.get(name) {
        None | Some(Yaml::Null) => Ok(BTreeMap::new()),
        Some(value) => entries(name, value),
    }
}

/// A mapping whose keys are all strings.
pub(crate) fn entries(place: &str, value: &Yaml) -> Result<BTreeMap<String, Yaml>, TemplateError> {
    let mapping = value.as_mapping().ok_or_else(|| shape(place, "a map"))?;
    mapping
        .iter()
        .map(|(key, value)| match key.as_str() {
            Some(key) => Ok((key.to_owned(), value.clone())),
            None => Err(shape(place, "a map with strings as keys")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        Template::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn a_resource_type_without_a_stand_in_is_named() {
        let text = "Resources: {Bucket: {Type: 'AWS::S3::Bucket'}}";
        let message = refusal(text);
        assert!(message.starts_with("resource Bucket has type AWS::S3::Bucket"), "{message}");
        assert!(message.contains("AWS::DynamoDB::Table"), "{message}");
    }

    #[test]
    fn a_template_without_resources_is_refused() {
        assert_eq!(
            refusal("Transform: x"),
            "Resources in the template must be a map with at least one resource"
        );
    }

    #[test]
    fn text_that_is_not_yaml_is_refused() {
        assert!(refusal("Resources: [").starts_with("the template is not valid YAML"));
    }

    #[test]
    fn a_resource_without_a_type_is_refused() {
        assert!(refusal("Resources: {Thing: {}}").starts_with("Resources.Thing.Type"));
    }
}
