use serde_json::json;

use super::*;

const DIGEST: &str = "3f9a21c4d0e8b7a6958473625140f1e2d3c4b5a69788796a5b4c3d2e1f001122";
const OUTCOMES: &[Choice<'_>] = &[
    Choice { outcome: "approved", approves: true },
    Choice { outcome: "rejected", approves: false },
];
static NOTHING: std::sync::LazyLock<Map<String, Value>> = std::sync::LazyLock::new(Map::new);

fn arguments_of_a_refund() -> Value {
    json!({"amount": 40.5, "currency": "EUR", "order": "A-1001"})
}

fn sample(arguments: &Value) -> Review<'_> {
    Review {
        title: "Refund order A-1001",
        description: Some("The customer asked for it."),
        asked_by: "agent://acme/billing",
        intent_type: "intent.refund.v1",
        tool: Some("payments.refund"),
        arguments,
        proposal: None,
        earlier: None,
        deadline_at: "2026-11-22T14:14:59Z".parse().unwrap(),
        now: "2026-11-22T12:00:00Z".parse().unwrap(),
        digest: DIGEST,
        hold_version: 7,
        reviewer: "ana@example.com",
        task_type: TaskType::Approval,
        outcomes: OUTCOMES,
        comment_required: false,
        evidence_required: false,
        form: None,
        filled_in: FilledIn {
            comment: "",
            evidence: "",
            answer: "",
            values: &NOTHING,
            faults: &[],
        },
        csrf_token: "csrf-token",
    }
}

fn page(change: impl FnOnce(&mut Review<'_>)) -> String {
    let arguments = arguments_of_a_refund();
    let mut sample = sample(&arguments);
    change(&mut sample);
    review(&sample).into_string()
}

#[track_caller]
fn assert_in_order(page: &str, parts: &[&str]) {
    let mut rest = page;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is missing, or comes too early, in {page}");
        };
        rest = after;
    }
}

#[test]
fn the_stored_action_comes_first_and_the_agents_prose_after_it() {
    assert_in_order(
        &page(|_| {}),
        &[
            "<h1>Run <code><bdi dir=\"auto\">payments.refund</bdi></code>?</h1>",
            "2 hours 14 minutes left",
            "Sunday 22 November 2026, 14:14 UTC",
            "agent://acme/billing",
            "intent.refund.v1",
            "3f9a 21c4",
            "What exactly would run",
            "40.5",
            "In the agent’s own words",
            "checked by nobody",
            "Refund order A-1001",
            "The customer asked for it.",
            "You decide as",
            "ana@example.com",
        ],
    );
}

#[test]
fn the_form_carries_everything_that_a_decision_is_bound_to() {
    let page = page(|_| {});
    assert_in_order(
        &page,
        &[
            "<form method=\"post\"",
            "<input type=\"hidden\" name=\"csrf\" value=\"csrf-token\">",
            "<input type=\"hidden\" name=\"version\" value=\"7\">",
            &format!("<input type=\"hidden\" name=\"digest\" value=\"{DIGEST}\">"),
            "<label for=\"comment\">",
            "<textarea id=\"comment\" name=\"comment\" rows=\"3\" maxlength=\"2000\"",
            "<button class=\"positive\" type=\"submit\" name=\"outcome\" value=\"approved\"><bdi dir=\"auto\">Approve</bdi></button>",
            "<button class=\"negative\" type=\"submit\" name=\"outcome\" value=\"rejected\"><bdi dir=\"auto\">Reject</bdi></button>",
            "</form>",
        ],
    );
    assert_eq!(page.matches("<form").count(), 1);
    assert_eq!(page.matches("method=").count(), 1);
}

#[test]
fn no_field_submits_on_enter_and_nothing_has_focus_at_first() {
    let page = page(|_| {});
    assert_eq!(page.matches("<input").count(), page.matches("<input type=\"hidden\"").count());
    assert!(!page.contains("autofocus") && !page.contains("<select"));
}

#[test]
fn a_comment_is_required_only_when_the_request_says_so() {
    assert!(!page(|_| {}).contains(" required"));
    let page = page(|review| review.comment_required = true);
    assert!(page.contains(" required>") && page.contains("(required)"), "{page}");
}

#[test]
fn a_result_that_waits_stands_before_what_was_asked_for() {
    let proposal = json!({"answer": 42});
    let arguments = arguments_of_a_refund();
    let page = review(&Review { tool: None, proposal: Some(&proposal), ..sample(&arguments) });
    assert_in_order(
        &page.into_string(),
        &[
            "<h1>Release the result of <code><bdi dir=\"auto\">intent.refund.v1</bdi></code>?</h1>",
            "The result that waits for you",
            "answer",
            "42",
            "What was asked for",
            "currency",
            "In the agent’s own words",
        ],
    );
}

#[test]
fn a_step_is_named_by_what_it_asks_and_shows_what_came_before_it() {
    let earlier = json!({"draft": "Dear Ana"});
    let arguments = arguments_of_a_refund();
    let step = Review {
        tool: None,
        earlier: Some(&earlier),
        task_type: TaskType::ManualAction,
        ..sample(&arguments)
    };
    assert_in_order(
        &review(&step).into_string(),
        &[
            "intent.refund.v1</bdi></code> asks for something to be done</h1>",
            "What the steps before came to",
            "Dear Ana",
            "What exactly is asked for",
            "currency",
        ],
    );
    let hidden = json!({"draft": "a\u{202e}b"});
    let page = review(&Review { earlier: Some(&hidden), ..step }).into_string();
    assert!(page.contains("This request contains hidden characters"), "{page}");
}

