//! What reads the stream and the queues, and invokes functions with what it reads.

use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use super::functions::Functions;
use super::mail::{self, Letter, QueueName};
use super::mishap::Mishap;
use super::stage::Stage;

/// The most records of a batch. The template's.
const RECORDS_MAX: usize = 100;
/// How long a batch may take.
const BATCH_TIME_MAX: Duration = Duration::from_secs(30);
/// How long a worker's turn may take.
const TURN_TIME_MAX: Duration = Duration::from_mins(2);
/// How late records are read, in milliseconds, usually and at worst.
const LAG_MS: std::ops::Range<u64> = 20..800;
const LAG_MS_AT_WORST: std::ops::Range<u64> = 1_000..45_000;
/// The pause before a batch of records is tried again, in milliseconds.
const AGAIN_MS: std::ops::Range<u64> = 200..5_000;

/// Hands the stream's records to `relay`, in order. It never ends.
pub(super) async fn relay(stage: Arc<Stage>, mut rng: Rng) {
    let (mut position, mut most) = (0, RECORDS_MAX);
    loop {
        stage.shelf.longer_than(position).await;
        let mishap = stage.weather().of_message(&mut rng);
        let lag = if mishap == Some(Mishap::Delayed) {
            stage.crossing.count(Mishap::Delayed);
            rng.u64(LAG_MS_AT_WORST)
        } else {
            rng.u64(LAG_MS)
        };
        tokio::time::sleep(Duration::from_millis(lag)).await;
        let records = stage.shelf.records(position, rng.usize(1..=most));
        let passed = relayed(&stage, &records, &mut rng).await;
        if passed == records.len() {
            most = RECORDS_MAX;
            if mishap == Some(Mishap::Doubled) {
                stage.crossing.count(Mishap::Doubled);
                continue;
            }
        } else {
            // A batch that fails is halved, and tried again from its first record that failed.
            most = (records.len() / 2).max(1);
            tokio::time::sleep(Duration::from_millis(rng.u64(AGAIN_MS))).await;
        }
        position += passed;
    }
}

/// How many of the records were worked through.
async fn relayed(stage: &Stage, records: &[Value], rng: &mut Rng) -> usize {
    let relay = stage.functions(rng).relay;
    let event = serde_json::from_value(json!({"Records": records})).expect("stream records");
    let handled = async move { relay::handle(&relay, event).await };
    let Some(answer) = stage.invoke("relay", BATCH_TIME_MAX, handled).await else { return 0 };
    let failed = answer.batch_item_failures.first().map(|it| &it.item_identifier);
    let Some(failed) = failed else { return records.len() };
    let number = |record: &Value| record["dynamodb"]["SequenceNumber"].as_str().map(str::to_owned);
    records.iter().position(|record| number(record) == *failed).expect("one of them failed")
}

/// Hands a queue's messages to its consumer. It never ends.
pub(super) async fn consume(stage: Arc<Stage>, queue: QueueName, mut rng: Rng) {
    loop {
        let batch = stage.mail.receive(queue, &mut rng).await;
        let failed = consumed(&stage, queue, &batch, &mut rng).await;
        let has_failed =
            |letter: &Letter| failed.as_ref().is_none_or(|failed| failed.contains(&letter.id));
        for letter in stage.mail.settle(&batch, has_failed) {
            stage.crossing.count(Mishap::DeadLettered);
            stage.crossing.line(format_args!("{} is a dead letter", letter.body));
            if !stage.shelf.heals(&letter.body) {
                stage.mail.bury(letter);
            }
        }
    }
}

/// The names of the messages that are to come again; `None` for all, if the function died.
async fn consumed(
    stage: &Stage,
    queue: QueueName,
    batch: &[Letter],
    rng: &mut Rng,
) -> Option<Vec<String>> {
    let Functions { app, waker, notifier, worker, .. } = stage.functions(rng);
    let event = mail::event(batch);
    let failed = match queue {
        QueueName::Wakes => {
            let call = serde_json::from_value(event).expect("messages");
            let handled = async move { wake::handle(&waker, call).await.expect("no sweep") };
            let answer = stage.invoke("wake", BATCH_TIME_MAX, handled).await?;
            serde_json::to_value(&answer)
        }
        QueueName::Notices | QueueName::Deliveries => {
            let event = serde_json::from_value(event).expect("messages");
            let handled = async move { notify::handle(&notifier, event).await };
            let answer = stage.invoke("notify", BATCH_TIME_MAX, handled).await?;
            serde_json::to_value(&answer)
        }
        QueueName::Turns => {
            let event = serde_json::from_value(event).expect("messages");
            let until = app.now().checked_add(TURN_TIME_MAX).expect("a time");
            let handled =
                async move { Box::pin(agent_worker::handle(&worker, event, until)).await };
            let answer = stage.invoke("worker", TURN_TIME_MAX, handled).await?;
            serde_json::to_value(&answer)
        }
    };
    let failed = failed.expect("an answer is JSON");
    let failed = failed["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let name = |it: &Value| it["itemIdentifier"].as_str().map(str::to_owned);
    Some(failed.iter().filter_map(name).collect())
}
