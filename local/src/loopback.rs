//! Listeners on this machine's own addresses.

use std::net::{Ipv4Addr, SocketAddr};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn other_machines_are_not_served() {
        let message = listen(([0, 0, 0, 0], 0).into()).unwrap_err().to_string();
        assert!(message.starts_with("0.0.0.0:0 is not a loopback address"), "{message}");
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
