//! Where every call waits until the world lets it pass, or not.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use fastrand::Rng;
use serde_json::{Value, json};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::clock::WorldClock;
use super::mail::{self, Mail};
use super::mishap::Mishap;
use super::plan::Weather;
use super::shelf::Shelf;
use super::tally::Tally;
use super::trace::Trace;
use crate::engine::response;

/// How long a step takes. Everybody who can move moves before it is over.
const STEP: Duration = Duration::from_millis(1);
/// How long a caller waits for an answer that does not come, in milliseconds.
const SILENCE_MS: std::ops::Range<u64> = 500..5_000;
/// How long a slow call takes, in milliseconds.
const SLOW_MS: std::ops::Range<u64> = 200..40_000;
/// How late a message is seen, in milliseconds.
const LATE_MS: std::ops::Range<u64> = 500..120_000;

tokio::task_local! {
    /// Whose call it is.
    pub(super) static INVOCATION: Invocation;
}

/// One run of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Invocation {
    pub(super) number: u64,
    pub(super) function: &'static str,
}

/// What is behind the crossing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Service {
    Table,
    Queue,
}

/// The crossing. Clones are the same one.
#[derive(Clone)]
pub(super) struct Crossing {
    inner: Arc<Inner>,
}

struct Inner {
    clock: WorldClock,
    shelf: Shelf,
    mail: Mail,
    trace: Trace,
    tally: Arc<Mutex<Tally>>,
    state: Mutex<State>,
    arrived: Notify,
}

struct State {
    /// What goes wrong now.
    weather: Weather,
    rng: Rng,
    waiting: Vec<Call>,
    running: HashMap<u64, AbortHandle>,
    count: u64,
}

/// A call that waits.
struct Call {
    by: Invocation,
    service: Service,
    operation: String,
    body: Vec<u8>,
    not_before: Instant,
    is_slow: bool,
    answer: oneshot::Sender<Passed>,
}

/// How a call goes on.
enum Passed {
    Answer((u16, String)),
    Silence(Duration),
}

/// A way to one service, as the SDK's HTTP client.
#[derive(Clone)]
pub(super) struct Way {
    crossing: Crossing,
    service: Service,
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Way").field("service", &self.service).finish_non_exhaustive()
    }
}

impl Crossing {
    pub(super) fn new(
        clock: WorldClock,
        (shelf, mail): (Shelf, Mail),
        (trace, tally): (Trace, Arc<Mutex<Tally>>),
        (weather, rng): (Weather, Rng),
    ) -> Self {
        let (waiting, running) = (vec![], HashMap::new());
        let state = Mutex::new(State { weather, rng, waiting, running, count: 0 });
        let arrived = Notify::new();
        Self { inner: Arc::new(Inner { clock, shelf, mail, trace, tally, state, arrived }) }
    }

    /// The way to a service.
    pub(super) fn way(&self, service: Service) -> Way {
        Way { crossing: self.clone(), service }
    }

    /// From now on this goes wrong.
    pub(super) fn set_weather(&self, weather: Weather) {
        self.state().weather = weather;
    }

    /// The number of the next invocation.
    pub(super) fn next_invocation(&self) -> u64 {
        let mut state = self.state();
        state.count += 1;
        state.count
    }

    /// An invocation runs, and may be killed.
    pub(super) fn enter(&self, number: u64, handle: AbortHandle) {
        self.state().running.insert(number, handle);
    }

    /// An invocation has ended.
    pub(super) fn leave(&self, number: u64) {
        self.state().running.remove(&number);
    }

    /// Writes a line of the trace.
    pub(super) fn line(&self, line: fmt::Arguments<'_>) {
        self.inner.trace.line(self.inner.clock.passed(), line);
    }

    /// Counts something that went wrong.
    pub(super) fn count(&self, mishap: Mishap) {
        self.inner.tally.lock().expect("nobody panics with it").count(mishap);
    }

    /// Lets one call after the other go on, each when nobody else can move. It never ends.
    pub(super) async fn conduct(self) {
        loop {
            tokio::time::sleep(STEP).await;
            let arrived = self.inner.arrived.notified();
            if self.step() {
                continue;
            }
            let next = self.state().waiting.iter().map(|call| call.not_before).min();
            match next {
                Some(at) => drop(tokio::time::timeout_at(at, arrived).await),
                None => arrived.await,
            }
        }
    }

