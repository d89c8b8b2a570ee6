//! What a reviewer has put into the page's form so far.

use serde_json::{Map, Value, json};
use shared::form::{self, FormFault, FormSchema};
use shared::http::page::form::{NAME_PREFIX, read_form};
use shared::http::page::{ANSWER, EVIDENCE};
use shared::intent::Intent;
use shared::intent::answer::{Answer, DERIVED};
use shared::intent::human_task::{Hold, Outcome};

/// A posted form.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) csrf: String,
    pub(super) version: u64,
    pub(super) digest: String,
    pub(super) outcome: String,
    pairs: Vec<(String, String)>,
}

/// What stands in the fields of the page.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) comment: String,
    pub(super) evidence: String,
    pub(super) answer: String,
    pub(super) values: Map<String, Value>,
    pub(super) faults: Vec<FormFault>,
}

impl Decision {
    /// Reads the pairs that a browser posts; `None` if something that every page sends is missing.
    pub(super) fn read(pairs: Vec<(String, String)>) -> Option<Self> {
        let text =
            |name: &str| pairs.iter().find(|(it, _)| it == name).map(|(_, text)| text.clone());
        Some(Self {
            csrf: text("csrf")?,
            version: text("version")?.parse().ok()?,
            digest: text("digest")?,
            outcome: text("outcome")?,
            pairs,
        })
    }

    /// What the reviewer has filled in, in the fields that the intent's page has.
    pub(super) fn draft(&self, intent: &Intent) -> Draft {
        let schema = intent.open_hold().and_then(|hold| drawn(intent, hold));
        let fields: Vec<_> =
            self.pairs.iter().filter(|(name, _)| name.starts_with(NAME_PREFIX)).cloned().collect();
        Draft {
            comment: self.words("comment"),
            evidence: self.words(EVIDENCE),
            answer: self.words(ANSWER),
            values: schema.map(|it| form::coerce(&it, read_form(&it, &fields))).unwrap_or_default(),
            faults: vec![],
        }
    }

    /// A text as it was typed: browsers send line breaks as two characters and count them as one.
    fn words(&self, name: &str) -> String {
        let found = self.pairs.iter().find(|(it, _)| it == name);
        found.map(|(_, text)| text.replace("\r\n", "\n").trim().to_owned()).unwrap_or_default()
    }
}

impl Draft {
    /// What a fresh page begins with.
    pub(super) fn new(intent: &Intent, hold: &Hold) -> Self {
        let schema = drawn(intent, hold);
        let values = schema.map(|schema| form::suggestions(&schema)).unwrap_or_default();
        Self { values, ..Self::default() }
    }

    /// The answer that it makes.
    pub(super) fn answer(&self, outcome: Outcome) -> Answer {
        let mut data = self.values.clone();
        for (name, text) in [(EVIDENCE, &self.evidence), (ANSWER, &self.answer)] {
            if !text.is_empty() {
                data.insert(name.to_owned(), json!(text));
            }
        }
        let comment = Some(self.comment.clone()).filter(|comment| !comment.is_empty());
        Answer { comment, data, ..Answer::of(outcome) }
    }
}

/// The fields that the page has: not those that the button and the comment fill in.
pub(super) fn drawn(intent: &Intent, hold: &Hold) -> Option<FormSchema> {
    let schema = intent.task_of(hold)?.form_schema.as_ref()?;
    Some(schema.without(&DERIVED))
}
