//! The agent that a request names as the one that it speaks for.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Caller, OwnerAgent};
use crate::address::Address;
use crate::app::App;
use crate::error::Error;
use crate::principal::{Principal, Role};

/// The caller, speaking for the agent that the request names in `?owner_agent=` or `x-owner-agent`.
#[derive(Debug)]
pub struct OnBehalf {
    /// The caller. A key that speaks for every agent speaks for the named one alone, this once.
    pub by: Principal,
    /// The agent that is named. People's own answers do not depend on it.
    pub owner: Option<Address>,
}

impl FromRequestParts<App> for OnBehalf {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        let Caller(by) = Caller::from_request_parts(parts, app).await?;
        let OwnerAgent(named) = OwnerAgent::from_request_parts(parts, app).await?;
        let owner = named.as_deref().map(Address::parse).transpose();
        let owner = owner.map_err(|error| Error::field("owner_agent", error.to_string()))?;
        let by = match by.role {
            Role::Agent => narrowed(by, owner.as_ref())?,
            Role::Reviewer | Role::Admin => by,
        };
        Ok(Self { by, owner })
    }
}

fn narrowed(by: Principal, owner: Option<&Address>) -> Result<Principal, Error> {
    let Some(owner) = owner else { return Ok(by) };
    if !by.speaks_for(owner) {
        let detail =
            format!("this key speaks for another agent than {owner}; use that agent's key");
        return Err(Error::Forbidden(detail));
    }
    Ok(Principal { address: Some(owner.clone()), ..by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Assurance;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    fn agent(own: Option<&str>) -> Principal {
        Principal {
            tenant: "default".to_owned(),
            name: "key".to_owned(),
            role: Role::Agent,
            address: own.map(address),
            assurance: Assurance::Key,
        }
    }

    #[test]
    fn a_key_speaks_for_the_named_agent_alone_and_for_no_other_than_its_own() {
        let narrow = |own, named: &str| narrowed(agent(own), Some(&address(named)));
        assert_eq!(narrow(None, "a").unwrap().address, Some(address("a")));
        assert_eq!(narrow(Some("a"), "a").unwrap().address, Some(address("a")));
        assert!(narrow(Some("a"), "b").is_err());
    }
}
