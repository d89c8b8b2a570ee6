//! The shapes of intents that are checked, each small enough to be explored to the end.

use serde_json::{Map, Value, json};
use shared::address::Address;
use shared::id::IntentId;
use shared::intent::ask::AskRequest;
use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::human_task::{HoldPoint, HumanTask, Placement};
use shared::intent::workflow::{Retry, Step, Work, Workflow};
use uuid::Uuid;

use crate::deed::{Act, Person};
use crate::time::{Clocks, at};

/// The account of every model.
pub const TENANT: &str = "default";
/// Who sends the intents.
pub const SENDER: &str = "sender";
/// The address of the agent that handles them.
pub const HANDLER: &str = "deployer";
/// How long a worker's lease lasts, in seconds.
pub const LEASE_SECONDS: i64 = 120;

/// One intent, and everybody who has to do with it.
#[derive(Clone, Debug)]
pub struct Shape {
    /// What it is called in the table of results.
    pub name: &'static str,
    /// What is sent.
    pub envelope: Envelope,
    /// What its agent asks people in the course of it.
    pub asks: Vec<AskRequest>,
    /// What its agent tries.
    pub acts: Vec<Act>,
    /// How many processes of the agent try it, each without knowing of the others.
    pub processes: u8,
    /// The people, and those who pass for people, who try to decide or to cancel.
    pub people: Vec<Person>,
    /// Whether the sender shortens its life.
    pub shortens: bool,
    /// The moments at which something may happen, in seconds from the beginning.
    pub instants: Vec<i64>,
    /// The clocks that lives are lived by.
    pub clocks: Vec<Clocks>,
    /// How many operations may stand between load and commit at one time.
    pub in_flight_max: usize,
    /// How messages travel.
    pub post: Post,
}

/// How messages travel from a commit to whoever acts on them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Post {
    /// What was owed once may arrive any number of times, at any later moment, in any order, or never.
    /// That is more than any stream and queue can do.
    Anyhow,
    /// The stream, the relay and the queue step by step, with a crash between any two of them.
    StepByStep,
}

fn address(text: &str) -> Address {
    // Every text here is an address; another one would ask people instead.
    Address::parse(text).unwrap_or_else(|_| Address::agent_core())
}

/// The agent's address.
pub fn handler() -> Address {
    address(HANDLER)
}

/// The name of the one intent that is sent.
pub fn root() -> IntentId {
    IntentId::derived(&["the intent of the model"])
}

fn envelope(deadline_s: i64) -> Envelope {
    Envelope {
        tenant: TENANT.to_owned(),
        intent_type: "intent.deploy.v1".to_owned(),
        correlation_id: Uuid::nil(),
        from: SENDER.to_owned(),
        to: handler(),
        handler: handler(),
        delivery: Delivery::Stream,
        payload: Map::from_iter([("build".to_owned(), json!(7))]),
        parent: None,
        reply_to: None,
        deadline_at: at(deadline_s),
        reminders: Reminders::default(),
        working_hours: None,
        escalate_to: None,
        delivery_attempts_max: Some(2),
        hold_point: None,
        workflow: None,
    }
}

fn hold_point(placement: Placement) -> HoldPoint {
    HoldPoint { placement, task: HumanTask::approval("Deploy build 7?".to_owned()) }
}

fn ask(call_id: &str, timeout_s: u32) -> AskRequest {
    AskRequest {
        call_id: call_id.to_owned(),
        tool: "deploy".to_owned(),
        arguments: Map::from_iter([("call".to_owned(), json!(call_id))]),
        title: "May it deploy?".to_owned(),
        description: None,
        assignees: vec![],
        timeout_s: Some(timeout_s),
        reminders: Reminders::default(),
        working_hours: None,
    }
}

fn step(id: &str, work: Work, next: Option<usize>, deadline_s: u32) -> Step {
    Step {
        id: id.to_owned(),
        work,
        next,
        on_failure: None,
        deadline_s: Some(deadline_s),
        retry: Retry::default(),
        reminders: Reminders::default(),
        working_hours: None,
        escalate_to: None,
    }
}

