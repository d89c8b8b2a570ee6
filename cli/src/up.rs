//! `holdpoint up`: the whole service on this machine until it is told to stop.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::environment;
use crate::failure::{Failure, Verdict};
use crate::local_stack::{LocalStack, Settings, StopSignals};
use crate::terminal::{Paint, Terminal, field, instant, short_digest};

/// How to run the service.
#[derive(Args, Debug)]
pub(crate) struct UpArguments {
    /// Where it answers: an address of this machine only; port 0 for any.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder for everything that it keeps, keys included.
    #[arg(long, value_name = "DIR", default_value = ".holdpoint")]
    data: PathBuf,
    /// Run another SAM template than the built-in one.
    #[arg(long, value_name = "FILE")]
    template: Option<PathBuf>,
    /// Run the deployable binaries in this folder in place of this program.
    #[arg(long, value_name = "DIR")]
    bootstraps: Option<PathBuf>,
    /// A parameter of the template, such as RetentionDays=30; may be repeated.
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<(String, String)>,
}

/// Runs the command.
pub(crate) async fn run(arguments: UpArguments, terminal: &Terminal) -> Result<Verdict, Failure> {
    environment::start_log();
    let mut signals = StopSignals::listen()?;
    let settings = Settings {
        listen: arguments.listen,
        data: arguments.data,
        template: arguments.template,
        bootstraps: arguments.bootstraps,
        parameters: arguments.parameters,
    };
    let stack = tokio::select! {
        started = LocalStack::start(settings) => started?,
        () = signals.stop() => return Ok(Verdict::Done),
    };
    let served = serve(&stack, &mut signals, terminal).await;
    stack.stop().await;
    served.map(|()| Verdict::Done)
}

/// Tells of each notice until the user has had enough.
pub(crate) async fn serve(
    stack: &LocalStack,
    signals: &mut StopSignals,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let mut notices = stack.notices();
    introduce(stack, terminal)?;
    loop {
        tokio::select! {
            () = signals.stop() => return terminal.say("stopping; what waits is kept"),
            notice = next(&mut notices) => match notice {
                Ok(notice) => terminal.line(&notice, || describe(&notice, terminal))?,
                Err(missed) => terminal.say(&format!(
                    "{missed} notices came too fast to show; notices.jsonl in the data folder has them"
                ))?,
            },
        }
    }
}

fn introduce(stack: &LocalStack, terminal: &Terminal) -> Result<(), Failure> {
    let (url, keys) = (&stack.connection().base_url, stack.connection_file());
    terminal.line(&json!({"base_url": url, "connection": keys}), || {
        let url = terminal.paint(Paint::Strong, url);
        let keys = keys.display();
        format!(
            "Holdpoint answers at {url}\n  keys   {keys} (agent, reviewer, admin)\n  model  {}\n\
             In another terminal here: holdpoint tasks list\nCtrl-C stops it; what waits is kept.",
            stack.model()
        )
    })
}

/// The next notice, or how many were missed.
async fn next(notices: &mut Receiver<Value>) -> Result<Value, u64> {
    match notices.recv().await {
        Ok(notice) => Ok(notice),
        Err(RecvError::Lagged(missed)) => Err(missed),
        // The stack outlives us, so there is nothing to come but the signal.
        Err(RecvError::Closed) => std::future::pending().await,
    }
}

fn describe(notice: &Value, terminal: &Terminal) -> String {
    let data = |name: &str| field(notice, &format!("/data/{name}"));
    let what = match notice.get("type").and_then(Value::as_str) {
        Some("intent.human_task_assigned") => "asked",
        Some("intent.reminder") => "reminded",
        Some("intent.escalated") => "escalated",
        Some(_) | None => "notice",
    };
    let digest = notice.pointer("/data/digest").and_then(Value::as_str).unwrap_or("");
    format!(
        "{} {}: {}  [{}]\n  by {} until {}\n  {}",
        terminal.paint(Paint::Attention, what),
        data("reviewer"),
        data("title"),
        short_digest(digest),
        data("asked_by"),
        instant(notice, "/data/due_at"),
        data("review_url"),
    )
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("write NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_shows_its_link_and_no_hidden_text() {
        let notice = json!({"type": "intent.reminder", "data": {
            "reviewer": "alice", "title": "Publish\u{202e}\nasked bob: yes", "digest": "3f9a21c4ff",
            "asked_by": "agent://a", "due_at": "2030-01-31T17:00:00Z",
            "review_url": "http://127.0.0.1:1/approve/x",
        }});
        let shown = describe(&notice, &Terminal::new(false, true));
        assert_eq!(
            shown,
            "reminded alice: Publish⟨U+202E⟩ asked bob: yes  [3f9a 21c4]\n  \
             by agent://a until 2030-01-31 17:00:00Z\n  http://127.0.0.1:1/approve/x"
        );
    }
}