    /// Lets one call go on; whether there was one.
    fn step(&self) -> bool {
        let mut state = self.state();
        let now = Instant::now();
        let ready: Vec<usize> = (state.waiting.iter().enumerate())
            .filter(|(_, call)| call.not_before <= now)
            .map(|(index, _)| index)
            .collect();
        let Some(index) = state.rng.choice(&ready).copied() else { return false };
        let mut call = state.waiting.swap_remove(index);
        let mishap = state.mishap_of(&call);
        if mishap == Some(Mishap::Slow) {
            call.not_before = now + Duration::from_millis(state.rng.u64(SLOW_MS));
            call.is_slow = true;
            self.note(&call, mishap);
            state.waiting.push(call);
            return true;
        }
        let silence = Duration::from_millis(state.rng.u64(SILENCE_MS));
        let kill = state.running.get(&call.by.number).cloned();
        drop(state);
        self.note(&call, mishap);
        let is_carried_out = matches!(
            mishap,
            None | Some(Mishap::Unanswered | Mishap::KilledAfter | Mishap::FailedAfterwards)
        );
        let answer = is_carried_out
            .then(|| self.carry_out(call.service, &call.operation, &call.body))
            .filter(|_| mishap.is_none());
        if matches!(mishap, Some(Mishap::KilledBefore | Mishap::KilledAfter)) {
            if let Some(kill) = kill {
                kill.abort();
            }
            return true;
        }
        let said = answer.or_else(|| refusal(&call, mishap?));
        let passed = said.map_or(Passed::Silence(silence), Passed::Answer);
        // Whoever has given up waiting does not hear the answer.
        let _ = call.answer.send(passed);
        true
    }

    fn note(&self, call: &Call, mishap: Option<Mishap>) {
        let Call { by: Invocation { number, function }, operation, body, .. } = call;
        let (place, how) = (place(body), mishap.map_or("passes", Mishap::name));
        self.line(format_args!("#{number} {function}: {operation} {place}: {how}"));
        let mut tally = self.inner.tally.lock().expect("nobody panics with it");
        if let Some(mishap) = mishap {
            tally.count(mishap);
        }
        tally.calls += 1;
    }

    fn carry_out(&self, service: Service, operation: &str, body: &[u8]) -> (u16, String) {
        match service {
            Service::Table => self.inner.shelf.perform(operation, body),
            Service::Queue => self.post(operation, body),
        }
    }

