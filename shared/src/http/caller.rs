//! The caller of a request.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, MatchedPath};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use super::tally::Tally;
use crate::app::{App, Listener, Source, Usage};
use crate::error::Error;
use crate::key::KeyText;
use crate::principal::{Principal, Role};

/// What the first administrator's key is counted as, if it has no public part.
const BOOTSTRAP: &str = "bootstrap";

/// The holder of the key that came with a request.
#[derive(Debug)]
pub struct Caller(pub Principal);

impl Caller {
    /// The principal, if it has one of `roles`.
    pub fn with_role(self, app: &App, roles: &[Role]) -> Result<Principal, Error> {
        app.require(&self.0, roles)?;
        Ok(self.0)
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let caller = app.authenticate(key(&parts.headers)).await.map(Self)?;
        let knock = Knock::of(parts);
        let usage = app.count_request(&knock.key_id(), &knock.endpoint).await;
        knock.tally.set(usage);
        match usage.filter(|usage| usage.is_over) {
            Some(Usage { limit, reset_after_s, .. }) => {
                Err(Error::RateLimited { limit, retry_after_s: reset_after_s })
            }
            None => Ok(caller),
        }
    }
}

/// Whoever asks to listen. The key is looked at while the listener is held, since a stream outlasts
/// a table that is away for a moment.
#[derive(Debug)]
pub struct Knock {
    key: Option<String>,
    endpoint: String,
    tally: Tally,
}

impl Knock {
    /// Lets the caller in to `listener`, or refuses.
    pub async fn enter<S: Source>(&self, listener: &mut Listener<S>) -> Result<(), Error> {
        let usage = listener.admit(self.key.as_deref(), &self.key_id(), &self.endpoint).await?;
        self.tally.set(usage);
        Ok(())
    }

    fn of(parts: &Parts) -> Self {
        let path = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        Self {
            key: key(&parts.headers).map(str::to_owned),
            endpoint: format!("{} {path}", parts.method),
            tally: parts.extensions.get().cloned().unwrap_or_default(),
        }
    }

    /// The public part of the key, which names it.
    fn key_id(&self) -> String {
        let text = self.key.as_deref().and_then(KeyText::parse);
        text.map_or_else(|| BOOTSTRAP.to_owned(), |text| text.id().to_owned())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Knock {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// The key, in either of the two headers that clients of the contract use. `x-api-key` wins, since a
/// bearer token may be an actor's beside it.
fn key(headers: &HeaderMap) -> Option<&str> {
    let said = |text: &&str| !text.is_empty();
    let api_key = headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::trim);
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(token);
    api_key.filter(said).or_else(|| bearer.map(str::trim).filter(said))
}

fn token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
