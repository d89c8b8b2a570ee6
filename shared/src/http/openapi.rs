//! The API as an OpenAPI 3.1 document, with the limits that are really checked.
//!
//! It is written out by `holdpoint openapi`, kept in the repository as `openapi.json`, and served.
//! Schemas are JSON Schema 2020-12, written as what they are.

mod accounts;
mod agents;
mod approvals;
mod dead_letters;
mod events;
mod health;
mod inbox;
mod intents;
mod keys;
mod mcp;
mod mesh;
mod operation;
mod pages;
mod parameter;
mod problem;
mod questions;
mod refusals;
mod scenarios;
mod schema;
mod steering;
mod suspension;
mod webhooks;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use self::operation::Operation;
use super::document::SEVERAL_SEGMENTS;

/// A group of operations, with the schemas that belong to it.
#[derive(Debug)]
struct Area {
    /// The group's name.
    tag: &'static str,
    /// What it is for.
    about: &'static str,
    operations: Vec<Operation>,
    schemas: Vec<(&'static str, Value)>,
}

/// The document, as it is kept in the repository.
pub fn text() -> String {
    format!("{:#}", document())
}

/// The document.
pub fn document() -> Value {
    let areas = areas();
    let mut codes = BTreeMap::new();
    let mut responses = BTreeMap::new();
    let named = |(name, schema): (&str, Value)| (name.to_owned(), schema);
    let mut schemas: Map<_, _> = questions::schemas().into_iter().map(named).collect();
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for area in &areas {
        for operation in &area.operations {
            let methods = paths.entry(operation.path).or_default();
            methods.insert(operation.method.to_owned(), operation.present(area.tag));
            responses.extend(operation.refusals.components());
            let said = operation.refusals.codes();
            codes.extend(said.map(|(code, detail)| (code, detail.to_owned())));
        }
        schemas
            .extend(area.schemas.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    }
    schemas.insert("Problem".to_owned(), problem::schema(&codes));
    let tags: Vec<_> =
        areas.iter().map(|area| json!({"name": area.tag, "description": area.about})).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Holdpoint",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Durable human approval for AI agents.",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Wherever this document was served."}],
        "security": [{"ApiKey": []}, {"Bearer": []}],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": {
                "ApiKey": {
                    "type": "apiKey", "in": "header", "name": "x-api-key",
                    "description": "A key of this deployment.",
                },
                "Bearer": {
                    "type": "http", "scheme": "bearer",
                    "description": "The same key. x-api-key goes before it.",
                },
            },
            "headers": operation::header_components(),
            "responses": responses,
            "schemas": schemas,
        },
    })
}

const ABOUT: &str = "\
An agent sends an intent. Where a person must sign off, the work stops at a hold point, and nothing \
runs while it waits. A reviewer decides, and the agent goes on with the answer.

Members that are not described are ignored in requests, and may be added to answers. A request \
without a body is one with an empty object. An X-Trace-Id of at most 128 visible characters comes \
back in the answer. Whatever is refused says which field, which limit and what would help.";

fn areas() -> Vec<Area> {
    vec![
        intents::area(),
        events::area(),
        steering::area(),
        suspension::area(),
        approvals::area(),
        inbox::area(),
        pages::area(),
        scenarios::area(),
        agents::area(),
        keys::area(),
        accounts::area(),
        mesh::area(),
        webhooks::area(),
        dead_letters::area(),
        mcp::area(),
        health::area(),
    ]
}
