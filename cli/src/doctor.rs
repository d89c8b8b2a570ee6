//! `holdpoint doctor`: what is wrong with a deployment, and what to do about it.

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use shared::diagnosis::{Finding, Level};
use shared::principal::Role;

use crate::client::Client;
use crate::connection::Deployment;
use crate::environment;
use crate::failure::{Failure, Verdict};
use crate::terminal::{Paint, Terminal, field, one_line};

/// How far this machine's clock may be from the deployment's before times here mislead.
const CLOCKS_APART_MAX: Duration = Duration::from_secs(5);
/// The life of the intent that is sent to see it end.
const PROBE_TTL_SECONDS: u32 = 2;
/// How late it may end.
const PROBE_LATE_MAX: Duration = Duration::from_secs(5);
/// How long its end is waited for.
const PROBE_WAIT_MAX: Duration = Duration::from_secs(45);
const PROBE_LOOK: Duration = Duration::from_millis(500);
/// Where it goes: nobody listens there.
const PROBE_ADDRESS: &str = "agent://holdpoint/doctor";
const PROBE_TYPE: &str = "holdpoint.doctor.v1";

/// What to examine.
#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    #[command(flatten)]
    deployment: Deployment,
    /// Send no intent to see it end. The probe goes to an address where nobody listens, ends by its
    /// deadline after two seconds, and stays in the table like any other intent.
    #[arg(long)]
    no_probe: bool,
}

/// Examines a deployment (key: admin).
pub(crate) async fn run(
    arguments: DoctorArguments,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let client = Client::new(&arguments.deployment.target(Role::Admin)?)?;
    let asked_at = environment::clock()();
    let diagnosis = client.get("/v1/diagnostics").await?;
    let answered_at = environment::clock()();
    let mut findings = vec![version(&diagnosis), clocks(&diagnosis, asked_at, answered_at)];
    findings.extend(read(&diagnosis));
    if !arguments.no_probe {
        findings.push(probe(&client).await?);
    }
    let worst = findings.iter().map(|found| found.level).max().unwrap_or(Level::Ok);
    terminal.answer(&json!({"ok": true, "level": worst, "findings": findings}), || {
        findings.iter().map(|found| line(terminal, found)).collect::<Vec<_>>().join("\n")
    })?;
    Ok(if worst == Level::Failure { Verdict::Refused } else { Verdict::Done })
}

fn version(diagnosis: &Value) -> Finding {
    let (check, here) = ("version", env!("CARGO_PKG_VERSION"));
    let there = diagnosis.get("version").and_then(Value::as_str).unwrap_or("unknown");
    if there == here {
        return Finding::ok(check, format!("{here}, as this command"));
    }
    let detail = format!("the deployment is {}, this command {here}", one_line(there));
    Finding::warning(check, detail, "deploy and install the same version")
}

fn clocks(diagnosis: &Value, asked_at: Timestamp, answered_at: Timestamp) -> Finding {
    let check = "clocks";
    let there = diagnosis.get("now").and_then(Value::as_str);
    let Some(there) = there.and_then(|text| text.parse::<Timestamp>().ok()) else {
        return Finding::warning(
            check,
            "the deployment did not say its time",
            "look at its version",
        );
    };
    // It was read between the two; how much of the way was there and how much back is unknown.
    let ahead = Duration::try_from(there.duration_since(answered_at)).unwrap_or_default();
    let behind = Duration::try_from(asked_at.duration_since(there)).unwrap_or_default();
    let apart = ahead.max(behind);
    if apart <= CLOCKS_APART_MAX {
        return Finding::ok(check, "this machine's agrees with the deployment's");
    }
    let detail = format!("this machine's is {} s off", apart.as_secs());
    Finding::warning(check, detail, "set this machine's clock; the times that it shows mislead")
}

/// The findings of the deployment itself. What this version does not know is shown as it is.
fn read(diagnosis: &Value) -> Vec<Finding> {
    const CHECKS: [&str; 10] = [
        "schedule",
        "wake-ups",
        "dead letters",
        "agents",
        "kill switch",
        "first key",
        "notices",
        "callbacks",
        "model",
        "rate limit",
    ];
    let findings = diagnosis.get("findings").and_then(Value::as_array);
    let one = |found: &Value| {
        let check = CHECKS.into_iter().find(|check| field(found, "/check") == *check);
        let (detail, remedy) = (field(found, "/detail"), field(found, "/remedy"));
        let check = check.unwrap_or("deployment");
        match found.get("level").and_then(Value::as_str) {
            Some("ok") => Finding::ok(check, detail),
            Some("warning") => Finding::warning(check, detail, &remedy),
            _ => Finding::failure(check, detail, &remedy),
        }
    };
    findings.into_iter().flatten().map(one).collect()
}

