//! The hold point as the demo shows it.

use std::collections::BTreeSet;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use shared::id::IntentId;

use crate::environment;
use crate::event_line::moment;
use crate::failure::Failure;
use crate::tasks::Task;
use crate::terminal::{Paint, Terminal, field, one_line};

const TICK: Duration = Duration::from_millis(120);
const EDGE: &str = "────────────────────────────────────────────────────────────";

/// Something that waits for a person.
#[derive(Debug)]
pub(super) struct HoldPoint {
    /// What is asked.
    pub(super) task: Task,
    since: String,
    until: String,
}

/// The wait for a person, shown as something that moves where somebody looks.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    seen: BTreeSet<IntentId>,
    spinner: Option<ProgressBar>,
}

impl HoldPoint {
    /// What waits for a person on account of `intent`.
    pub(super) fn all_of(tasks: &Value, intent: IntentId) -> Vec<Self> {
        let tasks = tasks.get("tasks").and_then(Value::as_array);
        let read = |listed: &Value| {
            let task = Task::of_list(listed)?;
            let ours = task.id == intent || task.parent == Some(intent);
            let (since, until) = (field(listed, "/assigned_at"), field(listed, "/due_at"));
            ours.then_some(Self { task, since, until })
        };
        tasks.into_iter().flatten().filter_map(read).collect()
    }

    /// What is asked, in a box.
    pub(super) fn show(&self, terminal: &Terminal) -> String {
        let paint = |text: &str| terminal.paint(Paint::Attention, text);
        let side = paint("│");
        let body = self.task.show(terminal);
        let body = body.lines().map(|line| format!("{side} {line}"));
        let head = paint(&format!("┌─ HOLD POINT {EDGE}"));
        let question = self.task.approve_url.as_deref().map(|url| {
            let url = terminal.paint(Paint::Strong, &one_line(url));
            format!("{side}\n{side} Decide in your browser:\n{side}   {url}")
        });
        let foot = paint(&format!("└─────────────{EDGE}"));
        let lines = std::iter::once(format!("\n{head}")).chain(body).chain(question);
        lines.chain([format!("{foot}\n")]).collect::<Vec<_>>().join("\n")
    }
}

impl Waiting {
    /// Notes that `hold_point` waits; whether that is news.
    pub(super) fn begin(&mut self, hold_point: &HoldPoint) -> bool {
        self.seen.insert(hold_point.task.id)
    }

    /// Shows that a decision is awaited.
    pub(super) fn show(
        &mut self,
        hold_point: &HoldPoint,
        terminal: &Terminal,
    ) -> Result<(), Failure> {
        let now = environment::clock()();
        let text = format!(
            "waiting for you since {}, until {}; Ctrl-C loses nothing",
            moment(&hold_point.since, now),
            moment(&hold_point.until, now),
        );
        if !terminal.is_live() {
            return terminal.say(&text);
        }
        let spinner = ProgressBar::new_spinner().with_message(text);
        if let Ok(style) = ProgressStyle::with_template("{spinner} [{elapsed}] {wide_msg}") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(TICK);
        self.end();
        self.spinner = Some(spinner);
        Ok(())
    }

    /// Prints something while nothing moves.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.spinner {
            Some(spinner) => spinner.suspend(print),
            None => print(),
        }
    }

    /// The wait is over.
    pub(super) fn end(&mut self) {
        if let Some(spinner) = self.spinner.take() {
            spinner.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OURS: &str = "0190a1b2-0000-7000-8000-000000000001";
    const CHILD: &str = "0190a1b2-0000-7000-8000-000000000002";

    fn tasks() -> Value {
        let task = |id: &str, parent: &str| {
            json!({
                "intent_id": id, "parent_intent_id": parent, "version": 4, "digest": "3f9a21c4ff",
                "action": {"title": "Publish?\nNo: \u{1b}[1A"}, "due_at": "2030-01-31T17:00:00Z",
                "assigned_at": "2030-01-31T16:00:00Z", "approve_url": "http://127.0.0.1:1/approve/x",
            })
        };
        json!({"tasks": [task(CHILD, OURS), task(&CHILD.replace("02", "03"), CHILD)]})
    }

    #[test]
    fn only_what_waits_on_account_of_our_intent_is_ours() {
        let ours = HoldPoint::all_of(&tasks(), OURS.parse().unwrap());
        let ids: Vec<_> = ours.iter().map(|hold_point| hold_point.task.id.to_string()).collect();
        assert_eq!(ids, [CHILD]);
        let mut waiting = Waiting::default();
        assert!(waiting.begin(&ours[0]));
        assert!(!waiting.begin(&ours[0]), "a hold point is shown once");
    }

    #[test]
    fn every_line_of_the_box_stands_behind_its_edge() {
        let ours = HoldPoint::all_of(&tasks(), OURS.parse().unwrap());
        let shown = ours[0].show(&Terminal::new(false, true));
        let inside = shown.trim().lines().filter(|line| !line.starts_with(['┌', '└']));
        assert!(inside.clone().all(|line| line.starts_with('│')), "{shown}");
        assert!(shown.contains("http://127.0.0.1:1/approve/x") && !shown.contains('\u{1b}'));
    }
}
