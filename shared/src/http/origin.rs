//! The address under which a request reached us, for links that lead back, and the one that it came
//! from, where a browser names it.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;

use crate::error::Error;

/// The base URL that links begin with: the configured one, or else the host that the request named.
/// API Gateway passes only hosts that belong to the deployment.
pub fn base_url(configured: Option<&str>, headers: &HeaderMap) -> Option<String> {
    let asked = || {
        let host = headers.get(HOST)?.to_str().ok()?;
        let scheme = if is_loopback(host) { "http" } else { "https" };
        Some(format!("{scheme}://{host}"))
    };
    configured.map(str::to_owned).or_else(asked)
}

/// Whether the host is this machine, where there is no TLS.
pub fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// Whoever asks is no web page from elsewhere that reaches for a server on its reader's machine.
#[derive(Debug)]
pub struct NearOrigin;

impl<S: Send + Sync> FromRequestParts<S> for NearOrigin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        if is_foreign(&parts.headers) {
            let detail = "a web page from elsewhere may not use this machine's server; send no \
                          Origin, or one of this machine";
            return Err(Error::Forbidden(detail.to_owned()));
        }
        Ok(Self)
    }
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let is_here = |text: &str| is_loopback(text.split_once("://").map_or("", |(_, host)| host));
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default());
    host.is_some_and(is_loopback) && origin.is_some_and(|origin| !is_here(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_this_machine() {
        for host in ["localhost", "localhost:80", "127.0.0.1:8080", "127.1.2.3", "[::1]", "[::1]:9"]
        {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "api.example.com", "127.example.com", "localhost.example.com", "[::2]:9"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[track_caller]
    fn check(host: &'static str, origin: &'static str, foreign: bool) {
        let text = axum::http::HeaderValue::from_static;
        let headers = HeaderMap::from_iter([(HOST, text(host)), (ORIGIN, text(origin))]);
        assert_eq!(is_foreign(&headers), foreign, "{origin} at {host}");
    }

    #[test]
    fn a_page_from_elsewhere_is_foreign_to_this_machine() {
        check("127.0.0.1:8080", "http://127.0.0.1:8080", false);
        check("localhost:8080", "http://localhost:6274", false);
        check("127.0.0.1:8080", "https://example.com", true);
        check("127.0.0.1:8080", "http://127.0.0.1.example.com", true);
        check("127.0.0.1:8080", "null", true);
        check("127.0.0.1:8080", "", true);
        check("api.example.com", "https://app.example.com", false);
        assert!(!is_foreign(&HeaderMap::from_iter([(
            HOST,
            axum::http::HeaderValue::from_static("127.0.0.1")
        )])));
    }
}
