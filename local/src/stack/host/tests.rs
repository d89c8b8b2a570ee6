use super::*;

const SHORT: Duration = Duration::from_millis(20);
const PATIENT: Duration = Duration::from_secs(5);

fn host(timeout: Duration, pick_up_max: Duration, concurrency: u16) -> Arc<Host> {
    let limits = Limits { stuck_max: SHORT, pick_up_max, timeout, concurrency };
    let ids = Arc::new(Ids::new().unwrap());
    Host::new(limits, ids, || Timestamp::UNIX_EPOCH, watch::Sender::new(0))
}

fn invoke(
    host: &Arc<Host>,
    payload: &'static str,
) -> tokio::task::JoinHandle<Result<Bytes, Failure>> {
    let host = Arc::clone(host);
    tokio::spawn(async move { host.invoke(Bytes::from(payload)).await })
}

#[tokio::test]
async fn an_invocation_reaches_the_process_and_its_answer_comes_back() {
    let host = host(PATIENT, PATIENT, 1);
    let generation = host.begin_process();
    let answer = invoke(&host, "event");
    let invocation = host.next(generation).await.unwrap();
    assert_eq!(invocation.payload, "event");
    assert_eq!(invocation.deadline_at.as_second(), 5);
    assert!(host.finish(invocation.id, Ok(Bytes::from("answer"))));
    assert_eq!(answer.await.unwrap().unwrap(), "answer");
    assert!(!host.finish(invocation.id, Ok(Bytes::new())), "answered twice");
}

#[tokio::test]
async fn no_more_run_at_once_than_the_process_takes() {
    let host = host(PATIENT, PATIENT, 1);
    let generation = host.begin_process();
    let (first, second) = (invoke(&host, "1"), invoke(&host, "2"));
    let running = host.next(generation).await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(host.state().waiting.len(), 0);
    host.finish(running.id, Ok(Bytes::new()));
    let running = host.next(generation).await.unwrap();
    host.finish(running.id, Ok(Bytes::new()));
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_an_ended_process_was_running_fails_and_what_waits_goes_to_the_next() {
    let host = host(PATIENT, PATIENT, 2);
    let ended = host.begin_process();
    let running = invoke(&host, "running");
    host.next(ended).await.unwrap();
    let stale = tokio::spawn({
        let host = Arc::clone(&host);
        async move { host.next(ended).await.is_none() }
    });
    tokio::task::yield_now().await;
    host.end_process();
    assert_eq!(running.await.unwrap(), Err(Failure::Exited));
    let waiting = invoke(&host, "waiting");
    assert!(stale.await.unwrap(), "an ended process took an invocation");
    let generation = host.begin_process();
    let invocation = host.next(generation).await.unwrap();
    assert_eq!(invocation.payload, "waiting");
    host.finish(invocation.id, Ok(Bytes::new()));
    waiting.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_slow_function_times_out_and_a_stuck_one_is_condemned() {
    let host = host(SHORT, PATIENT, 1);
    let generation = host.begin_process();
    let answer = invoke(&host, "event");
    host.next(generation).await.unwrap();
    assert_eq!(answer.await.unwrap(), Err(Failure::TimedOut(SHORT)));
    tokio::time::timeout(Duration::from_secs(20), host.condemned()).await.unwrap();
}

#[tokio::test]
async fn without_a_process_an_invocation_is_given_back() {
    let host = host(PATIENT, SHORT, 1);
    assert_eq!(invoke(&host, "event").await.unwrap(), Err(Failure::NoProcess));
    assert!(host.state().waiting.is_empty());
}
