//! What a step does: which of the kinds of work it is, and with what.

use serde_json::{Map, Value};

use super::cast::{Human, Who};
use super::fields::Fields;
use super::findings::Findings;
use super::gate::{Scene, task};
use crate::address::{ADDRESS_CHARS_MAX, Address};
use crate::intent::envelope::{Delivery, TTL_SECONDS_MAX};
use crate::intent::human_task::{DESCRIPTION_CHARS_MAX, HoldPoint, Placement, TITLE_CHARS_MAX};
use crate::intent::workflow::Work;

/// The longest name of a tool or of a kind of step, in characters.
const NAME_CHARS_MAX: usize = 255;
/// What a step without agents is told to do.
const NAME_SOMEBODY: &str = "set it to a role of agents or humans, or to an agent://… address";

/// The kinds of step, before it is known who takes it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Task,
    Check,
    Approval,
    Delay,
    Timeout,
    Reminder,
    Escalation,
    Notification,
}

/// Reads what the step does. Nothing where it has a fault, which has been noted then.
pub(super) fn read(
    fields: &Fields<'_>,
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Option<Work> {
    let kind = kind(fields, findings)?;
    let needs_approval = fields.flag("requires_approval", findings);
    let is_told = fields.value("human_task").is_some();
    match (kind, needs_approval) {
        (Kind::Delay | Kind::Timeout | Kind::Reminder | Kind::Escalation, true) => {
            let detail = "stands on a step that asks nobody; give the approval a step of its own";
            findings.fault(fields.path("requires_approval"), detail);
            None
        }
        (Kind::Delay, false) => seconds(fields, findings).map(|seconds| Work::Delay { seconds }),
        (Kind::Timeout, false) => {
            seconds(fields, findings).map(|seconds| Work::Timeout { seconds })
        }
        (Kind::Escalation, false) => escalation(fields, scene, findings),
        (Kind::Notification, false) if !is_told => Some(notice(fields, scene, findings)),
        (Kind::Reminder, false) => Some(notice(fields, scene, findings)),
        (Kind::Task | Kind::Check | Kind::Approval | Kind::Notification, _) => {
            somebodys(kind, needs_approval, fields, scene, findings)
        }
    }
}

fn kind(fields: &Fields<'_>, findings: &mut Findings) -> Option<Kind> {
    let tool = fields.text("tool_id", NAME_CHARS_MAX, findings);
    let by_tool = match tool.map(without_version) {
        Some("tool.approval.human_signoff" | "tool.human.approval") => Kind::Approval,
        Some("tool.notification.notify_owner" | "tool.internal.notification") => Kind::Notification,
        Some("tool.internal.delay") => Kind::Delay,
        Some("tool.internal.timeout") => Kind::Timeout,
        Some("tool.internal.reminder") => Kind::Reminder,
        Some("tool.internal.escalation") => Kind::Escalation,
        Some("tool.approval.check_window" | "tool.approval.risk_assessment") => Kind::Check,
        Some(_) | None => Kind::Task,
    };
    match fields.text("runtime_type", NAME_CHARS_MAX, findings) {
        None => {
            if tool.is_none() && fields.value("requires_approval").is_none() {
                let detail = "is missing, as is runtime_type; taken as a task of whoever is named";
                findings.warn(fields.path("tool_id"), detail);
            }
            Some(by_tool)
        }
        Some("human_approval") => Some(Kind::Approval),
        Some("timeout") => Some(Kind::Timeout),
        Some("reminder") => Some(Kind::Reminder),
        Some("delay") => Some(Kind::Delay),
        Some("escalation") => Some(Kind::Escalation),
        Some("notification") => Some(Kind::Notification),
        Some(other) => {
            let detail = format!(
                "is `{other}`; send human_approval, timeout, reminder, delay, escalation or \
                 notification"
            );
            findings.fault(fields.path("runtime_type"), detail);
            None
        }
    }
}

/// A tool's name without the version at its end.
fn without_version(tool: &str) -> &str {
    let version = tool.rsplit_once(".v").filter(|(_, number)| number.parse::<u32>().is_ok());
    version.map_or(tool, |(name, _)| name)
}

/// A step that an agent or a person takes.
fn somebodys(
    kind: Kind,
    needs_approval: bool,
    fields: &Fields<'_>,
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Option<Work> {
    let word = fields.text("assigned_to", ADDRESS_CHARS_MAX, findings);
    let who = match word.map(|word| (word, scene.cast.who(word))) {
        Some((word, None)) => {
            let detail = format!("`{word}` is no role of agents or humans; {NAME_SOMEBODY}");
            findings.fault(fields.path("assigned_to"), detail);
            return None;
        }
        Some((_, who)) => who,
        None => None,
    };
    let asks = needs_approval || matches!(kind, Kind::Approval | Kind::Notification);
    match who {
        Some(Who::Human(human)) => person(Some(&human), fields, scene, findings),
        Some(Who::Agent(address)) if needs_approval && kind != Kind::Notification => {
            agent(address?, true, fields, scene, findings)
        }
        Some(Who::Agent(_)) if asks => {
            let detail = "names an agent, and this step is a person's; any reviewer may decide";
            findings.warn(fields.path("assigned_to"), detail);
            person(None, fields, scene, findings)
        }
        Some(Who::Agent(address)) => agent(address?, false, fields, scene, findings),
        Some(Who::Core) | None if asks => person(None, fields, scene, findings),
        Some(Who::Core) | None => nobodys(fields, scene, findings),
    }
}

/// A step that nobody takes. Where no agent takes part at all there is nothing that it could wait
/// for.
fn nobodys(fields: &Fields<'_>, scene: &Scene<'_>, findings: &mut Findings) -> Option<Work> {
    let path = fields.path("assigned_to");
    if scene.cast.has_agents {
        findings.fault(path, format!("names nobody who does this step; {NAME_SOMEBODY}"));
        return None;
    }
    findings.warn(path, "names nobody, and the bundle has no agents; the step is done at once");
    Some(Work::Delay { seconds: 0 })
}

fn person(
    human: Option<&Human>,
    fields: &Fields<'_>,
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Option<Work> {
    if fields.value("input").is_some() {
        let detail = "is not shown to a person; say it in human_task.description";
        findings.warn(fields.path("input"), detail);
    }
    let task = task(fields, human, scene, findings)?;
    Some(Work::Human { task })
}

fn agent(
    to: Address,
    signed_off: bool,
    fields: &Fields<'_>,
    scene: &Scene<'_>,
    findings: &mut Findings,
) -> Option<Work> {
    let hold_point = if signed_off {
        let task = task(fields, None, scene, findings)?;
        Some(HoldPoint { placement: Placement::OnResult, task })
    } else {
        if fields.value("human_task").is_some() {
            let detail = "stands on an agent's step, and nobody is asked; set requires_approval to \
                          true, or leave it out";
            findings.fault(fields.path("human_task"), detail);
        }
        None
    };
    let input = fields.object("input", findings);
    let input = input.map_or_else(Map::new, |input| input.map().clone());
    // Where it really goes is known when it is applied, by the routes of that moment.
    let handler = to.clone();
    Some(Work::Agent { to, handler, delivery: Delivery::Stream, hold_point, input })
}

fn seconds(fields: &Fields<'_>, findings: &mut Findings) -> Option<u32> {
    let (config, name) = config(fields, findings);
    let config = config.filter(|config| config.value("seconds").is_some());
    if config.is_none() {
        let detail = "is missing; send how many seconds it takes";
        findings.fault(fields.path(&format!("{name}.seconds")), detail);
    }
    config?.number("seconds", 1, TTL_SECONDS_MAX, findings)
}

fn notice(fields: &Fields<'_>, scene: &Scene<'_>, findings: &mut Findings) -> Work {
    let (config, _) = config(fields, findings);
    let empty = Map::new();
    let config = config.unwrap_or_else(|| Fields::new(fields.at(), &empty));
    let subject = config.text("subject", TITLE_CHARS_MAX, findings);
    let body = config.text("body", DESCRIPTION_CHARS_MAX, findings);
    Work::Notify {
        to: recipients(&config, scene, findings).or_else(|| recipient(fields, scene)),
        subject: subject.unwrap_or(scene.title).to_owned(),
        body: body.map(str::to_owned),
    }
}

/// Whom a notice's own configuration names: one, or several.
fn recipients(config: &Fields<'_>, scene: &Scene<'_>, findings: &mut Findings) -> Option<String> {
    let named: Vec<&str> = match config.value("to")? {
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            config.text("to", NAME_CHARS_MAX, findings).into_iter().collect()
        }
    };
    let named: Vec<String> = named.into_iter().map(|word| told(word, scene)).collect();
    let named = named.join(", ");
    (!named.is_empty()).then_some(named)
}

fn recipient(fields: &Fields<'_>, scene: &Scene<'_>) -> Option<String> {
    let word = fields.value("assigned_to").and_then(Value::as_str)?.trim();
    (!word.is_empty()).then(|| told(word, scene))
}

/// How to reach whom `word` names, as well as the bundle says it.
fn told(word: &str, scene: &Scene<'_>) -> String {
    match scene.cast.who(word) {
        Some(Who::Human(human)) => human.contact.unwrap_or(human.role),
        Some(Who::Agent(Some(address))) => address.uri(),
        Some(Who::Agent(None) | Who::Core) | None => word.to_owned(),
    }
}

fn escalation(fields: &Fields<'_>, scene: &Scene<'_>, findings: &mut Findings) -> Option<Work> {
    let (config, _) = config(fields, findings);
    let reason = config.as_ref();
    let reason = reason.and_then(|it| it.text("reason", DESCRIPTION_CHARS_MAX, findings));
    let reason = reason.map(str::to_owned);
    let places =
        [(Some(fields), "escalate_to"), (config.as_ref(), "to"), (Some(fields), "assigned_to")];
    let named = places.into_iter().find_map(|(fields, name)| {
        let fields = fields.filter(|fields| fields.value(name).is_some_and(|it| *it != ""))?;
        Some((fields, name))
    });
    let Some((at, name)) = named else {
        let detail = "is missing; name whom to tell, by a role or an address";
        findings.fault(fields.path("escalate_to"), detail);
        return None;
    };
    let to = scene.cast.escalation(at, name, findings)?;
    Some(Work::Escalate { to, reason })
}

/// The step's configuration, which some bundles call by its short name.
fn config<'a>(fields: &Fields<'a>, findings: &mut Findings) -> (Option<Fields<'a>>, &'static str) {
    let long = "runtime_config";
    let name = if fields.value(long).is_none() && fields.value("config").is_some() {
        "config"
    } else {
        long
    };
    (fields.object(name, findings), name)
}
