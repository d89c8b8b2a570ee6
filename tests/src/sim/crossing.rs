//! Where every call waits until the world lets it pass, or not.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use aws_smithy_runtime_api::client::result::ConnectorError;
use fastrand::Rng;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::callback::{Carrier, Reply};
use tokio::sync::{Notify, oneshot};
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::clock::WorldClock;
use super::mail::Mail;
use super::mishap::Mishap;
use super::outside::Outside;
use super::plan::Weather;
use super::refusal::refusal;
use super::shelf::Shelf;
use super::tally::Tally;
use super::trace::Trace;
use crate::way::Way;

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
    Outside,
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
    outside: Outside,
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

impl Crossing {
    pub(super) fn new(
        clock: WorldClock,
        (shelf, mail, outside): (Shelf, Mail, Outside),
        (trace, tally): (Trace, Arc<Mutex<Tally>>),
        (weather, rng): (Weather, Rng),
    ) -> Self {
        let (waiting, running) = (vec![], HashMap::new());
        let state = Mutex::new(State { weather, rng, waiting, running, count: 0 });
        let arrived = Notify::new();
        Self {
            inner: Arc::new(Inner { clock, shelf, mail, outside, trace, tally, state, arrived }),
        }
    }

    /// The way to a service.
    pub(super) fn way(&self, service: Service) -> Way {
        let crossing = self.clone();
        Way::to(move |operation, body| crossing.clone().cross(service, operation, body))
    }

    /// The way outside, in the place of the network.
    pub(super) fn carrier(&self) -> Carrier {
        let crossing = self.clone();
        Carrier::network(reqwest::Client::new()).instead(move |request| {
            let posted = posted(&request, crossing.inner.clock.now(0));
            let crossed = crossing.clone().cross(Service::Outside, "Post".to_owned(), posted);
            async { crossed.await.map_or(Reply::Unreachable, |(status, _)| Reply::Status(status)) }
        })
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
        if matches!(mishap, Some(Mishap::Slow | Mishap::PostSlow)) {
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
            None | Some(
                Mishap::Unanswered
                    | Mishap::KilledAfter
                    | Mishap::FailedAfterwards
                    | Mishap::PostUnheard
            )
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
        let said = answer.or_else(|| refusal(call.service, (&call.operation, &call.body), mishap?));
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
            Service::Outside => self.bring(body),
        }
    }

    /// Brings a post to its receiver.
    fn bring(&self, body: &[u8]) -> (u16, String) {
        let posted = serde_json::from_slice(body).expect("a request is JSON");
        let (status, mishap) = self.inner.outside.receive(&posted, self.inner.clock.now(0));
        if let Some(mishap) = mishap {
            self.count(mishap);
        }
        self.line(format_args!("{} is answered with {status}", place(body)));
        (status, String::new())
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
        let mishap =
            mishap.filter(|mishap| *mishap != Mishap::Dropped || self.inner.shelf.heals(text));
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
        if call.service == Service::Outside {
            return self.weather.of_post(&mut self.rng);
        }
        let mishap = self.weather.of_call(&mut self.rng);
        let writes = matches!(call.operation.as_str(), "TransactWriteItems" | "UpdateItem");
        mishap.filter(|mishap| *mishap != Mishap::Conflicted || writes)
    }
}

/// A post, as it waits and as its receiver gets it.
fn posted(request: &reqwest::Request, sent_at: Timestamp) -> Vec<u8> {
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap_or_default();
    let body = String::from_utf8_lossy(body);
    let mut posted = json!({"url": request.url().as_str(), "sent_at": sent_at, "body": body});
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature", "x-axme-signature"] {
        let value = request.headers().get(name).and_then(|value| value.to_str().ok());
        posted[name] = json!(value);
    }
    posted.to_string().into_bytes()
}

/// What a call is about, for the trace.
fn place(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).expect("a request is JSON");
    if let Some(text) = body["MessageBody"].as_str() {
        return text.to_owned();
    }
    if let (Some(url), Some(id)) = (body["url"].as_str(), body["webhook-id"].as_str()) {
        return format!("{url} {id}");
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
