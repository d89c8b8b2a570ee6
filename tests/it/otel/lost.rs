//! Collectors that do not take what they are sent.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::trace::otlp::{Client, EXPORT_TIME_MAX, Otlp, REST, Sampler, Settings};
use shared::trace::{Exporter, TRACE_BYTES, Trace, Unit};
use tests::World;

use super::collector::{Collector, Mood};

fn exporter(collector: &Collector, sampler: Sampler) -> Otlp {
    let settings = Settings {
        endpoint: format!("{}/v1/traces", collector.endpoint).parse().unwrap(),
        headers: vec![],
        resource: vec![("service.name".to_owned(), "tests".to_owned())],
        sampler,
    };
    Otlp::new(settings, Client::default()).unwrap()
}

/// How many exports are tried for five requests in a row, and five more after a rest.
async fn tried(mood: Mood) -> [usize; 2] {
    let collector = Collector::start(mood).await;
    let world = World::traced(Arc::new(exporter(&collector, Sampler::AlwaysOn))).await;
    let mut tried = [0; 2];
    for count in &mut tried {
        for _ in 0..5 {
            let body = json!({"intent_type": "t", "to_agent": "a"});
            let made = world.post(&world.agent, "/v1/intents", &body).await;
            assert_eq!(made.status.as_u16(), 200, "{mood:?}: {}", made.text);
        }
        *count = collector.exports();
        world.pass(REST);
    }
    tried
}

#[tokio::test]
async fn one_attempt_is_made_for_each_invocation() {
    assert_eq!(tried(Mood::Taking).await, [5, 10]);
    assert_eq!(tried(Mood::Refusing).await, [5, 10]);
}

#[tokio::test]
async fn a_silent_collector_keeps_one_invocation_waiting_and_is_left_alone_then() {
    assert_eq!(tried(Mood::Silent).await, [1, 2]);
}

#[tokio::test]
async fn a_collector_that_is_not_there_keeps_nobody_from_anything() {
    let collector = Collector::absent();
    let world = World::traced(Arc::new(exporter(&collector, Sampler::AlwaysOn))).await;
    let me = world.get(&world.agent, "/v1/me").await;
    assert_eq!(me.status.as_u16(), 200, "{}", me.text);
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_the_bound() {
    let collector = Collector::start(Mood::Silent).await;
    let exporter = exporter(&collector, Sampler::AlwaysOn);
    let began_at = tokio::time::Instant::now();
    let now = Timestamp::UNIX_EPOCH;
    let unit = Unit::recorded(Trace::begin([1; TRACE_BYTES]), None, now);
    let spans = unit.end(now, |span| span).into_iter().collect();
    exporter.export(spans).await;
    let waited = began_at.elapsed();
    let bound = EXPORT_TIME_MAX..EXPORT_TIME_MAX + Duration::from_millis(2);
    assert!(bound.contains(&waited), "{waited:?}");
}

#[tokio::test]
async fn a_ratio_is_of_the_traces_that_begin_here() {
    let collector = Collector::start(Mood::Taking).await;
    let ratio = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(0.25)));
    let exporter = exporter(&collector, ratio);
    let begun = |draw: u32| {
        let mut bytes = [0; TRACE_BYTES];
        let hash = draw.wrapping_mul(2_654_435_761).to_be_bytes();
        bytes.iter_mut().zip(hash.iter().cycle()).for_each(|(byte, part)| *byte = *part);
        Trace::begin(bytes)
    };
    let traces: Vec<_> = (0..1_000).map(begun).collect();
    let recorded = traces.iter().filter(|trace| exporter.records(trace, None)).count();
    assert!((200..300).contains(&recorded), "{recorded} of 1000");
    for trace in traces {
        let next = trace.next([7; 8]);
        assert!(exporter.records(&next, Some(&trace)), "what was begun is recorded whole");
        assert!(!exporter.records(&next, Some(&trace.recorded(false))), "or not at all");
    }
}
