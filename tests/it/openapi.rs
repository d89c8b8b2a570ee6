//! The API's description: that it is the one that the code writes, names every route, is sound, and
//! is what the service really answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{LazyLock, Mutex};

use jsonschema::Validator;
use serde_json::{Value, json};
use shared::http::{DOCUMENT, openapi};
use tests::binaries::checkout;
use tests::{Answer, Program, Python, World};

use crate::access::template_routes;
use crate::harness::text;

/// Routes of the template that do nothing but say that the path takes other methods.
const REFUSING: [&str; 2] = ["GET /mcp", "DELETE /mcp"];

/// What is done to an agent, at the end of a path.
const SWITCHES: [&str; 2] = ["/kill", "/resume"];

static DESCRIPTION: LazyLock<Value> = LazyLock::new(openapi::document);

#[test]
fn the_description_is_the_one_that_the_code_writes() {
    let now = openapi::text();
    let again = "the API has changed; write it down: cargo run -- openapi > openapi.json";
    assert!(DOCUMENT.trim_end() == now, "{again}");
}

#[test]
fn the_description_has_every_route_of_the_template_and_no_other() {
    let deployed: BTreeSet<String> = template_routes()
        .into_iter()
        .filter(|route| !REFUSING.contains(&route.as_str()))
        .map(|route| route.replace("+}", "}"))
        .collect();
    let described: BTreeSet<String> =
        operations().map(|(route, _)| without_switch(&route)).collect();
    assert_eq!(described, deployed);
}

#[test]
fn every_operation_has_a_name_of_its_own() {
    let names: Vec<&str> =
        operations().map(|(_, operation)| operation["operationId"].as_str().unwrap()).collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
}

#[test]
fn every_example_is_what_its_schema_says() {
    for (route, operation) in operations() {
        let content = operation["requestBody"]["content"].as_object();
        for (kind, content) in content.into_iter().flatten() {
            let Some(example) = content.get("example") else {
                assert_eq!(kind, "application/x-www-form-urlencoded", "{route} has no example");
                continue;
            };
            let place = format!("{}/requestBody/content/{}", place_of(&route), escaped(kind));
            let fault = judge(&format!("{place}/schema"), example);
            assert_eq!(fault, None, "{route}: {example}");
        }
    }
}

#[tokio::test]
async fn an_example_of_a_request_is_taken() {
    let world = World::new().await;
    for (key, path) in [
        (&world.agent, "/v1/intents"),
        (&world.agent, "/v1/scenarios/validate"),
        (&world.agent, "/v1/scenarios/apply"),
        (&world.admin, "/v1/keys"),
        (&world.agent, "/mcp"),
    ] {
        let body = &DESCRIPTION["paths"][path]["post"]["requestBody"]["content"];
        let answer = world.post(key, path, &body["application/json"]["example"]).await;
        assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.text);
    }
}

#[tokio::test]
async fn it_is_served_to_anybody() {
    let world = World::new().await;
    let served = world.get("", "/openapi.json").await;
    assert_eq!(served.text, DOCUMENT);
    assert_eq!(served.headers["content-type"], "application/json");
    assert_eq!(served.headers["cache-control"], "public, max-age=300");
}

#[tokio::test]
async fn a_body_in_another_form_than_json_is_refused_and_one_in_none_is_json() {
    let world = World::new().await;
    let ask = async |kind: Option<&str>| {
        let mut request = crate::harness::bare("POST", "/v1/scenarios/validate");
        request = request.header("x-api-key", &world.agent);
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        world.send(request, text("{}")).await.status.as_u16()
    };
    for kind in ["application/json", "Application/JSON; charset=utf-8", "application/merge+json"] {
        assert_eq!(ask(Some(kind)).await, 200, "{kind}");
    }
    assert_eq!(ask(None).await, 200);
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "", "json"] {
        assert_eq!(ask(Some(kind)).await, 415, "{kind}");
    }
}

#[test]
fn the_description_is_sound() {
    let requirements = checkout().join("tests/python/openapi/requirements.txt");
    let Some(python) = Python::with(&requirements) else { return };
    let mut command = python.program("openapi-spec-validator");
    Program::run(command.args(["--schema", "3.1"]).arg(checkout().join("openapi.json")))
        .with_code(0);
}

