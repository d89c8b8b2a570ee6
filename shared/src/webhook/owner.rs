//! Whose a subscription or an event is.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::principal::Principal;

/// An agent's address, or the name of a key that speaks for none in particular. Both spellings of an
/// address are the same owner.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// The owner that a key stands for by itself.
    pub fn of(by: &Principal) -> Self {
        by.address.as_ref().map_or_else(|| Self::named(&by.name), Self::at)
    }

    /// The agent at `address`.
    pub fn at(address: &Address) -> Self {
        Self(address.path().to_owned())
    }

    /// The owner with this name, which may be an address.
    pub fn named(name: &str) -> Self {
        Address::parse(name).map_or_else(|_| Self(name.to_owned()), |address| Self::at(&address))
    }

    /// Whether this is the agent at `address`.
    pub fn is_at(&self, address: &Address) -> bool {
        self.0 == address.path()
    }

    /// The one spelling, as keys and digests take it.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// As the contract writes it: an address with its scheme, another name as it is.
impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Address::parse(&self.0) {
            Ok(address) => address.fmt(f),
            Err(_) => f.write_str(&self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_address_are_one_owner_and_a_name_is_itself() {
        assert_eq!(Owner::named("agent://team/deployer"), Owner::named("team/deployer"));
        assert_eq!(Owner::named("team/deployer").to_string(), "agent://team/deployer");
        assert_eq!(Owner::named("The CI's key").to_string(), "The CI's key");
    }
}
