//! What an answer comes to, for each kind of task and however a channel sends it.

use serde_json::Map;

use super::super::answer::{ANSWER_BYTES_MAX, Settled};
use super::super::human_task::TaskType;
use super::super::outcome::OUTCOME_CHARS_MAX;
use super::*;
use crate::form::FormSchema;

fn task(task_type: TaskType) -> HumanTask {
    let allowed_outcomes = task_type.outcomes();
    HumanTask { task_type, allowed_outcomes, ..HumanTask::approval("Right?".to_owned()) }
}

fn word(text: &str) -> Outcome {
    Outcome::parse(text).unwrap()
}

fn words(texts: &[&str]) -> Vec<Outcome> {
    texts.iter().map(|text| word(text)).collect()
}

/// An answer with a comment, which every kind of task takes.
fn said(text: &str) -> Answer {
    says(word(text), Some("so it is"))
}

fn yes_or_no(approved: bool) -> Answer {
    Answer { approved: Some(approved), comment: Some("so it is".to_owned()), ..Answer::default() }
}

fn with_data(answer: Answer, data: Value) -> Answer {
    let Value::Object(data) = data else { panic!("{data}") };
    Answer { data, ..answer }
}

fn outcome(answer: &Answer, task: &HumanTask) -> Option<(String, bool)> {
    let settled = answer.settle(task).ok()?;
    Some((settled.outcome.name().to_owned(), settled.approves))
}

/// Each kind with its yes, its no for whoever says no without saying how, and what else it takes.
const KINDS: [(TaskType, &str, &str, &[&str]); 15] = [
    (TaskType::Approval, "approved", "rejected", &[]),
    (TaskType::Review, "approved", "rejected", &["changes_requested"]),
    (TaskType::Clarification, "provided", "declined", &[]),
    (TaskType::ProvideData, "provided", "declined", &[]),
    (TaskType::AttachFile, "provided", "declined", &[]),
    (TaskType::ManualAction, "completed", "failed", &[]),
    (TaskType::Confirmation, "confirmed", "denied", &[]),
    (TaskType::ValidateRealWorld, "confirmed", "denied", &[]),
    (TaskType::ValidateOutput, "approved", "rejected", &[]),
    (TaskType::Assignment, "assigned", "declined", &[]),
    (TaskType::Delegation, "assigned", "declined", &[]),
    (TaskType::Reroute, "assigned", "declined", &[]),
    (TaskType::Override, "override_approved", "rejected", &[]),
    (TaskType::Escalate, "approved", "rejected", &[]),
    (TaskType::Form, "submitted", "declined", &[]),
];

#[test]
fn each_kind_of_task_takes_its_own_words_and_the_plain_ones() {
    assert_eq!(KINDS.map(|(kind, ..)| kind), TaskType::ALL);
    for (kind, yes, no, others) in KINDS {
        let task = task(kind);
        let is = |text: &str, approves| Some((text.to_owned(), approves));
        assert_eq!(outcome(&said(yes), &task), is(yes, true), "{kind:?}");
        assert_eq!(outcome(&said("approved"), &task), is(yes, true), "{kind:?}");
        assert_eq!(outcome(&said("approve"), &task), is(yes, true), "{kind:?}");
        assert_eq!(outcome(&yes_or_no(true), &task), is(yes, true), "{kind:?}");
        assert_eq!(outcome(&said(no), &task), is(no, false), "{kind:?}");
        assert_eq!(outcome(&said("rejected"), &task), is(no, false), "{kind:?}");
        assert_eq!(outcome(&said("reject"), &task), is(no, false), "{kind:?}");
        assert_eq!(outcome(&yes_or_no(false), &task), is(no, false), "{kind:?}");
        for other in others {
            assert_eq!(outcome(&said(other), &task), is(other, false), "{kind:?}");
        }
        let (outcome, allowed) = (word("perhaps"), task.allowed_outcomes.clone());
        let refused = Rejection::OutcomeNotAllowed { outcome, allowed: allowed.clone() };
        assert_eq!(said("perhaps").settle(&task), Err(refused), "{kind:?}");
        let missing = Rejection::OutcomeMissing { allowed };
        assert_eq!(Answer::default().settle(&task), Err(missing), "{kind:?}");
    }
}

#[test]
fn every_kind_is_read_by_its_name() {
    for kind in TaskType::ALL {
        assert_eq!(TaskType::parse(kind.name()), Some(kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), json!(kind.name()));
    }
    assert_eq!(TaskType::parse("poll"), None);
}

