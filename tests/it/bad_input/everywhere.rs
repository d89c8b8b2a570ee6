//! Every operation of the API's description, and what it says to input that cannot be right.

use axum::http::request::Builder;
use serde_json::Value;
use tests::World;

use crate::harness::{bare, text};
use crate::openapi::{fault, operations};

/// Operations that take nothing which could be wrong.
const TAKE_NOTHING: [&str; 7] = [
    "GET /health",
    "GET /openapi.json",
    "GET /v1/capabilities",
    "GET /v1/diagnostics",
    "GET /v1/health",
    "GET /v1/me",
    "GET /v1/me/tasks",
];
/// What stands for any part of a path that must be readable.
const SOME_ID: &str = "0190a1b2-0000-7000-8000-000000000001";

/// An operation, as it is asked wrongly.
struct Wrong {
    path: String,
    kind: &'static str,
    body: &'static str,
    status: &'static [u16],
}

fn wrong(path: String, kind: &'static str, body: &'static str, status: &'static [u16]) -> Wrong {
    Wrong { path, kind, body, status }
}

/// The ways in which the operation can be asked wrongly, by what it takes.
fn ways(path: &str, operation: &Value) -> Vec<Wrong> {
    const JSON: &str = "application/json";
    let readable = filled(path, SOME_ID);
    let mut ways = vec![];
    if operation["requestBody"]["content"].get(JSON).is_some() {
        ways.push(wrong(readable.clone(), JSON, "{", &[400]));
        ways.push(wrong(readable.clone(), JSON, "7", &[400]));
        ways.push(wrong(readable.clone(), "text/plain", "{}", &[415]));
    }
    if operation["requestBody"]["content"].get("application/x-www-form-urlencoded").is_some() {
        ways.push(wrong(readable.clone(), JSON, "{}", &[404]));
    }
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters {
        let name = parameter["name"].as_str().unwrap();
        match parameter["in"].as_str().unwrap() {
            "query" => {
                ways.push(wrong(format!("{readable}?{name}=1&{name}=2"), JSON, "", &[400]));
            }
            "path" => ways.push(wrong(filled(path, "a%20b"), JSON, "", &[404, 422])),
            _ => {}
        }
    }
    ways
}

/// The path with `part` in the place of each parameter.
fn filled(path: &str, part: &str) -> String {
    let parts = path.split('/').map(|it| if it.starts_with('{') { part } else { it });
    parts.collect::<Vec<_>>().join("/")
}

/// A request by a key that the operation is for.
fn by(world: &World, operation: &Value, request: Builder) -> Builder {
    let roles = operation["x-roles"].as_array();
    match roles.and_then(|roles| roles[0].as_str()) {
        Some("agent") => request.header("x-api-key", &world.agent),
        Some("reviewer") => request.header("x-api-key", &world.reviewer),
        Some(_) => request.header("x-api-key", &world.admin),
        None => request,
    }
}

#[tokio::test]
async fn every_operation_refuses_what_cannot_be_right_as_it_is_described_and_changes_nothing() {
    let world = World::new().await;
    let before = world.table.items().await;
    let (mut faults, mut take_nothing) = (vec![], vec![]);
    for (route, operation) in operations() {
        let (method, path) = route.split_once(' ').unwrap();
        let ways = ways(path, operation);
        if ways.is_empty() {
            take_nothing.push(route.clone());
        }
        for Wrong { path: asked, kind, body, status } in ways {
            let request = by(&world, operation, bare(method, &asked)).header("content-type", kind);
            let answer = world.send(request, text(body)).await;
            if !status.contains(&answer.status.as_u16()) {
                faults.push(format!("{method} {asked} {body}: {} {}", answer.status, answer.text));
            }
            faults.extend(fault(method, path, &answer).map(|it| format!("{method} {asked}: {it}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(take_nothing, TAKE_NOTHING);
    assert_eq!(world.table.items().await, before);
}