    /// Does what a queue is asked for.
    fn post(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let request: Value = serde_json::from_slice(body).expect("a request is JSON");
        let (url, mail) = (&request["QueueUrl"], &self.inner.mail);
        let entries = request["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
        match operation {
            "SendMessage" => self.send(url, &request),
            "SendMessageBatch" => entries.iter().for_each(|entry| self.send(url, entry)),
            "ChangeMessageVisibilityBatch" => entries.iter().for_each(|entry| mail.hide(entry)),
            other => panic!("the world's queues know no {other}"),
        }
        let done = |entry: &Value| json!({"Id": entry["Id"], "MessageId": "taken", "MD5OfMessageBody": ""});
        let done: Vec<_> = entries.iter().map(done).collect();
        let answer =
            json!({"MessageId": "taken", "MD5OfMessageBody": "", "Successful": done, "Failed": []});
        (200, answer.to_string())
    }

    /// Puts a message into its queue: once, twice, later, or not at all.
    fn send(&self, url: &Value, entry: &Value) {
        let text = entry["MessageBody"].as_str().expect("a text");
        let (mishap, late) = {
            let State { weather, rng, .. } = &mut *self.state();
            (weather.of_message(rng), Duration::from_millis(rng.u64(LATE_MS)))
        };
        // What is lost must be healed by a timer, so only what has one is lost.
        let mishap = mishap.filter(|mishap| {
            *mishap != Mishap::Dropped || self.inner.shelf.has_timer(&mail::subject(text))
        });
        if let Some(mishap) = mishap {
            self.line(format_args!("{text}: {}", mishap.name()));
            self.count(mishap);
        }
        let (mail, sent_at) = (&self.inner.mail, self.inner.clock.now(0));
        if mishap != Some(Mishap::Dropped) {
            let is_late = mishap == Some(Mishap::Delayed);
            mail.take(url, entry, sent_at, if is_late { late } else { Duration::ZERO });
        }
        if mishap == Some(Mishap::Doubled) {
            mail.take(url, entry, sent_at, late);
        }
    }

    async fn cross(
        self,
        service: Service,
        operation: String,
        body: Vec<u8>,
    ) -> Result<(u16, String), ConnectorError> {
        let Ok(by) = INVOCATION.try_with(|by| *by) else {
            // The world itself, before it begins.
            return Ok(self.carry_out(service, &operation, &body));
        };
        let (answer, answered) = oneshot::channel();
        let not_before = Instant::now();
        let call = Call { by, service, operation, body, not_before, is_slow: false, answer };
        self.state().waiting.push(call);
        self.inner.arrived.notify_one();
        match answered.await {
            Ok(Passed::Answer(answer)) => Ok(answer),
            Ok(Passed::Silence(silence)) => {
                tokio::time::sleep(silence).await;
                Err(ConnectorError::timeout("no answer came".into()))
            }
            // It was killed; what it does now is done by nobody.
            Err(_) => std::future::pending().await,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().expect("nobody panics with it")
    }
}

impl State {
    fn mishap_of(&mut self, call: &Call) -> Option<Mishap> {
        if call.is_slow {
            return None;
        }
        let mishap = self.weather.of_call(&mut self.rng);
        let writes = matches!(call.operation.as_str(), "TransactWriteItems" | "UpdateItem");
        mishap.filter(|mishap| *mishap != Mishap::Conflicted || writes)
    }
}

/// What a service says that does not do what it was asked, or does not say that it did.
fn refusal(call: &Call, mishap: Mishap) -> Option<(u16, String)> {
    let said = |status: u16, kind: &str| {
        let kind = match call.service {
            Service::Table => format!("com.amazonaws.dynamodb.v20120810#{kind}"),
            Service::Queue => format!("com.amazonaws.sqs#{kind}"),
        };
        Some((status, json!({"__type": kind, "message": "not now"}).to_string()))
    };
    let transacts = call.operation == "TransactWriteItems";
    if mishap == Mishap::Throttled {
        return match call.service {
            Service::Queue => said(400, "RequestThrottled"),
            Service::Table if transacts => said(400, "ThrottlingException"),
            Service::Table => said(400, "ProvisionedThroughputExceededException"),
        };
    }
    if mishap == Mishap::Conflicted {
        let conflict = transacts.then(|| (400, conflict(&call.body)));
        return conflict.or_else(|| said(400, "TransactionConflictException"));
    }
    let fails = matches!(mishap, Mishap::Failed | Mishap::FailedAfterwards);
    if fails { said(500, "InternalServerError") } else { None }
}

/// A transaction that another one is in the way of.
fn conflict(body: &[u8]) -> String {
    let request: Value = serde_json::from_slice(body).expect("a request is JSON");
    let writes = request["TransactItems"].as_array().map_or(0, Vec::len);
    let mut reasons = vec![json!({"Code": "None"}); writes];
    if let Some(first) = reasons.first_mut() {
        *first = json!({"Code": "TransactionConflict", "Message": "a transaction is under way"});
    }
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let message = "Transaction cancelled, please refer cancellation reasons";
    json!({"__type": kind, "message": message, "CancellationReasons": reasons}).to_string()
}

/// What a call is about, for the trace.
fn place(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).expect("a request is JSON");
    if let Some(text) = body["MessageBody"].as_str() {
        return text.to_owned();
    }
    let write = &body["TransactItems"][0]["Put"]["Item"];
    let item = [write, &body["Key"], &body["Item"]].into_iter().find(|item| !item.is_null());
    match item {
        Some(item) => {
            let part = |name: &str| item[name]["S"].as_str().unwrap_or_default();
            format!("{} {}", part("pk"), part("sk"))
        }
        None => body["ExpressionAttributeValues"][":pk"]["S"].as_str().unwrap_or("").to_owned(),
    }
}

impl HttpClient for Way {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Way {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("an operation");
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let (crossing, service) = (self.crossing.clone(), self.service);
        HttpConnectorFuture::new(async move {
            crossing.cross(service, operation, body).await.map(response)
        })
    }
}
