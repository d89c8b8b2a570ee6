//! The address under which a request reached us, for links that lead back.

use axum::http::HeaderMap;
use axum::http::header::HOST;

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
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.starts_with("127.") || name == "[::1]"
}
