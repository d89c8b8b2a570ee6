//! Listeners on this machine's own addresses.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::Request;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use tokio::net::{TcpListener, TcpSocket};

use crate::Error;

/// Connections that may wait to be accepted.
const BACKLOG_MAX: u32 = 1_024;

/// Any free port of 127.0.0.1.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// Listens, and says at which address.
pub(crate) fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    if !address.ip().is_loopback() {
        return Err(Error::NotLoopback { address });
    }
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        // Accepted connections inherit this; small answers must not wait for acknowledgements.
        socket.set_nodelay(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG_MAX)?;
        let address = listener.local_addr()?;
        Ok((listener, address))
    };
    open().map_err(|source| Error::Listen { address, source })
}

/// The same routes, for requests to this machine by its own names only.
///
/// A web page from elsewhere can let its name lead to 127.0.0.1, and then read what is served there.
/// The name gives it away.
pub(crate) fn guarded(routes: Router) -> Router {
    routes.layer(from_fn(async |request: Request, next: Next| -> Response {
        if is_own(request.headers()) {
            return next.run(request).await;
        }
        let detail = "this serves one machine; ask for it as 127.0.0.1, [::1] or localhost\n";
        (StatusCode::MISDIRECTED_REQUEST, detail).into_response()
    }))
}

/// Whether the host that is asked for is one of this machine's own names.
fn is_own(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return false };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    host.is_some_and(|authority| {
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        let name = name.to_ascii_lowercase();
        name == "localhost" || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_machines_are_not_served() {
        let message = listen(([0, 0, 0, 0], 0).into()).unwrap_err().to_string();
        assert!(message.starts_with("0.0.0.0:0 is not a loopback address"), "{message}");
    }

    #[test]
    fn requests_name_this_machine() {
        let own = |host: &'static str| {
            is_own(&HeaderMap::from_iter([(HOST, axum::http::HeaderValue::from_static(host))]))
        };
        for host in ["127.0.0.1", "127.0.0.1:8080", "localhost:3000", "LOCALHOST", "[::1]:9"] {
            assert!(own(host), "{host}");
        }
        for host in
            ["", "example.com", "127.0.0.1.example.com", "localhost.example.com:80", "10.0.0.1"]
        {
            assert!(!own(host), "{host}");
        }
        assert!(!is_own(&HeaderMap::new()));
    }

    #[tokio::test]
    async fn a_taken_port_is_named() {
        let (_held, address) = listen(ANY_PORT).unwrap();
        let message = listen(address).unwrap_err().to_string();
        assert_eq!(
            message,
            format!("cannot listen on {address}; choose another port, or 0 for any")
        );
    }
}
