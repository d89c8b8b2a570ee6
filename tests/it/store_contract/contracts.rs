//! What one writer can rely on.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use shared::address::Address;
use shared::app::Heard;
use shared::digest::Digest;
use shared::error::Error;
use shared::id::IntentId;
use shared::intent::command::WaitsFor;
use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::{Command, Event, decide};
use shared::key::{ID_BYTES, Key, KeyText, SECRET_BYTES};
use shared::principal::{Assurance, Principal, Role};
use shared::route::Route;
use shared::store::{
    Attachment, Change, Checkpoint, Commit, CommitError, List, ListPlace, Marked, Offer,
    OfferCursor, Shown, Stored, TIMER_SHARDS, Timer, genesis,
};
use tests::{Table, World};

const TENANT: &str = "default";

pub(super) fn agent() -> Principal {
    Principal {
        tenant: TENANT.to_owned(),
        name: "local-agent".to_owned(),
        role: Role::Agent,
        address: None,
        assurance: Assurance::Key,
    }
}

fn id(name: &str) -> IntentId {
    IntentId::derived(&["contract", name])
}

fn address() -> Address {
    Address::parse("a").unwrap()
}

/// An intent for the agent at [`address`], with a minute to live.
fn envelope(world: &World) -> Envelope {
    Envelope {
        tenant: TENANT.to_owned(),
        intent_type: "t".to_owned(),
        correlation_id: uuid::Uuid::nil(),
        from: "local-agent".to_owned(),
        to: address(),
        handler: address(),
        delivery: Delivery::Stream,
        payload: serde_json::Map::new(),
        parent: None,
        reply_to: None,
        deadline_at: after(world.app.now(), 60_000),
        reminders: Reminders::default(),
        working_hours: None,
        escalate_to: None,
        delivery_attempts_max: Some(3),
        hold_point: None,
        workflow: None,
    }
}

fn after(at: Timestamp, ms: u64) -> Timestamp {
    at.checked_add(Duration::from_millis(ms)).unwrap()
}

fn creation(world: &World, id: IntentId, fingerprint: Option<&str>) -> Change<'static> {
    creation_of(world, id, envelope(world), fingerprint)
}

fn creation_of(
    world: &World,
    id: IntentId,
    envelope: Envelope,
    fingerprint: Option<&str>,
) -> Change<'static> {
    let command = Command::Create { id, envelope: Box::new(envelope) };
    let events = decide(None, &command, world.app.now()).unwrap();
    let fingerprint = fingerprint.map(|text| Digest::of_bytes(text.as_bytes()));
    Change { before: None, events, fingerprint, attachments: vec![], before_deadline_at: None }
}

fn change(before: &Stored, events: Vec<Event>) -> Change<'_> {
    Change {
        before: Some(before),
        events,
        fingerprint: None,
        attachments: vec![],
        before_deadline_at: None,
    }
}

fn completion(world: &World, before: &Stored, n: u64) -> Vec<Event> {
    let command = Command::Complete { by: agent(), fence: None, result: json!({"n": n}) };
    decide(Some(&before.intent), &command, world.app.now()).unwrap()
}

async fn load(world: &World, id: IntentId) -> Stored {
    world.app.store().load(TENANT, id).await.unwrap().unwrap()
}

pub(super) async fn a_creation_happens_once_and_the_second_finds_the_first(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    assert!(store.load(TENANT, id("one")).await.unwrap().is_none());
    let made = store.commit(&[creation(&world, id("one"), Some("body"))]).await.unwrap();
    let first = load(&world, id("one")).await;
    assert_eq!((&made[0], first.version), (&first.intent, 1));
    assert_eq!(first.fingerprint, Some(Digest::of_bytes(b"body")));

    let before = world.table.items().await;
    world.pass(Duration::from_secs(1));
    match store.commit(&[creation(&world, id("one"), Some("other"))]).await {
        Err(CommitError::Conflict(Some(found))) => {
            assert_eq!((found.intent, found.version), (first.intent, 1));
            assert_eq!(found.fingerprint, first.fingerprint);
        }
        other => panic!("the first one must come back, not {other:?}"),
    }
    assert_eq!(world.table.items().await, before);
    store.commit(&[creation(&world, id("two"), None)]).await.unwrap();
}

