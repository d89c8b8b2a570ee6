//! `holdpoint demo`: the whole story on one machine. A task goes to an agent; the agent works until
//! it needs a person's leave; a person decides in the browser; the agent goes on and completes.

mod hold_point;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};
use shared::id::IntentId;
use shared::intent::Status;
use shared::principal::Role;

use crate::client::Client;
use crate::demo::hold_point::{HoldPoint, Waiting};
use crate::environment;
use crate::event_line::event_line;
use crate::failure::{Failure, Verdict};
use crate::intents::intent_id;
use crate::local_stack::{LocalStack, Settings, StopSignals};
use crate::tasks::Answer;
use crate::terminal::{Paint, Terminal, field, json_block};
use crate::up;
use crate::watch::{Event, Watch};

const SCENARIO: &str = include_str!("demo/scenario.json");
/// How often the reviewer's tasks are looked at until the one that was announced is there.
const LOOK_PAUSE: Duration = Duration::from_millis(100);
const LOOKS_MAX: u32 = 100;

/// How to run the demo.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  holdpoint demo                       decide in the browser
  holdpoint demo --approve             let the demo say yes
  OPENAI_API_KEY=... holdpoint demo    with a real model (OPENAI_BASE_URL and OPENAI_MODEL count too)

An interrupted demo loses nothing: `holdpoint up --data .holdpoint/demo` goes on where it was.")]
pub(crate) struct DemoArguments {
    /// Decide by the reviewer's API: yes.
    #[arg(long, conflicts_with = "reject")]
    approve: bool,
    /// Decide by the reviewer's API: no.
    #[arg(long)]
    reject: bool,
    /// Folder for everything that the demo keeps.
    #[arg(long, value_name = "DIR", default_value = ".holdpoint/demo")]
    data: PathBuf,
    /// Where the service answers: an address of this machine only; port 0 for any.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Keep the service running afterwards, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

/// What is going on with the demo's intent.
struct Story<'a> {
    terminal: &'a Terminal,
    /// Where the worker says what went wrong.
    log: PathBuf,
    reviewer: Client,
    intent: IntentId,
    answer: Option<Answer>,
    /// How often to look for the task that was announced, before giving up.
    looks_left: u32,
    waiting: Waiting,
    /// Who decided what, in words.
    decided: Option<String>,
}

/// Runs the command.
pub(crate) async fn run(arguments: DemoArguments, terminal: &Terminal) -> Result<Verdict, Failure> {
    environment::start_log();
    let mut signals = StopSignals::listen()?;
    terminal.say("Starting the service on this machine: its functions, table and queues...")?;
    let settings = Settings {
        listen: arguments.listen,
        data: arguments.data.clone(),
        template: None,
        bootstraps: None,
        parameters: vec![],
    };
    let stack = tokio::select! {
        started = LocalStack::start(settings) => started?,
        () = signals.stop() => return Ok(Verdict::Refused),
    };
    let told = tokio::select! {
        told = tell(&stack, &arguments, terminal) => told,
        () = signals.stop() => {
            let data = arguments.data.display();
            let text = format!("stopped; nothing is lost, `holdpoint up --data {data}` goes on");
            terminal.say(&text).map(|()| Verdict::Refused)
        }
    };
    let served = if arguments.keep && told.is_ok() {
        up::serve(&stack, &mut signals, terminal).await
    } else {
        Ok(())
    };
    stack.stop().await;
    served.and(told)
}

/// Registers the scenario's agent. It is run by Holdpoint's own worker, and no agent's key may ask
/// for that.
async fn register(admin: &Client, scenario: &Value) -> Result<(), Failure> {
    let agent = |name: &str| field(scenario, &format!("/agents/0/{name}"));
    let route = json!({
        "delivery_mode": agent("delivery_mode"),
        "display_name": agent("display_name"),
    });
    admin.put(&format!("/v1/routes/{}", agent("address")), &route).await?;
    Ok(())
}

async fn tell(
    stack: &LocalStack,
    arguments: &DemoArguments,
    terminal: &Terminal,
) -> Result<Verdict, Failure> {
    let connection = stack.connection();
    let agent = Client::new(&connection.target(Role::Agent))?;
    terminal.say(&format!("It answers at {}", agent.base_url()))?;
    let model = format!("The agents' model is {}.", stack.model());
    terminal.say(&terminal.paint(Paint::Attention, &model))?;
    let scenario: Value = serde_json::from_str(SCENARIO)
        .map_err(|error| agent.unreadable(format!("the demo's scenario is damaged: {error}")))?;
    register(&Client::new(&connection.target(Role::Admin))?, &scenario).await?;
    let applied = agent.post("/v1/scenarios/apply", &scenario).await?;
    let intent = intent_id(&applied, &agent)?;
    terminal
        .say(&format!("Task sent: {}  {intent}\n", field(&scenario, "/intent/payload/task")))?;
    let story = Story {
        terminal,
        log: arguments.data.join("logs/agent-worker.log"),
        reviewer: Client::new(&connection.target(Role::Reviewer))?,
        intent,
        answer: match (arguments.approve, arguments.reject) {
            (true, _) => Some(Answer::Approve),
            (false, true) => Some(Answer::Reject),
            (false, false) => None,
        },
        looks_left: 0,
        waiting: Waiting::default(),
        decided: None,
    };
    story.tell(Watch::new(agent, intent, 0)).await
}

