//! Agents, and the routes that lead to them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    address, answer, count, instant, list, named, object, optional_text, or_null, said, text, uri,
    words,
};
use super::{Area, parameter};
use crate::error::Error;
use crate::http::wire::route::DISPLAY_NAME_CHARS_MAX;
use crate::principal::Role;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Agents",
        about: "Agents, and the routes that lead to them.",
        operations: vec![agents(), route(), put_route()],
        schemas: vec![("Agent", agent()), ("Route", route_schema()), ("NewRoute", new_route())],
    }
}

fn agents() -> Operation {
    let lists = json!({"agents": list(named("Agent")), "routes": list(named("Route"))});
    Operation::new("get", "/v1/agents", "listAgents", "List agents and routes")
        .answering("Every registered agent, and every route.", answer(lists))
}

fn route() -> Operation {
    Operation::new("get", "/v1/routes/{address}", "getRoute", "Look at a route")
        .with(parameter::address())
        .answering("The route.", one())
        .refusing([Error::NotFound("route"), super::refusals::wrong()])
}

fn put_route() -> Operation {
    let example = json!({"to": "agent://deployer", "human_task": {"title": "Sign off on it"}});
    Operation::new("put", "/v1/routes/{address}", "putRoute", "Make or change a route")
        .says("Leads an address to an agent, with a person's sign-off if `human_task` is there.")
        .for_roles(&[Role::Admin])
        .with(parameter::address())
        .taking(named("NewRoute"), example)
        .answering("The route.", one())
}

fn one() -> Value {
    answer(json!({
        "route": named("Route"),
        "effective_within_seconds": said("How long until it holds everywhere.", count()),
    }))
}

fn agent() -> Value {
    object(
        &["address", "status", "created_at"],
        json!({
            "address": uri(),
            "display_name": or_null(text()),
            "status": text(),
            "delivery_mode": text(),
            "created_at": instant(),
            "updated_at": instant(),
        }),
    )
}

fn route_schema() -> Value {
    object(
        &["address", "to", "delivery_mode", "human_task", "updated_at"],
        json!({
            "address": uri(),
            "to": uri(),
            "delivery_mode": text(),
            "human_task": or_null(named("HumanTask")),
            "human_task_when": or_null(words(["on_result", "on_arrival"])),
            "display_name": or_null(text()),
            "updated_at": instant(),
        }),
    )
}

fn new_route() -> Value {
    object(
        &[],
        json!({
            "to": said("Where it leads; to itself if it is missing.", or_null(address())),
            "delivery_mode": or_null(words(["stream", "poll", "worker", "internal"])),
            "human_task": or_null(named("NewHumanTask")),
            "human_task_when": or_null(words(["on_result", "on_arrival"])),
            "display_name": optional_text(DISPLAY_NAME_CHARS_MAX),
        }),
    )
}
