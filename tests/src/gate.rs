//! A table in this process, behind a gate that counts requests and turns them away.
//!
//! No socket lies between, so time can be paused while requests are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How the gate treats requests.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Manner {
    /// They pass.
    #[default]
    Open,
    /// They are refused, for there are too many.
    Throttling,
    /// They are never answered.
    Silent,
    /// They pass, and their answers get lost.
    LosingAnswers,
}

/// The gate. Clones are the same gate.
#[derive(Clone)]
pub struct Gate {
    database: Database,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    manner: Manner,
    /// Only this operation is treated so; `None` for all.
    only: Option<&'static str>,
    /// For so many requests; then the gate is open.
    left: usize,
    came: BTreeMap<String, usize>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Gate {
    /// A gate before an empty database.
    pub(crate) fn new() -> Self {
        let database = Database::memory().expect("a database in memory");
        Self { database, state: Arc::default() }
    }

    /// Treats all requests so from now on.
    pub fn treat(&self, manner: Manner) {
        self.treat_next(usize::MAX, None, manner);
    }

    /// Treats the next `count` requests so, or those of one operation.
    pub fn treat_next(&self, count: usize, only: Option<&'static str>, manner: Manner) {
        let mut state = self.state();
        (state.manner, state.only, state.left) = (manner, only, count);
    }

    /// How many requests of each operation came since the last look.
    pub fn came(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.state().came)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nobody panics with it")
    }

    /// Counts a request and says how it is treated.
    fn meet(&self, operation: &str) -> Manner {
        let mut state = self.state();
        *state.came.entry(operation.to_owned()).or_default() += 1;
        if state.only.is_some_and(|only| only != operation) || state.left == 0 {
            return Manner::Open;
        }
        state.left -= 1;
        state.manner
    }

    fn perform(&self, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
        let database = &self.database;
        match operation {
            "CreateTable" => said(&database.create_table(read(body))?),
            "BatchGetItem" => said(&database.batch_get_item(read(body))?),
            "GetItem" => said(&database.get_item(read(body))?),
            "PutItem" => said(&database.put_item(read(body))?),
            "UpdateItem" => said(&database.update_item(read(body))?),
            "DeleteItem" => said(&database.delete_item(read(body))?),
            "Query" => said(&database.query(read(body))?),
            "Scan" => said(&database.scan(read(body))?),
            "TransactWriteItems" => said(&database.transact_write_items(read(body))?),
            other => panic!("nobody asked the table to {other} before; add it here"),
        }
    }
}

fn read<T: DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("a request that the table knows")
}

#[expect(clippy::unnecessary_wraps, reason = "it ends the arms of a fallible match")]
fn said(answer: &impl Serialize) -> Result<String, DynoxideError> {
    Ok(serde_json::to_string(answer).expect("an answer is JSON"))
}

impl HttpClient for Gate {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Gate {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").expect("an operation");
        let operation = target.rsplit('.').next().expect("an operation").to_owned();
        let body = request.body().bytes().expect("a body in memory").to_vec();
        let gate = self.clone();
        HttpConnectorFuture::new(async move {
            let manner = gate.meet(&operation);
            match manner {
                Manner::Open => Ok(gate.answer(&operation, &body)),
                Manner::Throttling => {
                    let kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
                    Ok(response(400, format!(r#"{{"__type":"{kind}","message":"slow down"}}"#)))
                }
                Manner::Silent | Manner::LosingAnswers => {
                    if manner == Manner::LosingAnswers {
                        gate.answer(&operation, &body);
                    }
                    std::future::pending().await
                }
            }
        })
    }
}

impl Gate {
    fn answer(&self, operation: &str, body: &[u8]) -> HttpResponse {
        match self.perform(operation, body) {
            Ok(answer) => response(200, answer),
            Err(error) => response(error.status_code(), error.to_json()),
        }
    }
}

fn response(status: u16, body: String) -> HttpResponse {
    HttpResponse::new(status.try_into().expect("a status"), SdkBody::from(body))
}
