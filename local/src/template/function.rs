//! A function of the template: its binary, its limits, its environment and what invokes it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value as Json;
use serde_yaml_ng::Value as Yaml;

use super::queue::{Queue, QueueSource};
use super::route::Route;
use super::schedule::Schedule;
use super::scope::{ACCOUNT, REGION, Scope, text_of, whole_of};
use super::table::{StreamSource, Table};
use super::{Resource, TemplateError, entries, shape};

const TIMEOUT_DEFAULT_S: u64 = 3;
const MEMORY_DEFAULT_MIB: u64 = 128;

/// One `AWS::Serverless::Function`, with the globals merged under it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Function {
    pub(crate) logical_id: String,
    /// The name of its executable.
    pub(crate) binary: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) timeout: Duration,
    pub(crate) memory_mib: u64,
    pub(crate) routes: Vec<Route>,
    pub(crate) queue_sources: Vec<QueueSource>,
    pub(crate) stream_sources: Vec<StreamSource>,
    pub(crate) schedules: Vec<Schedule>,
}

/// What a function's events may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    pub(crate) tables: &'a [Table],
    pub(crate) queues: &'a [Queue],
}

impl Function {
    pub(crate) fn arn(logical_id: &str) -> String {
        format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:{logical_id}")
    }

    pub(crate) fn parse(
        logical_id: &str,
        resource: &Resource,
        globals: &Yaml,
        scope: &Scope<'_>,
        sources: Sources<'_>,
    ) -> Result<Self, TemplateError> {
        let properties = &resource.properties;
        let binary = resource.metadata.get("BuildProperties").and_then(|build| build.get("Binary"));
        let binary = binary.and_then(Yaml::as_str).ok_or_else(|| {
            let place = format!("Metadata.BuildProperties.Binary of function {logical_id}");
            shape(place, "the name of its executable")
        })?;
        let whole = |key: &str, default: u64| -> Result<u64, TemplateError> {
            let Some(value) = properties.get(key).or_else(|| globals.get(key)) else {
                return Ok(default);
            };
            let value = scope.resolve(value)?;
            let place = format!("{key} of function {logical_id}");
            value.as_ref().and_then(whole_of).ok_or_else(|| shape(place, "a whole number"))
        };
        let mut function = Self {
            logical_id: logical_id.to_owned(),
            binary: binary.to_owned(),
            environment: environment(logical_id, [globals, properties], scope)?,
            timeout: Duration::from_secs(whole("Timeout", TIMEOUT_DEFAULT_S)?),
            memory_mib: whole("MemorySize", MEMORY_DEFAULT_MIB)?,
            routes: Vec::new(),
            queue_sources: Vec::new(),
            stream_sources: Vec::new(),
            schedules: Vec::new(),
        };
        if let Some(events) = properties.get("Events") {
            for (event, value) in entries(&format!("Events of function {logical_id}"), events)? {
                function.add_event(&event, &value, scope, sources)?;
            }
        }
        Ok(function)
    }

    fn add_event(
        &mut self,
        event: &str,
        value: &Yaml,
        scope: &Scope<'_>,
        sources: Sources<'_>,
    ) -> Result<(), TemplateError> {
        let place = format!("Event {event} of function {}", self.logical_id);
        let kind = value.get("Type").and_then(Yaml::as_str).unwrap_or_default();
        let properties = value.get("Properties").unwrap_or(&Yaml::Null);
        match kind {
            "HttpApi" => {
                let part = |key: &str| {
                    let value = properties.get(key);
                    let value = value.ok_or_else(|| shape(&place, "given Method and Path"))?;
                    scope.text(&place, value)
                };
                self.routes.push(Route::parse(&part("Method")?, &part("Path")?)?);
            }
            "SQS" => {
                let source = QueueSource::parse(&place, properties, scope, sources.queues)?;
                self.queue_sources.push(source);
            }
            "DynamoDB" => {
                let Sources { tables, queues } = sources;
                let source = StreamSource::parse(&place, properties, scope, tables, queues)?;
                self.stream_sources.push(source);
            }
            "Schedule" | "ScheduleV2" => {
                self.schedules.push(Schedule::parse(event, properties, scope)?);
            }
            _ => {
                return Err(TemplateError::EventType {
                    function: self.logical_id.clone(),
                    event: event.to_owned(),
                    kind: kind.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// The variables of every layer, later layers over earlier ones.
fn environment(
    logical_id: &str,
    layers: [&Yaml; 2],
    scope: &Scope<'_>,
) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut environment = BTreeMap::new();
    for layer in layers {
        let variables = layer.get("Environment").and_then(|value| value.get("Variables"));
        let Some(variables) = variables.map(|variables| scope.resolve(variables)).transpose()?
        else {
            continue;
        };
        let place = format!("Environment of function {logical_id}");
        let Some(Json::Object(variables)) = variables else {
            return Err(shape(place, "a map of variables"));
        };
        for (name, value) in variables {
            let value = text_of(&value).ok_or_else(|| shape(&place, "a map of texts"))?;
            environment.insert(name, value);
        }
    }
    Ok(environment)
}
