//! Everything that a template asks this machine to run, with all references resolved.

use std::collections::BTreeMap;

use super::function::{Function, Sources};
use super::queue::Queue;
use super::route::Routes;
use super::scope::{Names, REGION, Scope, URL_SUFFIX};
use super::secret::Secret;
use super::table::Table;
use super::{Kind, Resource, Template, TemplateError, parameter};

/// Where this machine serves what AWS would serve at its own addresses.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// Base URL of the HTTP API.
    pub(crate) api: String,
    /// Base URL of the queues.
    pub(crate) sqs: String,
}

/// The template as typed things.
#[derive(Debug)]
pub(crate) struct Blueprint {
    pub(crate) functions: Vec<Function>,
    pub(crate) routes: Routes,
    pub(crate) tables: Vec<Table>,
    pub(crate) queues: Vec<Queue>,
    pub(crate) secrets: Vec<Secret>,
    /// What `Ref` gives for each logical id.
    pub(crate) references: BTreeMap<String, String>,
}

impl Blueprint {
    pub(crate) fn new(
        template: &Template,
        given: &BTreeMap<String, String>,
        addresses: &Addresses,
    ) -> Result<Self, TemplateError> {
        let parameters = parameter::values(&template.parameters, given)?;
        // Conditions may refer to parameters only, so they are known before any resource is.
        let conditions = Scope::new(template, parameters.clone(), BTreeMap::new());
        let mut present = BTreeMap::new();
        for (id, resource) in &template.resources {
            if conditions.holds(resource.condition.as_deref())? {
                present.insert(id.as_str(), resource);
            }
        }
        let names = present
            .iter()
            .filter_map(|(id, resource)| Some(((*id).to_owned(), names(id, resource, addresses)?)))
            .collect::<BTreeMap<_, _>>();
        let references =
            names.iter().map(|(id, names)| (id.clone(), names.reference.clone())).collect();
        let scope = Scope::new(template, parameters, names);
        let of_kind = |kind: Kind| {
            present
                .iter()
                .filter(move |(_, resource)| resource.kind == kind)
                .map(|(id, r)| (*id, *r))
        };
        let tables = of_kind(Kind::Table)
            .map(|(id, r)| Table::parse(Table::name(id, &r.properties), &r.properties, &scope))
            .collect::<Result<Vec<_>, _>>()?;
        let queues = of_kind(Kind::Queue)
            .map(|(id, r)| Queue::parse(Queue::name(id, &r.properties), &r.properties, &scope))
            .collect::<Result<Vec<_>, _>>()?;
        let secrets = of_kind(Kind::Secret)
            .map(|(id, r)| Secret::parse(id, &r.properties, &scope))
            .collect::<Result<Vec<_>, _>>()?;
        let sources = Sources { tables: &tables, queues: &queues };
        let mut functions = of_kind(Kind::Function)
            .map(|(id, r)| Function::parse(id, r, &template.function_globals, &scope, sources))
            .collect::<Result<Vec<_>, _>>()?;
        point_home(&mut functions, of_kind(Kind::HttpApi).map(|(id, _)| id), &addresses.api);
        let routes = Routes::new(functions.iter().flat_map(|function| {
            let id = &function.logical_id;
            function.routes.iter().map(move |route| (route.clone(), id.clone()))
        }))?;
        Ok(Self { functions, routes, tables, queues, secrets, references })
    }
}

/// What a resource answers to `Ref` and `GetAtt`.
fn names(id: &str, resource: &Resource, addresses: &Addresses) -> Option<Names> {
    let (reference, attributes) = match resource.kind {
        Kind::Function => (id.to_owned(), vec![("Arn", Function::arn(id))]),
        Kind::HttpApi => (id.to_lowercase(), vec![("ApiEndpoint", addresses.api.clone())]),
        Kind::Table => {
            let name = Table::name(id, &resource.properties);
            let attributes =
                vec![("Arn", Table::arn(&name)), ("StreamArn", Table::stream_arn(&name))];
            (name, attributes)
        }
        Kind::Queue => {
            let name = Queue::name(id, &resource.properties);
            let url = format!("{}/{}/{name}", addresses.sqs, super::scope::ACCOUNT);
            let attributes = vec![
                ("Arn", Queue::arn(&name)),
                ("QueueName", name.clone()),
                ("QueueUrl", url.clone()),
            ];
            (url, attributes)
        }
        Kind::Secret => (Secret::arn(id), vec![("Id", Secret::arn(id))]),
        Kind::Alarm => return None,
    };
    Some(Names { reference, attributes: attributes.into_iter().collect() })
}

/// A template spells its API's own address out of the API's id; here that address is ours.
fn point_home<'a>(functions: &mut [Function], apis: impl Iterator<Item = &'a str>, address: &str) {
    let apis: Vec<_> = apis
        .map(|id| format!("https://{}.execute-api.{REGION}.{URL_SUFFIX}", id.to_lowercase()))
        .collect();
    for value in functions.iter_mut().flat_map(|function| function.environment.values_mut()) {
        for on_aws in &apis {
            *value = value.replace(on_aws, address);
        }
    }
}

#[cfg(test)]
mod tests;
