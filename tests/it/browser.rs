//! A person with a browser: the demo's review page, opened and answered in a real Chromium.

mod person;

use serde_json::Value;

use self::person::{Demo, Person};

/// What the page asks, as the demo's agent puts it.
const ASKED: &str = "Run publish_report?";

#[test]
fn a_person_approves_in_a_browser_without_scripts() {
    let Some(person) = Person::with_a_browser() else { return };
    let demo = Demo::start(&[]);
    let shots = ["--no-script", "--comment", "Figures checked.", "--shots", "approve"];
    let visits = person.decides(&demo.approve_url(), &["approve"], &shots);
    let visit = &visits[0];
    assert_eq!(visit["runs_scripts"], false, "scripts were to be off: {visit}");
    worked(visit);
    says(visit, "before", &[ASKED, "What exactly would run", "Your decision", "local-reviewer"]);
    says(visit, "after", &["Your decision is recorded", "Approved", "Figures checked."]);

    let demo = demo.end();
    assert_eq!(demo.code, Some(0), "{}\n{}", demo.out, demo.err);
    assert!(demo.out.contains("COMPLETED  approved by local-reviewer"), "{}", demo.out);
    assert!(demo.out.contains("Figures checked."), "{}", demo.out);
    assert!(demo.out.contains("\"published\": true"), "{}", demo.out);
}

#[test]
fn a_person_rejects_in_a_browser_and_the_agent_gets_the_words() {
    let Some(person) = Person::with_a_browser() else { return };
    let demo = Demo::start(&[]);
    let shots = ["--comment", "Not before the board has seen it.", "--shots", "reject"];
    let visits = person.decides(&demo.approve_url(), &["reject"], &shots);
    let visit = &visits[0];
    assert_eq!(visit["runs_scripts"], true, "{visit}");
    worked(visit);
    says(visit, "after", &["Your decision is recorded", "Rejected", "Not before the board"]);

    // The agent ends its work well, without what it was not allowed to do; the demo says who refused.
    let demo = demo.end();
    assert_eq!(demo.code, Some(1), "{}\n{}", demo.out, demo.err);
    assert!(demo.out.contains("COMPLETED  rejected by local-reviewer"), "{}", demo.out);
    assert!(demo.out.contains("\"published\": false"), "{}", demo.out);
    assert!(demo.out.contains("Not before the board has seen it."), "{}", demo.out);
}

#[test]
fn of_two_browsers_that_decide_the_first_counts() {
    let Some(person) = Person::with_a_browser() else { return };
    // The service goes on after the story, for the second browser to talk to.
    let demo = Demo::start(&["--keep"]);
    let dark = ["--again", "--colors", "dark", "--shots", "two-browsers"];
    let visits = person.decides(&demo.approve_url(), &["approve", "reject"], &dark);
    assert_eq!(visits.len(), 2, "{visits:?}");
    worked(&visits[0]);
    says(&visits[0], "after", &["Your decision is recorded", "Approved"]);
    // The second had loaded the page with both buttons before the first decided.
    says(&visits[1], "before", &[ASKED, "Approve", "Reject"]);
    assert_eq!(visits[1]["pressed_status"], 409, "{}", visits[1]);
    says(&visits[1], "after", &["Already decided", "Approved", "local-reviewer"]);
    for visit in &visits {
        let again = visit["opened_again"].as_str().expect("a page");
        assert!(again.contains("Already decided") && again.contains("Approved"), "{again}");
    }
    demo.line("COMPLETED  approved by local-reviewer");
}

/// The page opened, fitted every screen, and its button did what it says.
#[track_caller]
fn worked(visit: &Value) {
    assert_eq!(visit["opened_status"], 200, "{visit}");
    assert_eq!(visit["pressed_status"], 200, "{visit}");
    assert_eq!(visit["before"]["too_wide_px"], 0, "{visit}");
    assert_eq!(visit["after"]["too_wide_px"], 0, "{visit}");
    assert_eq!(visit["complaints"], Value::Array(vec![]), "{visit}");
}

#[track_caller]
fn says(visit: &Value, when: &str, words: &[&str]) {
    let text = visit[when]["text"].as_str().expect("a page's text");
    for wanted in words {
        assert!(text.contains(wanted), "`{wanted}` is not on the page:\n{text}");
    }
}
