//! People in workflows: what they decide, and what an answer that comes again decides.

use super::flow::*;
use super::*;

const NOTHING: Result<&[&str], Rejection> = Ok(&[]);

fn no() -> Command {
    answer("rita", Outcome::REJECTED)
}

fn seeing(given: &[Step], name: &str, outcome: Outcome) -> Command {
    let story = Story::of(given);
    let hold = story.intent().open_hold().unwrap();
    let seen = Some(Seen { version: hold.version, digest: hold.digest.clone() });
    Command::Decide { by: reviewer(name), answer: says(outcome, None), seen }
}

#[test]
fn a_no_fails_the_workflow_wherever_it_is_said() {
    let first = sent(&[human("sign"), agent("ship")]);
    let middle = done(&sent(&[agent("build"), human("sign"), agent("ship")]), 1);
    let last = done(&sent(&[agent("build"), human("sign")]), 1);
    for given in [first, middle, last] {
        check(&given, (no(), 2), Ok(&["Refused", "StepEnded", "Failed"]));
        let story = Story::of(&then(&given, &[(no(), 2)]));
        let Phase::Failed { failure, .. } = &story.intent().phase else { panic!() };
        assert_eq!(
            (failure.code.as_str(), failure.reason.as_str()),
            ("rejected", "rejected by rita")
        );
        let (_, records) = super::super::record::record(None, &story.events);
        let record = records.last().unwrap();
        assert_eq!(record.approved, Some(false));
        assert_eq!(record.decision.as_ref().unwrap().by, "rita");
    }
}

#[test]
fn a_no_is_not_asked_again() {
    let given = sent(&[retried(human("sign"), 5, 0)]);
    check(&given, (no(), 2), Ok(&["Refused", "StepEnded", "Failed"]));
}

#[test]
fn a_no_that_is_caught_goes_on_and_stays_a_no() {
    let given = then(&sent(&[caught(human("sign"), 1), notify("tell")]), &[(no(), 2)]);
    assert_eq!(path(&given), ["sign", "tell"]);
    let result = result_of(&given);
    assert_eq!((&result["approved"], &result["outcome"]), (&json!(false), &json!("rejected")));
    let story = Story::of(&given);
    assert_eq!(super::super::record::approved(story.intent()), Some(false));
}

#[test]
fn a_no_on_the_result_of_a_step_is_the_workflows_no() {
    for retries in [0, 5] {
        let given = sent(&[retried(signed_off("build"), retries, 0), agent("ship")]);
        let child = child_of(&given, &[(complete(None), 1), (no(), 2)]);
        let refused = then(&given, &[(news_of(&child), 3)]);
        check(&given, refused[1].clone(), Ok(&["StepEnded", "Failed"]));
        assert_eq!(failure_of(&refused).code, "rejected");
        let story = Story::of(&refused);
        assert_eq!(super::super::record::approved(story.intent()), Some(false));
        assert_eq!(story.intent().decided().unwrap().decision.by, "rita");
    }
    let given = sent(&[caught(signed_off("build"), 1), agent("repair")]);
    let child = child_of(&given, &[(complete(None), 1), (no(), 2)]);
    assert_eq!(path(&then(&given, &[(news_of(&child), 3)])), ["build", "repair"]);
}

#[test]
fn an_agent_that_calls_its_failure_a_rejection_is_tried_again() {
    let given = sent(&[retried(agent("build"), 1, 0)]);
    let failure = Failure { code: "rejected".to_owned(), ..failure() };
    let fail = Command::Fail { by: deployer(), fence: None, failure };
    check(&given, (news(&given, &[(fail, 1)]), 2), Ok(&["StepEnded", "StepBegun"]));
}

#[test]
fn a_yes_on_the_result_of_a_step_lets_the_workflow_go_on() {
    let given = sent(&[signed_off("build"), agent("ship")]);
    let child = child_of(&given, &[(complete(None), 1), (approve(), 2)]);
    let built = then(&given, &[(news_of(&child), 3)]);
    check(&given, built[1].clone(), Ok(&["StepEnded", "StepBegun"]));
    let shipped = done(&built, 10);
    assert_eq!(super::super::record::approved(Story::of(&shipped).intent()), Some(true));
    assert_eq!(Story::of(&shipped).intent().decided().unwrap().hold.proposal, None);
}

#[test]
fn the_sender_decides_no_step_of_its_own_workflow() {
    let own = answer("sender", Outcome::APPROVED);
    let own_no = answer("sender", Outcome::REJECTED);
    for own in [own, own_no] {
        check(&sent(&[human("sign")]), (own.clone(), 1), Err(Rejection::SelfApproval));
        let given = sent(&[signed_off("build")]);
        let mut child = child_of(&given, &[(complete(None), 1)]);
        assert_eq!(child.take(&(own, 2)), Err(Rejection::SelfApproval));
    }
}

#[test]
fn each_step_has_its_own_people() {
    let mut first = human("first");
    if let Work::Human { task } = &mut first.work {
        task.assignees = vec!["rita".to_owned()];
    }
    let given = sent(&[first, human("second"), agent("ship")]);
    check(&given, (answer("otto", Outcome::APPROVED), 1), Err(Rejection::NotAssigned));
    let second = then(&given, &[(approve(), 1)]);
    check(
        &second,
        (answer("otto", Outcome::APPROVED), 2),
        Ok(&["Approved", "StepEnded", "StepBegun"]),
    );
}