#[test]
fn a_plain_word_means_the_only_one_of_its_sort_and_nothing_where_there_are_several() {
    let task = |allowed: &[&str], approving: &[&str]| HumanTask {
        allowed_outcomes: words(allowed),
        approving_outcomes: words(approving),
        ..HumanTask::approval("Which?".to_owned())
    };
    let two = task(&["blue", "green", "neither"], &["blue", "green"]);
    assert_eq!(outcome(&said("approved"), &two), None);
    assert_eq!(outcome(&yes_or_no(true), &two), None);
    assert_eq!(outcome(&said("green"), &two), Some(("green".to_owned(), true)));
    assert_eq!(outcome(&said("rejected"), &two), Some(("neither".to_owned(), false)));
    let plain_among = task(&["approved", "blue", "never", "rejected"], &["approved", "blue"]);
    assert_eq!(outcome(&yes_or_no(true), &plain_among), Some(("approved".to_owned(), true)));
    assert_eq!(outcome(&yes_or_no(false), &plain_among), Some(("rejected".to_owned(), false)));
    let only_yes = task(&["approved"], &[]);
    assert_eq!(outcome(&said("rejected"), &only_yes), None);
    assert_eq!(outcome(&yes_or_no(false), &only_yes), None);
}

#[test]
fn the_words_that_let_work_go_on_are_the_tasks_own_where_it_names_them() {
    let task = HumanTask {
        allowed_outcomes: words(&["approved", "later", "stop"]),
        approving_outcomes: words(&["later"]),
        ..HumanTask::approval("Now?".to_owned())
    };
    let envelope = with_task(held(Placement::OnArrival), |it| *it = task);
    let given = [(create(envelope), 0)];
    check(&given, (answer("rita", word("approved")), 1), Ok(&["Failed"]));
    check(&given, (answer("rita", word("later")), 1), Ok(&["Approved", "Completed"]));
    for (text, approves) in [("approved", Some(false)), ("later", Some(true)), ("stop", None)] {
        let story = Story::of(&then(&given, &[(answer("rita", word(text)), 1)]));
        let decision = &story.intent().decided().unwrap().decision;
        assert_eq!(decision.approves, approves, "{text}");
        assert_eq!(decision.is_approval(), text == "later");
    }
}

#[test]
fn a_word_that_contradicts_its_channel_is_refused() {
    let allowed_outcomes = words(&["approved", "rejected", "never"]);
    let task = HumanTask { allowed_outcomes, ..HumanTask::approval("Which?".to_owned()) };
    for (channel, word, takes) in
        [(false, "approved", vec!["rejected", "never"]), (true, "never", vec!["approved"])]
    {
        let answer = Answer { channel: Some(channel), ..said(word) };
        let Err(Rejection::OutcomeNotAllowed { allowed, .. }) = answer.settle(&task) else {
            panic!("{word} is taken where the channel says {channel}");
        };
        assert_eq!(allowed.iter().map(Outcome::name).collect::<Vec<_>>(), takes);
        let agreeing = Answer { channel: Some(!channel), ..said(word) };
        assert_eq!(agreeing.settle(&task).unwrap().approves, !channel);
    }
}

#[test]
fn a_word_outweighs_a_flag() {
    let both = Answer { approved: Some(true), ..said("rejected") };
    let approval = task(TaskType::Approval);
    assert_eq!(outcome(&both, &approval), Some(("rejected".to_owned(), false)));
}

#[test]
fn who_overrides_a_rule_says_why_and_who_does_not_need_not() {
    let task = task(TaskType::Override);
    let bare = |text: &str| Answer::of(word(text));
    for text in ["approved", "override_approved"] {
        assert_eq!(bare(text).settle(&task), Err(Rejection::CommentRequired));
        let blank = Answer { comment: Some(" \n".to_owned()), ..bare(text) };
        assert_eq!(blank.settle(&task), Err(Rejection::CommentRequired));
    }
    assert_eq!(outcome(&bare("rejected"), &task), Some(("rejected".to_owned(), false)));
}

#[test]
fn a_yes_shows_its_evidence_and_a_no_has_none_to_show() {
    let task = HumanTask { evidence_required: true, ..task(TaskType::Approval) };
    for nothing in [
        json!({}),
        json!({"evidence": null}),
        json!({"evidence": true}),
        json!({"evidence": 7}),
        json!({"evidence": " "}),
        json!({"evidence": []}),
        json!({"evidence": {}}),
    ] {
        let answer = with_data(said("approved"), nothing.clone());
        assert_eq!(answer.settle(&task), Err(Rejection::EvidenceRequired), "{nothing}");
        let no = with_data(said("rejected"), nothing);
        assert_eq!(outcome(&no, &task), Some(("rejected".to_owned(), false)));
    }
    for something in [json!("photo-7"), json!(["photo-7"]), json!({"photo": 7})] {
        let answer = with_data(said("approved"), json!({"evidence": something}));
        let settled = answer.settle(&task).unwrap();
        assert_eq!(settled.data["evidence"], something);
    }
}

