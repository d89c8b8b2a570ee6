//! Histories that somebody has damaged: the checker finds each damage.

mod posts;

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::{Value, json};
use shared::digest::Digest;
use shared::id::IntentId;
use shared::intent::event::{Event, EventKind};
use shared::intent::record::record;
use shared::intent::{EVENT_SEQ_STEP, Intent, react};
use shared::store::{Commit, genesis};
use tests::check::{Ledger, Moment, Rule, check};
use tests::sim::{Errand, Plan, Report, Shape, Weather, simulate};

/// The place of the shape whose turns are posted in vain.
const UNREACHED: usize = 8;
/// The first errand whose questions nobody answers.
const LEFT: usize = 18;

/// A quiet story: some intents of each kind, and nothing goes wrong.
static STORY: LazyLock<Report> = LazyLock::new(|| {
    let mut plan = Plan::of(1);
    let errand = |number: usize| Errand {
        name: format!("errand-{number}"),
        shape: Shape::ALL[number % Shape::ALL.len()],
        after: Duration::from_secs(number as u64),
        // Some turns come to the end of their attempts, and some questions wait for long.
        ttl_s: if number % Shape::ALL.len() == UNREACHED || number >= LEFT { 5_000 } else { 300 },
        calls: 2,
        // Some questions are still open when the story is half over.
        is_left: number >= LEFT,
        canceled_after: None,
    };
    plan.errands = (0..28).map(errand).collect();
    plan.publications = [5, 10].map(Duration::from_secs).to_vec();
    (plan.weather, plan.storm) = (Weather::calm(), Duration::from_secs(30));
    simulate(plan)
});

/// The items of a ledger, by their places.
type Items = BTreeMap<(String, String), Value>;

fn items(ledger: &Ledger) -> Items {
    let part = |item: &Value, name: &str| item[name]["S"].as_str().unwrap().to_owned();
    ledger.items().map(|item| ((part(item, "pk"), part(item, "sk")), item.clone())).collect()
}

fn found(items: Items, moment: &Moment) -> Vec<Rule> {
    let told = if matches!(moment, Moment::End) { &STORY.told } else { &STORY.midway.1 };
    let violations = check(&Ledger::new(items.into_values()), told, moment);
    violations.into_iter().map(|violation| violation.rule).collect()
}

/// Damages the story's end, and says what is found.
fn after(damage: impl FnOnce(&mut Items)) -> Vec<Rule> {
    let mut items = items(&STORY.ledger);
    damage(&mut items);
    found(items, &Moment::End)
}

/// Damages the story where it was half over, and says what is found.
fn midway(damage: impl FnOnce(&mut Items)) -> Vec<Rule> {
    let (ledger, _, moment) = &STORY.midway;
    let mut items = items(ledger);
    damage(&mut items);
    found(items, moment)
}

/// The first place of a kind.
fn first(items: &Items, prefix: &str) -> (String, String) {
    items.keys().find(|(pk, _)| pk.starts_with(prefix)).expect(prefix).clone()
}

/// Writes the history of the first intent that fits anew, unbroken, with other events.
fn rewrite(
    items: &mut Items,
    fits: impl Fn(&Event) -> bool,
    change: impl FnOnce(&mut Vec<Vec<Event>>),
) {
    let commit = |item: &Value| Commit::parse(item["body"]["S"].as_str().unwrap()).unwrap();
    let holds = |item: &Value| commit(item).records.iter().any(|it| fits(&it.event));
    let is_commit = |sk: &str| sk.starts_with("C#");
    let pk = items.iter().find(|((_, sk), item)| is_commit(sk) && holds(item));
    let pk = pk.expect("a history with such an event").0.0.clone();
    let of_intent = |place: &(String, String)| place.0 == pk && is_commit(&place.1);
    let places: Vec<_> = items.keys().filter(|place| of_intent(place)).cloned().collect();
    let mut commits: Vec<Vec<Event>> = Vec::new();
    for place in &places {
        let old = commit(&items.remove(place).unwrap());
        commits.push(old.records.into_iter().map(|record| record.event).collect());
    }
    change(&mut commits);

    let id: IntentId = pk.rsplit('#').next().unwrap().parse().unwrap();
    let (mut state, mut previous, mut seq): (Option<Intent>, _, u64) = (None, genesis(id), 0);
    for (mut events, version) in commits.into_iter().zip(1..) {
        for event in &mut events {
            seq += EVENT_SEQ_STEP;
            event.seq = seq;
        }
        let (after, records) = record(state.as_ref(), &events);
        state = after;
        let after = state.as_ref().unwrap();
        let owed = events.iter().flat_map(|event| react::owed(after, event)).collect();
        let text = serde_json::to_string(&Commit { version, previous, records, owed });
        let text = text.unwrap();
        previous = Digest::of_bytes(text.as_bytes());
        let sk = format!("C#{seq:020}");
        let item = json!({"pk": {"S": pk}, "sk": {"S": sk}, "body": {"S": text}});
        items.insert((pk.clone(), sk), item);
        let snapshot = items.get_mut(&(pk.clone(), "S".to_owned())).unwrap();
        snapshot["version"] = json!({"N": version.to_string()});
        snapshot["head"] = json!({"S": previous.hex()});
        snapshot["body"] = json!({"S": serde_json::to_string(&state).unwrap()});
    }
}

fn is_yes(event: &Event) -> bool {
    matches!(event.kind, EventKind::Approved { .. })
}

fn is_claim(event: &Event) -> bool {
    matches!(event.kind, EventKind::CallClaimed { .. })
}

