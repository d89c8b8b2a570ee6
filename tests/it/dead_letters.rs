//! Failed messages: poison blocks nobody, everything that is given up has its reason, and goes on when
//! it is sent again.

mod backlog;
pub(crate) mod operator;
mod recovery;
mod stream;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use serde_json::{Value, json};
use shared::dead_letter::Reason;
use shared::error::Error;
use shared::http::service;
use shared::intent::Status;
use shared::queue::{Failure, Queues, each};
use shared::retry::{ATTEMPTS_MAX, Again};
use std::fmt;
use std::sync::Mutex;
use std::time::Duration;
use tests::{Answer, World};

use crate::events::recorder::Recorder;
use crate::harness::{create, nobody, refused, stored};

const POISON: [&str; 3] = ["{", "null", r#"{"message":"from the future","tenant":"default"}"#];

fn queues(recorder: &Recorder) -> Queues {
    let url = |name: &str| Some(format!("https://sqs.us-east-1.amazonaws.com/1/{name}"));
    Queues::new(recorder.sqs(), url("turns"), url("wakes"), url("notices"))
        .with_deliveries(url("deliveries"))
}

/// A batch of the queue `wakes`: bodies, each with its age in seconds and its attempts so far.
fn batch(world: &World, bodies: &[(&str, i64, u32)]) -> SqsEvent {
    let now_ms = world.app.now().as_millisecond();
    let records = bodies.iter().enumerate().map(|(number, (body, age_s, attempts))| {
        json!({
            "messageId": format!("m{number}"),
            "receiptHandle": format!("r{number}"),
            "body": body,
            "eventSourceARN": "arn:aws:sqs:us-east-1:1:wakes",
            "attributes": {
                "ApproximateReceiveCount": attempts.to_string(),
                "SentTimestamp": (now_ms - age_s * 1000).to_string(),
                "ApproximateFirstReceiveTimestamp": (now_ms - age_s * 500).to_string(),
            },
        })
    });
    serde_json::from_value(json!({"Records": records.collect::<Vec<_>>()})).unwrap()
}

fn wake(id: &str) -> String {
    let due_at = "2029-12-31T00:00:00Z";
    json!({"message": "wake", "tenant": "default", "intent": id, "due_at": due_at}).to_string()
}

fn failed(answer: &SqsBatchResponse) -> Vec<&str> {
    answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect()
}

async fn listed(world: &World) -> Vec<Value> {
    let answer = world.get(&world.admin, "/v1/dead-letters").await;
    answer.json()["dead_letters"].as_array().expect("a list").clone()
}

/// An intent that sleeps until a wake-up finds that its deadline has passed.
async fn overdue(world: &World) -> String {
    let sent = json!({"intent_type": "t", "to_agent": "a", "deadline_at": "2030-01-01T00:10:00Z"});
    create(world, &sent).await
}

async fn wake_all(world: &World, queues: &Queues, batch: SqsEvent) -> SqsBatchResponse {
    let waker = wake::Waker { app: world.app.clone(), queues: queues.clone() };
    let answer = wake::handle(&waker, wake::Call::Messages(batch)).await.unwrap();
    let wake::Answer::Messages(answer) = answer else { panic!("no answer to messages") };
    answer
}

#[tokio::test]
async fn poison_among_good_messages_blocks_and_repeats_none_of_them() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let queues = queues(&recorder);
    let [one, two] = [overdue(&world).await, overdue(&world).await];
    world.pass(Duration::from_mins(11));
    let misplaced = json!({"message": "turn", "tenant": "default", "intent": nobody()}).to_string();
    let (first, second) = (wake(&one), wake(&two));
    let bodies = [POISON[0], &first, POISON[1], &misplaced, &second, POISON[2]];
    let answer = wake_all(&world, &queues, batch(&world, &bodies.map(|body| (body, 9, 1)))).await;
    assert!(failed(&answer).is_empty(), "what can never succeed does not come again");
    for id in [&one, &two] {
        assert_eq!(stored(&world, id).await.status(), Status::TimedOut);
    }
    let letters = listed(&world).await;
    let mut told: Vec<_> = letters
        .iter()
        .map(|letter| {
            (letter["kind"].clone(), letter["queue"].clone(), letter["reason"]["code"].clone())
        })
        .map(|(kind, queue, code)| format!("{kind} {queue} {code}").replace('"', ""))
        .collect();
    told.sort();
    assert_eq!(
        told,
        [
            "turn turns misplaced",
            "unreadable wakes unreadable",
            "unreadable wakes unreadable",
            "unreadable wakes unreadable",
        ]
    );
    assert!(
        !letters.iter().any(|letter| letter.to_string().contains("future")),
        "shown singly only"
    );
}

