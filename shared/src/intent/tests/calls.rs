//! Tool calls: claimed once, with the yes that they need, and reported by their claimer.

use super::*;

/// The second at which `granted` has its yes.
const DECIDED: i64 = 10;
const GRANT: i64 = GRANT_SECONDS.cast_signed();

fn going() -> Vec<Step> {
    vec![(create(streamed()), 0)]
}

/// Call `c` was asked about and answered.
fn answered(outcome: Outcome) -> Vec<Step> {
    let asked = then(&going(), &[(suspend(None, people(&["c"])), 1)]);
    let news = end_ask(&asked, "c", &[(answer("rita", outcome), DECIDED)]);
    then(&asked, &[(news, DECIDED + 1)])
}

#[test]
fn a_call_is_claimed_once() {
    let claimed = then(&going(), &[(claim(None, "c", false, "t"), 1)]);
    check(&going(), (claim(None, "c", false, "t"), 1), Ok(&["Started", "CallClaimed"]));
    check(&claimed, (claim(None, "d", false, "t"), 2), Ok(&["CallClaimed"]));
    check(&claimed, (claim(None, "c", false, "t"), 2), Ok(&[]));
    let unknown = || Err(Rejection::CallOutcomeUnknown("c".to_owned()));
    check(&claimed, (claim(None, "c", false, "other"), 2), unknown());
    let finished = then(&claimed, &[(finish("c", "t", "out"), 2)]);
    check(&finished, (claim(None, "c", false, "other"), 3), Ok(&[]));
}

#[test]
fn a_claim_of_another_call_under_the_same_name_is_refused() {
    let mismatch = || Err(Rejection::CallMismatch("c".to_owned()));
    let other = Command::Claim {
        by: deployer(),
        fence: None,
        call_id: "c".to_owned(),
        call_digest: digest("another call"),
        needs_grant: false,
        token_digest: digest("t"),
    };
    let claimed = then(&going(), &[(claim(None, "c", false, "t"), 1)]);
    check(&claimed, (other.clone(), 2), mismatch());
    check(&answered(Outcome::APPROVED), (other, 12), mismatch());
}

#[test]
fn a_call_that_needs_a_yes_is_not_claimed_without_one() {
    let none = || Err(Rejection::NoGrant("c".to_owned()));
    check(&going(), (claim(None, "c", true, "t"), 1), none());
    let refused = || Err(Rejection::GrantRefused("c".to_owned()));
    check(&answered(Outcome::REJECTED), (claim(None, "c", true, "t"), 12), refused());
    check(&answered(Outcome::REJECTED), (claim(None, "c", false, "t"), 12), refused());
    let claimed = Ok(["CallClaimed"].as_slice());
    check(&answered(Outcome::APPROVED), (claim(None, "c", true, "t"), 12), claimed);
}

#[test]
fn a_call_is_not_claimed_while_its_question_is_open() {
    let asked = then(&going(), &[(suspend(None, people(&["c"])), 1)]);
    for needs_grant in [true, false] {
        let command = claim(None, "c", needs_grant, "t");
        check(&asked, (command, 2), Err(Rejection::AwaitsDecision));
    }
}

#[test]
fn a_question_without_an_answer_is_no_yes() {
    let asked = |envelope: Envelope| {
        let mut request = ask("c");
        request.timeout_s = Some(100);
        vec![(create(envelope), 0), (suspend(None, WaitsFor::People(vec![request])), 1)]
    };
    let given = asked(streamed());
    let news = end_ask(&given, "c", &[(Command::Wake, 101)]);
    let given = then(&given, &[(news, 102)]);
    let refused = Err(Rejection::GrantRefused("c".to_owned()));
    check(&given, (claim(None, "c", true, "t"), 103), refused);
}

#[test]
fn a_yes_lasts_a_day() {
    let until = DECIDED + GRANT;
    let expired = || Err(Rejection::GrantExpired { call_id: "c".to_owned(), until: at(until) });
    let given = answered(Outcome::APPROVED);
    let command = claim(None, "c", true, "t");
    check_around(until, &given, &command, [Ok(&["CallClaimed"]), expired(), expired()]);
}

#[test]
fn a_yes_is_used_once() {
    let given = then(&answered(Outcome::APPROVED), &[(claim(None, "c", true, "t"), 12)]);
    let unknown = Err(Rejection::CallOutcomeUnknown("c".to_owned()));
    check(&given, (claim(None, "c", true, "other"), 13), unknown);
    let given = then(&given, &[(finish("c", "t", "out"), 13)]);
    check(&given, (claim(None, "c", true, "other"), 14), Ok(&[]));
}

#[test]
fn a_call_is_reported_by_its_claimer_once() {
    let claimed = then(&going(), &[(claim(None, "c", false, "t"), 1)]);
    let not_claimed = |call: &str| Err(Rejection::CallNotClaimed(call.to_owned()));
    check(&going(), (finish("c", "t", "out"), 2), not_claimed("c"));
    check(&claimed, (finish("d", "t", "out"), 2), not_claimed("d"));
    check(&claimed, (finish("c", "other", "out"), 2), not_claimed("c"));
    check(&claimed, (finish("c", "t", "out"), 2), Ok(&["CallFinished"]));
    let finished = then(&claimed, &[(finish("c", "t", "out"), 2)]);
    check(&finished, (finish("c", "t", "out"), DEADLINE + 1), Ok(&[]));
    let mismatch = || Err(Rejection::CallMismatch("c".to_owned()));
    check(&finished, (finish("c", "t", "other"), 3), mismatch());
    let failed = Command::FinishCall {
        by: deployer(),
        call_id: "c".to_owned(),
        token_digest: digest("t"),
        output_digest: digest("out"),
        is_error: true,
    };
    check(&finished, (failed, 3), mismatch());
}

#[test]
fn a_call_is_reported_while_the_agent_waits_and_not_after_the_end() {
    let claimed = then(&going(), &[(claim(None, "c", false, "t"), 1)]);
    let waiting = then(&claimed, &[(suspend(None, people(&["d"])), 2)]);
    check(&waiting, (finish("c", "t", "out"), 3), Ok(&["CallFinished"]));
    let ended = then(&claimed, &[(complete(None), 2)]);
    check(&ended, (finish("c", "t", "out"), 3), Err(Rejection::Ended(Status::Completed)));
}

#[test]
fn an_intent_claims_so_many_calls_and_no_more() {
    use crate::intent::call::CALLS_MAX;
    let calls: Vec<String> = (0..CALLS_MAX).map(|n| format!("c{n}")).collect();
    let mut given = going();
    given.extend(calls.iter().map(|call| (claim(None, call, false, "t"), 1)));
    check(&given, (claim(None, "more", false, "t"), 2), Err(Rejection::TooManyCalls));
    check(&given, (claim(None, "c0", false, "t"), 2), Ok(&[]));
}

#[test]
fn a_worker_claims_with_its_lease() {
    let given = [(create(worked()), 0), (start(60), 1)];
    check(&given, (claim(Some(1), "c", false, "t"), 2), Ok(&["CallClaimed"]));
    check(&given, (claim(Some(2), "c", false, "t"), 2), Err(Rejection::LeaseLost));
    check(&given, (claim(None, "c", false, "t"), 2), Err(Rejection::Leased(at(60))));
}
