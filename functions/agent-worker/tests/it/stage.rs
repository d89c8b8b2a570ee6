//! Everything around the worker: a table, a clock, senders, reviewers, and the wake-ups that other
//! functions would bring.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use agent_worker::model::{Model, Scripted};
use agent_worker::{Worker, handle};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use shared::address::Address;
use shared::app::{App, Clock, Config, Random};
use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::answer::Answer as Said;
use shared::intent::ask::{Ask, AskEnding};
use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::human_task::Outcome;
use shared::intent::{Command, Intent, Phase, Waiting, react};
use shared::message::Message;
use shared::principal::{Assurance, Principal, Role};
use shared::queue::Queues;
use shared::store::{Report, Store};
use tokio::net::TcpListener;

use crate::gate::Gate;

const TABLE: &str = "holdpoint";
const TENANT: &str = "default";
/// How long a worker is alone with an intent.
pub(crate) const LEASE: Duration = Duration::from_secs(90);
/// A full invocation.
pub(crate) const INVOCATION_S: i64 = 120;
const LIFE_S: i64 = 7 * 24 * 3_600;
/// How often the stage looks at an intent before it says that it never ends.
const LOOKS_MAX: u32 = 200;

pub(crate) struct Stage {
    /// Everybody's app but the worker's.
    pub(crate) app: App,
    pub(crate) gate: Gate,
    worker_app: App,
    now_s: Arc<AtomicI64>,
}

/// A person's answer to a question; `None` lets it time out.
pub(crate) type Answer = Option<(Outcome, Option<&'static str>)>;

impl Stage {
    pub(crate) async fn new() -> Self {
        let endpoint = serve_table().await;
        let now_s = Arc::new(AtomicI64::new(1_790_000_000));
        let gate = Gate::open();
        let app = app(client(&endpoint, None), &now_s);
        let worker_app = app_of_worker(&endpoint, &gate, &now_s);
        Self { app, gate, worker_app, now_s }
    }

    pub(crate) fn worker(&self) -> Worker {
        self.worker_with(Arc::new(Scripted))
    }

    pub(crate) fn worker_with(&self, model: Arc<dyn Model>) -> Worker {
        Worker::new(self.worker_app.clone(), queues(), model).unwrap()
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.now_s.fetch_add(seconds, Ordering::SeqCst);
    }

    /// A task for the agent, from its sender.
    pub(crate) async fn task(&self) -> IntentId {
        self.send(Delivery::Worker, json!({"task": "Analyze Q1", "department": "Sales"})).await
    }

    pub(crate) async fn send(&self, delivery: Delivery, payload: Value) -> IntentId {
        let handler = Address::parse("agent://analyst").unwrap();
        let now = self.app.now();
        let envelope = Envelope {
            tenant: TENANT.to_owned(),
            intent_type: "intent.task.v1".to_owned(),
            correlation_id: uuid::Uuid::nil(),
            from: "sender".to_owned(),
            to: handler.clone(),
            handler,
            delivery,
            payload: object(payload),
            parent: None,
            reply_to: None,
            deadline_at: Timestamp::from_second(now.as_second() + LIFE_S).unwrap(),
            reminders: Reminders::default(),
            working_hours: None,
            escalate_to: None,
            delivery_attempts_max: None,
            hold_point: None,
            workflow: None,
        };
        let sender = person("sender", Role::Agent);
        let fingerprint = Digest::of_json(&json!({}));
        self.app.create(&sender, "intents", None, fingerprint, envelope).await.unwrap().intent.id
    }

    /// Brings the intent's turn to a worker; says whether the message was acknowledged.
    pub(crate) async fn deliver(&self, worker: &Worker, id: IntentId) -> bool {
        self.deliver_within(worker, id, INVOCATION_S).await
    }

    pub(crate) async fn deliver_within(&self, worker: &Worker, id: IntentId, left_s: i64) -> bool {
        let turn = Message::Turn { tenant: TENANT.to_owned(), intent: id };
        let until = Timestamp::from_second(self.app.now().as_second() + left_s).unwrap();
        acknowledged(worker, &turn, until).await
    }

    pub(crate) async fn intent(&self, id: IntentId) -> Intent {
        self.app.load(id).await.unwrap().intent
    }

    /// The reports that were published for the intent.
    pub(crate) async fn reports(&self, id: IntentId) -> Vec<Report> {
        let mut reports = self.app.store().reports(TENANT).await.unwrap();
        reports.retain(|report| report.intent == id);
        reports
    }

    pub(crate) async fn wake(&self, id: IntentId) {
        self.app.execute(id, &Command::Wake, &[]).await.unwrap();
    }

    /// A reviewer answers a question, or its time runs out; then its parent hears of it.
    pub(crate) async fn answer(&self, id: IntentId, ask: &Ask, answer: Answer) {
        let child = self.intent(ask.child).await;
        if let Some((outcome, comment)) = answer {
            let ada = person("ada", Role::Reviewer);
            let comment = comment.map(str::to_owned);
            self.app
                .answer(&ada, ask.child, Said { comment, ..Said::of(outcome) }, None)
                .await
                .unwrap();
        } else {
            let now = self.app.now();
            self.pass(child.envelope.deadline_at.as_second() - now.as_second());
            self.wake(ask.child).await;
        }
        let ending = AskEnding::of(&self.intent(ask.child).await).unwrap();
        let end = Command::EndAsk { child: ask.child, ending };
        self.app.execute(id, &end, &[]).await.unwrap();
    }

    /// Answers the one question that is open.
    pub(crate) async fn answer_only(&self, id: IntentId, answer: Answer) {
        let intent = self.intent(id).await;
        let open: Vec<_> = intent.open_asks().cloned().collect();
        let [ask] = open.as_slice() else { panic!("{} questions are open", open.len()) };
        self.answer(id, ask, answer).await;
    }

    /// Plays everybody until the intent has ended: the queue, the clock, and a reviewer who says yes
    /// and knows what happened.
    pub(crate) async fn play(&self, worker: &Worker, id: IntentId) -> Intent {
        self.play_with(worker, id, || {}).await
    }

    /// The same, and `between` is called after each delivery.
    pub(crate) async fn play_with(
        &self,
        worker: &Worker,
        id: IntentId,
        between: impl Fn(),
    ) -> Intent {
        for _ in 0..LOOKS_MAX {
            let intent = self.intent(id).await;
            if intent.is_ended() {
                return intent;
            } else if matches!(intent.phase, Phase::Waiting(Waiting::Children)) {
                Box::pin(self.answer_truly(&intent)).await;
            } else if !intent.is_agents_turn() || is_leased(&intent) {
                self.pass_to_wake_up(&intent).await;
            } else {
                let done = self.deliver(worker, id).await;
                between();
                let after = self.intent(id).await;
                if !done && after.is_agents_turn() {
                    self.pass_to_wake_up(&after).await;
                }
            }
        }
        panic!("the intent does not end");
    }

    /// Every message is gone for good, and only the intent's own wake-up is left.
    async fn pass_to_wake_up(&self, intent: &Intent) {
        if let Some(due_at) = react::wake_at(intent) {
            self.pass(due_at.as_second().saturating_sub(self.app.now().as_second()).max(0));
            self.wake(intent.id).await;
        }
    }

    async fn answer_truly(&self, intent: &Intent) {
        let happened = !self.reports(intent.id).await.is_empty();
        let open: Vec<_> = intent.open_asks().cloned().collect();
        for ask in open {
            let yes = ask.tool != "confirm_outcome" || happened;
            let outcome = if yes { Outcome::APPROVED } else { Outcome::REJECTED };
            self.answer(intent.id, &ask, Some((outcome, None))).await;
        }
    }
}

/// No queues: nothing here names a receipt, so no pause can be asked for.
fn queues() -> Queues {
    let config = aws_sdk_sqs::Config::builder().behavior_version(BehaviorVersion::latest());
    Queues::new(aws_sdk_sqs::Client::from_conf(config.build()), None, None, None)
}

pub(crate) async fn acknowledged(worker: &Worker, message: &Message, until: Timestamp) -> bool {
    let body = serde_json::to_string(message).unwrap();
    let event = json!({"Records": [{"messageId": "1", "body": body}]});
    let response = handle(worker, serde_json::from_value(event).unwrap(), until).await;
    response.batch_item_failures.is_empty()
}

/// The result of an intent that has completed.
#[track_caller]
pub(crate) fn result(intent: &Intent) -> &Value {
    let Phase::Completed { result, .. } = &intent.phase else {
        panic!("it ended otherwise: {:?}", intent.phase);
    };
    result
}

/// The failure's code of an intent that has failed.
#[track_caller]
pub(crate) fn failure(intent: &Intent) -> (&str, &str) {
    let Phase::Failed { failure, .. } = &intent.phase else {
        panic!("it ended otherwise: {:?}", intent.phase);
    };
    (&failure.code, &failure.reason)
}

fn is_leased(intent: &Intent) -> bool {
    matches!(intent.phase, Phase::InProgress { lease: Some(_), .. })
}

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(fields) = value else { panic!("a payload is an object") };
    fields
}

