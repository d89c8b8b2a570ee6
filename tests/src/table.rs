//! A table for one test.

use std::sync::Arc;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    StreamSpecification, StreamViewType,
};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::gate::Gate;

/// The table's name.
pub(crate) const TABLE: &str = "holdpoint";

/// A table, behind a server that ends when the last clone of this is dropped.
#[derive(Clone, Debug)]
pub struct Table {
    /// Talks to it.
    pub client: Client,
    /// Where it answers.
    pub endpoint: String,
    _stop: Option<Arc<oneshot::Sender<()>>>,
}

impl Table {
    /// An empty table in an embedded database.
    pub async fn embedded() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let (stop, stopped) = oneshot::channel::<()>();
        let database = Database::memory().expect("a database in memory");
        tokio::spawn(dynoxide::server::serve_with_shutdown(listener, database, async {
            let _ = stopped.await;
        }));
        Self::at(&endpoint, Some(stop)).await
    }

    /// An empty table in this process, and the gate before it.
    pub async fn gated() -> (Self, Gate) {
        let (table, gate) = Self::behind_a_gate();
        create(&table.client, true).await;
        (table, gate)
    }

    /// The same without a stream, whose every record here costs a look at all before it.
    pub async fn gated_without_stream() -> (Self, Gate) {
        let (table, gate) = Self::behind_a_gate();
        create(&table.client, false).await;
        (table, gate)
    }

    fn behind_a_gate() -> (Self, Gate) {
        let gate = Gate::new();
        let endpoint = "http://127.0.0.1:9".to_owned();
        let config = config(&endpoint, "test").http_client(gate.way()).build();
        let client = Client::from_conf(config);
        (Self { client, endpoint, _stop: None }, gate)
    }

    /// Every item, as text that is equal where the items are.
    pub async fn items(&self) -> Vec<String> {
        let mut items = Vec::new();
        let mut from = None;
        loop {
            let scan = self.client.scan().table_name(TABLE).consistent_read(true);
            let page = scan.set_exclusive_start_key(from).send().await.expect("a scan");
            for item in page.items.unwrap_or_default() {
                let attributes: std::collections::BTreeMap<_, _> = item.into_iter().collect();
                items.push(format!("{attributes:?}"));
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                items.sort();
                return items;
            }
        }
    }

    /// An empty table at a server that somebody else runs.
    pub async fn at(endpoint: &str, stop: Option<oneshot::Sender<()>>) -> Self {
        Self::over(endpoint, "test", stop).await
    }

    /// An empty table of one account at such a server, where each account has tables of its own.
    pub async fn of_account(endpoint: &str, account: &str) -> Self {
        Self::over(endpoint, account, None).await
    }

    async fn over(endpoint: &str, account: &str, stop: Option<oneshot::Sender<()>>) -> Self {
        let config = config(endpoint, account).http_client(shared::boot::http_client()).build();
        let client = Client::from_conf(config);
        create(&client, true).await;
        Self { client, endpoint: endpoint.to_owned(), _stop: stop.map(Arc::new) }
    }
}

fn config(endpoint: &str, account: &str) -> aws_sdk_dynamodb::config::Builder {
    aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(Credentials::new(account, "test", None, None, "test"))
}

async fn create(client: &Client, with_stream: bool) {
    let attribute = |name: &str| {
        let attribute = AttributeDefinition::builder().attribute_name(name);
        attribute.attribute_type(ScalarAttributeType::S).build().expect("a whole definition")
    };
    let key = |name: &str, kind| {
        let key = KeySchemaElement::builder().attribute_name(name).key_type(kind);
        key.build().expect("a whole key")
    };
    let stream = StreamSpecification::builder()
        .stream_enabled(true)
        .stream_view_type(StreamViewType::NewAndOldImages)
        .build()
        .expect("a whole specification");
    client
        .create_table()
        .table_name(TABLE)
        .attribute_definitions(attribute("pk"))
        .attribute_definitions(attribute("sk"))
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .billing_mode(BillingMode::PayPerRequest)
        .set_stream_specification(with_stream.then_some(stream))
        .send()
        .await
        .expect("the table is new");
}
