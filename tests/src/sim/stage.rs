//! What everybody in the world shares.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use fastrand::Rng;
use serde_json::{Value, json};
use shared::app::NewKey;
use shared::principal::Role;
use tower::ServiceExt as _;

use super::clock::WorldClock;
use super::crossing::{Crossing, INVOCATION, Invocation};
use super::errand::{AGENT, GATE, WORKER};
use super::functions::Functions;
use super::mail::Mail;
use super::neighbours;
use super::outside::Outside;
use super::plan::{Plan, Weather};
use super::shelf::Shelf;
use super::tally::Tally;
use super::trace::Trace;
use crate::check::{Rule, Told, Violation};

/// How long a request to the API may take.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(29);
/// How often a caller asks who gets no answer.
const ATTEMPTS_MAX: usize = 6;
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The world.
pub(super) struct Stage {
    pub(super) plan: Plan,
    pub(super) clock: WorldClock,
    pub(super) shelf: Shelf,
    pub(super) mail: Mail,
    pub(super) outside: Outside,
    pub(super) crossing: Crossing,
    pub(super) trace: Trace,
    pub(super) keys: Keys,
    functions: Vec<Functions>,
    tally: Arc<Mutex<Tally>>,
    told: Mutex<Told>,
    violations: Mutex<Vec<Violation>>,
    weather: Mutex<Weather>,
    is_closed: AtomicBool,
}

/// What people and agents identify themselves with.
pub(super) struct Keys {
    pub(super) sender: String,
    pub(super) agent: String,
    pub(super) admin: String,
    /// Name and key of each reviewer.
    pub(super) reviewers: Vec<(String, String)>,
}

/// A request.
pub(super) struct Asked<'a> {
    pub(super) method: &'a str,
    pub(super) key: &'a str,
    pub(super) path: &'a str,
    pub(super) body: Option<&'a Value>,
    /// Under which name it may come twice.
    pub(super) name: Option<&'a str>,
}

impl Stage {
    /// A world in which nothing has happened yet.
    pub(super) async fn new(plan: Plan) -> Arc<Self> {
        let mut rng = Rng::with_seed(plan.seed ^ 0x5eed);
        let (clock, shelf, mail) = (WorldClock::new(), Shelf::new(), Mail::default());
        let outside = Outside::default();
        let (trace, tally) = (Trace::default(), Arc::<Mutex<Tally>>::default());
        let crossing = Crossing::new(
            clock,
            (shelf.clone(), mail.clone(), outside.clone()),
            (trace.clone(), Arc::clone(&tally)),
            (plan.weather.clone(), rng.fork()),
        );
        let skews = plan.skews_ms.iter();
        let functions: Vec<_> =
            skews.map(|skew| Functions::new(&crossing, clock, *skew, &mut rng)).collect();
        let first = functions.first().expect("an instance");
        let keys = Keys::new(first).await;
        register(first, &keys).await;
        neighbours::settle(&outside, first, &keys, (&plan, clock, &mut rng)).await;
        let mut told = Told::within(plan.skew_ms_max());
        told.doors = outside.doors();
        Arc::new(Self {
            weather: Mutex::new(plan.weather.clone()),
            plan,
            clock,
            shelf,
            mail,
            outside,
            crossing,
            trace,
            keys,
            functions,
            tally,
            told: Mutex::new(told),
            violations: Mutex::default(),
            is_closed: AtomicBool::new(false),
        })
    }

    /// Any instance.
    pub(super) fn functions(&self, rng: &mut Rng) -> Functions {
        rng.choice(&self.functions).expect("an instance").clone()
    }

    /// What goes wrong now.
    pub(super) fn weather(&self) -> Weather {
        self.weather.lock().expect("nobody panics with it").clone()
    }

    /// From now on nothing goes wrong.
    pub(super) fn calm_down(&self) {
        *self.weather.lock().expect("nobody panics with it") = Weather::calm();
        self.crossing.set_weather(Weather::calm());
        self.outside.calm_down();
        self.mail.redrive();
    }