/// Sends an intent and sees it end by its deadline: table, stream, relay, queue and wake-up in one.
async fn probe(client: &Client) -> Result<Finding, Failure> {
    let check = "a wake-up's way";
    let remedy = "see RUNBOOK.md, \"Wake-ups are late\": the stream, `relay`, the queue and `wake` have \
                  a part in it";
    let body = json!({
        "intent_type": PROBE_TYPE,
        "to_agent": PROBE_ADDRESS,
        "ttl_seconds": PROBE_TTL_SECONDS,
        "payload": {},
    });
    let key = environment::new_idempotency_key();
    let sent = client.post_idempotent("/v1/intents", &body, &key).await?;
    let path = format!("/v1/intents/{}", field(&sent, "/intent_id"));
    let until = tokio::time::Instant::now() + PROBE_WAIT_MAX;
    loop {
        tokio::time::sleep(PROBE_LOOK).await;
        let intent = client.get(&path).await?;
        if field(&intent, "/status") == "TIMED_OUT" {
            let at = |name: &str| intent.get(name)?.as_str()?.parse::<Timestamp>().ok();
            let late = at("updated_at").zip(at("deadline_at"));
            let late = late.and_then(|(ended, due)| Duration::try_from(ended - due).ok());
            let late = late.unwrap_or_default();
            let detail = format!("an intent ended {} ms after its deadline", late.as_millis());
            return Ok(if late <= PROBE_LATE_MAX {
                Finding::ok(check, detail)
            } else {
                Finding::warning(check, detail, remedy)
            });
        }
        if tokio::time::Instant::now() > until {
            let detail = format!("an intent had not ended {} s later", PROBE_WAIT_MAX.as_secs());
            return Ok(Finding::failure(check, detail, remedy));
        }
    }
}

fn line(terminal: &Terminal, found: &Finding) -> String {
    let (paint, word) = match found.level {
        Level::Ok => (Paint::Good, "ok     "),
        Level::Warning => (Paint::Attention, "warning"),
        Level::Failure => (Paint::Bad, "failure"),
    };
    let line = format!("{}  {:<15}  {}", terminal.paint(paint, word), found.check, found.detail);
    match &found.remedy {
        Some(remedy) => format!("{line}\n{:26}{remedy}", ""),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn clocks_differ_only_by_what_the_way_cannot_explain() {
        let level =
            |there: i64| clocks(&json!({"now": at(there).to_string()}), at(100), at(110)).level;
        for there in [95, 100, 105, 110, 115] {
            assert_eq!(level(there), Level::Ok, "{there}");
        }
        for there in [94, 116] {
            assert_eq!(level(there), Level::Warning, "{there}");
        }
        assert_eq!(clocks(&json!({}), at(1), at(1)).level, Level::Warning);
    }

    #[test]
    fn what_the_deployment_found_is_shown_and_what_is_unknown_is_not_taken_for_well() {
        let found = json!({"findings": [
            {"check": "schedule", "level": "ok", "detail": "fine", "remedy": null},
            {"check": "tomorrow\u{1b}", "level": "dreadful", "detail": "a\nb", "remedy": "c"},
        ]});
        let found = read(&found);
        assert_eq!(found[0], Finding::ok("schedule", "fine"));
        assert_eq!((found[1].check, found[1].level), ("deployment", Level::Failure));
        let shown = line(&Terminal::new(false, true), &found[1]);
        assert_eq!(shown.lines().count(), 2, "{shown}");
    }

    #[test]
    fn another_version_deserves_a_look() {
        assert_eq!(version(&json!({"version": env!("CARGO_PKG_VERSION")})).level, Level::Ok);
        assert_eq!(version(&json!({"version": "9.9.9"})).level, Level::Warning);
        assert_eq!(version(&json!({})).level, Level::Warning);
    }
}
