//! JSON bodies.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Error;

/// The largest body of a request, in bytes. The contract's limit for creating an intent.
pub const BODY_BYTES_MAX: usize = 131_072;
/// The largest body of a request that carries a run state, in bytes.
pub const RUN_STATE_BODY_BYTES_MAX: usize = 384 * 1024;

/// The JSON body of a request. No body at all is read as an empty object, since clients of the
/// contract send the JSON content type with nothing behind it.
#[derive(Debug)]
pub struct Body<T>(pub T);

/// A JSON body with a limit of its own.
#[derive(Debug)]
pub struct BodyMax<const BYTES: usize, T>(pub T);

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
    let bytes = axum::body::to_bytes(request.into_body(), bytes_max)
        .await
        .map_err(|_| Error::TooLarge { bytes_max })?;
    let value = if bytes.is_empty() {
        Value::Object(Map::new())
    } else {
        serde_json::from_slice(&bytes)
            .map_err(|error| Error::malformed(format!("the body is not JSON: {error}")))?
    };
    if !value.is_object() {
        return Err(Error::malformed("the body is not a JSON object; send {\"name\": value, …}"));
    }
    // What is well-formed but has a field of the wrong kind names that kind, not a byte position.
    serde_json::from_value(value).map_err(|error| Error::field("", error.to_string()))
}