pub(super) async fn of_two_changes_to_one_version_the_first_counts(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    store.commit(&[creation(&world, id("one"), Some("body"))]).await.unwrap();
    let seen = load(&world, id("one")).await;
    let (first, second) = (completion(&world, &seen, 1), completion(&world, &seen, 2));
    let made = store.commit(&[change(&seen, first)]).await.unwrap();
    let before = world.table.items().await;
    match store.commit(&[change(&seen, second)]).await {
        Err(CommitError::Conflict(Some(found))) => assert_eq!(found.intent, made[0]),
        other => panic!("the newer state must come back, not {other:?}"),
    }
    assert_eq!(world.table.items().await, before);
    let now = load(&world, id("one")).await;
    assert_eq!((now.version, now.fingerprint), (2, seen.fingerprint), "the fingerprint stays");
}

pub(super) async fn a_write_at_the_deadline_is_refused_by_the_table_itself(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    store.commit(&[creation(&world, id("one"), None)]).await.unwrap();
    let seen = load(&world, id("one")).await;
    let deadline_at = seen.intent.envelope.deadline_at;
    let before = world.table.items().await;
    for late in [deadline_at, after(deadline_at, 1)] {
        // Decided in time, written too late: the core cannot see that, the table does.
        let mut change = change(&seen, completion(&world, &seen, 1));
        change.before_deadline_at = Some(late);
        let refused = store.commit(&[change]).await;
        assert!(matches!(refused, Err(CommitError::Conflict(_))), "{refused:?}");
    }
    assert_eq!(world.table.items().await, before);
    let mut change = change(&seen, completion(&world, &seen, 1));
    change.before_deadline_at = Some(deadline_at.checked_sub(Duration::from_millis(1)).unwrap());
    store.commit(&[change]).await.unwrap();
}

pub(super) async fn several_changes_are_written_together_or_not_at_all(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    store.commit(&[creation(&world, id("parent"), None)]).await.unwrap();
    store.commit(&[creation(&world, id("child"), None)]).await.unwrap();
    let parent = load(&world, id("parent")).await;
    let before = world.table.items().await;
    let taken = [
        change(&parent, completion(&world, &parent, 1)),
        creation(&world, id("other"), None),
        creation(&world, id("child"), None),
    ];
    let refused = store.commit(&taken).await;
    assert!(matches!(refused, Err(CommitError::Conflict(_))), "{refused:?}");
    assert_eq!(world.table.items().await, before);
    let free =
        [change(&parent, completion(&world, &parent, 1)), creation(&world, id("other"), None)];
    assert_eq!(store.commit(&free).await.unwrap().len(), 2);
    assert_eq!(load(&world, id("parent")).await.version, 2);
    assert_eq!(load(&world, id("other")).await.version, 1);
}

/// The stored texts of an intent's commits, oldest first.
async fn commits(world: &World, id: IntentId) -> Vec<String> {
    let query = world.table.client.query().table_name("holdpoint").consistent_read(true);
    let text = |value: String| aws_sdk_dynamodb::types::AttributeValue::S(value);
    let page = query
        .key_condition_expression("pk = :pk AND begins_with(sk, :commit)")
        .expression_attribute_values(":pk", text(format!("{TENANT}#INTENT#{id}")))
        .expression_attribute_values(":commit", text("C#".to_owned()))
        .send()
        .await
        .unwrap();
    let body = |item: &std::collections::HashMap<_, aws_sdk_dynamodb::types::AttributeValue>| {
        item["body"].as_s().unwrap().clone()
    };
    page.items.unwrap_or_default().iter().map(body).collect()
}

/// An intent behind a hold point, from its creation to its release, over HTTP.
async fn story(world: &World) -> IntentId {
    let route = json!({"human_task": {"title": "Sign off"}});
    world.put(&world.admin, "/v1/routes/a", &route).await;
    let id = crate::harness::turn(world, "a").await;
    let resume = format!("/v1/intents/{id}/resume");
    world.post(&world.agent, &resume, &json!({"approve_current_step": true})).await;
    world.post(&world.agent, &resume, &json!({"action": "complete", "n": 1})).await;
    let done = world.post(&world.reviewer, &resume, &json!({"outcome": "approved"})).await;
    assert_eq!(done.json()["status"], "COMPLETED", "{}", done.text);
    id.parse().unwrap()
}

