//! The caller of a request.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;

use crate::app::App;
use crate::error::Error;
use crate::principal::{Principal, Role};

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
        app.authenticate(key(&parts.headers)).await.map(Self)
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
