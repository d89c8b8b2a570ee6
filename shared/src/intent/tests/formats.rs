//! What is stored, for ever: `golden/` keeps an example of each version of the schema.
//!
//! An example is never edited. When what is written changes, a new file joins the old ones, which
//! must go on being read and folded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::super::Handed;
use super::super::policy::{Patch, Right};
use super::super::task_type::TaskType;
use super::*;
use crate::form::FormSchema;

/// Each version with the number of kinds of event that it had.
const EXAMPLES: [(u32, usize, &str); 2] = [
    (1, 22, include_str!("golden/intents-1.json")),
    (2, 31, include_str!("golden/intents-2.json")),
];

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
    for (version, _, text) in EXAMPLES {
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
    for (version, kinds, text) in EXAMPLES {
        let example: Example = serde_json::from_str(text).unwrap();
        let events = example.lives.iter().flat_map(|life| life.commits.iter().flatten());
        let shown: BTreeSet<&str> = events.map(|event| kind(&event.kind)).collect();
        assert_eq!(shown.len(), kinds, "version {version}");
    }
}

#[test]
fn the_digests_in_the_examples_still_come_out_the_same() {
    for (_, _, text) in EXAMPLES {
        let example: Example = serde_json::from_str(text).unwrap();
        let mut holds = 0;
        for intent in example.lives.iter().map(|life| &life.intent) {
            // A run keeps of the hold that was decided only what the decision needs.
            let decided = intent.decided().filter(|_| intent.run.is_none());
            let hold = intent.open_hold().or(decided.map(|decided| &decided.hold));
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
    let (schema_version, _, text) = EXAMPLES[EXAMPLES.len() - 1];
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
    let once = Envelope { delivery_attempts_max: Some(1), ..worked() };
    let signed_off = [(create(held(Placement::OnResult)), 0), (complete(None), 1), (reject(), 2)];
    let moment = [(create(streamed()), 0), (suspend(None, WaitsFor::Time(at(500))), 1)];
    let tool = [(create(streamed()), 0), (suspend(None, WaitsFor::Tool), 1)];
    let question = born("a question that waits", &child(&asked, "a", &[]));
    let mut lives = vec![
        life("a question, reminded, escalated and approved", &then(&reminded, &[(fine, 91)])),
        life("a worker's turn with two questions", &then(&asked, &worked_on)),
        life("a worker's turn that waits for people", &asked),
        question,
        life("a result that was refused", &signed_off),
        life("a turn that nobody took", &[(create(once), 0), (Command::Wake, 300)]),
        life("a turn that was handed on", &[(create(streamed()), 0), (advance(), 1)]),
        life("a moment that is waited for", &moment),
        life("a tool that is waited for", &tool),
        life("withdrawn", &[(create(streamed()), 0), (cancel(), 1)]),
        life("too late", &[(create(streamed()), 0), (Command::Wake, DEADLINE)]),
        life("delivered to a worker", &[(create(worked()), 0)]),
        life("failed by its agent", &[(create(streamed()), 0), (fail(None), 1)]),
    ];
    lives.extend(workflows());
    lives.extend(conversations());
    lives
}

fn born(name: &str, child: &Story) -> Life {
    let (commits, intent) = (vec![child.events.clone()], child.intent().clone());
    Life { name: name.to_owned(), commits, intent }
}

fn workflows() -> Vec<Life> {
    use super::flow::*;
    let reminders = Reminders { after_s: Some(60), interval_s: 60, max: 2 };
    let sign = Stage { reminders, escalate_to: Some(address("chief")), ..human("sign") };
    let stages = [
        escalate("warn"),
        retried(agent("build"), 2, 30),
        caught(within(sign, 600), 4),
        signed_off("ship"),
        notify("tell"),
        delay("rest", 30),
        timeout("late", 60),
    ];
    let sent = sent(&stages);
    let paused = failed(&sent, 10);
    let building = then(&paused, &[(Command::Wake, 40)]);
    let built = done(&building, 50);
    let refused = then(&built, &[(Command::Wake, 110), (reject(), 120)]);
    let ended = then(&refused, &[(Command::Wake, 150), (Command::Wake, 210)]);
    let shipping = then(&built, &[(approve(), 60)]);
    let child = child_of(&shipping, &[(complete(None), 70), (approve(), 80)]);
    let shipped = then(&shipping, &[(news_of(&child), 81)]);
    let told = then(&shipped, &[(Command::Wake, 111), (Command::Wake, 171)]);
    let fine = sent_and_done();
    vec![
        life("a workflow that tries its step again", &paused),
        life("a workflow that waits for its agent", &building),
        born("the child of a step", &child_of(&building, &[])),
        life("a workflow that waits for a person", &built),
        life("a workflow that a person refused and that timed out", &ended),
        life("a workflow whose result was signed off", &told),
        life("a workflow that ended well", &fine),
        life("a workflow that asks for news", &then(&building, &[(Command::Wake, 40 + 3_600)])),
    ]
}

fn sent_and_done() -> Vec<Step> {
    use super::flow::*;
    done(&then(&sent(&[human("sign"), agent("ship")]), &[(approve(), 1)]), 2)
}

/// What people and agents do about an intent beside deciding it.
fn conversations() -> Vec<Life> {
    let schema = json!({
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    });
    let form = with_task(held(Placement::OnArrival), |task| {
        task.task_type = TaskType::Form;
        task.allowed_outcomes =
            vec![Outcome::parse("sent").unwrap(), Outcome::parse("no").unwrap()];
        task.approving_outcomes = vec![Outcome::parse("sent").unwrap()];
        task.evidence_required = true;
        task.form_schema = Some(FormSchema::parse(schema).unwrap());
    });
    let data = json!({"city": "Bern", "evidence": "photo-7"});
    let Value::Object(data) = data else { panic!("{data}") };
    let filled = Answer { data, approved: Some(true), ..Answer::default() };
    let filled = Command::Decide { by: reviewer("otto"), answer: filled, seen: None };
    let rights = BTreeSet::from([Right::Resume, Right::UpdateControls, Right::UpdatePolicy]);
    let patch = Patch {
        controls: serde_json::Map::from_iter([("speed".to_owned(), json!(1))]),
        grants: BTreeMap::from([("agent://elsewhere".to_owned(), rights)]),
        deadline_at: Some(at(5_000)),
        delivery_attempts_max: Some(2),
        retry_backoff_s: Some(10),
    };
    let message_ids = vec![Uuid::from_u128(1)];
    let hide = Command::Hide { by: sender(), message_ids, from_all: true };
    let next = Some(Handed { to: address("other"), delivery: Delivery::Worker });
    let hand_on = Command::Advance { by: deployer(), reason: None, next };
    let pushed = Envelope { delivery: Delivery::Push, ..streamed() };
    let created = (create(streamed()), 0);
    vec![
        life(
            "a form, passed on and filled in",
            &[(create(form), 0), (reassignment::reassign("rita", "otto"), 1), (filled, 2)],
        ),
        life("a changed policy", &[created.clone(), (policy::change(&sender(), patch), 1)]),
        life("talk", &[created.clone(), (messages::say(&sender(), 1), 1), (hide, 2)]),
        life("handed on to another", &[created, (hand_on, 1)]),
        life(
            "pushed and taken",
            &[
                (create(pushed), 0),
                (Command::Wake, 30),
                (Command::Acknowledge { by: deployer(), turn: None }, 31),
            ],
        ),
    ]
}
