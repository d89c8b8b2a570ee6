//! Requests, as the routers read them, and what a refusal must say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::extract::{FromRequest as _, FromRequestParts as _, Request};
use axum::http;
use futures_util::FutureExt as _;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use shared::error::{self, Error};
use shared::http::wire::create::Arrival;
use shared::http::{Body, Problem, Query, openapi};
use shared::principal::{Assurance, Principal, Role};
use uuid::Uuid;

/// The longest explanation of a refusal, in characters, with the name of its field.
const DETAIL_CHARS_MAX: usize = error::DETAIL_CHARS_MAX + error::FIELD_CHARS_MAX + 2;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(openapi::document);
/// Names of everything that each operation takes.
static FIELDS: LazyLock<BTreeMap<String, BTreeSet<&str>>> = LazyLock::new(|| {
    let paths = DESCRIPTION["paths"].as_object().expect("paths").iter();
    let operations = paths.flat_map(|(path, operations)| {
        let operations = operations.as_object().expect("operations").iter();
        operations.map(move |(method, it)| (format!("{} {path}", method.to_uppercase()), it))
    });
    operations.map(|(route, operation)| (route, fields(operation))).collect()
});

/// When all requests come: 2030-01-01T00:00:00Z.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_893_456_000).expect("a time")
}

/// Somebody who sends one.
pub(crate) fn principal(role: Role) -> Principal {
    Principal {
        tenant: "default".to_owned(),
        name: "somebody".to_owned(),
        role,
        address: None,
        assurance: Assurance::Key,
    }
}

pub(crate) fn arrival(by: &Principal) -> Arrival<'_> {
    Arrival { by, now: now(), correlation_id: Uuid::nil(), default_ttl_s: 604_800 }
}

/// Reads `bytes` as the body of a request.
pub(crate) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    let request = Request::new(axum::body::Body::from(bytes.to_vec()));
    let read = Body::<T>::from_request(request, &()).now_or_never();
    read.expect("a body in memory is there at once").map(|Body(read)| read)
}

/// Reads a query string; `None` for what can stand in no address.
pub(crate) fn query<T: DeserializeOwned + Send>(text: &str) -> Option<Result<T, Error>> {
    let request = http::Request::builder().uri(format!("/?{text}")).body(()).ok()?;
    let (mut parts, ()) = request.into_parts();
    let read = Query::<T>::from_request_parts(&mut parts, &()).now_or_never();
    Some(read.expect("a query is there at once").map(|Query(read)| read))
}

/// What came of a request to `route`, such as `POST /v1/intents`. A refusal must be one that the
/// API's description has, and the field that it names one of the description's, or of `sent`.
pub(crate) fn taken<T>(route: &str, sent: &[u8], read: Result<T, Error>) -> Option<T> {
    let error = match read {
        Ok(taken) => return Some(taken),
        Err(error) => error,
    };
    let problem = Problem::of(&error);
    let status = problem.status.as_str();
    let operation = operation(route);
    assert!(operation["responses"].get(status).is_some(), "{route} has no {status}: {error}");
    let chars = problem.detail.chars().count();
    assert!((1..=DETAIL_CHARS_MAX).contains(&chars), "{route} says {chars} characters");
    if let Some(field) = &problem.field {
        let first = field.split(['.', '[']).next().expect("a part");
        let sent: Value = serde_json::from_slice(sent).unwrap_or_default();
        let was_sent =
            || sent.as_object().is_some_and(|sent| sent.keys().any(|it| is_meant(field, it)));
        assert!(FIELDS[route].contains(first) || was_sent(), "{route} has no {field}: {error}");
    }
    None
}

/// Whether a refusal of `field` may be about `name`. A long name stands there by its beginning and its
/// end, with a mark between them that it may have itself.
pub(crate) fn is_meant(field: &str, name: &str) -> bool {
    let mut marks = field.match_indices('…');
    field.starts_with(name)
        || marks.any(|(at, mark)| {
            let (begins, ends) = (&field[..at], &field[at + mark.len()..]);
            !ends.is_empty() && name.starts_with(begins) && name.ends_with(ends)
        })
}

/// That the table gives back what was put into it.
pub(crate) fn stored<T: DeserializeOwned + PartialEq + Serialize>(value: &T) {
    let text = serde_json::to_string(value).expect("it is stored as JSON");
    let again: T = serde_json::from_str(&text).expect("what was stored can be read");
    assert!(again == *value, "another one came back: {text}");
}

/// The operation, as the API's description has it.
fn operation(route: &str) -> &'static Value {
    let (method, path) = route.split_once(' ').expect("a method and a path");
    let operation = &DESCRIPTION["paths"][path][method.to_lowercase()];
    assert!(operation.is_object(), "{route} is not described");
    operation
}

/// Names of everything that the operation takes.
fn fields(operation: &Value) -> BTreeSet<&str> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let parameters = parameters.map(|it| followed(it)["name"].as_str().expect("a name"));
    let mut fields: BTreeSet<&str> = parameters.collect();
    collect(&operation["requestBody"]["content"]["application/json"]["schema"], &mut fields);
    fields
}

fn collect<'a>(schema: &'a Value, into: &mut BTreeSet<&'a str>) {
    let schema = followed(schema);
    let properties = schema["properties"].as_object().into_iter().flatten();
    into.extend(properties.map(|(name, _)| name.as_str()));
    for combined in ["allOf", "anyOf", "oneOf"] {
        for one in schema[combined].as_array().into_iter().flatten() {
            collect(one, into);
        }
    }
}

fn followed(place: &Value) -> &Value {
    let reference = place["$ref"].as_str().map(|reference| reference.trim_start_matches('#'));
    reference.map_or(place, |pointer| DESCRIPTION.pointer(pointer).expect("it refers to something"))
}
