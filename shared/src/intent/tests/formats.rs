//! What is stored, for ever: `golden/` keeps an example of each version of the schema.
//!
//! An example is never edited. When what is written changes, a new file joins the old ones, which
//! must go on being read and folded.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::*;

const EXAMPLES: [(u32, &str); 1] = [(1, include_str!("golden/intents-1.json"))];

/// One version's example: whole lives, each with the commits that made it.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Example {
    schema_version: u32,
    lives: Vec<Life>,
}

#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Life {
    /// What it shows.
    name: String,
    /// The events of each commit.
    commits: Vec<Vec<Event>>,
    /// The snapshot after the last one.
    intent: Intent,
}

#[test]
fn what_was_ever_stored_is_still_read_and_folded() {
    for (version, text) in EXAMPLES {
        let example: Example = serde_json::from_str(text).unwrap();
        assert_eq!(example.schema_version, version);
        for Life { name, commits, intent } in example.lives {
            let folded = commits.iter().flatten().fold(None, apply);
            assert_eq!(folded, Some(intent), "{name} of version {version}");
        }
    }
}

#[test]
fn the_examples_show_every_kind_of_event() {
    for (version, text) in EXAMPLES {
        let example: Example = serde_json::from_str(text).unwrap();
        let events = example.lives.iter().flat_map(|life| life.commits.iter().flatten());
        let shown: BTreeSet<&str> = events.map(|event| kind(&event.kind)).collect();
        assert_eq!(shown.len(), 22, "version {version}");
    }
}

#[test]
fn the_digests_in_the_examples_still_come_out_the_same() {
    for (_, text) in EXAMPLES {
        let example: Example = serde_json::from_str(text).unwrap();
        let mut holds = 0;
        for intent in example.lives.iter().map(|life| &life.intent) {
            let hold = intent.open_hold().or(intent.decided().map(|decided| &decided.hold));
            if let Some(hold) = hold {
                holds += 1;
                assert_eq!(hold.digest, Digest::of_json(&intent.action(hold).unwrap()));
            }
        }
        assert!(holds >= 3);
    }
}

#[test]
fn the_newest_example_is_what_is_written_today() {
    let (schema_version, text) = EXAMPLES[EXAMPLES.len() - 1];
    let stored: Value = serde_json::from_str(text).unwrap();
    let today = serde_json::to_value(Example { schema_version, lives: lives() }).unwrap();
    let news = "what is stored has changed: keep the old example and add this one";
    assert!(stored == today, "{news}\n{}", serde_json::to_string_pretty(&today).unwrap());
}

fn life(name: &str, steps: &[Step]) -> Life {
    let mut story = Story::default();
    let commits = steps.iter().map(|step| story.take(step).unwrap()).collect();
    Life { name: name.to_owned(), commits, intent: story.intent().clone() }
}

fn lives() -> Vec<Life> {
    let telling = Envelope {
        reply_to: Some(address("sender")),
        reminders: Reminders { after_s: Some(30), interval_s: 60, max: 1 },
        escalate_to: Some(address("boss")),
        ..held(Placement::OnArrival)
    };
    let question = with_task(telling, |task| {
        task.description = Some("It has passed every test.".to_owned());
        task.assignees = vec!["rita".to_owned(), "otto".to_owned()];
        task.required_comment = true;
        task.notify_email = Some("rita@example.com".to_owned());
    });
    let fine = Command::Decide {
        by: Principal { assurance: Assurance::Link, ..reviewer("rita") },
        answer: says(Outcome::APPROVED, Some("fine")),
        seen: None,
    };
    let reminded = vec![(create(question), 0), (Command::Wake, 30), (Command::Wake, 90)];
    let asked = vec![
        (create(worked()), 0),
        (start(60), 1),
        (step(1, 90, "one"), 2),
        (suspend_from(Some(1), (Some("one"), Some("two")), people(&["a", "b"])), 3),
    ];
    let yes = end_ask(&asked, "a", &[(approve(), 5)]);
    let no = end_ask(&asked, "b", &[(reject(), 6)]);
    let worked_on = [
        (yes, 7),
        (no, 8),
        (start(120), 9),
        (claim(Some(2), "a", true, "t"), 10),
        (claim(Some(2), "c", false, "t"), 11),
        (finish("a", "t", "out"), 12),
        (complete(Some(2)), 13),
    ];
    let once = Envelope { delivery_attempts_max: 1, ..worked() };
    let signed_off = [(create(held(Placement::OnResult)), 0), (complete(None), 1), (reject(), 2)];
    let moment = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(500))), 1)];
    let tool = [(create(streamed()), 0), (suspend(None, WaitsFor::Tool), 1)];
    let child = child(&asked, "a", &[]);
    let child = Life {
        name: "a question that waits".to_owned(),
        commits: vec![child.events.clone()],
        intent: child.intent().clone(),
    };
    vec![
        life("a question, reminded, escalated and approved", &then(&reminded, &[(fine, 91)])),
        life("a worker's turn with two questions", &then(&asked, &worked_on)),
        life("a worker's turn that waits for people", &asked),
        child,
        life("a result that was refused", &signed_off),
        life("a turn that nobody took", &[(create(once), 0), (Command::Wake, 300)]),
        life("a turn that was handed on", &[(create(streamed()), 0), (advance(), 1)]),
        life("a moment that is waited for", &moment),
        life("a tool that is waited for", &tool),
        life("withdrawn", &[(create(streamed()), 0), (cancel(), 1)]),
        life("too late", &[(create(streamed()), 0), (Command::Wake, DEADLINE)]),
        life("delivered to a worker", &[(create(worked()), 0)]),
        life("failed by its agent", &[(create(streamed()), 0), (fail(None), 1)]),
    ]
}
