//! What holds for every life, whatever is asked of the intent, by whom and when.
//!
//! [`Story::fold`] holds each event against the contract's ways, the numbering, the end and the
//! deadline; what follows is what only a whole life can show.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::super::event::SuspendedFor;
use super::super::react;
use super::lives::{live, lives};
use super::*;
use crate::message::Message;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn history_replays_to_the_same_state(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let replayed = story.events.iter().fold(None, apply);
        prop_assert_eq!(&replayed, &story.intent);
        let text = serde_json::to_string(&story.events).unwrap();
        let events: Vec<Event> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&events, &story.events);
        let text = serde_json::to_string(&story.intent).unwrap();
        let stored: Option<Intent> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(stored, story.intent);
    }

    #[test]
    fn a_repeated_command_never_has_a_second_effect(life in lives()) {
        live(life, |_, step, after, events| {
            let (command, now) = step;
            let mut again = after.clone();
            let second = again.take(step);
            match command {
                // Handing on is no state that could be recognized; doing it twice leaves the
                // intent where it was.
                Command::Advance { .. } => {
                    assert_eq!(after.intent().status(), again.intent().status());
                }
                // One wake-up does one thing. When it comes late, the next one is due at once; that
                // they come to rest is the next property.
                // Policy counts its changes, and hiding is written down as often as it is said.
                Command::Wake | Command::ChangePolicy { .. } | Command::Hide { .. } => {}
                Command::Acknowledge { .. }
                | Command::Reassign { .. }
                | Command::Say { .. }
                | Command::EndStep { .. }
                | Command::GiveUp { .. }
                | Command::Create { .. }
                | Command::Start { .. }
                | Command::Step { .. }
                | Command::Suspend { .. }
                | Command::Claim { .. }
                | Command::FinishCall { .. }
                | Command::Complete { .. }
                | Command::Fail { .. }
                | Command::Decide { .. }
                | Command::Cancel { .. }
                | Command::EndAsk { .. }
                | Command::ParentEnded => {
                    let nothing = second.as_ref().is_ok_and(Vec::is_empty);
                    let leased = matches!(
                        (command, &second),
                        (Command::Start { .. }, Err(Rejection::Leased(_)))
                    );
                    assert!(
                        nothing || leased,
                        "at {now} {command:?} gave {:?}, then {second:?}",
                        kinds(events)
                    );
                }
            }
        });
    }

    #[test]
    fn every_live_intent_has_a_wake_up_that_does_something_and_comes_to_rest(life in lives()) {
        live(life, |_, (_, now), story, _| {
            let intent = story.intent();
            let Some(wake_at) = react::wake_at(intent) else {
                assert!(intent.is_ended(), "{:?} sleeps for ever", intent.phase);
                return;
            };
            assert!(!intent.is_ended() && wake_at <= intent.deadline_at());
            let mut woken = story.clone();
            if at(*now) < wake_at {
                assert_eq!(woken.take(&(Command::Wake, *now)), Ok(vec![]), "it is not due");
            }
            let due = wake_at.as_second().max(*now);
            let events = woken.take(&(Command::Wake, due)).unwrap();
            assert!(!events.is_empty(), "a wake-up at its time does nothing: {:?}", intent.phase);
            let mut wakes = 1;
            while react::wake_at(woken.intent()).is_some_and(|wake_at| wake_at <= at(due)) {
                woken.take(&(Command::Wake, due)).unwrap();
                wakes += 1;
                assert!(wakes <= 3, "a late wake-up is one of many");
            }
        });
    }

    #[test]
    fn nothing_ends_well_without_the_yes_that_it_needs(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let mut approved = false;
        for event in &story.events {
            if let EventKind::Approved { decision } = &event.kind {
                prop_assert_eq!(&decision.outcome, &Outcome::APPROVED);
                prop_assert!(["rita", "otto"].contains(&decision.by.as_str()));
                approved = true;
            }
            if let EventKind::Completed { .. } = &event.kind {
                prop_assert!(approved || story.intent().human_task().is_none());
            }
        }
    }

    #[test]
    fn a_call_runs_at_most_once_and_only_with_the_yes_that_it_needs(life in lives()) {
        let story = live(life, |_, _, _, _| {});
        let (mut claimed, mut asked, mut allowed) =
            (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for event in &story.events {
            if let EventKind::Suspended { waits_for: SuspendedFor::People(asks), .. } = &event.kind {
                asked.extend(asks.iter().map(|ask| ask.call_id.clone()));
            }
            if let EventKind::AskEnded { call_id, ending } = &event.kind
                && ending.is_approved()
            {
                allowed.insert(call_id.clone());
            }
            if let EventKind::CallClaimed { call_id, .. } = &event.kind {
                prop_assert!(claimed.insert(call_id.clone()), "{} was claimed twice", call_id);
                prop_assert!(!asked.contains(call_id) || allowed.contains(call_id));
            }
        }
    }

    #[test]
    fn every_lease_is_newer_than_the_ones_before(life in lives()) {
        live(life, |before, _, after, events| {
            let leases = |kind: &EventKind| {
                matches!(kind, EventKind::Started { lease_until: Some(_), .. })
            };
            let given = events.iter().filter(|event| leases(&event.kind)).count();
            assert_eq!(after.intent().fence, before.intent().fence + given as u64);
        });
    }

    #[test]
    fn the_digest_of_a_hold_survives_being_stored(life in lives()) {
        live(life, |_, _, story, _| {
            let text = serde_json::to_string(story.intent()).unwrap();
            let stored: Intent = serde_json::from_str(&text).unwrap();
            if let Some(hold) = stored.open_hold() {
                assert_eq!(hold.digest, Digest::of_json(&stored.action(hold).unwrap()));
            }
        });
    }

    #[test]
    fn what_is_owed_is_the_same_seen_from_each_event_and_from_the_end_of_its_commit(
        life in lives()
    ) {
        live(life, |before, _, after, events| {
            let mut intent = before.intent.clone();
            for event in events {
                intent = apply(intent, event);
                let then = react::owed(intent.as_ref().unwrap(), event);
                assert_eq!(then, react::owed(after.intent(), event), "{event:?}");
            }
        });
    }

    #[test]
    fn only_who_does_not_ask_by_itself_is_owed_turns_and_only_its_own(life in lives()) {
        live(life, |_, _, story, events| {
            let intent = story.intent();
            let owed = events.last().map(|event| react::owed(intent, event)).unwrap_or_default();
            for message in owed.into_iter().chain(react::owed_still(intent)) {
                let delivery = match message {
                    Message::Turn { .. } => Delivery::Worker,
                    Message::Push { .. } => Delivery::Push,
                    Message::Wake { .. }
                    | Message::Recover { .. }
                    | Message::RecoverAll { .. }
                    | Message::AskEnded { .. }
                    | Message::ParentEnded { .. }
                    | Message::Delivery(_)
                    | Message::News(_)
                    | Message::Notice { .. } => continue,
                };
                assert_eq!(intent.delivery(), delivery);
                assert!(intent.is_agents_turn());
            }
        });
    }
}
