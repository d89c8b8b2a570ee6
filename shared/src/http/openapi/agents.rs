//! Agents, and the routes that lead to them.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schema::{
    address, answer, count, instant, list, named, object, optional_text, optional_whole, or_null,
    said, text, uri, uuid, words,
};
use super::{Area, parameter, refusals};
use crate::callback::{CALLBACK_URL_BYTES_MAX, SECRET_CHARS_MAX, SECRET_CHARS_MIN};
use crate::error::Error;
use crate::http::wire::agent::AGENTS_MAX;
use crate::http::wire::route::DISPLAY_NAME_CHARS_MAX;
use crate::principal::Role;
use crate::registration::Standing;
use crate::route::CONCURRENT_TURNS_MAX;

/// The group.
pub(super) fn area() -> Area {
    Area {
        tag: "Agents",
        about: "Agents, and the routes that lead to them.",
        operations: vec![
            agents(),
            agent_at("/v1/agents/{a}", "getAgent1", &["a"]),
            agent_at("/v1/agents/{a}/{b}", "getAgent2", &["a", "b"]),
            agent_at("/v1/agents/{a}/{b}/{c}", "getAgent3", &["a", "b", "c"]),
            route(),
            put_route(),
        ],
        schemas: vec![("Agent", agent()), ("Route", route_schema()), ("NewRoute", new_route())],
    }
}

fn agents() -> Operation {
    let lists = json!({"agents": list(named("Agent")), "routes": list(named("Route"))});
    Operation::new("get", "/v1/agents", "listAgents", "List agents and routes")
        .with_query([
            parameter::query("org_id", "Only agents of this organization.", text()),
            parameter::query("workspace_id", "Only agents of this workspace.", text()),
            parameter::limit(AGENTS_MAX, AGENTS_MAX),
        ])
        .answering("Registered agents, and every route.", answer(lists))
}

fn agent_at(path: &'static str, id: &'static str, segments: &[&str]) -> Operation {
    let operation = Operation::new("get", path, id, "Look at an agent");
    segments
        .iter()
        .fold(operation, |operation, name| operation.with(parameter::segment(name)))
        .answering("The agent behind the address.", answer(json!({"agent": named("Agent")})))
        .refusing([Error::NotFound("agent"), refusals::wrong()])
}

fn route() -> Operation {
    Operation::new("get", "/v1/routes/{address}", "getRoute", "Look at a route")
        .with(parameter::address())
        .answering("The route.", one())
        .refusing([Error::NotFound("route"), refusals::wrong()])
}

fn put_route() -> Operation {
    let example = json!({"to": "agent://deployer", "human_task": {"title": "Sign off on it"}});
    Operation::new("put", "/v1/routes/{address}", "putRoute", "Make or change a route")
        .says(
            "Leads an address to an agent, with a person's sign-off if `human_task` is there. An agent's \
             own route says how it gets its intents; what is not named of that stays. With `http` each \
             turn is posted to `callback_url`, signed by Standard Webhooks 1.0 and `X-Axme-Signature`.",
        )
        .for_roles(&[Role::Admin])
        .with(parameter::address())
        .taking(named("NewRoute"), example)
        .or_nothing()
        .answering("The route.", one())
}

fn one() -> Value {
    answer(json!({
        "route": named("Route"),
        "effective_within_seconds": said("How long until it holds everywhere.", count()),
    }))
}

/// How an agent gets its intents, as it is sent.
pub(super) fn delivery_mode() -> Value {
    or_null(words(["stream", "poll", "http", "worker", "internal"]))
}

/// Where its turns are posted, as it is sent.
pub(super) fn callback_url() -> Value {
    let says = "Where its turns are posted: an https address that leads to no private network. Only \
                with `http`.";
    said(says, optional_text(CALLBACK_URL_BYTES_MAX))
}

/// What signs them, as it is sent.
pub(super) fn secret() -> Value {
    let secret = json!({
        "type": ["string", "null"],
        "minLength": SECRET_CHARS_MIN,
        "maxLength": SECRET_CHARS_MAX,
    });
    let says = "Signs what is posted; after `whsec_` it is base64. Only with `http`, and made if it is \
                missing.";
    said(says, secret)
}

/// What is shown of where turns are posted, to administrators.
pub(super) fn shown_callback_url() -> Value {
    said("Where its turns are posted, if they are; shown to administrators.", uri())
}

/// The secret, where it was made for the answer.
pub(super) fn shown_secret() -> Value {
    said("Signs what is posted; there in the one answer that made it.", text())
}

fn agent() -> Value {
    let all = [Standing::Active, Standing::Suspended, Standing::Killed, Standing::Deleted];
    object(
        &[
            "address",
            "service_account_id",
            "service_account_name",
            "display_name",
            "status",
            "delivery_mode",
            "created_at",
            "updated_at",
        ],
        json!({
            "address": uri(),
            "service_account_id": or_null(uuid()),
            "service_account_name": or_null(text()),
            "display_name": or_null(text()),
            "status": words(all.map(Standing::name)),
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
            "callback_url": shown_callback_url(),
            "secret": shown_secret(),
            "human_task": or_null(named("HumanTask")),
            "human_task_when": or_null(words(["on_result", "on_arrival"])),
            "display_name": or_null(text()),
            "max_concurrent_turns": or_null(count()),
            "updated_at": instant(),
        }),
    )
}

fn new_route() -> Value {
    object(
        &[],
        json!({
            "to": said("Where it leads; to itself if it is missing.", or_null(address())),
            "delivery_mode": delivery_mode(),
            "callback_url": callback_url(),
            "secret": secret(),
            "human_task": or_null(named("NewHumanTask")),
            "human_task_when": or_null(words(["on_result", "on_arrival"])),
            "display_name": optional_text(DISPLAY_NAME_CHARS_MAX),
            "max_concurrent_turns": said(
                "How many turns of the agent Holdpoint's own worker runs at once; any number if it is missing. Only where `to` is missing or the address itself.",
                optional_whole(1_u32, CONCURRENT_TURNS_MAX),
            ),
        }),
    )
}
