//! JSON bodies.

use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::Error;

/// The largest body of a request, in bytes. The contract's limit for creating an intent.
pub const BODY_BYTES_MAX: usize = 131_072;
/// The largest body of a request that carries a run state, in bytes.
pub const RUN_STATE_BODY_BYTES_MAX: usize = 384 * 1024;

/// How deep a body may be nested. What is stored wraps it in levels of its own, and no reader takes
/// more than 128 in all.
pub const BODY_DEPTH_MAX: usize = 64;

/// The JSON body of a request. No body at all is read as an empty object, since clients of the
/// contract send the JSON content type with nothing behind it.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body with a limit of its own.
#[derive(Debug)]
pub struct BodyMax<const BYTES: usize, T>(pub T);

/// JSON of any kind, not judged yet.
#[derive(Debug)]
pub struct AnyBody(pub Value);

impl<S: Send + Sync> FromRequest<S> for AnyBody {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        let json = is_json(request.headers());
        let bytes = bytes(request, BODY_BYTES_MAX).await?;
        if !json {
            return Err(Error::UnsupportedMediaType);
        }
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        read(request, BODY_BYTES_MAX).await.map(Self)
    }
}

impl<const BYTES: usize, S: Send + Sync, T: DeserializeOwned> FromRequest<S> for BodyMax<BYTES, T> {
    type Rejection = Error;

    async fn from_request(request: Request, _: &S) -> Result<Self, Error> {
        read(request, BYTES).await.map(Self)
    }
}

async fn read<T: DeserializeOwned>(request: Request, bytes_max: usize) -> Result<T, Error> {
    let json = is_json(request.headers());
    let bytes = bytes(request, bytes_max).await?;
    if !bytes.is_empty() && !json {
        return Err(Error::UnsupportedMediaType);
    }
    let value = if bytes.is_empty() { Value::Object(Map::new()) } else { parse(&bytes)? };
    if !value.is_object() {
        return Err(Error::malformed("the body is not a JSON object; send {\"name\": value, …}"));
    }
    of_kind(value)
}

/// Whether the body is said to be JSON. Nothing said is taken for it.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(CONTENT_TYPE) else { return true };
    let kind = kind.to_str().unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

async fn bytes(request: Request, bytes_max: usize) -> Result<Bytes, Error> {
    let read = axum::body::to_bytes(request.into_body(), bytes_max).await;
    read.map_err(|_| Error::TooLarge { bytes_max })
}

fn parse(bytes: &[u8]) -> Result<Value, Error> {
    let value = serde_json::from_slice(bytes)
        .map_err(|error| Error::malformed(format!("the body is not JSON: {error}")))?;
    if depth(&value) > BODY_DEPTH_MAX {
        let detail = format!("the body is nested deeper than {BODY_DEPTH_MAX} levels; flatten it");
        return Err(Error::malformed(detail));
    }
    Ok(value)
}

/// Reads well-formed JSON that may have a field of the wrong kind: names that field, not a byte
/// position.
pub(crate) fn of_kind<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        Error::field(field, error.into_inner().to_string())
    })
}

/// Reads a member that is an object, or null. Left to itself, a list would do as well: its items would
/// be taken for the members, one after the other.
pub(crate) fn optional_object<'de, T, D>(from: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::<Object<T>>::deserialize(from).map(|read| read.map(|Object(value)| value))
}

/// Something that is read from an object only.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

/// How deep the value is nested. The parser has bounded it already.
fn depth(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or(0),
    }
}
