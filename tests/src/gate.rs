//! A table in this process, behind a gate that counts requests and turns them away.
//!
//! No socket lies between, so time can be paused while requests are under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use dynoxide::{Database, ImportOptions};
use serde_json::Value;

use crate::engine;
use crate::table::TABLE;
use crate::way::Way;

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
    /// Items that queries looked at.
    looked_at: u64,
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

    /// How many items queries looked at since the last look.
    pub fn looked_at(&self) -> u64 {
        std::mem::take(&mut self.state().looked_at)
    }

    /// Writes items, in the JSON of the table's interface, as nobody counts them: all in one go, since
    /// a transaction for each would take most of a test that wants many.
    pub fn seed(&self, items: Vec<Value>) {
        let items = serde_json::from_value(items.into()).expect("items as the table has them");
        let imported = self.database.import_items(TABLE, items, ImportOptions::default());
        imported.expect("the items are written");
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

    /// The way through it.
    pub(crate) fn way(&self) -> Way {
        let gate = self.clone();
        Way::to(move |operation, body| {
            let gate = gate.clone();
            async move { Ok(gate.pass(&operation, &body).await) }
        })
    }

    async fn pass(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let manner = self.meet(operation);
        match manner {
            Manner::Open => self.answer(operation, body),
            Manner::Throttling => {
                let kind = "com.amazonaws.dynamodb.v20120810#ThrottlingException";
                (400, format!(r#"{{"__type":"{kind}","message":"slow down"}}"#))
            }
            Manner::Silent | Manner::LosingAnswers => {
                if manner == Manner::LosingAnswers {
                    self.answer(operation, body);
                }
                std::future::pending().await
            }
        }
    }

    fn answer(&self, operation: &str, body: &[u8]) -> (u16, String) {
        let (status, text) = engine::answer(&self.database, operation, body);
        if (operation, status) == ("Query", 200) {
            let read: Value = serde_json::from_str(&text).expect("an answer is JSON");
            self.state().looked_at += read["ScannedCount"].as_u64().expect("a count");
        }
        (status, text)
    }
}
