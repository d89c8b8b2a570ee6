//! Every promise with rules that break it: the model finds a counterexample, and for that promise.

use model::{Check, Flaw, Promise, Rules, Shape};
use stateright::{Checker, HasDiscoveries, Model};

#[track_caller]
fn finds(shape: Shape, flaw: Flaw, broken: &[Promise]) {
    let name = shape.name;
    let check = Check::new(shape, Rules::With(flaw));
    let checker = check.checker().finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let mut found = vec![];
    for promise in Promise::ALL {
        if let Some(path) = checker.discovery(promise.name()) {
            let steps = path.into_actions().len();
            eprintln!("{name} with {flaw:?}: broken after {steps} steps: {promise}");
            found.push(promise);
        }
    }
    assert_eq!(found, broken, "{name} with {flaw:?}");
}

#[test]
fn an_end_that_is_overwritten_is_found() {
    finds(Shape::question(), Flaw::EndOverwritten, &[Promise::OneEnd]);
}

#[test]
fn a_deadline_by_another_clock_is_found() {
    finds(Shape::question(), Flaw::DeadlineByOldClock, &[Promise::InTime]);
}

#[test]
fn a_wake_up_that_is_believed_is_found() {
    finds(Shape::question(), Flaw::WakeBelieved, &[Promise::NotEarly]);
}

#[test]
fn a_grant_that_is_not_looked_for_is_found() {
    finds(Shape::ask(), Flaw::GrantIgnored, &[Promise::Granted]);
}

#[test]
fn a_grant_that_is_good_for_ever_is_found() {
    finds(Shape::ask(), Flaw::GrantForEver, &[Promise::Granted]);
}

#[test]
fn a_claim_that_is_given_twice_is_found() {
    finds(Shape::ask(), Flaw::ClaimGivenTwice, &[Promise::RunsOnce]);
}

/// Two deeds that were decided on the same version are both written: that forks the chain, and so
/// the second ends what has ended, and decides what is not open.
#[test]
fn a_version_that_is_not_compared_is_found() {
    let all = [Promise::OneEnd, Promise::Unbroken, Promise::Bound];
    finds(Shape::question().raced(1, &[0, 100]), Flaw::VersionIgnored, &all);
}

#[test]
fn an_event_that_the_state_does_not_have_is_found() {
    finds(Shape::question(), Flaw::EventForgotten, &[Promise::Replays]);
}

#[test]
fn a_decision_about_what_nobody_saw_is_found() {
    finds(Shape::workflow(), Flaw::ViewIgnored, &[Promise::Bound]);
}

#[test]
fn an_agent_that_decides_is_found() {
    finds(Shape::question(), Flaw::AgentsDecide, &[Promise::PeopleDecide]);
}

#[test]
fn an_asker_who_decides_is_found() {
    finds(Shape::question(), Flaw::AskersDecide, &[Promise::PeopleDecide]);
}

#[test]
fn a_worker_that_works_on_without_its_lease_is_found() {
    finds(Shape::sign_off(), Flaw::FenceIgnored, &[Promise::LeaseHolds]);
}

/// What has no timer does not end either.
#[test]
fn a_timer_that_is_forgotten_is_found() {
    let both = [Promise::Awake, Promise::Ends];
    finds(Shape::question(), Flaw::TimerForgotten, &both);
}

#[test]
fn a_timer_that_is_late_is_found() {
    finds(Shape::question(), Flaw::TimerLate, &[Promise::Awake]);
}

#[test]
fn a_wake_up_that_does_nothing_is_found() {
    finds(Shape::question(), Flaw::WakeIgnored, &[Promise::Ends]);
}

#[test]
fn news_that_nobody_asks_for_are_found() {
    finds(Shape::ask(), Flaw::NewsForgotten, &[Promise::NewsHeal]);
}

#[test]
fn a_restart_that_sends_nothing_is_found() {
    finds(Shape::ask(), Flaw::RestartIgnored, &[Promise::Recovers]);
}

#[test]
fn a_lease_that_is_given_twice_is_found() {
    finds(Shape::sign_off(), Flaw::LeaseGivenTwice, &[Promise::LeaseHolds]);
}

#[test]
fn a_turn_that_is_posted_for_ever_is_found() {
    finds(Shape::pushed(), Flaw::PostedForEver, &[Promise::PostedUntilTaken]);
}

#[test]
fn a_turn_that_is_posted_to_an_agent_in_the_middle_of_it_is_found() {
    finds(Shape::pushed(), Flaw::ClaimTakesNothing, &[Promise::PostedUntilTaken]);
}

#[test]
fn an_answer_that_takes_a_later_turn_is_found() {
    finds(Shape::pushed(), Flaw::AnyTurnTaken, &[Promise::TakesItsTurn]);
}

#[test]
fn a_turn_that_is_taken_for_its_agent_is_found() {
    finds(Shape::pushed(), Flaw::TakenForIt, &[Promise::TakesItsTurn]);
}

#[test]
fn an_agent_that_works_on_what_it_has_handed_on_is_found() {
    finds(Shape::handed_on(), Flaw::HandlerForgotten, &[Promise::ItsAgentOnly]);
}

#[test]
fn a_reviewer_who_decides_what_was_passed_on_is_found() {
    finds(Shape::reassigned(), Flaw::AssigneesForgotten, &[Promise::PassedOn]);
}

#[test]
fn a_turn_that_is_offered_once_is_found() {
    finds(Shape::pushed(), Flaw::OffersForgotten, &[Promise::GivesUp]);
}

#[test]
fn an_agent_that_is_given_up_on_in_the_middle_is_found() {
    finds(Shape::streamed(), Flaw::GivenUpLate, &[Promise::UntakenOnly]);
}

#[test]
fn a_wait_that_is_cut_short_is_found() {
    finds(Shape::streamed(), Flaw::WaitCutShort, &[Promise::WaitsOut]);
}

#[test]
fn a_reminder_at_night_is_found() {
    finds(Shape::working_hours(), Flaw::HoursForgotten, &[Promise::RemindedInHours]);
}

#[test]
fn a_message_that_takes_the_turn_is_found() {
    finds(Shape::talk(), Flaw::TalkTakes, &[Promise::OnlyTalk]);
}

#[test]
fn a_child_that_nobody_tells_is_found() {
    finds(Shape::family(), Flaw::ChildrenForgotten, &[Promise::OrphansEnd]);
}

#[test]
fn a_restart_that_leaves_orphans_alone_is_found() {
    finds(Shape::family(), Flaw::OrphansForgotten, &[Promise::OrphansEnd]);
}
