//! Callbacks that lead where none may go.

use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::sync::{Arc, Mutex};

use axum::Router;
use jiff::Timestamp;
use serde_json::json;
use shared::callback::{CallbackUrl, Courier, Lookup, Reach, Reply, SignedPost, SigningSecret};
use shared::http::service;
use tests::World;
use tower::ServiceExt as _;

use super::receiver::Receiver;

/// A port of this machine that counts who knocks and says nothing.
pub(crate) struct Door(TcpListener);

impl Door {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// Connections since the last look. The system has taken each before whoever connects goes on.
    pub(crate) fn knocks(&self) -> usize {
        let mut knocks = 0;
        loop {
            match self.0.accept() {
                Ok(_) => knocks += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return knocks,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn post(url: &str) -> SignedPost {
    SignedPost {
        // A stored address may be older than the deployer's present wish.
        url: CallbackUrl::parse(url, Reach::Private).unwrap(),
        secret: SigningSecret::parse("a secret of enough length").unwrap(),
        id: "msg_1".to_owned(),
        body: "{}".to_owned(),
    }
}

/// A courier whose names all stand for `addresses`, and the names that it was asked for.
fn courier(reach: Reach, addresses: &[&str]) -> (Courier, Arc<Mutex<Vec<String>>>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let recording = Arc::clone(&asked);
    let lookup = Lookup::new(move |name| {
        recording.lock().unwrap().push(name);
        std::future::ready(Ok(addresses.clone()))
    });
    (Courier::new(reach, lookup).unwrap(), asked)
}

#[tokio::test]
async fn a_name_that_stands_for_a_private_address_is_not_connected() {
    let door = Door::new();
    let url = format!("https://rebound.example:{}/hook", door.port());
    for addresses in
        [&["127.0.0.1"][..], &["::ffff:127.0.0.1"], &["169.254.169.254"], &["10.0.0.1", "fd00::1"]]
    {
        let (courier, asked) = courier(Reach::Public, addresses);
        let reply = courier.post(&post(&url), Timestamp::UNIX_EPOCH).await.unwrap();
        assert_eq!(reply, Reply::Blocked, "{addresses:?}");
        assert_eq!(*asked.lock().unwrap(), ["rebound.example"]);
    }
    assert_eq!(door.knocks(), 0);
    std::net::TcpStream::connect(("127.0.0.1", door.port())).unwrap();
    assert_eq!(door.knocks(), 1, "the door counts");

    // The same way leads there where the deployer allows it, so it was the address that was refused.
    let receiver = Receiver::start().await;
    let (courier, asked) = courier(Reach::Private, &["169.254.169.254", "127.0.0.1"]);
    let url = format!("http://rebound.example:{}/hook", receiver.port);
    let reply = courier.post(&post(&url), Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((reply, asked.lock().unwrap().len()), (Reply::Status(204), 1));
    assert_eq!(receiver.posts().len(), 1);
}

#[tokio::test]
async fn a_name_is_asked_for_anew_before_each_connection() {
    let receiver = Receiver::start().await;
    let (courier, asked) = courier(Reach::Private, &["127.0.0.1"]);
    let url = format!("http://twice.example:{}/hook", receiver.port);
    for _ in 0..2 {
        courier.post(&post(&url), Timestamp::UNIX_EPOCH).await.unwrap();
    }
    assert_eq!(*asked.lock().unwrap(), ["twice.example", "twice.example"]);
}

#[tokio::test]
async fn an_address_in_the_url_itself_is_looked_at_before_each_post() {
    let door = Door::new();
    let (courier, asked) = courier(Reach::Public, &["127.0.0.1"]);
    for host in ["127.0.0.1", "127.1", "0x7f000001", "[::ffff:127.0.0.1]", "localhost"] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{}/hook", door.port());
            let reply = courier.post(&post(&url), Timestamp::UNIX_EPOCH).await.unwrap();
            assert_eq!(reply, Reply::Blocked, "{url}");
        }
    }
    assert!(asked.lock().unwrap().is_empty());
    assert_eq!(door.knocks(), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let receiver = Receiver::start().await;
    receiver.answer([307]);
    let (courier, _) = courier(Reach::Private, &[]);
    let reply = courier.post(&post(&receiver.url), Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((reply, receiver.posts().len()), (Reply::Status(307), 1));
}

#[tokio::test]
async fn nobody_subscribes_with_a_private_address_unless_the_deployer_allows_it() {
    let world = World::new().await;
    let public: Router = service(webhooks::routes(Reach::Public), world.app.clone());
    for (url, expected) in [
        ("https://hooks.example.com/", 200),
        ("http://hooks.example.com/", 422),
        ("https://127.0.0.1/", 422),
        ("https://[::ffff:10.0.0.1]/", 422),
        ("https://169.254.169.254/latest/", 422),
        ("https://localhost/", 422),
        ("https://user:password@hooks.example.com/", 422),
    ] {
        let body = json!({"callback_url": url, "event_types": ["a.b"]}).to_string();
        let request = crate::harness::bare("POST", "/v1/webhooks/subscriptions");
        let request = request.header("x-api-key", &world.agent);
        let request = request.body(axum::body::Body::from(body)).unwrap();
        let Ok(answer) = public.clone().oneshot(request).await;
        assert_eq!(answer.status().as_u16(), expected, "{url}");
    }
    let body = json!({"callback_url": "http://127.0.0.1:1/", "event_types": ["a.b"]});
    let allowed = world.post(&world.agent, "/v1/webhooks/subscriptions", &body).await;
    assert_eq!(allowed.status.as_u16(), 200, "{}", allowed.text);
}
