//! Names become addresses here, and only those within reach are handed on.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::Reach;

/// How a name's addresses are found.
#[derive(Clone)]
pub struct Lookup(Arc<Find>);

type Find = dyn Fn(String) -> Finding + Send + Sync;
type Finding = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// A resolver that the HTTP client asks before each connection. It connects to nothing else than what
/// it is given, so a name that meant another address a moment ago gains nothing by it.
#[derive(Debug)]
pub(super) struct Guarded {
    pub(super) reach: Reach,
    pub(super) lookup: Lookup,
}

/// Every address of a name is out of reach.
#[derive(Debug, thiserror::Error)]
#[error("the name leads where callbacks may not go")]
pub(super) struct Blocked;

impl Lookup {
    /// Asks `find`.
    pub fn new<F>(find: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
    {
        Self(Arc::new(move |name| Box::pin(find(name))))
    }

    /// Asks the system.
    pub fn system() -> Self {
        Self::new(|name| async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.reach;
        let finding = (self.lookup.0)(name.as_str().to_owned());
        Box::pin(async move {
            let found = finding.await?;
            let is_empty = found.is_empty();
            let admitted: Vec<_> = found.into_iter().filter(|a| reach.admits(*a)).collect();
            if admitted.is_empty() && !is_empty {
                return Err(Blocked.into());
            }
            // The client puts the URL's port, or the scheme's, in the place of 0.
            let addresses = admitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
