//! The lifecycle of the contract, way by way, and who may take an intent along it.

use super::*;

const CREATED: [&str; 3] = ["Created", "Submitted", "Offered"];

#[test]
fn a_sent_intent_is_created_submitted_and_delivered_at_once() {
    check(&[], (create(streamed()), 0), Ok(&CREATED));
    check(&[], (create(worked()), 0), Ok(&CREATED));
    check(&[], (create(held(Placement::OnResult)), 0), Ok(&CREATED));
}

#[test]
fn an_intent_is_not_created_at_or_after_its_deadline() {
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    check_around(DEADLINE, &[], &create(streamed()), [Ok(&CREATED), late(), late()]);
}

#[test]
fn an_intent_is_created_once() {
    check(&[(create(streamed()), 0)], (create(streamed()), 0), Err(Rejection::Exists));
}

#[test]
fn only_a_creation_makes_an_intent() {
    for command in [
        start(10),
        step(1, 10, "a"),
        suspend(None, WaitsFor::Tool),
        claim(None, "c", false, "t"),
        finish("c", "t", "out"),
        complete(None),
        fail(None),
        advance(),
        approve(),
        cancel(),
        Command::EndAsk { child: id(), ending: no_answer() },
        Command::ParentEnded,
        Command::Wake,
    ] {
        check(&[], (command, 0), Err(Rejection::NotFound));
    }
}

fn no_answer() -> AskEnding {
    AskEnding { status: Status::TimedOut, decision: None }
}

/// Every place where an intent can rest, with its status.
fn places() -> Vec<(Vec<Step>, Status)> {
    let delivered = vec![(create(streamed()), 0)];
    let worker = vec![(create(worked()), 0)];
    let in_progress = then(&worker, &[(start(60), 1)]);
    let suspended = |waits_for| then(&delivered, &[(suspend(None, waits_for), 1)]);
    let asks = suspended(people(&["c"]));
    vec![
        (delivered.clone(), Status::Delivered),
        (worker, Status::Delivered),
        (in_progress, Status::InProgress),
        (then(&delivered, &[(advance(), 1)]), Status::InProgress),
        (asks, Status::Waiting),
        (suspended(WaitsFor::Tool), Status::Waiting),
        (suspended(WaitsFor::Time(at(500))), Status::Waiting),
        (vec![(create(held(Placement::OnArrival)), 0)], Status::Waiting),
        (vec![(create(held(Placement::OnResult)), 0), (complete(None), 1)], Status::Waiting),
    ]
}

/// Every end of a life.
fn endings() -> Vec<(Vec<Step>, Status)> {
    let delivered = vec![(create(streamed()), 0)];
    vec![
        (then(&delivered, &[(complete(None), 1)]), Status::Completed),
        (then(&delivered, &[(fail(None), 1)]), Status::Failed),
        (then(&delivered, &[(cancel(), 1)]), Status::Canceled),
        (then(&delivered, &[(Command::Wake, DEADLINE)]), Status::TimedOut),
        (vec![(create(held(Placement::OnArrival)), 0), (approve(), 1)], Status::Completed),
        (vec![(create(held(Placement::OnArrival)), 0), (reject(), 1)], Status::Failed),
    ]
}

#[test]
fn the_places_are_where_they_say_they_are() {
    for (given, status) in places().into_iter().chain(endings()) {
        assert_eq!(Story::of(&given).intent().status(), status, "{given:?}");
    }
}

#[test]
fn every_place_can_be_canceled_by_the_sender() {
    for (given, _) in places() {
        check(&given, (cancel(), 2), Ok(&["Canceled"]));
    }
}

#[test]
fn every_place_times_out_at_its_deadline_and_not_before() {
    for (given, _) in places() {
        let story = Story::of(&given);
        let mut early = story.clone();
        let events = early.take(&(Command::Wake, DEADLINE - 1)).unwrap();
        assert!(events.iter().all(|it| it.kind != EventKind::TimedOut), "{given:?}");
        for second in [DEADLINE, DEADLINE + 1] {
            check(&given, (Command::Wake, second), Ok(&["TimedOut"]));
        }
    }
}

