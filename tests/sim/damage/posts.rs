//! Damage to what came to receivers outside, and to what is said of it.

use std::time::Duration;

use serde_json::json;
use shared::intent::event::{Event, EventKind};
use tests::check::{Moment, Post, Rule, Told, Whose, check};

use super::{Items, STORY, after, first, rewrite};

/// Receivers of the simulated world.
const CUSTOMER: &str = "https://hooks.example.com/all";
const STRANGER: &str = "https://hooks.example.com/stranger";
const AGENT: &str = "https://agents.example.com/runner";

/// Damages what came, and says what is found.
fn told(damage: impl FnOnce(&mut Told)) -> Vec<Rule> {
    let mut told = STORY.told.clone();
    damage(&mut told);
    let found = check(&STORY.ledger, &told, &Moment::End);
    found.into_iter().map(|violation| violation.rule).collect()
}

/// The first post that was taken there.
fn taken<'a>(told: &'a mut Told, url: &str) -> &'a mut Post {
    told.posts.iter_mut().find(|post| post.url == url && post.is_taken).expect(url)
}

/// The same post, so much later.
fn later(post: &Post, time: Duration) -> Post {
    Post { sent_at: post.sent_at.checked_add(time).unwrap(), ..post.clone() }
}

fn drop_one(items: &mut Items, prefix: &str) {
    let place = first(items, prefix);
    items.remove(&place).unwrap();
}

#[test]
fn an_event_that_its_customer_never_got_is_found() {
    let rules = told(|told| {
        let id = taken(told, CUSTOMER).id.clone();
        told.posts.retain(|post| post.url != CUSTOMER || post.id != id);
    });
    assert_eq!(rules, [Rule::Delivery]);
    let rules = told(|told| taken(told, CUSTOMER).is_taken = false);
    assert_eq!(rules, [Rule::Delivery], "a post that was not taken is none");
}

#[test]
fn an_event_that_was_given_up_and_is_no_dead_letter_is_found() {
    let rules = after(|items| drop_one(items, "default#DEAD"));
    assert_eq!(rules, [Rule::Delivery]);
}

#[test]
fn a_delivery_that_never_ended_and_one_that_was_lost_are_found() {
    let delivery = |items: &Items| {
        let is_one =
            |(pk, sk): &&(String, String)| pk.contains("#WEBHOOK#") && sk.starts_with("D#");
        items.keys().find(is_one).unwrap().clone()
    };
    let rules = after(|items| {
        let place = delivery(items);
        let body = &mut items.get_mut(&place).unwrap()["body"]["S"];
        let mut stored: serde_json::Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
        stored["state"] =
            json!({"state": "pending", "attempt": 3, "due_at": "2030-01-01T00:00:00Z"});
        *body = json!(stored.to_string());
    });
    assert_eq!(rules, [Rule::Delivery]);
    let rules = after(|items| {
        let place = delivery(items);
        items.remove(&place);
    });
    assert_eq!(rules, [Rule::Delivery]);
}

#[test]
fn a_publication_that_is_not_there_is_found() {
    assert_eq!(told(|told| told.published("nothing", "event-9")), [Rule::Delivery]);
    let rules = told(|told| {
        told.posts.retain(|post| post.url != CUSTOMER || post.json()["type"] != "sim.happened");
    });
    assert_eq!(rules, [Rule::Delivery; 2], "what is said to be delivered came to nobody");
}

#[test]
fn a_wrong_signature_of_either_kind_is_found() {
    let rules = told(|told| taken(told, CUSTOMER).signature.push('='));
    assert_eq!(rules, [Rule::Signature]);
    let rules = told(|told| taken(told, AGENT).axme_signature = None);
    assert_eq!(rules, [Rule::Signature]);
    let rules = told(|told| {
        let late = later(taken(told, CUSTOMER), Duration::from_mins(5));
        told.posts.push(late);
    });
    assert_eq!(rules, [Rule::Signature], "its timestamp is not that of its departure");
}

