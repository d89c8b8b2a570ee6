//! A webhook receiver on this machine that remembers what came.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

/// One post.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// The receiver; it ends with the test's runtime.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    pub(crate) port: u16,
    state: Arc<Mutex<Came>>,
}

#[derive(Default)]
struct Came {
    posts: Vec<Post>,
    /// What is answered next; 204 once there is nothing more.
    answers: VecDeque<u16>,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// Asserts both signatures, computed anew. The reference library also looks at the system's clock,
    /// which is not the clock of a world.
    #[track_caller]
    pub(crate) fn assert_signed_with(&self, secret: &str) {
        let sent_at = self.header("webhook-timestamp").parse().unwrap();
        let expected = Webhook::new(secret).unwrap();
        let expected = expected.sign(self.header("webhook-id"), sent_at, &self.body).unwrap();
        assert_eq!(self.header("webhook-signature"), expected);
        let mut code = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        code.update(&self.body);
        let code = data_encoding::HEXLOWER.encode(&code.finalize().into_bytes());
        assert_eq!(self.header("x-axme-signature"), format!("sha256={code}"));
    }
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::<Mutex<Came>>::default();
        let routes = Router::new().fallback(take).with_state(Arc::clone(&state));
        tokio::spawn(async { axum::serve(listener, routes).await });
        Self { url: format!("http://127.0.0.1:{port}/hook"), port, state }
    }

    /// Answers the next posts with these.
    pub(crate) fn answer(&self, statuses: impl IntoIterator<Item = u16>) {
        self.state.lock().unwrap().answers.extend(statuses);
    }

    /// What came since the last look.
    pub(crate) fn posts(&self) -> Vec<Post> {
        std::mem::take(&mut self.state.lock().unwrap().posts)
    }
}

async fn take(
    State(state): State<Arc<Mutex<Came>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let mut state = state.lock().unwrap();
    state.posts.push(Post { headers, body });
    let status = state.answers.pop_front().unwrap_or(204);
    StatusCode::from_u16(status).unwrap()
}