pub(super) async fn every_commit_names_the_digest_of_the_one_before(table: Table) {
    let world = World::over(table).await;
    let id = story(&world).await;
    let texts = commits(&world, id).await;
    assert_eq!(texts.len(), 4);
    let mut previous = genesis(id);
    for (n, text) in texts.iter().enumerate() {
        let commit = Commit::parse(text).unwrap();
        assert_eq!((commit.version, &commit.previous), (n as u64 + 1, &previous));
        previous = Commit::digest(text);
    }
    let stored = load(&world, id).await;
    assert_eq!((stored.version, stored.head), (4, previous));
}

pub(super) async fn history_after_a_number_is_what_came_after_it(table: Table) {
    let world = World::over(table).await;
    let id = story(&world).await;
    let all = world.app.events(id, 0).await.unwrap().records;
    assert!(all.len() > 8 && all.is_sorted_by_key(|record| record.event.seq));
    for since in 0..=all.last().unwrap().event.seq + 1 {
        let later: Vec<_> = all.iter().filter(|record| record.event.seq > since).cloned().collect();
        let read = world.app.events(id, since).await.unwrap();
        assert_eq!((read.records, read.has_more), (later, false), "since {since}");
    }
    assert!(world.app.events(id, u64::MAX).await.unwrap().records.is_empty());
}

/// How many items stand in each kind of partition.
async fn standing(world: &World) -> BTreeMap<&'static str, usize> {
    let items = world.table.items().await;
    let count = |kind: &str| items.iter().filter(|item| item.contains(kind)).count();
    ["#TIMER#", "#AGENT#", "#TASKS\"", "#DAY#", "\"C#", "sk\": S(\"S\")"]
        .into_iter()
        .map(|kind| (kind, count(kind)))
        .filter(|(_, count)| *count > 0)
        .collect()
}