fn person(name: &str, role: Role) -> Principal {
    Principal {
        tenant: TENANT.to_owned(),
        name: name.to_owned(),
        role,
        address: None,
        assurance: Assurance::Key,
    }
}

fn app_of_worker(endpoint: &str, gate: &Gate, now_s: &Arc<AtomicI64>) -> App {
    app(client(endpoint, Some(gate.clone())), now_s)
}

fn app(client: Client, now_s: &Arc<AtomicI64>) -> App {
    let now_s = Arc::clone(now_s);
    let clock = Clock::new(move || Timestamp::from_second(now_s.load(Ordering::SeqCst)).unwrap());
    let config = Config {
        tenant: TENANT.to_owned(),
        default_ttl_s: 3_600,
        stream_poll: Duration::from_millis(5),
        bootstrap_admin_key: None,
        worker_lease: LEASE,
        rate_limit_per_minute: 0,
        response_streaming: false,
    };
    App::new(Store::new(client, TABLE.to_owned(), 30), clock, counting(), config)
}

/// "Random" bytes that are never the same twice, over all apps of the process.
fn counting() -> Random {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Random::new(|bytes| {
        let count = COUNT.fetch_add(1, Ordering::SeqCst).to_be_bytes();
        bytes.fill(0);
        bytes.iter_mut().rev().zip(count.iter().rev()).for_each(|(byte, n)| *byte = *n);
    })
}

fn client(endpoint: &str, gate: Option<Gate>) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .endpoint_url(endpoint)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http());
    Client::from_conf(match gate {
        Some(gate) => config.interceptor(gate).build(),
        None => config.build(),
    })
}

/// A table in this process's memory, served until the test ends.
async fn serve_table() -> String {
    let database = dynoxide::Database::memory().unwrap();
    let table = json!({
        "TableName": TABLE,
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    });
    database.create_table(serde_json::from_value(table).unwrap()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, std::future::pending()));
    endpoint
}