#[test]
fn nothing_but_the_timeout_happens_at_or_after_the_deadline() {
    let late = || Err(Rejection::DeadlinePassed(at(DEADLINE)));
    let given = [(create(streamed()), 0)];
    check_around(
        DEADLINE,
        &given,
        &complete(None),
        [Ok(&["Started", "Completed"]), late(), late()],
    );
    check_around(DEADLINE, &given, &fail(None), [Ok(&["Started", "Failed"]), late(), late()]);
    check_around(DEADLINE, &given, &advance(), [Ok(&["HandedOn", "Started"]), late(), late()]);
    check_around(DEADLINE, &given, &cancel(), [Ok(&["Canceled"]), late(), late()]);
    let suspension = suspend(None, WaitsFor::Tool);
    check_around(DEADLINE, &given, &suspension, [Ok(&["Started", "Suspended"]), late(), late()]);
    let call = claim(None, "c", false, "t");
    check_around(DEADLINE, &given, &call, [Ok(&["Started", "CallClaimed"]), late(), late()]);
    let claimed = then(&given, &[(call, 1)]);
    check_around(
        DEADLINE,
        &claimed,
        &finish("c", "t", "o"),
        [Ok(&["CallFinished"]), late(), late()],
    );
    let turn = start(DEADLINE + 60);
    check_around(DEADLINE, &given, &turn, [Ok(&["Acknowledged", "Started"]), late(), late()]);
    let started = then(&given, &[(turn, 1)]);
    let stepped = step(1, DEADLINE + 60, "a");
    check_around(DEADLINE, &started, &stepped, [Ok(&["Stepped"]), late(), late()]);
}

#[test]
fn an_end_is_the_end() {
    for (given, status) in endings() {
        let ended = || Err(Rejection::Ended(status));
        let second = DEADLINE - 1;
        for command in [
            start(DEADLINE),
            step(1, DEADLINE, "a"),
            suspend(None, WaitsFor::Tool),
            suspend(None, people(&["c"])),
            claim(None, "c", false, "t"),
            advance(),
            Command::Complete { by: deployer(), fence: None, result: json!("another") },
            Command::Fail { by: deployer(), fence: None, failure: other_failure() },
        ] {
            check(&given, (command, second), ended());
        }
        if status != Status::Canceled {
            check(&given, (cancel(), second), ended());
        }
        check(&given, (create(streamed()), second), Err(Rejection::Exists));
        check(&given, (Command::Wake, DEADLINE + 1), Ok(&[]));
        check(&given, (Command::ParentEnded, second), Ok(&[]));
        let news = Command::EndAsk { child: id(), ending: no_answer() };
        check(&given, (news, second), Ok(&[]));
    }
}

fn other_failure() -> Failure {
    Failure { code: "other".to_owned(), ..failure() }
}

#[test]
fn an_agent_that_acts_first_has_started() {
    let given = [(create(streamed()), 0)];
    check(&given, (start(60), 1), Ok(&["Acknowledged", "Started"]));
    check(&given, (complete(None), 1), Ok(&["Started", "Completed"]));
    check(&given, (fail(None), 1), Ok(&["Started", "Failed"]));
    let going = then(&given, &[(advance(), 1)]);
    check(&going, (complete(None), 2), Ok(&["Completed"]));
    check(&going, (fail(None), 2), Ok(&["Failed"]));
    check(&going, (start(60), 2), Ok(&["Started"]));
}

#[test]
fn an_agent_hands_the_work_on_without_ending_it() {
    let story = Story::of(&[(create(streamed()), 0), (advance(), 1), (advance(), 2)]);
    assert_eq!(kinds(&story.events[3..]), ["HandedOn", "Started", "HandedOn", "Started"]);
    assert_eq!(story.intent().status(), Status::InProgress);
}

#[test]
fn a_result_that_is_said_again_changes_nothing() {
    let given = [(create(streamed()), 0), (complete(None), 1)];
    check(&given, (complete(None), 2), Ok(&[]));
    check(&given, (complete(Some(1)), DEADLINE + 1), Ok(&[]));
    let given = [(create(streamed()), 0), (fail(None), 1)];
    check(&given, (fail(None), 2), Ok(&[]));
    check(&given, (fail(Some(1)), DEADLINE + 1), Ok(&[]));
    let given = [(create(streamed()), 0), (cancel(), 1)];
    check(&given, (cancel(), DEADLINE + 1), Ok(&[]));
}