/// A failure of a test's own choosing.
struct Chosen(Reason);

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it failed as it was told")
    }
}

impl Failure for Chosen {
    fn reason(&self) -> Reason {
        self.0.clone()
    }
}

#[tokio::test]
async fn a_batch_is_worked_through_in_order_of_age() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let ids: Vec<_> = (0..4_u8).map(|n| format!("{n}{}", &nobody().to_string()[1..])).collect();
    let bodies: Vec<_> = ids.iter().map(|id| wake(id)).collect();
    let ages = [5, 90, 1, 30];
    let records: Vec<_> =
        bodies.iter().zip(ages).map(|(body, age)| (body.as_str(), age, 1)).collect();
    let seen = Mutex::new(Vec::new());
    let work = async |message: shared::message::Message| {
        seen.lock().unwrap().push(message.intent().unwrap().to_string());
        Ok::<_, Chosen>(())
    };
    let answer = each(&world.app, &queues(&recorder), batch(&world, &records), work).await;
    assert!(failed(&answer).is_empty());
    assert_eq!(*seen.lock().unwrap(), [1, 3, 0, 2].map(|place: usize| ids[place].clone()));
}

#[tokio::test]
async fn what_fails_comes_again_after_a_pause_of_its_class_until_its_last_attempt_buries_it() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let body = wake(&nobody().to_string());
    for reason in [Reason::Busy, Reason::unanswered("the table")] {
        let work = async |_| Err(Chosen(reason.clone()));
        for attempt in 1..ATTEMPTS_MAX {
            let event = batch(&world, &[(body.as_str(), 60, attempt)]);
            let answer = each(&world.app, &queues(&recorder), event, work).await;
            assert_eq!(failed(&answer), ["m0"], "attempt {attempt}");
            let [(queue, handle, seconds)] = <[_; 1]>::try_from(recorder.postponed()).unwrap();
            let longest = reason.again().pause_max(attempt).unwrap();
            assert_eq!((queue.as_str(), handle.as_str()), ("wakes", "r0"));
            assert!(Duration::from_secs(seconds) <= longest, "{seconds} s after {attempt}");
        }
        assert!(listed(&world).await.is_empty());
        let event = batch(&world, &[(body.as_str(), 60, ATTEMPTS_MAX)]);
        let answer = each(&world.app, &queues(&recorder), event, work).await;
        assert!(failed(&answer).is_empty() && recorder.postponed().is_empty());
        let [letter] = &listed(&world).await[..] else { panic!("one is buried") };
        assert_eq!(letter["reason"], json!({"code": reason.code(), "message": reason.text()}));
        assert_eq!(letter["attempts"], ATTEMPTS_MAX);
        assert_eq!(letter["intent_id"], nobody().to_string());
        assert_eq!(letter["sent_at"], "2029-12-31T23:59:00Z");
        assert_eq!(letter["first_tried_at"], "2029-12-31T23:59:30Z");
        assert_eq!(letter["last_failed_at"], "2030-01-01T00:00:00Z");
        let path = format!("/v1/dead-letters/{}", letter["dead_letter_id"].as_str().unwrap());
        assert_eq!(world.delete(&world.admin, &path).await.json()["dropped"], true);
        refused(&world.delete(&world.admin, &path).await, 404, "not_found");
    }
}

#[test]
fn every_error_has_its_class() {
    let again = |error: Error| error.reason().again();
    let silent = Error::Unavailable { dependency: "the table", source: "".into() };
    assert_eq!(again(silent), Again::Later);
    assert_eq!(again(Error::Busy), Again::Soon);
    assert_eq!(again(Error::Corrupt("".into())), Again::Never);
    assert_eq!(again(Error::NotFound("intent")), Again::Never);
    assert_eq!(again(Error::Rejected(shared::intent::Rejection::NotFound)), Again::Never);
    let address = "https://hooks.example.com/secret";
    let told = Error::field(address, address).reason().text();
    assert!(!told.contains("example.com"), "{told}");
}

