//! The owner that a request names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::Deserialize;

use super::Query;
use crate::error::Error;
use crate::webhook::Owner;

/// The owner that the query or the header names; `None` leaves it to the key.
#[derive(Debug)]
pub struct OwnerAgent(pub Option<String>);

#[derive(Debug, Deserialize)]
struct Asked {
    owner_agent: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for OwnerAgent {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Error> {
        let Query(Asked { owner_agent }) = Query::from_request_parts(parts, state).await?;
        let header = parts.headers.get("x-owner-agent").map(|value| value.to_str());
        let header = header.transpose().map_err(|_| {
            Error::malformed(
                "x-owner-agent cannot be read; send an address such as agent://deployer",
            )
        })?;
        let said = |text: &&str| !text.is_empty();
        let asked = owner_agent.as_deref().map(str::trim).filter(said);
        let header = header.map(str::trim).filter(said);
        match (asked, header) {
            (Some(asked), Some(header)) if Owner::named(asked) != Owner::named(header) => {
                let detail = "owner_agent and x-owner-agent name different owners; send one";
                Err(Error::malformed(detail))
            }
            _ => Ok(Self(asked.or(header).map(str::to_owned))),
        }
    }
}
