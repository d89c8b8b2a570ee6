//! The built-in agents: one sorts a task, one analyses a quarter's sales and asks to publish a report.
//!
//! They exist to be run: every part of the loop is in them, from the handoff to the question whether
//! a publication happened. Only the pure tool is computed here; publishing is the worker's.

mod figures;

use serde_json::{Value, json};

pub use figures::{Figures, FiguresError, Region, figures};

use super::{
    agents::{Agent, Agents, AgentsError, Model},
    guardrail::Guardrail,
    tool::{Effect, Policy, Tool},
};

/// The agent that a task comes to.
pub const TRIAGE: &str = "triage";
/// The agent that works on it.
pub const ANALYST: &str = "analyst";
/// The tool that computes a quarter's figures. It changes nothing and asks nobody.
pub const SALES_FIGURES: &str = "sales_figures";
/// The tool that publishes a report. It asks a person, and it must not run twice.
pub const PUBLISH_REPORT: &str = "publish_report";

/// The longest task text.
pub const TASK_CHARS_MAX: usize = 4_000;
/// The longest title of a report.
pub const TITLE_CHARS_MAX: usize = 200;
/// The longest text of a report.
pub const SUMMARY_CHARS_MAX: usize = 4_000;

/// The agents, behind `model`.
pub fn agents(model: Model) -> Result<Agents, AgentsError> {
    let agents = Agents::new(model, TRIAGE, vec![triage(), analyst()])?
        .with_input_guardrail(Guardrail { name: "task_has_text", check: task_has_text })
        .with_output_guardrail(Guardrail { name: "claims_are_true", check: claims_are_true });
    Ok(agents)
}

/// Runs [`SALES_FIGURES`] on the arguments of a call.
pub fn sales_figures(arguments: &Value) -> Result<Value, FiguresError> {
    let text = |name| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let figures = figures(text("quarter"), text("department"))?;
    Ok(json!(figures))
}

fn triage() -> Agent {
    Agent {
        name: TRIAGE.to_owned(),
        purpose: "Sorts incoming tasks.".to_owned(),
        instructions: "You receive a task as a JSON object. Hand it over to the agent that fits. \
            Do not work on it yourself."
            .to_owned(),
        tools: Vec::new(),
        handoffs: vec![ANALYST.to_owned()],
        output_schema: Some(answer_schema()),
    }
}

fn analyst() -> Agent {
    Agent {
        name: ANALYST.to_owned(),
        purpose: "Analyses sales figures and publishes reports.".to_owned(),
        instructions: "You analyse sales. Get the figures of the quarter and department that the \
            task names, derive insights from these figures only, and publish a short report. \
            A person decides whether it is published; if it is not, do not try again. Finish with \
            a summary, the insights, whether the report was published, and its id if there is one."
            .to_owned(),
        tools: vec![figures_tool(), publish_tool()],
        handoffs: Vec::new(),
        output_schema: Some(answer_schema()),
    }
}

fn figures_tool() -> Tool {
    Tool {
        name: SALES_FIGURES.to_owned(),
        title: "Read sales figures".to_owned(),
        description: "Revenue, orders and growth of one department in one quarter, by region."
            .to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "quarter": {
                    "type": "string",
                    "enum": ["Q1", "Q2", "Q3", "Q4"],
                    "description": "The latest quarter of that number is used.",
                },
                "department": {"type": "string", "enum": figures::departments()},
            },
            "required": ["quarter", "department"],
            "additionalProperties": false,
        }),
        policy: Policy::Auto,
        effect: Effect::Pure,
        guardrails: Vec::new(),
    }
}

fn publish_tool() -> Tool {
    Tool {
        name: PUBLISH_REPORT.to_owned(),
        title: "Publish a report".to_owned(),
        description: "Publishes a report to its audience. It cannot be taken back.".to_owned(),
        parameters: json!({
            "type": "object",
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": TITLE_CHARS_MAX},
                "summary": {"type": "string", "minLength": 1, "maxLength": SUMMARY_CHARS_MAX},
                "audience": {"type": "string", "enum": ["department", "company"]},
            },
            "required": ["title", "summary", "audience"],
            "additionalProperties": false,
        }),
        policy: Policy::Ask,
        effect: Effect::AtMostOnce,
        guardrails: vec![Guardrail { name: "text_is_visible", check: text_is_visible }],
    }
}

fn answer_schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "summary": {"type": "string"},
            "insights": {"type": "array", "items": {"type": "string"}},
            "published": {"type": "boolean"},
            "report_id": {"type": ["string", "null"]},
        },
        "required": ["summary", "insights", "published", "report_id"],
        "additionalProperties": false,
    })
}

fn task_has_text(task: &Value) -> Result<(), String> {
    let text = task.get("task").and_then(Value::as_str).unwrap_or_default();
    let chars = text.chars().count();
    if text.trim().is_empty() {
        Err("it has no text in its `task` field".to_owned())
    } else if chars > TASK_CHARS_MAX {
        Err(format!("its text has {chars} characters, at most {TASK_CHARS_MAX} are allowed"))
    } else {
        Ok(())
    }
}

