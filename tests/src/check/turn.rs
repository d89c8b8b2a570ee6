//! Turns that are posted to their agents: until they are taken and not after, or in vain.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use shared::intent::event::{Event, EventKind};
use shared::intent::{Intent, apply};

use super::life::Life;
use super::post::{Post, Whose};
use super::told::Told;
use super::{Rule, Violation};

/// The least pauses between the attempts at a turn, in seconds; the last one stays. The contract's.
const PAUSES_S: [u64; 3] = [30, 120, 600];
/// How long a function may run that posts. One that has found a turn untaken may post it up to its end,
/// also if somebody else has seen it taken meanwhile.
const POSTER_RUNS_MAX: Duration = Duration::from_secs(30);

/// One turn of one intent.
#[derive(Debug, Default)]
struct Turn {
    /// Where on the stream it was offered, and when, once for each attempt.
    offers: Vec<(u64, Timestamp)>,
    /// When nobody had to post it any more.
    settled_at: Option<Timestamp>,
    /// Whether that was because Holdpoint has heard that its agent has it.
    is_had: bool,
    /// Its agent.
    agent: String,
}

pub(super) fn check(lives: &[Life], told: &Told, found: &mut Vec<Violation>) {
    let mut posts: BTreeMap<String, Vec<(&Post, &str)>> = BTreeMap::new();
    for door in &told.doors {
        let Whose::Agent(agent) = &door.of else { continue };
        for post in told.posts.iter().filter(|post| post.url == door.url) {
            let intent = post.json()["intent_id"].as_str().unwrap_or_default().to_owned();
            posts.entry(intent).or_default().push((post, agent));
        }
    }
    let is_posted = told.doors.iter().any(|door| matches!(door.of, Whose::Agent(_)));
    for life in lives {
        let posts = posts.remove(&life.id.to_string()).unwrap_or_default();
        let turns = turns(life, told.skew(), found);
        let taken = posted(&turns, &posts, told.skew(), found);
        for (turn, _) in turns
            .iter()
            .filter(|(number, turn)| is_posted && turn.is_had && !taken.contains(number))
        {
            let detail = format!("turn {turn} is said to be its agent's, which never took it");
            found.push(Violation::new(Rule::Turn, life.id, detail));
        }
    }
    for (post, _) in posts.into_values().flatten() {
        found.push(Violation::new(Rule::Stray, post, "is a turn of nothing that is there"));
    }
}

/// The turns of a life that were to be posted, by the number of the event with which each began.
fn turns(life: &Life, skew: Duration, found: &mut Vec<Violation>) -> BTreeMap<u64, Turn> {
    let mut turns: BTreeMap<u64, Turn> = BTreeMap::new();
    let mut state: Option<Intent> = None;
    for event in life.events() {
        let before = state.clone();
        state = apply(state, event);
        let Some(after) = &state else { continue };
        if let Some(turn) = turns.get(&after.turn_seq).filter(|_| after.awaits_push()) {
            attempts(after, turn, event, skew, found);
        }
        if after.awaits_push() {
            let turn = turns.entry(after.turn_seq).or_default();
            after.handler().path().clone_into(&mut turn.agent);
            if turn.offers.last().is_none_or(|(place, _)| *place != after.offer_seq) {
                turn.offers.push((after.offer_seq, event.at));
            }
        } else if let Some(before) = before.filter(Intent::awaits_push)
            && let Some(turn) = turns.get_mut(&before.turn_seq)
        {
            turn.settled_at = Some(event.at);
            let is_had = matches!(event.kind, EventKind::Acknowledged | EventKind::Started { .. });
            // An agent may also begin by itself, with its own key.
            turn.is_had = is_had && event.actor == before.handler().uri();
        }
    }
    turns
}

/// What is given up was tried as often as it should be, and not in haste. Its end is another event.
fn attempts(
    intent: &Intent,
    turn: &Turn,
    event: &Event,
    skew: Duration,
    found: &mut Vec<Violation>,
) {
    let mut wrong = |detail: String| found.push(Violation::new(Rule::Turn, intent.id, detail));
    let EventKind::DeliveryFailed { attempts } = event.kind else { return };
    let (most, offers) = (intent.delivery_attempts_max(), turn.offers.len());
    if attempts != most || u32::try_from(offers) != Ok(attempts) {
        wrong(format!("was given up after {attempts} of {most} attempts, of {offers} offers"));
    }
    let ends = turn.offers.iter().skip(1).map(|(_, at)| *at).chain([event.at]);
    for (nth, ((_, begun_at), ended_at)) in turn.offers.iter().zip(ends).enumerate() {
        let [.., longest] = PAUSES_S;
        let pause = Duration::from_secs(PAUSES_S.get(nth).copied().unwrap_or(longest));
        if begun_at.checked_add(pause.saturating_sub(skew)).is_ok_and(|until| ended_at < until) {
            wrong(format!("attempt {} had only from {begun_at} to {ended_at}", nth + 1));
        }
    }
}

/// Looks at what came, and says which turns were taken.
fn posted(
    turns: &BTreeMap<u64, Turn>,
    posts: &[(&Post, &str)],
    skew: Duration,
    found: &mut Vec<Violation>,
) -> Vec<u64> {
    let (mut ids, mut taken) = (BTreeMap::new(), Vec::new());
    for (post, agent) in posts {
        let place = post.json()["seq"].as_u64().unwrap_or_default();
        let of_place = |turn: &Turn| turn.offers.iter().any(|(offered, _)| *offered == place);
        let own = turns.iter().find(|(_, turn)| of_place(turn) && turn.agent == *agent);
        let Some((number, turn)) = own else {
            found.push(Violation::new(Rule::Stray, post, "is no turn of this agent"));
            continue;
        };
        let known = *ids.entry(number).or_insert(&post.id) == &post.id;
        if !known || ids.iter().any(|(other, id)| *other != number && **id == post.id) {
            found.push(Violation::new(
                Rule::Identity,
                post,
                "names another turn, or by another id",
            ));
        }
        let until = turn.settled_at.and_then(|at| at.checked_add(POSTER_RUNS_MAX + skew).ok());
        if until.is_some_and(|until| post.sent_at > until) {
            let detail =
                format!("set out at {}, the turn was settled before {until:?}", post.sent_at);
            found.push(Violation::new(Rule::Turn, post, detail));
        }
        taken.extend(post.is_taken.then_some(*number));
    }
    taken
}
