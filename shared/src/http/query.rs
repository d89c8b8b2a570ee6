//! Query strings, paths and headers, with refusals in the contract's form.

use axum::extract::{FromRequestParts, Path, Query as AxumQuery, RawPathParams};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::account::AccountId;
use crate::address::Address;
use crate::app::App;
use crate::dead_letter::DeadLetterId;
use crate::error::Error;
use crate::id::IntentId;
use crate::key::ID_BYTES;
use crate::webhook::{EventId, SubscriptionId};

/// The longest idempotency key, in characters. The contract's limit.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;

/// The query string.
#[derive(Debug)]
pub struct Query<T>(pub T);

/// The intent that a path names. Whatever is no id names no intent.
#[derive(Debug)]
pub struct Id(pub IntentId);

/// The public id of a key that a path names. Whatever is no id names no key.
#[derive(Debug)]
pub struct KeyPath(pub String);

/// The webhook subscription that a path names. Whatever is no id names none.
#[derive(Debug)]
pub struct SubscriptionPath(pub SubscriptionId);

/// The published event that a path names. Whatever is no id names none.
#[derive(Debug)]
pub struct EventPath(pub EventId);

/// The dead letter that a path names. Whatever is no id names none.
#[derive(Debug)]
pub struct DeadLetterPath(pub DeadLetterId);

/// The service account that a path names. Whatever is no id names no account.
#[derive(Debug)]
pub struct AccountPath(pub AccountId);

/// The address that the parts of a path spell, one to three of them.
#[derive(Debug)]
pub struct AddressPath(pub Address);

/// The key under which a repeated request is one.
#[derive(Debug)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let query = AxumQuery::from_request_parts(parts, state).await;
        let refused = |error: axum::extract::rejection::QueryRejection| {
            Error::malformed(format!("the query string cannot be read: {}", error.body_text()))
        };
        query.map(|AxumQuery(value)| Self(value)).map_err(refused)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok());
        id.map(Self).ok_or(Error::NotFound("intent"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for KeyPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().map(|(_, id)| id).find(|id| id.len() == 2 * ID_BYTES);
        id.map(|id| Self(id.to_owned())).ok_or(Error::NotFound("key"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for SubscriptionPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().find_map(|(_, id)| SubscriptionId::parse(id));
        id.map(Self).ok_or(Error::NotFound("subscription"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for EventPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().find_map(|(_, id)| EventId::parse(id));
        id.map(Self).ok_or(Error::NotFound("event"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for DeadLetterPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok());
        id.map(Self).ok_or(Error::NotFound("dead letter"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AccountPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let id = params.iter().find(|(name, _)| *name == "id").and_then(|(_, id)| id.parse().ok());
        id.map(Self).ok_or(Error::NotFound("service account"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for AddressPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let segments: Vec<&str> = params.iter().map(|(_, segment)| segment).collect();
        let address = Address::parse(&segments.join("/"));
        address.map(Self).map_err(|error| Error::field("address", error.to_string()))
    }
}

impl FromRequestParts<App> for IdempotencyKey {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Error> {
        let Some(value) = parts.headers.get("idempotency-key") else { return Ok(Self(None)) };
        let key =
            value.to_str().ok().filter(|key| (1..=IDEMPOTENCY_KEY_CHARS_MAX).contains(&key.len()));
        let detail = format!("must have 1 to {IDEMPOTENCY_KEY_CHARS_MAX} visible ASCII characters");
        key.map(|key| Self(Some(key.to_owned())))
            .ok_or_else(|| Error::field("Idempotency-Key", detail))
    }
}

async fn params<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<RawPathParams, Error> {
    RawPathParams::from_request_parts(parts, state).await.map_err(|_| Error::NotFound("path"))
}

/// Two named parts of a path: an intent and a tool call of it.
#[derive(Debug)]
pub struct CallPath {
    /// The intent.
    pub intent: IntentId,
    /// The agent's name for the call.
    pub call_id: String,
}

impl<S: Send + Sync> FromRequestParts<S> for CallPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let path = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Ok(Path((id, call_id))) = path else { return Err(Error::NotFound("path")) };
        let intent = id.parse().map_err(|_| Error::NotFound("intent"))?;
        Ok(Self { intent, call_id })
    }
}

/// What is done to an agent by a path that ends in its name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Switch {
    /// `…/kill`
    Kill,
    /// `…/resume`
    Resume,
}

/// An agent's address and what is done to it: one greedy part of a path, since clients of the
/// contract write addresses there as they are, with slashes and even with the scheme.
#[derive(Debug)]
pub struct SwitchPath {
    /// The agent.
    pub address: Address,
    /// What is done to it.
    pub switch: Switch,
}

impl<S: Send + Sync> FromRequestParts<S> for SwitchPath {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let params = params(parts, state).await?;
        let path = params.iter().map(|(_, path)| path).next().unwrap_or_default();
        let (address, switch) = match path.rsplit_once('/') {
            Some((address, "kill")) => (address, Switch::Kill),
            Some((address, "resume")) => (address, Switch::Resume),
            Some(_) | None => return Err(Error::MethodNotAllowed { allow: "GET".to_owned() }),
        };
        let address = Address::parse(address);
        let address = address.map_err(|error| Error::field("address", error.to_string()))?;
        Ok(Self { address, switch })
    }
}