/// People approve what they see, so nothing may hide: no control characters but line breaks and
/// tabs, no invisible characters, none that change the direction of the text.
fn text_is_visible(arguments: &Value) -> Result<(), String> {
    let fields = arguments.as_object().into_iter().flatten();
    let hidden = fields
        .filter_map(|(name, value)| value.as_str().map(|text| (name, text)))
        .find(|(_, text)| text.chars().any(is_hidden));
    match hidden {
        Some((name, _)) => {
            Err(format!("`{name}` holds an invisible or direction-changing character"))
        }
        None => Ok(()),
    }
}

fn is_hidden(char: char) -> bool {
    let spacing = matches!(char, '\n' | '\t');
    (char.is_control() && !spacing)
        || matches!(
            char,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// What the answer says about the report must be what the conversation shows.
fn claims_are_true(answer: &Value, items: &[Value]) -> Result<(), String> {
    let outputs = publications(items);
    let shown = |field: &str, value: &Value| {
        outputs.iter().any(|output| output.get(field).is_some_and(|found| found == value))
    };
    let report_id = answer.get("report_id").filter(|report_id| !report_id.is_null());
    let published = answer.get("published") == Some(&Value::Bool(true));
    match report_id {
        Some(report_id) if !shown("report_id", report_id) => {
            Err("it names a report that no publication gave".to_owned())
        }
        None if published && !shown("outcome", &json!("happened")) => {
            Err("it says that the report was published, and no publication is known".to_owned())
        }
        Some(_) if !published => {
            Err("it names a report and says that none was published".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

/// The outputs of all publications in the conversation.
fn publications(items: &[Value]) -> Vec<Value> {
    let text =
        |item: &Value, field: &str| item.get(field).and_then(Value::as_str).map(str::to_owned);
    let is = |item: &Value, kind: &str| item.get("type").and_then(Value::as_str) == Some(kind);
    let calls: Vec<String> = items
        .iter()
        .filter(|item| is(item, "function_call"))
        .filter(|item| text(item, "name").as_deref() == Some(PUBLISH_REPORT))
        .filter_map(|item| text(item, "call_id"))
        .collect();
    items
        .iter()
        .filter(|item| is(item, "function_call_output"))
        .filter(|item| text(item, "call_id").is_some_and(|id| calls.contains(&id)))
        .filter_map(|item| serde_json::from_str(&text(item, "output")?).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_task(task: Value, refusal: Option<&str>) {
        assert_eq!(task_has_text(&task).err().as_deref(), refusal);
    }

    #[test]
    fn a_task_needs_a_text_of_bounded_length() {
        let none = Some("it has no text in its `task` field");
        check_task(json!({"task": "Analyze Q1 sales data"}), None);
        check_task(json!({"task": "x".repeat(TASK_CHARS_MAX)}), None);
        check_task(json!({"priority": "high"}), none);
        check_task(json!({"task": " \n"}), none);
        check_task(json!({"task": 3}), none);
        check_task(json!("text"), none);
        check_task(
            json!({"task": "x".repeat(TASK_CHARS_MAX + 1)}),
            Some("its text has 4001 characters, at most 4000 are allowed"),
        );
    }

    #[test]
    fn a_report_with_hidden_characters_is_refused() {
        assert!(text_is_visible(&json!({"title": "Q1", "summary": "line\n\tä 😀"})).is_ok());
        for hidden in ['\u{200b}', '\u{202e}', '\u{2066}', '\u{e0041}', '\u{7}', '\u{feff}'] {
            let report = json!({"title": "Q1", "summary": format!("a{hidden}b")});
            assert!(text_is_visible(&report).is_err(), "{hidden:?}");
        }
    }

    fn publication(output: &Value) -> Vec<Value> {
        vec![
            json!({"type": "function_call", "call_id": "a", "name": SALES_FIGURES}),
            json!({"type": "function_call", "call_id": "b", "name": PUBLISH_REPORT}),
            json!({"type": "function_call_output", "call_id": "a", "output": "{\"report_id\":\"rep_2\"}"}),
            json!({"type": "function_call_output", "call_id": "b", "output": output.to_string()}),
        ]
    }

    #[track_caller]
    fn check_claim(published: bool, report_id: Option<&str>, output: Value, fits: bool) {
        let answer = json!({"published": published, "report_id": report_id});
        assert_eq!(claims_are_true(&answer, &publication(&output)).is_ok(), fits);
    }

    #[test]
    fn an_answer_may_only_claim_what_the_conversation_shows() {
        check_claim(true, Some("rep_1"), json!({"report_id": "rep_1"}), true);
        check_claim(true, Some("rep_2"), json!({"report_id": "rep_1"}), false);
        check_claim(true, None, json!({"outcome": "rejected"}), false);
        check_claim(true, None, json!({"outcome": "happened"}), true);
        check_claim(false, None, json!({"outcome": "rejected"}), true);
        check_claim(false, Some("rep_1"), json!({"report_id": "rep_1"}), false);
    }
}
