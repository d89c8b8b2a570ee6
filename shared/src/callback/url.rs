//! The address of a callback, as it is written.

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::Reach;

/// The longest callback URL, in bytes.
pub const CALLBACK_URL_BYTES_MAX: usize = 2048;
/// Last labels of names that lead to the machine itself or stay in its network.
const PRIVATE_LABELS: [&str; 4] = ["internal", "local", "localdomain", "localhost"];

/// An `https` address without credentials. A stored one was checked when it was taken, and is checked
/// again before it is posted to: the deployer may have changed how far callbacks reach.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CallbackUrl(String);

/// Why a text is no callback.
#[derive(Debug, Eq, PartialEq, thiserror::Error)]
pub enum InvalidCallbackUrl {
    /// Too long.
    #[error("has {0} bytes; send at most {CALLBACK_URL_BYTES_MAX}")]
    TooLong(usize),
    /// Not a URL.
    #[error("is not a URL; send one such as https://hooks.example.com/holdpoint")]
    Unreadable,
    /// The wrong scheme.
    #[error("must begin with https://")]
    NotHttps,
    /// It has a user or a password in it.
    #[error("has credentials in it; leave them out, each post is signed")]
    Credentials,
    /// It leads inside.
    #[error(
        "leads to a private or reserved address; send a public one (deployers may set \
         AllowPrivateCallbacks)"
    )]
    Private,
}

impl CallbackUrl {
    /// Takes a callback that leads no further than `reach`, by what it says itself. What its name
    /// stands for is looked at when it is connected.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, InvalidCallbackUrl> {
        if text.len() > CALLBACK_URL_BYTES_MAX {
            return Err(InvalidCallbackUrl::TooLong(text.len()));
        }
        // The parser drops these silently, and then the text would not say where it leads.
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(InvalidCallbackUrl::Unreadable);
        }
        let url = Url::parse(text).map_err(|_| InvalidCallbackUrl::Unreadable)?;
        match (url.scheme(), reach) {
            ("https", _) | ("http", Reach::Private) => {}
            _ => return Err(InvalidCallbackUrl::NotHttps),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidCallbackUrl::Credentials);
        }
        let admitted = match url.host() {
            Some(Host::Ipv4(address)) => reach.admits(address.into()),
            Some(Host::Ipv6(address)) => reach.admits(address.into()),
            // Dots alone name nobody.
            Some(Host::Domain(name)) if name.trim_end_matches('.').is_empty() => {
                return Err(InvalidCallbackUrl::Unreadable);
            }
            Some(Host::Domain(name)) => reach == Reach::Private || !is_private(name),
            None => return Err(InvalidCallbackUrl::Unreadable),
        };
        if admitted { Ok(Self(text.to_owned())) } else { Err(InvalidCallbackUrl::Private) }
    }

    /// An address that was checked before it was stored.
    #[cfg(feature = "store")]
    pub(crate) fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text, as it was sent.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The one spelling of all texts that lead to the same place.
    pub fn normal(&self) -> String {
        Url::parse(&self.0).map_or_else(|_| self.0.clone(), String::from)
    }
}

/// Whether a name leads inside, or may: no name outside ends in a label that begins like a number, and
/// some resolvers would read it as one.
fn is_private(name: &str) -> bool {
    let last = name.trim_end_matches('.').rsplit('.').next().unwrap_or_default();
    PRIVATE_LABELS.contains(&last) || !last.starts_with(|first: char| first.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use InvalidCallbackUrl::{Credentials, NotHttps, Private, Unreadable};

    #[track_caller]
    fn check(text: &str, reach: Reach, expected: Result<(), InvalidCallbackUrl>) {
        assert_eq!(CallbackUrl::parse(text, reach).map(|_| ()), expected, "{text}");
    }

    #[test]
    fn public_https_addresses_are_taken() {
        for text in [
            "https://hooks.example.com/holdpoint?x=1",
            "HTTPS://Hooks.Example.COM:8443",
            "https://bücher.example/",
            "https://1.1.1.1/",
            "https://[2606:4700:4700::1111]/",
            "https://localhost.example.com/",
        ] {
            check(text, Reach::Public, Ok(()));
            check(text, Reach::Private, Ok(()));
        }
    }

    #[test]
    fn a_private_address_is_refused_in_every_spelling_that_a_parser_takes() {
        for text in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://127.0.0.1./",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://0x7f.0.0.1/",
            "https://10.1.2.0x7fx/",
            "https://0x7f000001/",
            "https://0X7F.1/",
            "https://%31%32%37.0.0.1/",
            "https://①②⑦.⓪.⓪.①/",
            "https://127。0。0。1/",
            "https://[::1]/",
            "https://[0:0:0:0:0:0:0:1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[::127.0.0.1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fd12:3456::1]/",
            "https://[fe80::1]/",
            "https://10.1.2.3\\@example.com/",
            "https://localhost/",
            "https://LOCALHOST./",
            "https://ⓛocalhost/",
            "https://a.localhost/",
            "https://printer.local/",
            "https://ip-10-0-0-1.ec2.internal/",
        ] {
            check(text, Reach::Public, Err(Private));
            check(text, Reach::Private, Ok(()));
        }
    }

    #[test]
    fn a_clouds_own_data_is_out_of_reach_everywhere() {
        for text in [
            "https://169.254.169.254/latest/meta-data/",
            "https://0xa9fea9fe/",
            "https://[::ffff:169.254.169.254]/",
            "https://[fd00:ec2::254]/",
            "https://0/",
            "https://[::]/",
        ] {
            check(text, Reach::Public, Err(Private));
            check(text, Reach::Private, Err(Private));
        }
    }

    #[test]
    fn what_is_no_callback_is_refused() {
        for (text, expected) in [
            ("", Unreadable),
            ("hooks.example.com", Unreadable),
            ("https://", Unreadable),
            ("https://./", Unreadable),
            ("https:/./.", Unreadable),
            ("https://999.1.1.1/", Unreadable),
            ("https://[::1%25eth0]/", Unreadable),
            ("https://exa mple.com/", Unreadable),
            ("https://example.com/\r\nx: y", Unreadable),
            (" https://example.com/", Unreadable),
            ("ftp://example.com/", NotHttps),
            ("file:///etc/passwd", NotHttps),
            ("https://user@example.com/", Credentials),
            ("https://:password@example.com/", Credentials),
            ("https://example.com:443@127.0.0.1/", Credentials),
        ] {
            check(text, Reach::Public, Err(expected));
        }
        check("http://example.com/", Reach::Public, Err(NotHttps));
        check("http://127.0.0.1:9000/", Reach::Private, Ok(()));
        let long = format!("https://example.com/{}", "x".repeat(CALLBACK_URL_BYTES_MAX));
        check(&long, Reach::Public, Err(InvalidCallbackUrl::TooLong(long.len())));
    }

    #[test]
    fn two_spellings_of_one_address_are_one() {
        let normal = |text| CallbackUrl::parse(text, Reach::Public).unwrap().normal();
        assert_eq!(normal("https://Example.com:443"), normal("https://example.com/"));
    }
}
