//! Any request at all: what the description allows, what it does not, and what nobody would send.

mod request;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use proptest::test_runner::{Config, RngSeed, TestCaseError, TestRunner};
use serde_json::{Value, json};
use tests::{Answer, Table, World};
use tokio::runtime::Builder;

use self::request::{Asked, Key};
use crate::harness::{bare, link, path_of, question, text, turn};
use crate::openapi::fault;

/// How many requests are sent; all of them take some ten seconds.
const REQUESTS: u32 = 1500;
/// Requests to one world: the more it holds, the longer it takes to see that nothing has changed.
const REQUESTS_PER_WORLD: u32 = 150;
/// The pause between two looks of a stream that is held.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A key of the right form that nobody has.
const NOBODYS_KEY: &str = "hp_0123456789abcdef_nobodyhasthiskeyofthirtytwocharacters";

/// A world, and everything in it that a path may name.
struct Scene {
    world: World,
    names: Vec<String>,
    items: Vec<String>,
}

impl Scene {
    async fn new() -> Self {
        // Nothing waits for a socket, so holding a stream takes no time.
        let (table, _) = Table::gated().await;
        let world = World::set_up(table, |config| config.stream_poll = LOOK_AGAIN).await;
        let intent = turn(&world, "a").await;
        let asked = question(&world, "a", json!({"title": "May it?"})).await;
        let path = path_of(&world, &link(&world, &asked, "ana").await);
        let token = path.trim_start_matches("/approve/").to_owned();
        let account = json!({"name": "known"});
        let account = world.post(&world.admin, "/v1/service-accounts", &account).await.json();
        let account = account["service_account"]["service_account_id"].as_str();
        let account = account.expect("an account").to_owned();
        let names = vec![intent, asked, token, account, "a".to_owned(), "known".to_owned()];
        let items = world.table.items().await;
        Self { world, names, items }
    }

    fn key(&self, key: Key) -> Option<&str> {
        match key {
            Key::Agent => Some(&self.world.agent),
            Key::Reviewer => Some(&self.world.reviewer),
            Key::Admin => Some(&self.world.admin),
            Key::Nobodys => Some(NOBODYS_KEY),
            Key::None => None,
        }
    }

    /// Asks, and says with which status it was answered, and what is wrong with the answer.
    async fn ask(&mut self, asked: &Asked) -> (u16, Option<String>) {
        let path = asked.path(&self.names);
        let mut request = bare(&asked.method, &path);
        for (name, value) in &asked.headers {
            request = request.header(*name, value.as_bytes());
        }
        let key = self.key(asked.key).map(str::to_owned);
        if let Some(key) = &key {
            request = request.header("x-api-key", key);
        }
        let answer = self.world.send(request, text(asked.body.clone())).await;
        let wrong = shape(&answer, key.as_deref()).or_else(|| {
            let is_described = asked.is_the_operations_own();
            is_described.then(|| fault(asked.own_method(), asked.pattern(), &answer)).flatten()
        });
        let items = self.world.table.items().await;
        let is_refused = answer.status.is_client_error();
        let has_changed = (is_refused && items != self.items)
            .then(|| format!("{} changed the table", answer.status));
        self.items = items;
        let told = |wrong| format!("{} {path}: {wrong}\n{}", asked.method, answer.text);
        (answer.status.as_u16(), wrong.or(has_changed).map(told))
    }
}

/// What is wrong with an answer, whatever was asked.
fn shape(answer: &Answer, key: Option<&str>) -> Option<String> {
    if answer.status.is_server_error() {
        return Some(format!("is answered with {}", answer.status));
    }
    let id = answer.headers.get("x-request-id").and_then(|id| id.to_str().ok());
    if id.is_none_or(str::is_empty) {
        return Some("has no x-request-id".to_owned());
    }
    let told = format!("{:?} {}", answer.headers, answer.text);
    if key.is_some_and(|key| told.contains(key)) {
        return Some("tells the key".to_owned());
    }
    let kind = answer.headers.get("content-type").and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default();
    // Pages and JSON-RPC refuse in their own forms, which the description has.
    if !answer.status.is_client_error() || kind.starts_with("text/html") {
        return None;
    }
    let body = answer.json();
    if body.get("jsonrpc").is_some() {
        return None;
    }
    let is_text = |pointer: &str| {
        body.pointer(pointer).and_then(Value::as_str).is_some_and(|text| !text.is_empty())
    };
    let texts = ["/type", "/title", "/detail", "/error/code", "/error/message"];
    let missing = texts.into_iter().find(|pointer| !is_text(pointer));
    let missing = missing.map(|pointer| format!("is a problem without {pointer}"));
    let other = body["status"] != answer.status.as_u16();
    let other = other.then(|| format!("is {} and says {}", answer.status, body["status"]));
    let kind = (kind != "application/problem+json").then(|| format!("is a problem as {kind}"));
    missing.or(other).or(kind)
}

#[test]
fn any_request_is_answered_as_described_and_a_refused_one_changes_nothing() {
    let runtime = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    // Every run sends the same requests.
    let rng_seed = RngSeed::Fixed(1);
    let config = Config { failure_persistence: None, rng_seed, ..Config::with_cases(REQUESTS) };
    let scene = RefCell::new((0, None));
    let statuses = RefCell::new(BTreeMap::<u16, u32>::new());
    let tried = TestRunner::new(config).run(&request::any_request(), |asked| {
        let (count, current) = &mut *scene.borrow_mut();
        let wrong = runtime.block_on(async {
            if *count % REQUESTS_PER_WORLD == 0 {
                *current = None;
            }
            *count += 1;
            if current.is_none() {
                *current = Some(Scene::new().await);
            }
            let (status, wrong) = current.as_mut().expect("a scene").ask(&asked).await;
            *statuses.borrow_mut().entry(status).or_default() += 1;
            wrong
        });
        match wrong {
            None => Ok(()),
            Some(wrong) => Err(TestCaseError::fail(wrong)),
        }
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
    // Else the requests are too far from any that is taken, or too near.
    let statuses = statuses.into_inner();
    for (status, at_least) in [(200, 150), (400, 20), (401, 100), (403, 50), (404, 50), (422, 20)] {
        assert!(statuses.get(&status).is_some_and(|count| *count >= at_least), "{statuses:?}");
    }
}
