//! A model that is no model: fixed rules behind the Responses API, for runs without a key.
//!
//! It knows one piece of work, that of the [`sales`](super::sales) agents, and does it from what the
//! request holds: it hands over, asks for figures, writes a report from the figures that came back,
//! asks to publish it, and says truly how that ended. It keeps nothing between requests. Equal
//! requests get equal responses, call ids included, so a run that repeats a request after a crash
//! goes on where it was. Its texts and its `model` field say that no language model was at work.

mod report;

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    agents::HANDOFF_PREFIX,
    reply::tokens,
    sales::{Figures, PUBLISH_REPORT, SALES_FIGURES},
    tool::digest,
};
use report::Report;

/// What stands in the `model` field of each response.
pub const MODEL: &str = "scripted (no LLM)";

/// What begins each text.
const LABEL: &str = "[scripted model, no LLM]";
/// How much of a task or of a person's text is repeated.
const QUOTE_CHARS_MAX: usize = 300;

/// Answers a request body of the Responses API with a response body.
pub fn respond(request: &Value) -> Value {
    let seed = digest(request);
    let (output, status, error) = if let Some(conversation) = Conversation::read(request) {
        (vec![item(&seed, act(&conversation))], "completed", Value::Null)
    } else {
        let message = "the scripted model needs an `input` of text or items";
        (Vec::new(), "failed", json!({"code": "invalid_prompt", "message": message}))
    };
    let input_tokens = tokens(request);
    let output_tokens = output.iter().map(tokens).sum::<u64>();
    json!({
        "id": id("resp", &seed),
        "object": "response",
        // A time would make two answers to one request differ.
        "created_at": 0,
        "status": status,
        "model": MODEL,
        "output": output,
        "error": error,
        "incomplete_details": null,
        "instructions": null,
        "metadata": {},
        "parallel_tool_calls": true,
        "temperature": null,
        "tool_choice": "auto",
        "tools": request.get("tools").cloned().unwrap_or_else(|| json!([])),
        "top_p": null,
        "usage": {
            "input_tokens": input_tokens,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": output_tokens,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": input_tokens.saturating_add(output_tokens),
        },
    })
}

/// What the scripted model does with a request.
enum Act {
    Call { name: String, arguments: Value },
    Say(String),
}

/// What a request says.
struct Conversation<'a> {
    tools: Vec<&'a str>,
    items: Vec<&'a Value>,
    /// The first text of the user: the task.
    task: String,
}

/// How a publication ended, read from the output of the call.
enum Publication {
    Done { report_id: String },
    Happened { report: Option<String> },
    Rejected { reason: Option<String> },
    Expired,
    Unknown,
    Failed,
}

fn act(conversation: &Conversation<'_>) -> Act {
    if let Some(name) = conversation.tools.iter().find(|name| name.starts_with(HANDOFF_PREFIX)) {
        return Act::Call { name: (*name).to_owned(), arguments: json!({}) };
    }
    let figures = conversation.output_of(SALES_FIGURES);
    let report = figures
        .and_then(|text| serde_json::from_str::<Figures>(text).ok())
        .map(|figures| Report::of(&figures));
    let can = |name: &str| conversation.tools.contains(&name);
    match (report, figures) {
        (None, None) if can(SALES_FIGURES) => Act::Call {
            name: SALES_FIGURES.to_owned(),
            arguments: json!({
                "quarter": conversation.quarter(),
                "department": conversation.department(),
            }),
        },
        (None, _) => Act::Say(conversation.no_report()),
        (Some(report), _) => match conversation.output_of(PUBLISH_REPORT) {
            None if can(PUBLISH_REPORT) => Act::Call {
                name: PUBLISH_REPORT.to_owned(),
                arguments: json!({
                    "title": report.title,
                    "summary": format!("{LABEL} {}", report.summary),
                    "audience": "department",
                }),
            },
            None => Act::Say(answer(&report, "There is no tool to publish it with.", None, false)),
            Some(output) => Act::Say(finish(&report, &Publication::read(output))),
        },
    }
}

fn finish(report: &Report, publication: &Publication) -> String {
    match publication {
        Publication::Done { report_id } => {
            answer(report, "The report was published.", Some(report_id), true)
        }
        Publication::Happened { report: None } => {
            answer(report, "A person confirmed that the report was published.", None, true)
        }
        Publication::Happened { report: Some(words) } => {
            let note = format!("A person confirmed that the report was published: \"{words}\".");
            answer(report, &note, None, true)
        }
        Publication::Rejected { reason: None } => {
            let note = "The report was not published: the reviewer refused it and gave no reason.";
            answer(report, note, None, false)
        }
        Publication::Rejected { reason: Some(reason) } => {
            let note =
                format!("The report was not published: the reviewer refused it: \"{reason}\".");
            answer(report, &note, None, false)
        }
        Publication::Expired => {
            let note = "The report was not published: no reviewer answered in time.";
            answer(report, note, None, false)
        }
        Publication::Unknown => {
            let note = "Whether the report was published is not known, so it counts as not \
                published here.";
            answer(report, note, None, false)
        }
        Publication::Failed => {
            let note = "The report was not published: the publication failed.";
            answer(report, note, None, false)
        }
    }
}