/// Asks the functions that can send again, as an administrator.
async fn redrive(world: &World, queues: &Queues, id: &Value) -> Answer {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    let path = format!("/v1/dead-letters/{}/redrive", id.as_str().unwrap());
    let request = Request::post(path).header("x-api-key", &world.admin).body(Body::empty());
    let routes = service(dead_letters::routes(queues.clone(), tests::SETTINGS), world.app.clone());
    let Ok(response) = routes.oneshot(request.unwrap()).await;
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let text = String::from_utf8(bytes.to_vec()).unwrap();
    Answer { status: parts.status, headers: parts.headers, text }
}

#[tokio::test]
async fn an_intent_goes_on_when_its_dead_letter_is_sent_again() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let queues = queues(&recorder);
    let id = overdue(&world).await;
    world.pass(Duration::from_mins(11));
    let silent = async |_| Err(Chosen(Reason::unanswered("the table")));
    let event = batch(&world, &[(wake(&id).as_str(), 1, ATTEMPTS_MAX)]);
    each(&world.app, &queues, event, silent).await;
    let letter = listed(&world).await.remove(0)["dead_letter_id"].clone();
    let sent = redrive(&world, &queues, &letter).await.json();
    assert!(sent["dead_letter"]["redriven_at"].is_string(), "{sent}");
    let [(queue, 0, message)] = &recorder.sent()[..] else { panic!("one is sent") };
    assert_eq!((queue.as_str(), message.to_string()), ("wakes", wake(&id)));
    assert_eq!(redrive(&world, &queues, &letter).await.json(), sent, "again changes nothing");
    assert!(recorder.sent().is_empty());
    assert!(listed(&world).await.is_empty(), "it waits for nobody any more");

    let event = batch(&world, &[(message.to_string().as_str(), 0, 1)]);
    assert!(failed(&wake_all(&world, &queues, event).await).is_empty());
    assert_eq!(stored(&world, &id).await.status(), Status::TimedOut);
}

#[tokio::test]
async fn a_message_of_another_version_is_kept_whole_shown_singly_and_sent_as_it_was() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let queues = queues(&recorder);
    wake_all(&world, &queues, batch(&world, &[(POISON[2], 1, 1)])).await;
    let letter = listed(&world).await.remove(0)["dead_letter_id"].clone();
    let path = format!("/v1/dead-letters/{}", letter.as_str().unwrap());
    let shown = world.get(&world.admin, &path).await.json();
    assert_eq!(shown["dead_letter"]["content"]["text"]["text"], POISON[2]);
    redrive(&world, &queues, &letter).await;
    let [(queue, 0, message)] = &recorder.sent()[..] else { panic!("one is sent") };
    assert_eq!((queue.as_str(), &message["message"]), ("wakes", &json!("from the future")));
}

#[tokio::test]
async fn a_list_is_read_in_parts_by_age_and_by_queue() {
    let (world, recorder) = (World::new().await, Recorder::start().await);
    let queues = queues(&recorder);
    let bodies: Vec<_> = (0..7).map(|age| (POISON[0], 10 * age, 1)).collect();
    wake_all(&world, &queues, batch(&world, &bodies)).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/dead-letters?limit=3&queue=wakes&cursor={cursor}");
        let part = world.get(&world.admin, &path).await.json();
        let letters = part["dead_letters"].as_array().unwrap().clone();
        seen.extend(letters.iter().map(|letter| letter["sent_at"].as_str().unwrap().to_owned()));
        let Some(next) = part["next_cursor"].as_str() else { break };
        next.clone_into(&mut cursor);
    }
    assert_eq!(seen.len(), 7);
    assert!(seen.is_sorted(), "{seen:?}");
    let other = world.get(&world.admin, "/v1/dead-letters?queue=turns").await.json();
    assert_eq!(other["dead_letters"], json!([]));
    let wrong = world.get(&world.admin, "/v1/dead-letters?queue=letters").await;
    refused(&wrong, 422, "invalid_request");
}