impl Story<'_> {
    async fn tell(mut self, mut watch: Watch) -> Result<Verdict, Failure> {
        loop {
            let looking = self.looks_left > 0;
            tokio::select! {
                event = watch.next() => {
                    let event = event?;
                    self.happened(&event)?;
                    if event.is_last() {
                        return self.end(&event);
                    }
                }
                () = tokio::time::sleep(LOOK_PAUSE), if looking => self.look().await?,
            }
        }
    }

    fn happened(&mut self, event: &Event) -> Result<(), Failure> {
        let line = || self.terminal.line(&event.body, || event_line(&event.body, self.terminal));
        self.waiting.suspend(line)?;
        if let Some(outcome) = event.body.pointer("/details/outcome").and_then(Value::as_str) {
            let by = field(&event.body, "/details/decided_by");
            self.decided = Some(format!("{} by {by}", field(&Value::from(outcome), "")));
        }
        let attempt = event.body.pointer("/details/delivery_attempt").and_then(Value::as_u64);
        if attempt.is_some_and(|attempt| attempt > 1) {
            let log = self.log.display();
            self.terminal.say(&format!("  the turn before did not end well; {log} says why"))?;
        }
        if event.status() != Some(Status::Waiting) {
            self.waiting.end();
            self.looks_left = 0;
        } else if event.body.pointer("/pending_with/type").and_then(Value::as_str) == Some("human")
        {
            self.looks_left = LOOKS_MAX;
        }
        Ok(())
    }

    /// Looks for what waits for the reviewer. The tasks are read elsewhere than the events, so they
    /// may show it a moment later.
    async fn look(&mut self) -> Result<(), Failure> {
        self.looks_left = self.looks_left.saturating_sub(1);
        let tasks = self.reviewer.get("/v1/me/tasks").await?;
        let ours = HoldPoint::all_of(&tasks, self.intent);
        for hold_point in ours {
            self.looks_left = 0;
            if !self.waiting.begin(&hold_point) {
                continue;
            }
            self.terminal.say(&hold_point.show(self.terminal))?;
            match self.answer {
                Some(answer) => {
                    let comment = "Decided by holdpoint demo.";
                    hold_point.task.decide(&self.reviewer, answer, Some(comment)).await?;
                }
                None => self.waiting.show(&hold_point, self.terminal)?,
            }
        }
        Ok(())
    }

    fn end(mut self, event: &Event) -> Result<Verdict, Failure> {
        self.waiting.end();
        let result = event.body.get("result").filter(|result| !result.is_null());
        if let Some(result) = result.filter(|_| !self.terminal.is_json()) {
            self.terminal.say(&format!("\nresult\n{}\n", json_block("  ", result)))?;
        }
        let verdict = event.verdict();
        let paint = match verdict {
            Verdict::Done => Paint::Good,
            Verdict::Refused => Paint::Bad,
        };
        let status = self.terminal.paint(paint, &field(&event.body, "/status"));
        let decided = self.decided.as_deref().unwrap_or("nobody decided");
        self.terminal.say(&format!("{status}  {decided}"))?;
        Ok(verdict)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shared::callback::Reach;
    use shared::http::wire::create::Arrival;
    use shared::http::wire::scenario;
    use shared::principal::{Assurance, Principal};
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_demos_scenario_is_one_that_the_service_takes() {
        let scenario: Value = serde_json::from_str(SCENARIO).unwrap();
        let by = Principal {
            tenant: "default".to_owned(),
            name: "local-agent".to_owned(),
            role: Role::Agent,
            address: None,
            assurance: Assurance::Key,
        };
        let now = "2030-01-01T00:00:00Z".parse().unwrap();
        let arrival = Arrival { by: &by, now, correlation_id: Uuid::nil(), default_ttl_s: 3600 };
        let found = scenario::read(&scenario, arrival, Reach::Public).present();
        assert_eq!(found, json!({"ok": true, "errors": [], "warnings": []}));
    }
}