#[test]
fn one_thing_under_two_ids_and_two_things_under_one_are_found() {
    for url in [CUSTOMER, AGENT] {
        let rules = told(|told| {
            let again = Post { id: "msg_another".to_owned(), ..taken(told, url).clone() };
            told.posts.push(again);
        });
        assert!(rules.contains(&Rule::Identity), "{url}: {rules:?}");
    }
    let rules = told(|told| {
        let id = taken(told, CUSTOMER).id.clone();
        let others = told.posts.iter_mut().filter(|post| post.url == CUSTOMER && post.id != id);
        others.last().unwrap().id.clone_from(&id);
    });
    assert!(rules.contains(&Rule::Identity), "{rules:?}");
}

#[test]
fn a_post_to_whom_it_does_not_concern_is_found() {
    for (from, to) in
        [(CUSTOMER, STRANGER), (CUSTOMER, AGENT), (AGENT, CUSTOMER), (AGENT, STRANGER)]
    {
        let rules = told(|told| {
            let astray = Post { url: to.to_owned(), ..taken(told, from).clone() };
            told.posts.push(astray);
        });
        assert!(rules.contains(&Rule::Stray), "{from} {to}: {rules:?}");
    }
    let rules = told(|told| {
        let nowhere = "https://hooks.example.com/nobody".to_owned();
        let astray = Post { url: nowhere, ..taken(told, CUSTOMER).clone() };
        told.posts.push(astray);
    });
    assert_eq!(rules, [Rule::Stray]);
}

#[test]
fn a_turn_that_is_posted_after_it_was_taken_is_found() {
    let rules = told(|told| {
        let again = later(taken(told, AGENT), Duration::from_mins(2));
        told.posts.push(again);
    });
    assert!(rules.contains(&Rule::Turn), "{rules:?}");
}

#[test]
fn a_turn_that_nobody_took_and_that_is_said_to_be_taken_is_found() {
    let rules = told(|told| taken(told, AGENT).is_taken = false);
    assert_eq!(rules, [Rule::Turn]);
}

#[test]
fn a_turn_that_was_given_up_early_is_found() {
    // What is on a stream is given up too, after another number of attempts.
    let is_lost = |event: &Event| matches!(event.kind, EventKind::DeliveryFailed { attempts: 5 });
    let is_offer =
        |event: &Event| matches!(event.kind, EventKind::Offered { attempt, .. } if attempt == 2);
    let rules = after(|items| {
        rewrite(items, is_lost, |commits| {
            for event in commits.iter_mut().flatten() {
                if let EventKind::DeliveryFailed { attempts } = &mut event.kind {
                    *attempts = 4;
                }
            }
        });
    });
    assert!(rules.contains(&Rule::Turn), "{rules:?}");
    let rules = after(|items| {
        rewrite(items, is_lost, |commits| commits.retain(|events| !events.iter().any(is_offer)));
    });
    assert!(rules.contains(&Rule::Turn), "{rules:?}");
}

#[test]
fn a_question_of_which_nobody_was_told_is_found() {
    let people = |told: &Told| {
        let door = told.doors.iter().find(|door| matches!(door.of, Whose::People));
        door.unwrap().url.clone()
    };
    let rules = told(|told| {
        let url = people(told);
        told.posts.retain(|post| post.url != url);
    });
    assert!(!rules.is_empty() && rules.iter().all(|rule| *rule == Rule::Notice), "{rules:?}");
    let rules = told(|told| {
        let url = people(told);
        let late = later(taken(told, &url), Duration::from_hours(5));
        told.posts.push(late);
    });
    assert!(rules.contains(&Rule::Stray), "it tells of what is over: {rules:?}");
    let rules = told(|told| {
        let url = people(told);
        for number in 0..9 {
            let again = Post { id: format!("msg_{number}"), ..taken(told, &url).clone() };
            told.posts.push(again);
        }
    });
    assert!(rules.contains(&Rule::Identity), "{rules:?}");
}
