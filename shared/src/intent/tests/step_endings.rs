//! How steps end, and how news of it that are lost, late or repeated are taken.

use super::super::{Waiting, react};
use super::flow::*;
use super::*;
use crate::message::Message;

const NOTHING: Result<&[&str], Rejection> = Ok(&[]);

fn code_of(given: &[Step]) -> String {
    failure_of(given).code
}

#[test]
fn every_end_of_a_child_ends_its_step() {
    let given = sent(&[within(agent("build"), 600)]);
    let cancel = Command::Cancel { by: sender(), reason: "not needed".to_owned() };
    let lost = Command::GiveUp { attempts: 3 };
    for (end, second, code) in [
        ((fail(None), 5), 5, "no_disk"),
        ((cancel, 5), 5, "step_canceled"),
        ((lost, 5), 5, "delivery_failed"),
        ((Command::Wake, 600), 600, "step_timeout"),
    ] {
        let ended = then(&given, &[(news(&given, &[end]), second)]);
        let story = Story::of(&ended);
        assert_eq!(kinds(&story.events[4..]), ["StepEnded", "Failed"], "{code}");
        assert_eq!(code_of(&ended), code);
    }
    assert_eq!(result_of(&done(&given, 5)), result());
    assert!(StepEnding::of(child_of(&given, &[]).intent()).is_none(), "it has not ended");
}

#[test]
fn a_failed_step_is_tried_again_after_its_delay() {
    let given = sent(&[retried(agent("build"), 2, 30)]);
    let first = failed(&given, 10);
    check(&given, first[1].clone(), Ok(&["StepEnded", "Suspended"]));
    let story = Story::of(&first);
    assert_eq!(story.intent().phase, Phase::Waiting(Waiting::Time { until: at(40) }));
    let again = || Ok(["StepBegun"].as_slice());
    check_around(40, &first, &Command::Wake, [NOTHING, again(), again()]);
    let second = failed(&then(&first, &[(Command::Wake, 40)]), 50);
    let third = then(&second, &[(Command::Wake, 80)]);
    assert_eq!(child_of(&third, &[]).intent().envelope.payload["attempt"], json!(3));
    assert_eq!(result_of(&done(&third, 81)), result());
    let out_of_tries = failed(&third, 81);
    check(&third, out_of_tries[5].clone(), Ok(&["StepEnded", "Failed"]));
    assert_eq!(code_of(&out_of_tries), "no_disk");
}

#[test]
fn a_step_without_a_delay_is_tried_again_at_once() {
    let given = sent(&[retried(agent("build"), 1, 0)]);
    let first = failed(&given, 10);
    check(&given, first[1].clone(), Ok(&["StepEnded", "StepBegun"]));
    let second = failed(&first, 20);
    check(&first, second[2].clone(), Ok(&["StepEnded", "Failed"]));
}

#[test]
fn a_step_that_is_out_of_tries_leads_to_its_failure_step() {
    let given = sent(&[caught(retried(agent("build"), 1, 0), 1), agent("repair")]);
    let repairing = failed(&failed(&given, 10), 20);
    assert_eq!(path(&repairing), ["build", "build", "repair"]);
    assert_eq!(child_of(&repairing, &[]).intent().envelope.payload["attempt"], json!(1));
    assert_eq!(result_of(&done(&repairing, 30)), result());
}

#[test]
fn a_try_that_would_come_after_the_deadline_does_not_come() {
    let given = failed(&sent(&[retried(agent("build"), 9, u32::MAX)]), 10);
    let late = Ok(["TimedOut"].as_slice());
    check_around(DEADLINE, &given, &Command::Wake, [NOTHING, late.clone(), late]);
}

#[test]
fn a_persons_step_has_a_deadline_of_its_own() {
    let given = sent(&[within(human("sign"), 60)]);
    let yes = Ok(["Approved", "StepEnded", "Completed"].as_slice());
    let late = || Err(Rejection::DeadlinePassed(at(60)));
    check_around(60, &given, &approve(), [yes, late(), late()]);
    check_around(
        60,
        &given,
        &reassignment::reassign("rita", "otto"),
        [Ok(&["Reassigned"]), late(), late()],
    );
    let over = || Ok(["StepEnded", "Failed"].as_slice());
    check_around(60, &given, &Command::Wake, [NOTHING, over(), over()]);
    let late = then(&given, &[(Command::Wake, 60)]);
    assert_eq!(code_of(&late), "step_timeout");
    check(&late, (approve(), 61), Err(Rejection::Ended(Status::Failed)));
    let again = sent(&[retried(within(human("sign"), 60), 1, 0)]);
    let asked_again = then(&again, &[(Command::Wake, 60)]);
    let yes = Ok(["Approved", "StepEnded", "Completed"].as_slice());
    check_around(
        120,
        &asked_again,
        &approve(),
        [yes, Err(Rejection::DeadlinePassed(at(120))), Err(Rejection::DeadlinePassed(at(120)))],
    );
}

#[test]
fn a_persons_step_ends_no_later_than_the_intent() {
    let given = sent(&[within(human("sign"), u32::MAX)]);
    let late = Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check(&given, (approve(), DEADLINE), late);
    check(&given, (Command::Wake, DEADLINE), Ok(&["TimedOut"]));
}

