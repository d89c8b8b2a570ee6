//! Addresses that others want to be posted to.

use std::net::{Ipv4Addr, Ipv6Addr};

use shared::callback::{CALLBACK_URL_BYTES_MAX, CallbackUrl, Reach};
use url::{Host, Url};

use crate::request::stored;

/// Where clouds tell their machines about themselves.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// What is taken leads outside, however it is spelled, and its one spelling leads to the same place.
pub fn callback(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(taken) = CallbackUrl::parse(text, Reach::Public) {
        is_public(text);
        assert_eq!(taken.text(), text);
        let wider = CallbackUrl::parse(text, Reach::Private);
        assert_eq!(wider.as_ref(), Ok(&taken), "what is public is in any reach");
        let normal = CallbackUrl::parse(&taken.normal(), Reach::Public);
        // Escapes may make the one spelling longer than what may be sent.
        if taken.normal().len() <= CALLBACK_URL_BYTES_MAX {
            assert_eq!(normal.expect("it leads to the same place").normal(), taken.normal());
        }
        stored(&taken);
    }
    if let Ok(taken) = CallbackUrl::parse(text, Reach::Private) {
        let url = Url::parse(taken.text()).expect("a URL");
        let held = match url.host() {
            Some(Host::Ipv4(address)) => Some(address),
            Some(Host::Ipv6(address)) => address.to_ipv4_mapped(),
            Some(Host::Domain(_)) => None,
            None => panic!("{text} leads nowhere"),
        };
        assert!(held.is_none_or(|held| held != METADATA && !held.is_unspecified()), "{text}");
    }
}

/// Asserts that an address leads outside, by what the libraries say of it.
pub(crate) fn is_public(text: &str) {
    let url = Url::parse(text).expect("a URL");
    assert_eq!(url.scheme(), "https", "{text}");
    assert!(url.username().is_empty() && url.password().is_none(), "{text} has credentials");
    match url.host() {
        Some(Host::Ipv4(address)) => assert!(!is_inside_v4(address), "{text}"),
        Some(Host::Ipv6(address)) => assert!(!is_inside_v6(address), "{text}"),
        Some(Host::Domain(name)) => is_public_name(name, text),
        None => panic!("{text} leads nowhere"),
    }
}

fn is_public_name(name: &str, text: &str) {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let last = name.rsplit('.').next().expect("a label");
    assert!(!["localhost", "local", "internal", "localdomain"].contains(&last), "{text}");
    // Libraries of C read a name that ends like a number as one, and no name outside does.
    assert!(
        last.starts_with(|first: char| first.is_ascii_alphabetic()),
        "{text} may be an address"
    );
}

fn is_inside_v4(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_broadcast()
        || address.is_multicast()
        || address.is_documentation()
}

fn is_inside_v6(address: Ipv6Addr) -> bool {
    address.is_loopback()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        || address.to_ipv4().is_some()
}