/// What is wrong with an answer, by the description.
pub(crate) fn fault(method: &str, pattern: &str, answer: &Answer) -> Option<String> {
    let switches = method == "POST" && pattern == "/v1/mesh/agents/{address+}";
    let switch = if switches { SWITCHES[0] } else { "" };
    let route = format!("{method} {}{switch}", pattern.replace("+}", "}"));
    if REFUSING.contains(&route.as_str()) {
        return None;
    }
    let status = answer.status.as_u16();
    let place = followed(format!("{}/responses/{status}", place_of(&route)));
    let described = DESCRIPTION.pointer(&place);
    let Some(described) = described else { return Some(format!("{status} is not described")) };
    for name in described["headers"].as_object().into_iter().flat_map(|headers| headers.keys()) {
        let header = DESCRIPTION.pointer(&followed(format!("{place}/headers/{name}"))).unwrap();
        if header["required"] == true && !answer.headers.contains_key(name) {
            return Some(format!("{status} has no header {name}"));
        }
    }
    let kind = answer.headers.get("content-type").map(|kind| kind.to_str().unwrap());
    let kind = kind.and_then(|kind| kind.split(';').next());
    let Some(kind) = kind else {
        return described.get("content").map(|_| format!("{status} has no content"));
    };
    if described["content"].get(kind).is_none() {
        return Some(format!("{status} as {kind} is not described"));
    }
    let bodies = match kind {
        "text/event-stream" => frames(&answer.text),
        "text/html" => vec![json!(answer.text)],
        _ => vec![answer.json()],
    };
    let place = format!("{place}/content/{}/schema", escaped(kind));
    bodies.iter().find_map(|body| judge(&place, body)).map(|fault| format!("{status}: {fault}"))
}

/// The server-sent events of a stream, each as an object.
fn frames(text: &str) -> Vec<Value> {
    let frame = |text: &str| -> Value {
        let line =
            |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), json!(value)));
        text.lines().filter_map(line).collect()
    };
    text.split("\n\n").filter(|text| !text.is_empty()).map(frame).collect()
}

/// The route of the template: gateways let no path go on behind an address, so one route takes both.
fn without_switch(route: &str) -> String {
    let is_one = |end: &&&str| route.starts_with("POST /v1/mesh/") && route.ends_with(**end);
    let end = SWITCHES.iter().find(is_one).copied().unwrap_or_default();
    route.strip_suffix(end).unwrap_or(route).to_owned()
}

/// Each operation, under `METHOD /path`.
pub(crate) fn operations() -> impl Iterator<Item = (String, &'static Value)> {
    let paths = DESCRIPTION["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap().iter();
        methods.map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    })
}

/// Where the description has the operation.
fn place_of(route: &str) -> String {
    let (method, path) = route.split_once(' ').unwrap();
    format!("/paths/{}/{}", escaped(path), method.to_lowercase())
}

/// The place that the one at `place` refers to, if it does.
fn followed(place: String) -> String {
    let refers = |at: &Value| Some(at.get("$ref")?.as_str()?.trim_start_matches('#').to_owned());
    DESCRIPTION.pointer(&place).and_then(refers).unwrap_or(place)
}

/// A name as part of a JSON Pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What the schema at `place` finds wrong with `value`.
fn judge(place: &str, value: &Value) -> Option<String> {
    static JUDGES: Mutex<BTreeMap<String, Validator>> = Mutex::new(BTreeMap::new());
    let mut judges = JUDGES.lock().unwrap();
    let judge = judges.entry(place.to_owned()).or_insert_with(|| {
        let mut schema =
            json!({"$ref": format!("#{}", place.replace('{', "%7B").replace('}', "%7D"))});
        schema["paths"] = DESCRIPTION["paths"].clone();
        schema["components"] = DESCRIPTION["components"].clone();
        jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap()
    });
    let faults: Vec<String> = judge
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    (!faults.is_empty()).then(|| faults.join("; "))
}