#[test]
fn a_request_without_a_tool_is_named_by_its_type() {
    let page = page(|review| review.tool = None);
    assert_in_order(
        &page,
        &[
            "<h1>Let <code><bdi dir=\"auto\">intent.refund.v1</bdi></code> go ahead?</h1>",
            "What exactly is asked for",
        ],
    );
}

#[test]
fn the_form_is_gone_from_the_deadline_on() {
    let last_moment = page(|review| review.now = "2026-11-22T14:14:58Z".parse().unwrap());
    assert!(last_moment.contains("<form") && last_moment.contains("less than a minute left"));
    assert!(last_moment.contains("class=\"deadline soon\""), "{last_moment}");
    let too_late = page(|review| review.now = review.deadline_at);
    assert!(!too_late.contains("<form") && too_late.contains("too late to decide"), "{too_late}");
}

#[test]
fn hostile_text_in_any_field_is_escaped_marked_and_warned_of() {
    let value = json!({HOSTILE: [HOSTILE, {HOSTILE: HOSTILE}]});
    let fields: [fn(&mut Review<'_>); 9] = [
        |review| review.title = HOSTILE,
        |review| review.description = Some(HOSTILE),
        |review| review.asked_by = HOSTILE,
        |review| review.intent_type = HOSTILE,
        |review| review.tool = Some(HOSTILE),
        |review| review.reviewer = HOSTILE,
        |review| review.outcomes = &[Choice { outcome: HOSTILE, approves: true }],
        |review| review.csrf_token = HOSTILE,
        |review| review.digest = HOSTILE,
    ];
    for (at, change) in fields.into_iter().enumerate() {
        let page = page(change);
        for part in ["<script", "<img", "</textarea></code>"] {
            assert!(!page.contains(part), "field {at}: {part} in {page}");
        }
    }
    let arguments = arguments_of_a_refund();
    let pages =
        [review(&sample(&value)), review(&Review { proposal: Some(&value), ..sample(&arguments) })];
    for page in pages.map(Markup::into_string) {
        assert!(!page.contains("<script") && !page.contains("<img"), "{page}");
        assert!(!page.contains('\u{202e}') && !page.contains('\u{1b}'), "{page}");
        assert!(page.contains("This request contains hidden characters"), "{page}");
    }
}

const HOSTILE: &str =
    "</textarea></code><script>alert(1)</script>\"'><img src=x onerror=y>\u{202e}\u{1b}[0m";

#[test]
fn the_warning_is_shown_for_a_hidden_character_in_any_field_and_only_then() {
    let warning = "This request contains hidden characters";
    assert!(!page(|_| {}).contains(warning));
    let fields: [fn(&mut Review<'_>); 7] = [
        |review| review.title = "a\u{200b}",
        |review| review.description = Some("a\u{200b}"),
        |review| review.asked_by = "a\u{200b}",
        |review| review.intent_type = "a\u{200b}",
        |review| review.tool = Some("a\u{200b}"),
        |review| review.reviewer = "a\u{200b}",
        |review| review.outcomes = &[Choice { outcome: "a\u{200b}", approves: false }],
    ];
    for (at, change) in fields.into_iter().enumerate() {
        let page = page(change);
        assert!(page.contains(warning), "field {at}");
        assert!(page.contains("<mark>⟨U+200B⟩</mark>"), "field {at}");
    }
}

#[test]
fn what_was_filled_in_stands_there_again_and_who_refuses_need_not_fill_in_anything() {
    let schema = FormSchema::parse(json!({
        "type": "object",
        "properties": {"amount": {"type": "integer", "title": "Amount"}},
        "required": ["amount"],
    }))
    .unwrap();
    let values = Map::from_iter([("amount".to_owned(), json!("lots"))]);
    let faults = crate::form::validate(&schema, &values).unwrap_err();
    let arguments = arguments_of_a_refund();
    let filled_in = FilledIn {
        comment: "my </textarea> words",
        evidence: "ticket 7",
        answer: "",
        values: &values,
        faults: &faults,
    };
    let form = Some(&schema);
    let again = Review { form, evidence_required: true, filled_in, ..sample(&arguments) };
    let page = review(&again).into_string();
    assert!(page.contains("There is one thing to correct"), "{page}");
    assert!(page.contains("my &lt;/textarea&gt; words") && page.contains("ticket 7"), "{page}");
    assert!(page.contains("value=\"rejected\" formnovalidate"), "{page}");
    assert!(!page.contains("value=\"approved\" formnovalidate"), "{page}");
}

#[test]
fn each_kind_of_task_asks_for_what_it_needs() {
    for (task_type, asked) in [
        (TaskType::Clarification, "Your answer"),
        (TaskType::Assignment, "Who it goes to"),
        (TaskType::ManualAction, "What was done"),
    ] {
        let page = page(|review| review.task_type = task_type);
        assert!(page.contains(asked), "{task_type:?}: {page}");
    }
    assert!(!page(|_| {}).contains("name=\"answer\""));
}