#[test]
fn evidence_stands_beside_a_form_that_has_no_field_for_it() {
    let closed = json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "additionalProperties": false,
    });
    let with_field = json!({
        "type": "object", "properties": {"evidence": {"type": "string", "minLength": 5}},
    });
    let task = |schema: &Value| HumanTask {
        form_schema: Some(FormSchema::parse(schema.clone()).unwrap()),
        evidence_required: true,
        ..task(TaskType::Form)
    };
    let data = json!({"city": "Ulm", "evidence": "photo-7"});
    let answer = with_data(said("submitted"), data.clone());
    assert_eq!(json!(answer.settle(&task(&closed)).unwrap().data), data);
    let bare = with_data(said("submitted"), json!({"city": "Ulm"}));
    assert_eq!(bare.settle(&task(&closed)), Err(Rejection::EvidenceRequired));
    // Nobody asked for evidence, so it is a field like any other.
    let unasked = HumanTask { evidence_required: false, ..task(&closed) };
    assert!(matches!(answer.settle(&unasked), Err(Rejection::FormInvalid(_))));
    let short = with_data(said("submitted"), json!({"evidence": "yes"}));
    assert!(matches!(short.settle(&task(&with_field)), Err(Rejection::FormInvalid(_))));
}

fn form() -> HumanTask {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "approved": {"type": "boolean"}, "comment": {"type": "string"}},
        "required": ["city"],
    });
    HumanTask { form_schema: Some(FormSchema::parse(schema).unwrap()), ..task(TaskType::Form) }
}

#[test]
fn a_form_that_is_filled_in_says_yes() {
    let filled = with_data(Answer::default(), json!({"city": "Bern"}));
    assert_eq!(outcome(&filled, &form()), Some(("submitted".to_owned(), true)));
    let no = Answer { approved: Some(false), ..filled.clone() };
    assert_eq!(outcome(&no, &form()), Some(("declined".to_owned(), false)));
    let without_form = HumanTask { form_schema: None, ..form() };
    assert_eq!(outcome(&filled, &without_form), None);
    assert_eq!(outcome(&Answer::default(), &form()), None);
}

#[test]
fn a_form_is_told_what_the_answer_says_beside_it() {
    let filled = with_data(said("approved"), json!({"city": "Bern"}));
    let data = filled.settle(&form()).unwrap().data;
    let expected = json!({"city": "Bern", "approved": true, "comment": "so it is"});
    assert_eq!(Value::Object(data), expected, "the form has no field for the outcome");
    let own = with_data(said("approved"), json!({"city": "Bern", "comment": "its own"}));
    assert_eq!(own.settle(&form()).unwrap().data["comment"], json!("its own"));
}

#[test]
fn a_no_fills_in_no_form() {
    let no = said("declined").settle(&form()).unwrap();
    let comment = Some("so it is".to_owned());
    let expected =
        Settled { outcome: word("declined"), approves: false, comment, data: Map::new() };
    assert_eq!(no, expected);
}

#[test]
fn what_is_filled_in_is_kept_with_the_decision_and_in_the_result() {
    let envelope = with_task(held(Placement::OnArrival), |it| *it = task(TaskType::Assignment));
    let given = [(create(envelope), 0)];
    let answer = with_data(said("assigned"), json!({"assignee": "otto"}));
    let decide = Command::Decide { by: reviewer("rita"), answer, seen: None };
    let story = Story::of(&then(&given, &[(decide, 1)]));
    let Phase::Completed { result, decided, .. } = &story.intent().phase else { panic!() };
    assert_eq!(result["data"], json!({"assignee": "otto"}));
    assert_eq!(decided.as_ref().unwrap().decision.data["assignee"], json!("otto"));
}

#[test]
fn what_is_filled_in_is_exact_and_not_too_large() {
    let approval = task(TaskType::Approval);
    let rounded = with_data(said("approved"), json!({"n": u64::MAX}));
    assert_eq!(rounded.settle(&approval), Err(Rejection::InexactNumber));
    let of = |bytes: usize| with_data(said("approved"), json!({"a": "x".repeat(bytes - 8)}));
    assert!(of(ANSWER_BYTES_MAX).settle(&approval).is_ok());
    assert_eq!(of(ANSWER_BYTES_MAX + 1).settle(&approval), Err(Rejection::AnswerTooLarge));
}

#[test]
fn an_outcome_is_a_plain_word() {
    let longest = "o".repeat(OUTCOME_CHARS_MAX);
    for good in ["approved", "a", "changes_requested", "no-2", " padded ", &longest] {
        assert_eq!(Outcome::parse(good).unwrap().name(), good.trim());
    }
    let too_long = format!("{longest}o");
    for bad in ["", " ", "Approved", "yes please", "ja!", "ü", &too_long] {
        assert!(Outcome::parse(bad).is_err(), "{bad:?}");
        assert!(serde_json::from_value::<Outcome>(json!(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn a_result_too_large_for_a_person_is_not_held() {
    use super::super::human_task::PROPOSAL_BYTES_MAX;
    let of = |bytes: usize| Command::Complete {
        by: deployer(),
        fence: None,
        result: json!("x".repeat(bytes - 2)),
    };
    let given = [(create(held(Placement::OnResult)), 0)];
    check(&given, (of(PROPOSAL_BYTES_MAX), 1), Ok(&["Started", "Held", "TaskAssigned"]));
    check(&given, (of(PROPOSAL_BYTES_MAX + 1), 1), Err(Rejection::ResultTooLarge));
    let unseen = [(create(streamed()), 0)];
    check(&unseen, (of(PROPOSAL_BYTES_MAX + 1), 1), Ok(&["Started", "Completed"]));
}