#[test]
fn the_sender_may_end_what_it_sent() {
    let given = [(create(streamed()), 0)];
    let completed = Command::Complete { by: sender(), fence: None, result: result() };
    check(&given, (completed, 1), Ok(&["Started", "Completed"]));
    let failed = Command::Fail { by: sender(), fence: None, failure: failure() };
    check(&given, (failed, 1), Ok(&["Started", "Failed"]));
    let advanced = Command::Advance { by: sender(), reason: None, next: None };
    check(&given, (advanced, 1), Ok(&["HandedOn", "Started"]));
}

/// `command`, asked by `by`.
fn asked_by(by: &Principal, mut command: Command) -> Command {
    match &mut command {
        Command::Start { by: actor, .. }
        | Command::Step { by: actor, .. }
        | Command::Suspend { by: actor, .. }
        | Command::Claim { by: actor, .. }
        | Command::FinishCall { by: actor, .. }
        | Command::Complete { by: actor, .. }
        | Command::Fail { by: actor, .. }
        | Command::Advance { by: actor, .. }
        | Command::Decide { by: actor, .. }
        | Command::Acknowledge { by: actor, .. }
        | Command::Reassign { by: actor, .. }
        | Command::Say { by: actor, .. }
        | Command::Hide { by: actor, .. }
        | Command::ChangePolicy { by: actor, .. }
        | Command::Cancel { by: actor, .. } => actor.clone_from(by),
        Command::Create { .. }
        | Command::EndAsk { .. }
        | Command::EndStep { .. }
        | Command::GiveUp { .. }
        | Command::ParentEnded
        | Command::Wake => {}
    }
    command
}

/// What an agent can ask, in the name of `by`.
fn of_an_agent(by: &Principal) -> Vec<Command> {
    let commands = [
        start(60),
        step(1, 60, "a"),
        suspend(None, WaitsFor::Tool),
        claim(None, "c", false, "t"),
        finish("c", "t", "out"),
        complete(None),
        fail(None),
        advance(),
    ];
    commands.into_iter().map(|command| asked_by(by, command)).collect()
}

#[test]
fn to_another_account_there_is_no_such_intent() {
    let abroad = |by: Principal| Principal { tenant: "other".to_owned(), ..by };
    let mut commands = of_an_agent(&abroad(deployer()));
    commands.extend(of_an_agent(&abroad(principal("any", Role::Agent, None))));
    commands.push(asked_by(&abroad(reviewer("rita")), approve()));
    commands.extend([sender(), admin()].map(|by| asked_by(&abroad(by), cancel())));
    for command in commands {
        for (given, _) in places().into_iter().chain(endings()) {
            check(&given, (command.clone(), 2), Err(Rejection::NotFound));
        }
    }
}

#[test]
fn another_agent_does_nothing() {
    for command in of_an_agent(&stranger()) {
        check(&[(create(streamed()), 0)], (command, 1), Err(Rejection::NotTheHandler));
    }
}

#[test]
fn people_do_nothing_of_what_agents_do() {
    for (by, has) in [(reviewer("rita"), Role::Reviewer), (admin(), Role::Admin)] {
        for command in of_an_agent(&by) {
            let refused = Err(Rejection::WrongRole { has, needs: Role::Agent });
            check(&[(create(streamed()), 0)], (command, 1), refused);
        }
    }
}

#[test]
fn an_agent_key_without_an_address_speaks_for_every_agent() {
    let any = principal("any", Role::Agent, None);
    let command = Command::Complete { by: any, fence: None, result: result() };
    check(&[(create(streamed()), 0)], (command, 1), Ok(&["Started", "Completed"]));
}

#[test]
fn only_the_sender_and_administrators_cancel() {
    let given = [(create(streamed()), 0)];
    let by = |by| Command::Cancel { by, reason: "not needed".to_owned() };
    check(&given, (by(admin()), 1), Ok(&["Canceled"]));
    check(&given, (by(sender()), 1), Ok(&["Canceled"]));
    for other in [deployer(), stranger(), reviewer("rita"), reviewer("sender")] {
        check(&given, (by(other), 1), Err(Rejection::NotTheSender));
    }
}