#[test]
fn an_agents_step_ends_with_its_childs_deadline() {
    let given = sent(&[within(agent("build"), 60), agent("ship")]);
    let child = child_of(&given, &[]);
    let late = Err(Rejection::DeadlinePassed(at(60)));
    assert_eq!(child.clone().take(&(complete(None), 60)).map(|_| ()), late);
    let news = news(&given, &[(Command::Wake, 60)]);
    check(&given, (news, 61), Ok(&["StepEnded", "Failed"]));
    // Where that news is lost, the parent asks soon after.
    let asks = || Ok(["Checked"].as_slice());
    check_around(120, &given, &Command::Wake, [NOTHING, asks(), asks()]);
}

#[test]
fn a_deadline_of_nothing_is_a_moment() {
    let given = sent(&[within(agent("build"), 0)]);
    assert_eq!(child_of(&given, &[]).intent().envelope.deadline_at, at(1));
    let given = sent(&[within(human("sign"), 0)]);
    check(&given, (approve(), 0), Ok(&["Approved", "StepEnded", "Completed"]));
}

#[test]
fn a_delay_longer_than_its_steps_deadline_fails() {
    let given = sent(&[within(delay("rest", 90), 60)]);
    let over = || Ok(["StepEnded", "Failed"].as_slice());
    check_around(60, &given, &Command::Wake, [NOTHING, over(), over()]);
    check(&given, (Command::Wake, 95), over());
    let fits = sent(&[within(delay("rest", 60), 60)]);
    check(&fits, (Command::Wake, 95), Ok(&["StepEnded", "Completed"]));
}

#[test]
fn news_that_come_again_or_late_change_nothing() {
    let given = sent(&[agent("build"), agent("ship")]);
    let built = done(&given, 10);
    let (again, _) = built[1].clone();
    check(&built, (again.clone(), 11), NOTHING);
    let shipped = done(&built, 20);
    check(&shipped, (again.clone(), 21), NOTHING);
    let cancelled = then(&given, &[(cancel(), 5)]);
    check(&cancelled, (again.clone(), 10), NOTHING);
    let step = Ok(["StepEnded", "StepBegun"].as_slice());
    check_around(DEADLINE, &given, &again, [step, NOTHING, NOTHING]);
}

#[test]
fn the_end_of_an_earlier_try_does_not_end_the_next() {
    for delay_s in [0, 30] {
        let given = sent(&[retried(agent("build"), 3, delay_s)]);
        let old = [news(&given, &[(fail(None), 10)]), news(&given, &[(complete(None), 10)])];
        let mut again = failed(&given, 10);
        for late in &old {
            check(&again, (late.clone(), 11), NOTHING);
        }
        again.push((Command::Wake, 40));
        let again = if delay_s == 0 { &again[..2] } else { &again };
        for late in old {
            check(again, (late, 41), NOTHING);
        }
        assert_eq!(result_of(&done(again, 50)), result());
    }
}

#[test]
fn news_of_a_stranger_end_no_step() {
    let given = sent(&[agent("build")]);
    let ending =
        Box::new(StepEnding::of(child_of(&given, &[(complete(None), 1)]).intent()).unwrap());
    check(&given, (Command::EndStep { child: id(), ending: ending.clone() }, 1), NOTHING);
    let plain = [(create(streamed()), 0)];
    check(&plain, (Command::EndStep { child: id(), ending: ending.clone() }, 1), NOTHING);
    let held = sent(&[human("sign")]);
    check(&held, (Command::EndStep { child: id(), ending }, 1), NOTHING);
}

#[test]
fn news_that_are_lost_are_asked_for_until_they_come() {
    let given = sent(&[agent("build")]);
    let child = child_of(&given, &[]).intent().id;
    let ask = Message::AskEnded { tenant: "default".to_owned(), parent: id(), child };
    let hours = [1, 5, 21, 45, 69].map(|hour| hour * 3_600);
    let mut waiting = given.clone();
    for hour in hours {
        check_around(hour, &waiting, &Command::Wake, [NOTHING, Ok(&["Checked"]), Ok(&["Checked"])]);
        waiting.push((Command::Wake, hour));
        assert_eq!(owed_for(&waiting), std::slice::from_ref(&ask));
        let status = Story::of(&waiting).intent().status();
        assert_eq!(status, Status::Waiting);
    }
    // The child ended long ago; the answer to the question ends the step.
    let news = news(&given, &[(complete(None), 10)]);
    assert_eq!(result_of(&then(&waiting, &[(news, hours[4] + 1)])), result());
    assert_eq!(react::owed_still(Story::of(&waiting).intent()), [ask]);
}

#[test]
fn the_end_of_a_workflow_withdraws_the_child_of_its_step() {
    let given = sent(&[agent("build")]);
    let mut child = child_of(&given, &[]);
    let told = Message::ParentEnded { tenant: "default".to_owned(), child: child.intent().id };
    for end in [(cancel(), 5), (Command::Wake, DEADLINE)] {
        assert_eq!(owed_for(&then(&given, &[end])), std::slice::from_ref(&told));
    }
    assert_eq!(kinds(&child.take(&(Command::ParentEnded, 6)).unwrap()), ["Canceled"]);
    assert_eq!(owed_for(&done(&given, 5)), [], "no child is left");
    let news =
        Message::AskEnded { tenant: "default".to_owned(), parent: id(), child: child.intent().id };
    let last = child.events.last().unwrap();
    assert_eq!(react::owed(child.intent(), last), [news]);
}