#[test]
fn an_undamaged_history_has_no_fault() {
    assert_eq!(STORY.violations, []);
    assert_eq!(after(|_| {}), []);
    assert_eq!(midway(|_| {}), []);
    assert_eq!(after(|items| rewrite(items, is_yes, |_| {})), []);
}

#[test]
fn a_changed_link_of_the_chain_is_found() {
    let rules = after(|items| {
        let place = items.keys().find(|(_, sk)| sk.starts_with("C#")).unwrap().clone();
        let body = &mut items.get_mut(&place).unwrap()["body"]["S"];
        *body = json!(body.as_str().unwrap().replacen("\"actor\":\"", "\"actor\":\"not ", 1));
    });
    assert!(rules.contains(&Rule::Chain), "{rules:?}");
}

#[test]
fn a_lost_commit_is_found() {
    let rules = after(|items| {
        let place = items.keys().filter(|(_, sk)| sk.starts_with("C#")).nth(1).unwrap().clone();
        items.remove(&place);
    });
    assert!(rules.contains(&Rule::Chain), "{rules:?}");
}

#[test]
fn a_state_that_its_events_do_not_lead_to_is_found() {
    let rules = after(|items| {
        let place = items.keys().find(|(_, sk)| sk == "S").unwrap().clone();
        let body = &mut items.get_mut(&place).unwrap()["body"]["S"];
        let mut state: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        state["fence"] = json!(77);
        *body = json!(state.to_string());
    });
    assert_eq!(rules, [Rule::Replay]);
}

#[test]
fn a_decision_too_many_is_found() {
    let rules = after(|items| {
        rewrite(items, is_yes, |commits| {
            let last = commits.last().unwrap().clone();
            commits.push(last);
        });
    });
    assert!(rules.contains(&Rule::OneEnd) && rules.contains(&Rule::Decision), "{rules:?}");
    assert!(rules.contains(&Rule::Promise), "somebody was told of one: {rules:?}");
}

#[test]
fn a_yes_at_the_deadline_is_found() {
    let rules = after(|items| {
        rewrite(items, is_yes, |commits| {
            let EventKind::Created { envelope, .. } = &commits[0][0].kind else { panic!() };
            let deadline_at = envelope.deadline_at;
            for event in commits.iter_mut().flatten().skip_while(|event| !is_yes(event)) {
                event.at = deadline_at;
            }
        });
    });
    assert!(rules.contains(&Rule::Deadline) && rules.contains(&Rule::Decision), "{rules:?}");
}

#[test]
fn a_claim_that_is_given_twice_is_found() {
    let rules = after(|items| {
        rewrite(items, is_claim, |commits| {
            let claim = commits.iter().position(|events| events.iter().any(is_claim)).unwrap();
            commits.insert(claim, commits[claim].clone());
        });
    });
    assert!(rules.contains(&Rule::Claim), "{rules:?}");
}

#[test]
fn a_claim_without_a_yes_is_found() {
    let rules = after(|items| {
        rewrite(items, is_claim, |commits| {
            for event in commits.iter_mut().flatten() {
                if let EventKind::AskEnded { ending, .. } = &mut event.kind {
                    ending.decision = None;
                }
            }
        });
    });
    assert!(rules.contains(&Rule::Claim), "{rules:?}");
}

#[test]
fn a_lost_pointer_of_each_kind_is_found() {
    for kind in ["default#DAY#", "default#INBOX#", "default#AGENT#", "default#TASKS"] {
        let rules = midway(|items| {
            let place = first(items, kind);
            items.remove(&place);
        });
        assert_eq!(rules, [Rule::Pointer], "{kind}");
    }
}

#[test]
fn a_pointer_that_was_left_behind_is_found() {
    let rules = after(|items| {
        let (_, _, moment) = &STORY.midway;
        assert!(matches!(moment, Moment::Meanwhile(_)));
        let old = self::items(&STORY.midway.0);
        let place = first(&old, "default#TASKS");
        items.insert(place.clone(), old[&place].clone());
    });
    assert_eq!(rules, [Rule::Pointer]);
}

#[test]
fn a_lost_timer_and_the_timer_of_an_ended_intent_are_found() {
    let lost = midway(|items| {
        let place = first(items, "default#TIMER#");
        items.remove(&place);
    });
    assert_eq!(lost, [Rule::Timer]);
    let left = after(|items| {
        let old = self::items(&STORY.midway.0);
        let place = first(&old, "default#TIMER#");
        items.insert(place.clone(), old[&place].clone());
    });
    assert_eq!(left, [Rule::Timer]);
}

#[test]
fn an_intent_that_has_not_ended_is_found() {
    let items = items(&STORY.midway.0);
    let mut told = STORY.midway.1.clone();
    // What is under way then has not come everywhere.
    told.doors.clear();
    told.posts.clear();
    let violations = check(&Ledger::new(items.into_values()), &told, &Moment::End);
    assert!(violations.iter().all(|violation| violation.rule == Rule::Ended), "{violations:?}");
    assert!(!violations.is_empty());
}

#[test]
fn what_somebody_was_told_and_history_lacks_is_found() {
    let (some, digest) = (IntentId::derived(&["nobody"]), Digest::of_bytes(b"nothing"));
    let now = "2030-01-01T00:00:00Z".parse().unwrap();
    let mut told = STORY.told.clone();
    told.sent("errand-0", some);
    told.decided((some, digest), ("ada", true), (now, now));
    told.canceled(some);
    told.completed(some, json!({"insights": []}));
    told.ran(some, "c0", "a claim that was never given");
    let rules = check(&STORY.ledger, &told, &Moment::End);
    assert_eq!(rules.len(), 5, "{rules:?}");
    assert!(rules.iter().all(|violation| violation.rule == Rule::Promise), "{rules:?}");
}