#[test]
fn a_bare_answer_that_comes_again_decides_no_later_step() {
    let stale = || Err(Rejection::StaleView);
    let went_on = || Ok(["Approved", "StepEnded", "Completed"].as_slice());
    let given = then(&sent(&[human("first"), human("second")]), &[(approve(), 10)]);
    check_around(70, &given, &approve(), [stale(), went_on(), went_on()]);
    check(&given, (no(), 11), stale());
    check(&given, (answer("otto", Outcome::APPROVED), 11), went_on());
    check(&given, (seeing(&given, "rita", Outcome::APPROVED), 11), went_on());
}

#[test]
fn an_answer_between_does_not_let_the_repeated_one_through() {
    let given = sent(&[human("first"), human("second"), human("third")]);
    let given = then(&given, &[(approve(), 10), (answer("otto", Outcome::APPROVED), 12)]);
    check(&given, (approve(), 13), Err(Rejection::StaleView));
    check(&given, (answer("otto", Outcome::APPROVED), 13), Err(Rejection::StaleView));
    let run = |given: &[Step]| Story::of(given).intent().run.clone().unwrap();
    assert_eq!(run(&given).just_answered.len(), 2);
    let later = then(&given, &[(approve(), 71)]);
    assert_eq!(run(&later).just_answered.len(), 2, "the first is forgotten");
}

#[test]
fn an_answer_that_names_what_was_shown_may_be_said_again() {
    let first = sent(&[human("first"), human("second"), agent("ship")]);
    let yes = seeing(&first, "rita", Outcome::APPROVED);
    let mut given = then(&first, &[(yes.clone(), 10)]);
    check(&given, (yes.clone(), 11), NOTHING);
    check(&given, (yes.clone(), 1_000), NOTHING);
    let decided = |second| {
        Err(Rejection::AlreadyDecided {
            outcome: Outcome::APPROVED,
            by: "rita".to_owned(),
            decided_at: at(second),
        })
    };
    check(&given, (seeing(&first, "rita", Outcome::REJECTED), 11), decided(10));
    check(&given, (seeing(&first, "otto", Outcome::APPROVED), 11), decided(10));
    let second = seeing(&given, "rita", Outcome::APPROVED);
    given.push((second.clone(), 100));
    check(&given, (second.clone(), 500), NOTHING);
    check(&given, (yes, 500), Err(Rejection::NothingToDecide(Status::Waiting)));
    let shipped = done(&given, 600);
    check(&shipped, (second, DEADLINE + 1), NOTHING);
}

#[test]
fn a_bare_answer_that_comes_again_while_an_agent_works_does_nothing() {
    let given = then(&sent(&[human("sign"), agent("ship")]), &[(approve(), 10)]);
    let nothing = || Err(Rejection::NothingToDecide(Status::Waiting));
    check(&given, (approve(), 69), NOTHING);
    check(&given, (approve(), 70), nothing());
    let decided_at = at(10);
    let decided =
        Rejection::AlreadyDecided { outcome: Outcome::APPROVED, by: "rita".to_owned(), decided_at };
    check(&given, (no(), 69), Err(decided));
    check(&given, (answer("otto", Outcome::APPROVED), 11), nothing());
}

/// The answer may be meant for the result that the step's agent has by now, on the child: saying that
/// it was taken would leave that result waiting, and taking it would decide what nobody has seen.
#[test]
fn a_bare_answer_that_comes_again_beside_a_sign_off_is_not_taken_for_it() {
    let given = then(&sent(&[human("sign"), signed_off("ship")]), &[(approve(), 10)]);
    check(&given, (approve(), 69), Err(Rejection::StaleView));
    check(&given, (approve(), 70), Err(Rejection::NothingToDecide(Status::Waiting)));
    check(&given, (seeing(&given[..1], "rita", Outcome::APPROVED), 69), NOTHING);
}

#[test]
fn an_end_that_rests_on_no_answer_takes_none() {
    let given = then(&sent(&[human("sign"), agent("ship")]), &[(approve(), 10)]);
    let failed = failed(&given, 100);
    check(&failed, (approve(), 101), Err(Rejection::Ended(Status::Failed)));
    let cancelled = then(&given, &[(cancel(), 100)]);
    check(&cancelled, (approve(), 101), Err(Rejection::Ended(Status::Canceled)));
    let timed_out = then(&given, &[(Command::Wake, DEADLINE)]);
    let late = Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check(&timed_out, (approve(), DEADLINE + 1), late);
    let shipped = done(&given, 100);
    check(&shipped, (approve(), DEADLINE + 1), NOTHING);
    check(&then(&sent(&[human("sign")]), &[(no(), 1)]), (no(), 100), NOTHING);
}

#[test]
fn a_sign_off_that_is_said_again_on_the_workflow_is_known() {
    let given = sent(&[signed_off("build")]);
    let child = child_of(&given, &[(complete(None), 1), (approve(), 2)]);
    let built = then(&given, &[(news_of(&child), 3)]);
    check(&built, (approve(), 4), NOTHING);
    let decided_at = at(2);
    let decided =
        Rejection::AlreadyDecided { outcome: Outcome::APPROVED, by: "rita".to_owned(), decided_at };
    check(&built, (no(), 4), Err(decided));
}
