//! A network that loses one answer.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most bytes of a request's head that are looked at, and of a piece that is passed on.
const PIECE_BYTES: usize = 64 * 1024;

/// Passes everything on to a stack, but drops the connection in place of the first answer to one
/// kind of request, once the stack has given that answer.
pub(super) struct Lossy {
    address: SocketAddr,
    lost: Arc<AtomicUsize>,
}

impl Lossy {
    /// Stands before `base_url` and loses the first answer to a path that ends with `ending`.
    pub(super) fn before(base_url: &str, ending: &'static str) -> Self {
        let stack = base_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let lost = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&lost);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (stack, count) = (stack.clone(), Arc::clone(&count));
                std::thread::spawn(move || pass(client, &stack, ending, &count));
            }
        });
        Self { address, lost }
    }

    pub(super) fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many answers were lost.
    pub(super) fn lost(&self) -> usize {
        self.lost.load(Ordering::SeqCst)
    }
}

/// Passes one connection on until either side closes it or its answer is to be lost.
fn pass(mut client: TcpStream, stack: &str, ending: &str, lost: &AtomicUsize) {
    let Ok(mut server) = TcpStream::connect(stack) else { return };
    let (Ok(mut answers), Ok(mut to_client)) = (server.try_clone(), client.try_clone()) else {
        return;
    };
    let next_is_lost = Arc::new(AtomicUsize::new(0));
    let loses = Arc::clone(&next_is_lost);
    let back = std::thread::spawn(move || {
        let mut piece = vec![0; PIECE_BYTES];
        while let Ok(bytes @ 1..) = answers.read(&mut piece) {
            if loses.load(Ordering::SeqCst) == 1 || to_client.write_all(&piece[..bytes]).is_err() {
                break;
            }
        }
        // Either side may be gone already.
        let _ = to_client.shutdown(Shutdown::Both);
        let _ = answers.shutdown(Shutdown::Both);
    });
    let mut piece = vec![0; PIECE_BYTES];
    while let Ok(bytes @ 1..) = client.read(&mut piece) {
        let head = String::from_utf8_lossy(&piece[..bytes]);
        let line = head.lines().next().unwrap_or_default();
        let path = line.split(' ').nth(1).unwrap_or_default();
        if path.ends_with(ending) && lost.fetch_max(1, Ordering::SeqCst) == 0 {
            next_is_lost.store(1, Ordering::SeqCst);
        }
        if server.write_all(&piece[..bytes]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = back.join();
}