pub(super) async fn pointers_stand_exactly_where_the_state_wants_them(table: Table) {
    let world = World::over(table).await;
    let route = json!({"human_task": {"title": "Sign off"}});
    world.put(&world.admin, "/v1/routes/a", &route).await;
    let expect = async |what: &str, expected: &[(&'static str, usize)]| {
        let expected: BTreeMap<_, _> = expected.iter().copied().collect();
        assert_eq!(standing(&world).await, expected, "{what}");
    };
    let (day, snapshot) = (("#DAY#", 1), ("sk\": S(\"S\")", 1));
    let sent = json!({"intent_type": "t", "to_agent": "a", "remind_after_seconds": 60, "max_reminders": 1});
    let id = crate::harness::create(&world, &sent).await;
    let (timer, offer, task) = (("#TIMER#", 1), ("#AGENT#", 1), ("#TASKS\"", 1));
    expect("offered", &[timer, offer, day, ("\"C#", 1), snapshot]).await;
    let resume = format!("/v1/intents/{id}/resume");
    world.post(&world.agent, &resume, &json!({"approve_current_step": true})).await;
    expect("handed on", &[timer, offer, day, ("\"C#", 2), snapshot]).await;
    world.post(&world.agent, &resume, &json!({"action": "complete"})).await;
    expect("held", &[timer, task, day, ("\"C#", 3), snapshot]).await;
    world.pass(Duration::from_mins(1));
    let id: IntentId = id.parse().unwrap();
    world.app.execute(id, &Command::Wake, &[]).await.unwrap();
    expect("reminded", &[timer, task, day, ("\"C#", 4), snapshot]).await;
    world.post(&world.reviewer, &resume, &json!({"outcome": "rejected"})).await;
    expect("ended", &[day, ("\"C#", 5), snapshot]).await;
}

async fn all_timers(world: &World, until: Timestamp) -> Vec<Timer> {
    let mut timers = Vec::new();
    for shard in 0..TIMER_SHARDS {
        let found = world.app.store().timers_due(TENANT, shard, None, until).await.unwrap();
        assert!(found.is_sorted_by_key(|timer| timer.due_at), "soonest first");
        for (n, timer) in found.iter().enumerate() {
            let rest = world.app.store().timers_due(TENANT, shard, Some(*timer), until).await;
            assert_eq!(rest.unwrap(), found[n + 1..], "the page after number {n}");
        }
        timers.extend(found);
    }
    timers
}

pub(super) async fn timers_are_read_in_order_and_page_by_page(table: Table) {
    let world = World::over(table).await;
    let began_at = world.app.now();
    for n in 0..24_u64 {
        let mut envelope = envelope(&world);
        // Pairs fall due in the same millisecond.
        envelope.deadline_at = after(began_at, 1000 + (23 - n) / 2 * 1000);
        let id = id(&format!("timer {n}"));
        world.app.store().commit(&[creation_of(&world, id, envelope, None)]).await.unwrap();
    }
    assert_eq!(all_timers(&world, after(began_at, 12_000)).await.len(), 24);
    assert_eq!(all_timers(&world, after(began_at, 6000)).await.len(), 12, "until is included");
    assert_eq!(all_timers(&world, after(began_at, 5999)).await.len(), 10);
    assert!(all_timers(&world, began_at).await.is_empty());
}

pub(super) async fn a_timer_is_never_due_before_what_it_waits_for(table: Table) {
    let world = World::over(table).await;
    let mut envelope = envelope(&world);
    let whole = envelope.deadline_at;
    envelope.deadline_at = whole.checked_add(Duration::from_micros(300)).unwrap();
    let deadline_at = envelope.deadline_at;
    let id = id("fraction");
    world.app.store().commit(&[creation_of(&world, id, envelope, None)]).await.unwrap();
    let timers = all_timers(&world, after(whole, 10)).await;
    assert_eq!(timers, [Timer { intent: id, due_at: after(whole, 1), put_back: 0 }]);
    let stored = load(&world, id).await;
    let events = decide(Some(&stored.intent), &Command::Wake, timers[0].due_at).unwrap();
    assert!(timers[0].due_at >= deadline_at && !events.is_empty());
}

/// What a listener at `world` hears at once: places and intents.
async fn heard(world: &World, since: u64) -> Vec<(u64, IntentId)> {
    let mut listener = world.app.listen_for(address(), None, since, Duration::ZERO);
    match listener.next(Duration::MAX).await.unwrap() {
        Heard::News(news) => news.iter().map(|new| (new.seq, new.intent.id)).collect(),
        Heard::Silence | Heard::End => vec![],
    }
}

pub(super) async fn an_offer_that_became_visible_late_is_shown_once(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let early = creation(&world, id("early"), None);
    world.pass(Duration::from_secs(10));
    store.commit(&[creation(&world, id("later"), None)]).await.unwrap();
    let first = heard(&world, 0).await;
    assert_eq!(first.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [id("later")]);
    let since = first[0].0;
    assert!(heard(&world, since).await.is_empty());
    // It took its place ten seconds ago and is written only now.
    store.commit(&[early]).await.unwrap();
    let late = heard(&world, since).await;
    assert_eq!(late.iter().map(|(_, intent)| *intent).collect::<Vec<_>>(), [id("early")]);
    assert!(late[0].0 < since);
    assert!(heard(&world, since).await.is_empty());
    assert_eq!(heard(&world, 0).await.len(), 2, "a new listener sees all");
}

pub(super) async fn a_showing_is_noted_once_and_never_on_what_is_gone(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let (agent, now) = (address(), world.app.now());
    store.commit(&[creation(&world, id("shown"), None)]).await.unwrap();
    let read = async || {
        let page = store.offers(TENANT, &agent, &OfferCursor::at(0)).await.unwrap();
        assert_eq!(page.next, None);
        page.offers
    };
    let offer = read().await[0];
    assert_eq!(offer.shown, None);
    let mark =
        async |offer: &Offer, seq| store.mark_shown(TENANT, &agent, offer, seq, now).await.unwrap();
    assert_eq!(mark(&offer, offer.seq).await, Marked::Noted);
    assert_eq!(mark(&offer, offer.seq).await, Marked::Overtaken, "it was read before");
    let shown = read().await[0];
    assert_eq!(shown.shown, Some(Shown { count: 1, at: now, seq: offer.seq }));
    assert_eq!(mark(&shown, offer.seq + 8).await, Marked::Noted);
    let again = read().await[0];
    assert_eq!(again.shown, Some(Shown { count: 2, at: now, seq: offer.seq + 8 }));
    assert!(!again.settled);
    assert_eq!(store.mark_settled(TENANT, &agent, &again).await.unwrap(), Marked::Noted);
    assert!(read().await[0].settled);
    // What is marked as it leaves stays gone.
    let stored = load(&world, id("shown")).await;
    store.commit(&[change(&stored, completion(&world, &stored, 1))]).await.unwrap();
    assert_eq!(mark(&again, offer.seq).await, Marked::Overtaken);
    assert_eq!(mark(&offer, offer.seq).await, Marked::Overtaken);
    let settled = store.mark_settled(TENANT, &agent, &again).await.unwrap();
    assert_eq!((settled, read().await), (Marked::Overtaken, vec![]));
}

pub(super) async fn offers_that_were_shown_do_not_crowd_out_new_ones(table: Table) {
    let world = World::over(table).await;
    // All at one moment, so that every one of them stays in the window for late ones.
    for n in 0..130 {
        let id = id(&format!("offer {n}"));
        world.app.store().commit(&[creation(&world, id, None)]).await.unwrap();
    }
    let mut seen = Vec::new();
    let mut since = 0;
    for _ in 0..3 {
        let found = heard(&world, since).await;
        seen.extend(found.iter().map(|(_, intent)| *intent));
        since = found.last().map_or(since, |(seq, _)| *seq);
    }
    seen.sort();
    assert_eq!(seen.len(), 130, "each once");
    seen.dedup();
    assert_eq!(seen.len(), 130);
}

pub(super) async fn requests_are_counted_by_key_endpoint_and_minute(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let now = world.app.now();
    let count = async |key: &str, endpoint: &str, at, requests| {
        store.count_requests(TENANT, key, endpoint, at, requests).await.unwrap()
    };
    assert_eq!(count("a", "GET /x", now, 40).await, 40);
    assert_eq!(count("a", "GET /x", now, 10).await, 50);
    assert_eq!(count("b", "GET /x", now, 10).await, 10);
    assert_eq!(count("a", "POST /x", now, 10).await, 10);
    assert_eq!(count("a", "GET /x", after(now, 60_000), 10).await, 10);
}

pub(super) async fn recent_intents_are_listed_over_pages_and_days(table: Table) {
    let world = World::over(table).await;
    let mut made = Vec::new();
    for n in 0..123_u64 {
        let id = id(&format!("recent {n}"));
        world.app.store().commit(&[creation(&world, id, None)]).await.unwrap();
        made.push(id);
        world.pass(Duration::from_millis(if n == 2 { 86_400_000 } else { 1 }));
    }
    made.reverse();
    let (list, now) = (List::SentSince(Timestamp::UNIX_EPOCH), ListPlace::up_to(world.app.now()));
    let visited = async |from: ListPlace, limit: usize| {
        let mut found = Vec::new();
        let visit = |_, stored: Stored| {
            found.push(stored.intent.id);
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        let next = world.app.store().visit(TENANT, list, from, visit).await.unwrap();
        (found, next)
    };
    assert_eq!(visited(now, 1000).await.0, made, "newest first, over pages and days");
    let mut seen = Vec::new();
    let mut from = now;
    for limit in [1, 110, 9, 100] {
        let (found, next) = visited(from, limit).await;
        seen.extend(found);
        from = next.expect("a month is looked at, and there are earlier ones");
    }
    assert_eq!(seen, made, "each part goes on right behind the one before");
    let today = List::SentSince(world.app.now().checked_sub(Duration::from_hours(1)).unwrap());
    let all = |_, _: Stored| ControlFlow::Continue(());
    assert_eq!(world.app.store().visit(TENANT, today, now, all).await.unwrap(), None, "the end");
}

fn suspension(checkpoint: &Checkpoint, expected: Option<&Checkpoint>) -> Command {
    let digest = |stored: &Checkpoint| Digest::of_bytes(stored.data.as_bytes());
    Command::Suspend {
        by: agent(),
        fence: None,
        expected_checkpoint: expected.map(digest),
        checkpoint: Some(digest(checkpoint)),
        waits_for: WaitsFor::Tool,
    }
}

fn checkpoint(world: &World, data: &str) -> Checkpoint {
    Checkpoint {
        format: "test".to_owned(),
        version: "1".to_owned(),
        data: data.to_owned(),
        stored_at: world.app.now(),
    }
}

pub(super) async fn an_attachment_is_stored_with_its_commit_or_not_at_all(table: Table) {
    let world = World::over(table).await;
    let (app, id) = (&world.app, id("one"));
    app.store().commit(&[creation(&world, id, None)]).await.unwrap();
    let (one, two) = (checkpoint(&world, "run state \u{1f600}"), checkpoint(&world, "another"));
    assert_eq!(app.store().checkpoint(TENANT, id).await.unwrap(), None);
    let stored = [Attachment::Checkpoint(one.clone())];
    app.execute(id, &suspension(&one, None), &stored).await.unwrap();
    assert_eq!(app.store().checkpoint(TENANT, id).await.unwrap(), Some(one.clone()));
    // It expects another state than the one that is stored, so neither half happens.
    let stored = [Attachment::Checkpoint(two.clone())];
    app.execute(id, &suspension(&two, None), &stored).await.unwrap_err();
    assert_eq!(app.store().checkpoint(TENANT, id).await.unwrap(), Some(one.clone()));
    app.execute(id, &suspension(&two, Some(&one)), &stored).await.unwrap();
    assert_eq!(app.store().checkpoint(TENANT, id).await.unwrap(), Some(two));
}

pub(super) async fn what_is_too_large_is_refused_and_changes_nothing(table: Table) {
    let world = World::over(table).await;
    let (app, one) = (&world.app, id("one"));
    app.store().commit(&[creation(&world, one, None)]).await.unwrap();
    let before = world.table.items().await;
    for bytes in [410 * 1024, 5 * 1024 * 1024] {
        let large = checkpoint(&world, &"x".repeat(bytes));
        let stored = [Attachment::Checkpoint(large.clone())];
        let refused = app.execute(one, &suspension(&large, None), &stored).await;
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{bytes}: {refused:?}");
        let mut envelope = envelope(&world);
        envelope.payload.insert("p".to_owned(), json!("x".repeat(bytes)));
        let creation = creation_of(&world, id("large"), envelope, None);
        let refused = app.store().commit(&[creation]).await.map_err(Error::from);
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{bytes}: {refused:?}");
    }
    assert_eq!(world.table.items().await, before);
}

pub(super) async fn keys_and_routes_come_back_as_they_were_stored(table: Table) {
    let world = World::over(table).await;
    let store = world.app.store();
    let text = KeyText::new([9; ID_BYTES], [9; SECRET_BYTES]);
    let key = Key {
        id: text.id().to_owned(),
        name: "ana".to_owned(),
        role: Role::Agent,
        address: Some(address()),
        service_account_id: None,
        secret_digest: text.digest(),
        created_at: world.app.now(),
        expires_at: Some(after(world.app.now(), 1)),
        revoked_at: None,
    };
    assert_eq!(store.key(TENANT, &key.id).await.unwrap(), None);
    store.put_key(TENANT, &key).await.unwrap();
    assert_eq!(store.key(TENANT, &key.id).await.unwrap(), Some(key.clone()));
    assert_eq!(store.key("another", &key.id).await.unwrap(), None);
    let (once, twice) = (world.app.now(), after(world.app.now(), 5));
    for at in [once, twice] {
        let revoked = store.revoke_key(TENANT, &key.id, at).await.unwrap().unwrap();
        assert_eq!(revoked.revoked_at, Some(once), "the first revocation stands");
    }
    assert_eq!(store.revoke_key(TENANT, "none", once).await.unwrap(), None);

    let mut route = Route::direct(address());
    route.display_name = Some("A".to_owned());
    assert_eq!(store.route(TENANT, &address()).await.unwrap(), None);
    store.put_route(TENANT, &route).await.unwrap();
    route.delivery = Delivery::Worker;
    store.put_route(TENANT, &route).await.unwrap();
    route.registration.created_at = Some(route.updated_at);
    assert_eq!(store.route(TENANT, &address()).await.unwrap(), Some(route.clone()));
    let mut far = Route::direct(Address::parse("a/b@c/d+e").unwrap());
    store.put_route(TENANT, &far).await.unwrap();
    far.registration.created_at = Some(far.updated_at);
    assert_eq!(store.routes(TENANT).await.unwrap(), [route, far]);
    assert!(store.routes("another").await.unwrap().is_empty());
}
