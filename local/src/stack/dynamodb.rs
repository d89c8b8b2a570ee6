//! Tables: the embedded database, served over HTTP to the functions' processes.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use dynoxide::actions::get_records::Record;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tracing::warn;

use crate::Error;
use crate::template::table::Table;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Threads that parse requests while one of them waits for the disk.
const SERVER_THREADS: usize = 4;
/// How long the database waits for a lock that a housekeeping statement holds.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// Stream records that one housekeeping statement removes, so that no writer waits long for it.
const TRIM_RECORDS_MAX: u32 = 1_000;
/// Time between two looks for expired items, when looking costs little.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// A look for expired items reads whole tables, so it rests this many times as long as it took.
const SWEEP_REST_FACTOR: u32 = 20;
/// What the database puts before a stored sequence number to make it look like Amazon's.
const SEQUENCE_NUMBER_OFFSET: u128 = 100_000_000_000_000_000_000;

/// Without these every stream record scans all records before it: 39 instead of 2,082
/// transactions a second after 10,000 of them.
const STREAM_INDEXES: &str = "
    CREATE INDEX IF NOT EXISTS local_stream_by_number
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER));
    CREATE INDEX IF NOT EXISTS local_stream_by_shard
        ON _stream_records (table_name, shard_id, CAST(sequence_number AS INTEGER));";

/// Removes what every consumer has passed, but never the newest record: the next sequence number
/// grows from it, and must stay above every stored position even if the clock is set back.
const TRIM: &str = "
    DELETE FROM _stream_records WHERE id IN (
        SELECT id FROM _stream_records
        WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) <= ?2
          AND CAST(sequence_number AS INTEGER) < (
              SELECT MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records
              WHERE table_name = ?1)
        ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3)";

/// The tables of one data folder. Clones share it.
#[derive(Clone)]
pub(crate) struct Tables {
    database: dynoxide::Database,
    /// A second connection to the same file, for what the database's own interface lacks.
    housekeeping: Arc<Mutex<Connection>>,
}

