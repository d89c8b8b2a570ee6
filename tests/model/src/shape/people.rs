//! Shapes in which people are asked, and what is said and changed in the meantime.

use shared::intent::envelope::{Delivery, Envelope, Reminders};
use shared::intent::human_task::{HoldPoint, HumanTask, Placement};
use shared::intent::working_hours::{SpelledHours, WorkingHours};

use super::{Post, Shape, address, ask, envelope, hold_point};
use crate::agent::Act;
use crate::other::Other;
use crate::person::Person;
use crate::time::Clocks;

const DAY_SECONDS: i64 = 24 * 60 * 60;

impl Shape {
    /// A question to people and nothing else; it is decided, withdrawn, shortened and over in a race.
    pub fn question() -> Self {
        let envelope = Envelope {
            reminders: Reminders { after_s: Some(30), interval_s: 30, max: 1 },
            escalate_to: Some(address("boss")),
            hold_point: Some(hold_point(Placement::OnArrival)),
            ..envelope(100)
        };
        Self {
            people: Person::ALL.to_vec(),
            others: vec![Other::Shorten],
            clocks: Clocks::APART.to_vec(),
            ..Self::quiet("question", envelope, &[0, 30, 60, 79, 80, 81, 99, 100, 101])
        }
    }

    /// A question whose life is shortened and prolonged.
    pub fn prolonged() -> Self {
        let envelope =
            Envelope { hold_point: Some(hold_point(Placement::OnArrival)), ..envelope(100) };
        Self {
            people: vec![Person::Rita, Person::Otto, Person::Admin],
            others: vec![Other::Shorten, Other::Prolong],
            clocks: Clocks::APART.to_vec(),
            ..Self::quiet("prolonged", envelope, &[0, 79, 80, 81, 99, 100, 101, 149, 150, 151])
        }
    }

    /// A question to one person, who passes it on, and has it passed back; one of them is who it
    /// escalates to.
    pub fn reassigned() -> Self {
        let task = HumanTask {
            assignees: vec![Person::Rita.name().to_owned()],
            ..HumanTask::approval("Deploy build 7?".to_owned())
        };
        let envelope = Envelope {
            reminders: Reminders { after_s: Some(30), interval_s: 30, max: 1 },
            escalate_to: Some(address(Person::Otto.name())),
            hold_point: Some(HoldPoint { placement: Placement::OnArrival, task }),
            ..envelope(100)
        };
        let reassign = |by, to| Other::Reassign { by, to };
        Self {
            people: vec![Person::Rita, Person::Otto, Person::Asker, Person::Sender],
            others: vec![
                reassign(Person::Rita, Person::Otto),
                reassign(Person::Otto, Person::Rita),
                reassign(Person::Rita, Person::Asker),
                reassign(Person::Asker, Person::Rita),
                reassign(Person::Agent, Person::Rita),
            ],
            repeats_max: 3,
            ..Self::quiet("reassigned", envelope, &[0, 30, 60, 100])
        }
    }

    /// A question whose reminders keep to the hours in which people work.
    pub fn working_hours() -> Self {
        let hours = SpelledHours {
            time_zone: "Etc/UTC".to_owned(),
            days: vec!["mon".to_owned()],
            from: "13:48".to_owned(),
            to: "18:00".to_owned(),
            holidays: None,
        };
        let envelope = Envelope {
            reminders: Reminders { after_s: Some(30), interval_s: 60, max: 2 },
            // The moments of the models begin on a Monday at 13:46:40.
            working_hours: WorkingHours::try_from(hours).ok(),
            escalate_to: Some(address("boss")),
            hold_point: Some(hold_point(Placement::OnArrival)),
            ..envelope(200)
        };
        Self {
            people: vec![Person::Rita, Person::Sender],
            opens_at: Some(80),
            clocks: Clocks::APART.to_vec(),
            ..Self::quiet("working hours", envelope, &[0, 30, 79, 80, 81, 90, 150, 200])
        }
    }

    /// An agent's result that a person signs off; two workers run its turns.
    pub fn sign_off() -> Self {
        let envelope = Envelope {
            delivery: Delivery::Worker,
            hold_point: Some(hold_point(Placement::OnResult)),
            ..envelope(900)
        };
        Self {
            acts: vec![Act::Start, Act::Complete],
            processes: 2,
            people: Person::ALL.to_vec(),
            clocks: Clocks::APART.to_vec(),
            ..Self::quiet("sign-off", envelope, &[0, 119, 120, 300, 899, 900, 901])
        }
    }

    /// An approval of a tool call; two processes of one agent with a stream want to run the tool.
    pub fn ask() -> Self {
        let day = DAY_SECONDS;
        let instants = [0, 99, 100, 3600, day - 1, day, 2 * day - 1, 2 * day];
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Finish(0), Act::Complete],
            processes: 2,
            people: vec![Person::Rita, Person::Otto, Person::Asker, Person::Agent, Person::Sender],
            clocks: vec![
                Clocks::EXACT,
                Clocks { people: -1, agents: 1, wake: 0 },
                Clocks { people: 1, agents: -1, wake: 0 },
                Clocks { people: 0, agents: -1, wake: 1 },
            ],
            ..Self::quiet("ask", envelope(2 * day), &instants)
        }
    }

    /// The same with every step of the post, and fewer moments.
    pub fn ask_by_post() -> Self {
        Self {
            name: "ask, step by step",
            people: vec![Person::Rita, Person::Otto, Person::Sender],
            instants: vec![0, 100, 3600, 2 * DAY_SECONDS],
            clocks: vec![Clocks::EXACT],
            processes: 1,
            post: Post::StepByStep,
            ..Self::ask()
        }
    }

    /// An approval of a tool call that two workers under leases want to run.
    pub fn leased_ask() -> Self {
        let envelope = Envelope { delivery: Delivery::Worker, ..envelope(900) };
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Start, Act::Suspend, Act::Claim(0), Act::Finish(0), Act::Complete],
            processes: 2,
            people: vec![Person::Rita, Person::Otto],
            ..Self::quiet("ask, leased", envelope, &[0, 120, 420, 900])
        }
    }

    /// Two approvals in one suspension, of which people may grant none, one or both.
    pub fn two_asks() -> Self {
        Self {
            asks: vec![ask("a", 100), ask("b", 100)],
            acts: vec![Act::Suspend, Act::Claim(0), Act::Claim(1), Act::Complete],
            processes: 1,
            people: vec![Person::Rita, Person::Otto],
            ..Self::quiet("two asks", envelope(900), &[0, 100, 900])
        }
    }

    /// The same, withdrawn while some of it is decided: what was asked for ends with it.
    pub fn withdrawn() -> Self {
        Self {
            name: "withdrawn",
            people: vec![Person::Rita, Person::Sender],
            others: vec![Other::Shorten],
            instants: vec![0, 80, 100, 900],
            ..Self::two_asks()
        }
    }

    /// An approval that people and agents talk about.
    pub fn talk() -> Self {
        Self {
            asks: vec![ask("a", 100)],
            acts: vec![Act::Suspend, Act::Complete],
            processes: 1,
            people: vec![Person::Rita],
            others: vec![
                Other::Say(Person::Rita),
                Other::Say(Person::Agent),
                Other::Hide(Person::Rita),
            ],
            repeats_max: 1,
            ..Self::quiet("talk", envelope(8000), &[0, 100, 3600, 8000])
        }
    }
}