impl Shape {
    /// A question to people and nothing else; it is decided, withdrawn, shortened and over in a race.
    pub fn question() -> Self {
        Self {
            name: "question",
            envelope: Envelope {
                reminders: Reminders { after_s: Some(30), interval_s: 30, max: 1 },
                escalate_to: Some(address("boss")),
                hold_point: Some(hold_point(Placement::OnArrival)),
                ..envelope(100)
            },
            asks: vec![],
            acts: vec![],
            processes: 0,
            people: Person::ALL.to_vec(),
            shortens: true,
            instants: vec![0, 30, 60, 79, 80, 81, 99, 100, 101],
            clocks: Clocks::APART.to_vec(),
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// An agent's result that a person signs off; two workers run its turns.
    pub fn sign_off() -> Self {
        Self {
            name: "sign-off",
            envelope: Envelope {
                delivery: Delivery::Worker,
                hold_point: Some(hold_point(Placement::OnResult)),
                ..envelope(900)
            },
            asks: vec![],
            acts: vec![Act::Start, Act::Complete],
            processes: 2,
            people: Person::ALL.to_vec(),
            shortens: false,
            instants: vec![0, 119, 120, 300, 899, 900, 901],
            clocks: Clocks::APART.to_vec(),
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// An approval of a tool call; two processes of one agent with a stream want to run the tool.
    pub fn ask() -> Self {
        let day = 24 * 60 * 60;
        Self {
            name: "ask",
            envelope: envelope(2 * day),
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Finish(0), Act::Complete],
            processes: 2,
            people: vec![Person::Rita, Person::Otto, Person::Asker, Person::Agent, Person::Sender],
            shortens: false,
            instants: vec![0, 99, 100, 3600, day - 1, day, 2 * day - 1, 2 * day],
            clocks: vec![
                Clocks::EXACT,
                Clocks { people: -1, agents: 1, wake: 0 },
                Clocks { people: 1, agents: -1, wake: 0 },
                Clocks { people: 0, agents: -1, wake: 1 },
            ],
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// The same with every step of the post, and fewer moments.
    pub fn ask_by_post() -> Self {
        let day = 24 * 60 * 60;
        Self {
            name: "ask, step by step",
            people: vec![Person::Rita, Person::Otto, Person::Sender],
            instants: vec![0, 100, 3600, 2 * day],
            clocks: vec![Clocks::EXACT],
            processes: 1,
            post: Post::StepByStep,
            ..Self::ask()
        }
    }

    /// An approval of a tool call that two workers under leases want to run.
    pub fn leased_ask() -> Self {
        Self {
            name: "ask, leased",
            envelope: Envelope { delivery: Delivery::Worker, ..envelope(900) },
            asks: vec![ask("a", 100)],
            acts: vec![Act::Start, Act::Suspend, Act::Claim(0), Act::Finish(0), Act::Complete],
            processes: 2,
            people: vec![Person::Rita, Person::Otto],
            shortens: false,
            instants: vec![0, 120, 420, 900],
            clocks: vec![Clocks::EXACT],
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// Two approvals in one suspension, of which people may grant none, one or both.
    pub fn two_asks() -> Self {
        Self {
            name: "two asks",
            envelope: envelope(900),
            asks: vec![ask("a", 100), ask("b", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Claim(1), Act::Complete],
            processes: 1,
            people: vec![Person::Rita, Person::Otto],
            shortens: false,
            instants: vec![0, 100, 900],
            clocks: vec![Clocks::EXACT],
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// A workflow: an agent, tried twice at most, and then two people one after the other.
    pub fn workflow() -> Self {
        let agent = Work::Agent {
            to: handler(),
            handler: handler(),
            delivery: Delivery::Stream,
            hold_point: None,
            input: Map::new(),
        };
        let asks = |title: &str| Work::Human { task: HumanTask::approval(title.to_owned()) };
        let tried = Step {
            retry: Retry { retries_max: 1, delay_s: 10 },
            ..step("build", agent, Some(1), 100)
        };
        let steps = vec![
            tried,
            step("review", asks("Is the build right?"), Some(2), 200),
            step("release", asks("May it go out?"), None, 200),
        ];
        let workflow = Workflow { scenario_id: "release".to_owned(), entry: 0, steps };
        Self {
            name: "workflow",
            envelope: Envelope {
                to: Address::agent_core(),
                handler: Address::agent_core(),
                workflow: Some(workflow),
                ..envelope(500)
            },
            asks: vec![],
            acts: vec![Act::Complete, Act::Fail],
            processes: 1,
            people: vec![Person::Rita, Person::Otto, Person::Asker, Person::Agent, Person::Sender],
            shortens: false,
            instants: vec![0, 10, 100, 210, 300, 500],
            clocks: vec![Clocks::EXACT, Clocks { people: -1, agents: 0, wake: 1 }],
            in_flight_max: 0,
            post: Post::Anyhow,
        }
    }

    /// The same with up to `in_flight_max` operations at a time between load and commit, at fewer
    /// moments and by exact clocks.
    #[must_use]
    pub fn raced(self, in_flight_max: usize, instants: &[i64]) -> Self {
        Self { in_flight_max, instants: instants.to_vec(), clocks: vec![Clocks::EXACT], ..self }
    }

    /// The same by these clocks.
    #[must_use]
    pub fn by(self, clocks: &[Clocks]) -> Self {
        Self { clocks: clocks.to_vec(), ..self }
    }

    /// The same among these people.
    #[must_use]
    pub fn among(self, people: &[Person]) -> Self {
        Self { people: people.to_vec(), ..self }
    }

    /// The result that process `process` of the agent comes to.
    pub fn result(process: u8) -> Value {
        json!({"built_by": process})
    }
}