    /// People and agents go home.
    pub(super) fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
    }

    /// Whether people and agents are at home.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// What callers were told so far.
    pub(super) fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().expect("nobody panics with it")
    }

    /// The counters.
    pub(super) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("nobody panics with it")
    }

    /// What was found wrong so far.
    pub(super) fn violations(&self) -> MutexGuard<'_, Vec<Violation>> {
        self.violations.lock().expect("nobody panics with it")
    }

    /// Runs a function; `None` if it was killed or took too long.
    pub(super) async fn invoke<T: Send + 'static>(
        &self,
        function: &'static str,
        time_max: Duration,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let number = self.crossing.next_invocation();
        let by = Invocation { number, function };
        let bounded = async move { tokio::time::timeout(time_max, work).await.ok() };
        let running = tokio::spawn(INVOCATION.scope(by, bounded));
        self.crossing.enter(number, running.abort_handle());
        let ended = running.await;
        self.crossing.leave(number);
        self.tally().invocations += 1;
        let how = match &ended {
            Ok(Some(_)) => "ends",
            Ok(None) => "is out of time",
            Err(error) if error.is_panic() => "panics",
            Err(_) => "is dead",
        };
        self.crossing.line(format_args!("#{number} {function} {how}"));
        if how == "panics" {
            self.violations().push(Violation::new(Rule::Answer, function, "it panicked"));
        }
        ended.ok().flatten()
    }

    /// Asks the API; `None` if no answer came.
    pub(super) async fn call(&self, rng: &mut Rng, asked: Asked<'_>) -> Option<(u16, String)> {
        let (routes, request) = (self.functions(rng).routes, asked.request());
        let answered = async move {
            let Ok(response) = routes.oneshot(request).await;
            let (parts, body) = response.into_parts();
            let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer");
            (parts.status.as_u16(), String::from_utf8_lossy(&bytes).into_owned())
        };
        let answer = self.invoke("api", REQUEST_TIME_MAX, answered).await;
        let status = answer.as_ref().map_or(0, |(status, _)| *status);
        self.crossing.line(format_args!("{} {}: {status}", asked.method, asked.path));
        if status == 500 {
            let detail = format!("{} was answered with 500", asked.method);
            self.violations().push(Violation::new(Rule::Answer, asked.path, detail));
        }
        answer
    }

    /// Asks until there is an answer that is final, a few times at most.
    pub(super) async fn insist(&self, rng: &mut Rng, asked: Asked<'_>) -> Option<(u16, Value)> {
        for _ in 0..ATTEMPTS_MAX {
            let again = Asked { ..asked };
            match self.call(rng, again).await {
                Some((status, text)) if status < 500 => {
                    return Some((status, serde_json::from_str(&text).unwrap_or_default()));
                }
                Some(_) | None => {
                    tokio::time::sleep(Duration::from_millis(rng.u64(100..4_000))).await;
                }
            }
        }
        None
    }
}

impl Asked<'_> {
    /// Asks before anything goes wrong.
    pub(super) async fn of(self, functions: &Functions) -> Value {
        let Ok(response) = functions.routes.clone().oneshot(self.request()).await;
        let (parts, body) = response.into_parts();
        assert!(parts.status.is_success(), "{}: {}", self.path, parts.status);
        let bytes = axum::body::to_bytes(body, ANSWER_BYTES_MAX).await.expect("an answer");
        serde_json::from_slice(&bytes).expect("an answer is JSON")
    }

    fn request(&self) -> Request<Body> {
        let mut request = Request::builder()
            .method(self.method)
            .uri(self.path)
            .header("content-type", "application/json")
            .header("host", "127.0.0.1")
            .header("x-api-key", self.key);
        if let Some(name) = self.name {
            request = request.header("idempotency-key", name);
        }
        let body = self.body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        request.body(body).expect("a whole request")
    }
}

impl Keys {
    async fn new(functions: &Functions) -> Self {
        let make = async |name: &str, role| {
            let new = NewKey { name: name.to_owned(), role, address: None, expires_at: None };
            let (_, text) = functions.app.create_key(new).await.expect("the table takes a key");
            text.reveal().to_owned()
        };
        let ada = ("ada".to_owned(), make("ada", Role::Reviewer).await);
        let bob = ("bob".to_owned(), make("bob", Role::Reviewer).await);
        Self {
            sender: make("sender", Role::Agent).await,
            agent: make("agents", Role::Agent).await,
            admin: make("admin", Role::Admin).await,
            reviewers: vec![ada, bob],
        }
    }
}

/// Registers where intents go.
async fn register(functions: &Functions, keys: &Keys) {
    let routes = [
        (AGENT, json!({"delivery_mode": "stream"})),
        (GATE, json!({"to": AGENT, "human_task": {"title": "Sign off"}})),
        (WORKER, json!({"delivery_mode": "worker"})),
    ];
    for (address, route) in routes {
        let path = format!("/v1/routes/{address}");
        let asked =
            Asked { method: "PUT", key: &keys.admin, path: &path, body: Some(&route), name: None };
        asked.of(functions).await;
    }
}