#[test]
fn a_second_worker_waits_for_the_lease_to_end() {
    let given = [(create(worked()), 0), (start(60), 1)];
    let leased = Err(Rejection::Leased(at(60)));
    check_around(60, &given, &start(120), [leased, Ok(&["Started"]), Ok(&["Started"])]);
}

#[test]
fn a_worker_whose_lease_was_taken_over_changes_nothing() {
    let taken_over = [(create(worked()), 0), (start(60), 1), (start(120), 60)];
    let offered_again = [(create(worked()), 0), (start(60), 1), (Command::Wake, 60)];
    for given in [&taken_over, &offered_again] {
        for command in [
            step(1, 180, "a"),
            suspend(Some(1), WaitsFor::Tool),
            claim(Some(1), "c", false, "t"),
            complete(Some(1)),
            fail(Some(1)),
        ] {
            check(given, (command, 61), Err(Rejection::LeaseLost));
        }
    }
    check(&taken_over, (step(2, 180, "a"), 61), Ok(&["Stepped"]));
}

#[test]
fn nobody_claims_a_lease_that_was_never_given() {
    check(&[(create(streamed()), 0)], (complete(Some(0)), 1), Err(Rejection::LeaseLost));
}

#[test]
fn an_agent_of_its_own_does_not_cut_in_on_a_worker() {
    let given = [(create(worked()), 0), (start(60), 1)];
    for command in [
        suspend(None, WaitsFor::Tool),
        claim(None, "c", false, "t"),
        complete(None),
        fail(None),
        advance(),
    ] {
        check(&given, (command, 59), Err(Rejection::Leased(at(60))));
    }
}

#[test]
fn an_agent_of_its_own_goes_on_when_the_lease_is_over_even_if_no_timer_has_fired() {
    let given = [(create(worked()), 0), (start(60), 1)];
    let leased = || Err(Rejection::Leased(at(60)));
    let done = || Ok(["Started", "Completed"].as_slice());
    check_around(60, &given, &complete(None), [leased(), done(), done()]);
    let claimed = || Ok(["Started", "CallClaimed"].as_slice());
    let call = claim(None, "c", false, "t");
    check_around(60, &given, &call, [leased(), claimed(), claimed()]);
    let cut_in = then(&given, &[(call, 60)]);
    check(&cut_in, (complete(Some(1)), 61), Err(Rejection::LeaseLost));
    check(&cut_in, (complete(None), 61), Ok(&["Completed"]));
}

#[test]
fn a_worker_goes_on_past_its_lease_until_another_takes_over() {
    let given = [(create(worked()), 0), (start(60), 1)];
    let stepped = || Ok(["Stepped"].as_slice());
    check_around(60, &given, &step(1, 120, "a"), [stepped(), stepped(), stepped()]);
}

#[test]
fn a_step_extends_the_lease_and_is_taken_once() {
    let given = [(create(worked()), 0), (start(60), 1), (step(1, 120, "a"), 50)];
    check(&given, (step(1, 180, "a"), 51), Ok(&[]));
    check(&given, (step(1, 180, "b"), 51), Ok(&["Stepped"]));
    check(&given, (start(300), 119), Err(Rejection::Leased(at(120))));
    let story = Story::of(&given);
    assert_eq!(story.intent().checkpoint, Some(digest("a")));
    assert_eq!(story.intent().fence, 1, "a step is no new lease");
}

#[test]
fn an_agent_may_stand_still_for_a_tool_and_go_on() {
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::Tool), 1)];
    check(&given, (complete(None), 2), Ok(&["Started", "Completed"]));
    // A message about the turn may come twice; the second must not end the wait.
    check(&given, (start(60), 2), Err(Rejection::NotAgentsTurn(Status::Waiting)));
    check(&given, (claim(None, "c", false, "t"), 2), Ok(&["Started", "CallClaimed"]));
    check(&given, (advance(), 2), Ok(&["HandedOn", "Started"]));
}

#[test]
fn an_agent_that_waits_for_a_moment_waits() {
    let given = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(500))), 1)];
    let early = || Err(Rejection::NotAgentsTurn(Status::Waiting));
    for command in [start(60), complete(None), fail(None), advance()] {
        check(&given, (command, 501), early());
    }
}