fn answer(report: &Report, note: &str, report_id: Option<&str>, published: bool) -> String {
    json!({
        "summary": format!("{LABEL} {} {note}", report.summary),
        "insights": report.insights,
        "published": published,
        "report_id": report_id,
    })
    .to_string()
}

impl<'a> Conversation<'a> {
    fn read(request: &'a Value) -> Option<Self> {
        let tools = request.get("tools").and_then(Value::as_array).into_iter().flatten();
        let tools = tools.filter_map(|tool| text(tool, "name")).collect();
        let input = request.get("input")?;
        if let Some(task) = input.as_str() {
            return Some(Self { tools, items: Vec::new(), task: task.to_owned() });
        }
        let items: Vec<_> = input.as_array()?.iter().collect();
        let task = items.iter().find_map(|item| user_text(item))?;
        Some(Self { tools, items, task })
    }

    /// The output of the last call of that tool.
    fn output_of(&self, tool: &str) -> Option<&'a str> {
        let is = |item: &Value, kind| text(item, "type") == Some(kind);
        let call = self
            .items
            .iter()
            .rev()
            .find(|item| is(item, "function_call") && text(item, "name") == Some(tool))?;
        let call_id = text(call, "call_id")?;
        let output = self.items.iter().find(|item| {
            is(item, "function_call_output") && text(item, "call_id") == Some(call_id)
        })?;
        text(output, "output")
    }

    /// The first quarter that the task names; the first of the year if it names none.
    fn quarter(&self) -> &'static str {
        let task = self.task.to_ascii_uppercase();
        let named = ["Q1", "Q2", "Q3", "Q4"]
            .into_iter()
            .filter_map(|quarter| task.find(quarter).map(|at| (at, quarter)))
            .min();
        named.map_or("Q1", |(_, quarter)| quarter)
    }

    /// The department that the task names in its field; the tool says which ones there are.
    fn department(&self) -> String {
        let task: Option<Value> = serde_json::from_str(&self.task).ok();
        task.as_ref().and_then(|task| text(task, "department")).unwrap_or("Sales").to_owned()
    }

    fn no_report(&self) -> String {
        let why = match self.output_of(SALES_FIGURES) {
            None => "It can only write sales reports, and this agent has no tool for the figures. \
                Configure a model to work on other tasks."
                .to_owned(),
            Some(output) => {
                let output: Option<Value> = serde_json::from_str(output).ok();
                let error = output.as_ref().and_then(|output| text(output, "error"));
                format!("There are no figures: {}", quote(error.unwrap_or("they are not readable")))
            }
        };
        json!({
            "summary": format!("{LABEL} {why}"),
            "insights": [],
            "published": false,
            "report_id": null,
        })
        .to_string()
    }
}

impl Publication {
    fn read(output: &str) -> Self {
        let output: Value = serde_json::from_str(output).unwrap_or_default();
        let words = |field| text(&output, field).map(quote);
        match (text(&output, "outcome"), text(&output, "report_id")) {
            (None, Some(report_id)) => Self::Done { report_id: report_id.to_owned() },
            (Some("happened"), _) => Self::Happened { report: words("report") },
            (Some("rejected"), _) => Self::Rejected { reason: words("reason") },
            (Some("expired"), _) => Self::Expired,
            (Some("did_not_happen"), _) => Self::Failed,
            (None, None) if output.get("error").is_some() => Self::Failed,
            (Some(_) | None, _) => Self::Unknown,
        }
    }
}

fn item(seed: &str, act: Act) -> Value {
    match act {
        Act::Call { name, arguments } => json!({
            "type": "function_call",
            "id": id("fc", seed),
            "call_id": id("call", seed),
            "name": name,
            "arguments": arguments.to_string(),
            "status": "completed",
        }),
        Act::Say(text) => json!({
            "type": "message",
            "id": id("msg", seed),
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }),
    }
}

fn id(kind: &str, seed: &str) -> String {
    let hash = HEXLOWER.encode(&Sha256::digest(format!("{kind}:{seed}")));
    format!("{kind}_{}", hash.get(..24).unwrap_or_default())
}

fn user_text(item: &Value) -> Option<String> {
    if text(item, "role") != Some("user") {
        return None;
    }
    let content = item.get("content")?;
    match content.as_str() {
        Some(text) => Some(text.to_owned()),
        None => content.as_array()?.iter().find_map(|part| text(part, "text")).map(str::to_owned),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

fn quote(text: &str) -> String {
    super::output::cut(text, QUOTE_CHARS_MAX)
}
