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
        one(asked, header).map(|owner| Self(owner.map(str::to_owned)))
    }
}

/// The one owner that both places name, if they name any.
fn one<'a>(query: Option<&'a str>, header: Option<&'a str>) -> Result<Option<&'a str>, Error> {
    match (query, header) {
        (Some(query), Some(header)) if Owner::named(query) != Owner::named(header) => {
            let detail = "owner_agent and x-owner-agent name different owners; send one of them";
            Err(Error::malformed(detail))
        }
        (query, header) => Ok(query.or(header)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_spellings_of_one_owner_agree_and_two_owners_do_not() {
        assert_eq!(one(Some("agent://a"), Some("a")).unwrap(), Some("agent://a"));
        assert_eq!(one(None, Some("a")).unwrap(), Some("a"));
        assert_eq!(one(Some("ana"), None).unwrap(), Some("ana"));
        assert_eq!(one(None, None).unwrap(), None);
        assert!(one(Some("a"), Some("b")).is_err());
    }
}
