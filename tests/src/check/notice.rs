//! What people are told: what waits for them, and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use shared::dead_letter::Content;
use shared::intent::{Intent, apply};
use shared::message::{Message, Notice};

use super::life::Life;
use super::post::{Post, Whose};
use super::told::Told;
use super::{Ledger, Rule, Violation};

/// How long a function may run that posts: what it found open may be closed when it does.
const POSTER_RUNS_MAX: Duration = Duration::from_secs(30);
/// A question that was open for so long has come through whatever went wrong.
const TOLD_WITHIN: Duration = Duration::from_hours(1);
/// The type of a first notice.
const ASSIGNED: &str = "intent.human_task_assigned";

/// One question to a person.
struct Question {
    digest: Value,
    opened_at: Timestamp,
    closed_at: Option<Timestamp>,
    /// Whether it is everybody's.
    is_open_to_all: bool,
}

pub(super) fn check(ledger: &Ledger, lives: &[Life], told: &Told, found: &mut Vec<Violation>) {
    let people = told.doors.iter().find(|door| matches!(door.of, Whose::People));
    let Some(door) = people else { return };
    let mut posts: BTreeMap<String, Vec<(&Post, Value)>> = BTreeMap::new();
    for post in told.posts.iter().filter(|post| post.url == door.url) {
        let body = post.json();
        let intent = body["data"]["intent_id"].as_str().unwrap_or_default().to_owned();
        posts.entry(intent).or_default().push((post, body));
    }
    let letters = ledger.dead_letters();
    for life in lives {
        let posts = posts.remove(&life.id.to_string()).unwrap_or_default();
        let questions = questions(life);
        for (post, body) in &posts {
            if let Err(detail) = fits(post, body, &questions, told.skew()) {
                found.push(Violation::new(Rule::Stray, post, detail));
            }
        }
        one_id(life, &posts, found);
        let is_given_up = |content: &Content| matches!(content, Content::Message(Message::Notice { intent, .. }) if *intent == life.id);
        for question in questions.iter().filter(|it| lasted(it)) {
            let tells = |(post, body): &(&Post, Value)| {
                post.is_taken
                    && body["type"] == ASSIGNED
                    && body["data"]["digest"] == question.digest
            };
            if !posts.iter().any(tells) && !letters.iter().any(is_given_up) {
                let detail = format!("waited since {} and nobody was told", question.opened_at);
                found.push(Violation::new(Rule::Notice, life.id, detail));
            }
        }
    }
    for (post, _) in posts.into_values().flatten() {
        found.push(Violation::new(Rule::Stray, post, "is about nothing that is there"));
    }
}

fn questions(life: &Life) -> Vec<Question> {
    let (mut state, mut questions): (Option<Intent>, Vec<Question>) = (None, Vec::new());
    for event in life.events() {
        let was_open = state.as_ref().and_then(|it| it.open_hold()).map(|hold| hold.digest.clone());
        state = apply(state, event);
        let Some(after) = &state else { continue };
        let open = after.open_hold();
        if open.map(|hold| &hold.digest) == was_open.as_ref() {
            continue;
        }
        if let Some(last) = questions.last_mut().filter(|it| it.closed_at.is_none()) {
            last.closed_at = Some(event.at);
        }
        questions.extend(open.map(|hold| Question {
            digest: serde_json::to_value(&hold.digest).expect("a digest is text"),
            opened_at: event.at,
            closed_at: None,
            is_open_to_all: after.assignees(hold).is_empty(),
        }));
    }
    questions
}

fn lasted(question: &Question) -> bool {
    let told_until = question.opened_at.checked_add(TOLD_WITHIN).ok();
    question.closed_at.zip(told_until).is_some_and(|(closed_at, until)| until <= closed_at)
}

/// Whether a notice tells of something that is open, and whoever it names may answer.
fn fits(post: &Post, body: &Value, questions: &[Question], skew: Duration) -> Result<(), String> {
    let asked = questions.iter().find(|it| it.digest == body["data"]["digest"]);
    let asked = asked.ok_or("tells of a question that nobody asked")?;
    if asked.opened_at.checked_sub(skew).is_ok_and(|since| post.sent_at < since) {
        return Err(format!("came before {}", asked.opened_at));
    }
    let until = asked.closed_at.and_then(|at| at.checked_add(POSTER_RUNS_MAX + skew).ok());
    if until.is_some_and(|until| post.sent_at > until) {
        return Err("tells of a question that is over".to_owned());
    }
    if asked.is_open_to_all && body["data"]["reviewer"] != "reviewer" {
        return Err("names somebody for a question to all".to_owned());
    }
    Ok(())
}

/// A notice comes under one id: there are no more of them than notices were owed.
fn one_id(life: &Life, posts: &[(&Post, Value)], found: &mut Vec<Violation>) {
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (post, body) in posts {
        ids.entry(body["type"].as_str().unwrap_or_default()).or_default().insert(&post.id);
    }
    for (kind, ids) in ids {
        let owed = life.links.iter().flat_map(|link| &link.commit.owed);
        let count = owed.filter(|message| self::kind(message) == Some(kind)).count();
        if ids.len() > count {
            let detail = format!("{kind} was owed {count} times and came under {} ids", ids.len());
            found.push(Violation::new(Rule::Identity, life.id, detail));
        }
    }
}

/// What a notice is called where it is posted.
fn kind(message: &Message) -> Option<&'static str> {
    let Message::Notice { notice, .. } = message else { return None };
    Some(match notice {
        Notice::Assigned => ASSIGNED,
        Notice::Reminder { .. } => "intent.reminder",
        Notice::Reassigned { .. } => "intent.reassigned",
        Notice::Step { .. } => "intent.notification",
        Notice::Escalation { .. } => "intent.escalated",
    })
}