/// The server's thread; it ends when told to, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Tables {
    /// Opens the file and makes the tables that it lacks.
    pub(crate) fn open(path: &Path, tables: &[Table]) -> Result<Self, Error> {
        let name = path.to_str().ok_or_else(|| Error::Damaged { path: path.to_owned() })?;
        let database = dynoxide::Database::new(name).map_err(Error::database("open its file"))?;
        let housekeeping = Connection::open(path).map_err(Error::database("open its file"))?;
        housekeeping
            .busy_timeout(BUSY_TIMEOUT)
            .and_then(|()| housekeeping.execute_batch(STREAM_INDEXES))
            .map_err(Error::database("index its streams"))?;
        let opened = Self { database, housekeeping: Arc::new(Mutex::new(housekeeping)) };
        for table in tables {
            opened.ensure(table)?;
        }
        Ok(opened)
    }

    /// Serves the `DynamoDB` API. The server has threads of its own, because its handlers wait for
    /// the disk and would hold up the gateway's.
    pub(crate) fn serve(&self, listener: TcpListener) -> Result<Server, Error> {
        let serving = Error::database::<Cause>("serve its API");
        let listener = match listener.into_std() {
            Ok(listener) => listener,
            Err(error) => return Err(serving(error.into())),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(SERVER_THREADS)
            .thread_name("dynamodb")
            .enable_all()
            .build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return Err(serving(error.into())),
        };
        let (stop, stopped) = oneshot::channel();
        let database = self.database.clone();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async move {
                let listener = match TcpListener::from_std(listener) {
                    Ok(listener) => listener,
                    Err(error) => return warn!(%error, "the database cannot listen"),
                };
                let served = dynoxide::server::serve_with_shutdown(listener, database, async {
                    // An error means that the stack was dropped, which ends the server as well.
                    let _: Result<(), _> = stopped.await;
                });
                if let Err(error) = served.await {
                    warn!(%error, "the database's server ended");
                }
            });
        });
        Ok(Server { stop: Some(stop), thread: Some(thread) })
    }

    /// The stream's records after a position, oldest first; all that are left without one.
    pub(crate) fn records_after(
        &self,
        table: &str,
        position: Option<&str>,
        count_max: u16,
    ) -> Result<Vec<Record>, Cause> {
        let kind = if position.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" };
        let iterator = self.database.get_shard_iterator(serde_json::from_value(json!({
            "StreamArn": Table::stream_arn(table),
            "ShardId": dynoxide::streams::shard_id(table),
            "ShardIteratorType": kind,
            "SequenceNumber": position,
        }))?)?;
        let records = self.database.get_records(serde_json::from_value(json!({
            "ShardIterator": iterator.shard_iterator,
            "Limit": count_max,
        }))?)?;
        Ok(records.records)
    }

    /// Removes stream records up to a position; says how many went.
    pub(crate) fn trim(&self, table: &str, position: &str) -> Result<usize, Cause> {
        let position: u128 = position.parse()?;
        let stored = i64::try_from(position.saturating_sub(SEQUENCE_NUMBER_OFFSET))?;
        Ok(self.housekeeping().execute(TRIM, (table, stored, TRIM_RECORDS_MAX))?)
    }

    /// Removes expired items until the stack stops, resting in proportion to the cost.
    pub(crate) async fn sweep(self, commits: watch::Sender<u64>) {
        let mut rest = SWEEP_INTERVAL;
        loop {
            tokio::time::sleep(rest).await;
            let database = self.database.clone();
            let begun = Instant::now();
            let swept = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
            rest = SWEEP_INTERVAL.max(begun.elapsed().saturating_mul(SWEEP_REST_FACTOR));
            match swept {
                Ok(Ok(0)) => {}
                Ok(Ok(_)) => commits.send_modify(|count| *count += 1),
                Ok(Err(error)) => warn!(%error, "expired items could not be removed"),
                Err(error) => warn!(%error, "the look for expired items ended"),
            }
        }
    }

    /// Writes an item as a function's process would.
    #[cfg(test)]
    pub(crate) fn put_for_test(&self, table: &str, item: Json) {
        let request = json!({"TableName": table, "Item": item});
        self.database.put_item(serde_json::from_value(request).unwrap()).unwrap();
    }

    fn ensure(&self, table: &Table) -> Result<(), Error> {
        let name = &table.name;
        let existing = self.describe(name)?;
        match existing {
            Some(existing) if shape_of(&existing) != shape_of(&table.request) => {
                return Err(Error::TableChanged { table: name.clone() });
            }
            Some(_) => {}
            None => {
                let request = serde_json::from_value(table.request.clone())
                    .map_err(Error::database(format!("read the definition of table {name}")))?;
                self.database
                    .create_table(request)
                    .map_err(Error::database(format!("make table {name}")))?;
            }
        }
        match &table.ttl_attribute {
            Some(attribute) => self.enable_ttl(name, attribute),
            None => Ok(()),
        }
    }

    fn describe(&self, table: &str) -> Result<Option<Json>, Error> {
        let request = serde_json::from_value(json!({"TableName": table}))
            .map_err(Error::database(format!("look at table {table}")))?;
        match self.database.describe_table(request) {
            Ok(described) => Ok(serde_json::to_value(described.table).ok()),
            Err(dynoxide::DynoxideError::ResourceNotFoundException(_)) => Ok(None),
            Err(error) => Err(Error::database(format!("look at table {table}"))(error)),
        }
    }

    fn enable_ttl(&self, table: &str, attribute: &str) -> Result<(), Error> {
        let action = || format!("set the end of life of items in {table}");
        let name = json!({"TableName": table});
        let request = serde_json::from_value(name).map_err(Error::database(action()))?;
        let described =
            self.database.describe_time_to_live(request).map_err(Error::database(action()))?;
        let described = serde_json::to_value(described).map_err(Error::database(action()))?;
        if described.pointer("/TimeToLiveDescription/AttributeName") == Some(&json!(attribute)) {
            return Ok(());
        }
        let specification = json!({"AttributeName": attribute, "Enabled": true});
        let request = json!({"TableName": table, "TimeToLiveSpecification": specification});
        let request = serde_json::from_value(request).map_err(Error::database(action()))?;
        self.database.update_time_to_live(request).map_err(Error::database(action()))?;
        Ok(())
    }

    fn housekeeping(&self) -> MutexGuard<'_, Connection> {
        self.housekeeping.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Server {
    /// Waits until requests that are under way have been answered.
    pub(crate) async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let joined = tokio::task::spawn_blocking(move || thread.join());
            if tokio::time::timeout(BUSY_TIMEOUT, joined).await.is_err() {
                warn!("the database's server still had connections when the stack stopped");
            }
        }
    }
}

/// The parts of a table that cannot change under its items: keys and index names.
fn shape_of(table: &Json) -> (Option<&Json>, Vec<&Json>) {
    let indexes = ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"]
        .into_iter()
        .flat_map(|kind| table.get(kind).and_then(Json::as_array).into_iter().flatten());
    let mut names: Vec<_> = indexes.filter_map(|index| index.get("IndexName")).collect();
    names.sort_by_key(|name| name.as_str().map(str::to_owned));
    (table.get("KeySchema"), names)
}

#[cfg(test)]
mod tests;
