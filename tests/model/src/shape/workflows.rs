//! Shapes of workflows.

use serde_json::Map;
use shared::address::Address;
use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::human_task::HumanTask;
use shared::intent::workflow::{Retry, Step, Work, Workflow};

use super::{Shape, address, ask, envelope};
use crate::agent::{Act, Agent};
use crate::other::Other;
use crate::person::Person;
use crate::time::Clocks;

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

fn agent() -> Work {
    Work::Agent {
        to: Agent::Deployer.address(),
        handler: Agent::Deployer.address(),
        delivery: Delivery::Stream,
        hold_point: None,
        input: Map::new(),
    }
}

fn asks(title: &str) -> Work {
    Work::Human { task: HumanTask::approval(title.to_owned()) }
}

fn runs(steps: Vec<Step>, deadline_s: i64) -> Envelope {
    Envelope {
        to: Address::agent_core(),
        handler: Address::agent_core(),
        workflow: Some(Workflow { scenario_id: "release".to_owned(), entry: 0, steps }),
        ..envelope(deadline_s)
    }
}

impl Shape {
    /// A workflow: an agent, tried twice at most, and then two people one after the other.
    pub fn workflow() -> Self {
        let tried = Step {
            retry: Retry { retries_max: 1, delay_s: 10 },
            ..step("build", agent(), Some(1), 100)
        };
        let steps = vec![
            tried,
            step("review", asks("Is the build right?"), Some(2), 200),
            step("release", asks("May it go out?"), None, 200),
        ];
        Self {
            acts: vec![Act::Complete, Act::Fail],
            processes: 1,
            people: vec![Person::Rita, Person::Otto, Person::Asker, Person::Agent, Person::Sender],
            clocks: vec![Clocks::EXACT, Clocks { people: -1, agents: 0, wake: 1 }],
            ..Self::quiet("workflow", runs(steps, 500), &[0, 10, 100, 210, 300, 500])
        }
    }

    /// A workflow with the other kinds of step: somebody is told, a person is asked twice, it waits,
    /// and where that fails somebody further up is told before it fails after a while.
    pub fn detour() -> Self {
        let ops = || Some("ops".to_owned());
        let told = Work::Notify { to: ops(), subject: "It begins.".to_owned(), body: None };
        let boss = Work::Escalate { to: address("boss"), reason: None };
        let asked = Step {
            on_failure: Some(3),
            retry: Retry { retries_max: 1, delay_s: 0 },
            ..step("review", asks("Is the build right?"), Some(2), 50)
        };
        let steps = vec![
            step("tell", told, Some(1), 100),
            asked,
            step("rest", Work::Delay { seconds: 30 }, None, 100),
            step("complain", boss, Some(4), 100),
            step("give up", Work::Timeout { seconds: 40 }, None, 100),
        ];
        Self {
            people: vec![Person::Rita, Person::Otto, Person::Sender],
            others: vec![Other::Reassign { by: Person::Rita, to: Person::Otto }],
            repeats_max: 2,
            clocks: vec![Clocks::EXACT, Clocks { people: -1, agents: 0, wake: 1 }],
            ..Self::quiet("detour", runs(steps, 400), &[0, 29, 30, 50, 80, 100, 140, 400])
        }
    }

    /// Three generations: a workflow, the child that has its step, and what that child's agent asks.
    pub fn family() -> Self {
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Complete],
            processes: 1,
            people: vec![Person::Rita, Person::Otto, Person::Sender],
            others: vec![Other::Shorten],
            ..Self::quiet(
                "family",
                runs(vec![step("build", agent(), None, 300)], 500),
                &[0, 80, 100, 300, 500],
            )
        }
    }
}
