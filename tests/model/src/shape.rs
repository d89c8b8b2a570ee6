//! The shapes of intents that are checked, each small enough to be explored to the end.

mod agents;
mod people;
mod workflows;

use serde_json::{Map, Value, json};
use shared::address::Address;
use shared::id::IntentId;
use shared::intent::ask::AskRequest;
use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::human_task::{HoldPoint, HumanTask, Placement};
use uuid::Uuid;

use crate::agent::{Act, Agent};
use crate::other::Other;
use crate::person::Person;
use crate::time::{Clocks, at};

/// The account of every model.
pub const TENANT: &str = "default";
/// Who sends the intents.
pub const SENDER: &str = "sender";
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
    /// What else is done to it.
    pub others: Vec<Other>,
    /// How often, all in all, what may be done again and again is done.
    pub repeats_max: u8,
    /// The second at which reminders may be sent first, if there are hours for them.
    pub opens_at: Option<i64>,
    /// How the agents that it is handed on to get it, if it is; then every other process is one of the
    /// second agent.
    pub hands_on: Option<Delivery>,
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

/// The address that `text` is.
pub fn address(text: &str) -> Address {
    // Every text here is an address; another one would ask people instead.
    Address::parse(text).unwrap_or_else(|_| Address::agent_core())
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
        to: Agent::Deployer.address(),
        handler: Agent::Deployer.address(),
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

impl Shape {
    /// An intent with nobody around it yet, at these moments.
    fn quiet(name: &'static str, envelope: Envelope, instants: &[i64]) -> Self {
        Self {
            name,
            envelope,
            asks: vec![],
            acts: vec![],
            processes: 0,
            people: vec![],
            others: vec![],
            repeats_max: 0,
            opens_at: None,
            hands_on: None,
            instants: instants.to_vec(),
            clocks: vec![Clocks::EXACT],
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

    /// The agent that process `process` is one of.
    pub fn agent_of(&self, process: u8) -> Agent {
        if self.hands_on.is_some() && process % 2 == 1 { Agent::Releaser } else { Agent::Deployer }
    }

    /// The result that process `process` of the agent comes to.
    pub fn result(process: u8) -> Value {
        json!({"built_by": process})
    }
}
